//! The handle through which faces reach every use case.

mod below;

use crate::{environments::Picture, health::HealthSettings, mail::Smtp, webhooks::Post};
use pressroom_archive::Archive;
use pressroom_carrier::ssh::{Hosts, Program};
use pressroom_providers::{
    address::Allowed, hosting::LocalHosting, lookout::Lookout, outgoing::Outgoing,
    packages::PackageCache, probe::Prober,
};
use pressroom_store::Store;
use pressroom_wordpress::caches::redis::RedisSettings;
use std::{
    ffi::OsString,
    path::PathBuf,
    sync::{Arc, OnceLock},
    time::{Duration, Instant},
};
use tokio::sync::{Mutex, OnceCell, Semaphore};

/// All use cases. Cheap to clone.
#[derive(Clone)]
pub struct Fleet {
    pub(crate) parts: Arc<Parts>,
    /// One background refresh of stale sites at a time.
    pub(crate) refreshing: Arc<Semaphore>,
    /// Snapshots that are being handed out: each holds some megabytes of memory.
    pub(crate) downloads: Arc<Semaphore>,
    /// Snapshots that are being sent.
    pub(crate) uploads: Arc<Semaphore>,
    /// Passwords that are being verified.
    pub(crate) verifying: Arc<Semaphore>,
    /// What the machine's PHP said of itself, and when.
    pub(crate) php: Arc<Mutex<Option<PhpSeen>>>,
    /// Commands at sites, over all runs that this process carries out.
    pub(crate) commands: Arc<Semaphore>,
    /// The agent that is brought to hosts, once it was read.
    pub(crate) agent: Arc<OnceCell<Program>>,
    /// What selectors are answered from, once somebody asked.
    pub(crate) picture: Arc<Picture>,
    /// What asks addresses that others name, once one was named.
    outgoing: Arc<OnceLock<Outgoing>>,
    /// How webhooks are written and sent.
    pub(crate) post: Arc<Post>,
    /// Who is handed mail; nobody, where no server is configured.
    pub(crate) smtp: Option<Smtp>,
}

/// Commands at sites at once by one process: each holds an agent and a thread.
const COMMANDS: usize = 128;
/// Snapshots handed out at once by one process.
const DOWNLOADS: usize = 16;
/// Snapshots taken in at once by one process: each has a thread look into it.
const UPLOADS: usize = 8;
/// Passwords verified at once by one process.
const VERIFYING: usize = 8;

/// The version that the machine's PHP told, if it started, and when.
pub(crate) struct PhpSeen {
    pub(crate) at: Instant,
    pub(crate) version: Option<String>,
}

/// What a fleet is made of.
pub struct Parts {
    /// What is kept.
    pub store: Store,
    /// This machine as a host of sites.
    pub hosting: LocalHosting,
    /// Where packages come from.
    pub packages: PackageCache,
    /// Where snapshots are kept.
    pub archive: Archive,
    /// How sites are looked at from outside.
    pub prober: Prober,
    /// How they are looked at from where their visitors are.
    pub lookout: Lookout,
    /// The connections to other machines.
    pub ssh: Hosts,
    /// What may be configured.
    pub settings: Settings,
}

/// What may be configured about use cases.
#[derive(Debug, Clone)]
pub struct Settings {
    /// Directory below which domains get theirs.
    pub sites_dir: PathBuf,
    /// The agent's command line up to `--home`.
    pub agent: Vec<OsString>,
    /// The `php` that bridge calls run.
    pub php: String,
    /// How long an interrupted request's claim on its idempotency key holds.
    pub request_lease: Duration,
    /// Bytes of snapshots that an account may keep; `None` for any number.
    pub snapshot_quota: Option<u64>,
    /// Bytes that a snapshot may have that somebody sends.
    pub upload_limit: u64,
    /// How long what a restore displaced is kept where it was not let go of at once.
    pub keep_aside: Duration,
    /// The address people reach this installation at, without a trailing slash: what
    /// links begin with.
    pub public_url: String,
    /// Private networks in which addresses that somebody names may be.
    pub allowed: Allowed,
    /// The Redis server for sites' object caches, as its operator reaches it; the prefix
    /// is not used.
    pub redis: Option<RedisSettings>,
    /// Names this process among those that share the store.
    pub node: String,
    /// How selectors are answered.
    pub selecting: Selecting,
    /// How often sites are looked at.
    pub health: HealthSettings,
    /// Whether pages are compared as pictures before and after an update, where there is a
    /// Chromium.
    pub pictures: bool,
}

/// How a process finds what a selector names; the answer is the same.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Selecting {
    /// Each question reads the store: for a process that asks once.
    Directly,
    /// The first question reads the whole fleet into memory, where later ones are
    /// answered: for a process that goes on.
    FromPicture,
}

impl Fleet {
    /// Puts a fleet together.
    pub fn new(parts: Parts) -> Self {
        Self {
            parts: Arc::new(parts),
            refreshing: Arc::new(Semaphore::new(1)),
            downloads: Arc::new(Semaphore::new(DOWNLOADS)),
            uploads: Arc::new(Semaphore::new(UPLOADS)),
            commands: Arc::new(Semaphore::new(COMMANDS)),
            verifying: Arc::new(Semaphore::new(VERIFYING)),
            php: Arc::default(),
            agent: Arc::default(),
            picture: Arc::default(),
            outgoing: Arc::default(),
            post: Arc::default(),
            smtp: None,
        }
    }

    /// The same fleet, which sends webhooks in this way. One without sends none.
    #[must_use]
    pub fn with_post(mut self, post: Post) -> Self {
        self.post = Arc::new(post);
        self
    }

    /// The same fleet, which hands mail to this server. One without tells nobody by mail.
    #[must_use]
    pub fn with_mail(mut self, smtp: Smtp) -> Self {
        self.smtp = Some(smtp);
        self
    }

    /// Asks addresses that somebody named, where that is permitted.
    pub(crate) fn outgoing(&self) -> &Outgoing {
        self.outgoing
            .get_or_init(|| Outgoing::guarded(self.parts.settings.allowed.clone()))
    }

    /// Bytes that a snapshot may have that somebody sends.
    pub fn upload_limit(&self) -> u64 {
        self.parts.settings.upload_limit
    }

    /// The address people reach this installation at, without a trailing slash.
    pub fn public_url(&self) -> &str {
        &self.parts.settings.public_url
    }

    /// `https` or `http`: how people reach this installation.
    pub fn public_scheme(&self) -> &'static str {
        if self.parts.settings.public_url.starts_with("https:") {
            "https"
        } else {
            "http"
        }
    }
}
