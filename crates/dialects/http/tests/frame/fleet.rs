//! A fleet over an empty store of either kind. No site is ever reached through it.

use pressroom_base::{Secret, keyring::Keyring};
use pressroom_fleet::health::HealthSettings;
use pressroom_fleet::hosts::{Hosts, Limits};
use pressroom_fleet::{Fleet, Parts, Selecting, Settings};
use pressroom_providers::{
    hosting::{HostingConfig, LocalHosting},
    lookout::{Lookout, NameServer},
    packages::{PackageCache, PackageSource},
    probe::Prober,
};
use pressroom_store::Store;
use pressroom_testkit::Scratch;
use std::{path::Path, time::Duration};

/// Bytes that may be sent as a snapshot.
pub const UPLOAD_LIMIT: u64 = 4 << 20;

/// A fleet with what it stands on.
pub struct TestFleet {
    /// The use cases.
    pub fleet: Fleet,
    /// What is kept.
    pub store: Store,
    /// This machine as a host; nothing of it runs until a test starts it.
    pub hosting: LocalHosting,
    /// Where sites and packages would be.
    pub dir: Scratch,
}

impl TestFleet {
    /// Over a new file.
    pub async fn sqlite() -> Self {
        let dir = Scratch::new().expect("a temporary directory");
        let url = format!("sqlite://{}", dir.path().join("pressroom.db").display());
        Self::over(&url, dir).await
    }

    /// Over a new database of a private PostgreSQL server.
    pub async fn postgres() -> Self {
        let dir = Scratch::new().expect("a temporary directory");
        let url = pressroom_testkit::postgres::database()
            .await
            .expect("a PostgreSQL database");
        Self::over(&url, dir).await
    }

    async fn over(url: &str, dir: Scratch) -> Self {
        let key: Secret<String> = Keyring::generate();
        let keyring = Keyring::parse(key.expose()).expect("a generated key");
        let store = Store::open(url, keyring).await.expect("an empty store");
        let hosting = hosting(dir.path());
        let fleet = Fleet::new(parts(store.clone(), hosting.clone(), dir.path()));
        Self {
            fleet,
            store,
            hosting,
            dir,
        }
    }
}

fn hosting(dir: &Path) -> LocalHosting {
    let config = HostingConfig::new(dir.join("hosting"), dir.join("sites"));
    LocalHosting::new(config)
}

fn parts(store: Store, hosting: LocalHosting, dir: &Path) -> Parts {
    let prober = Prober::new();
    Parts {
        store,
        hosting,
        packages: PackageCache::new(
            dir.join("cache"),
            vec![PackageSource::Directory(dir.join("packages"))],
        ),
        archive: pressroom_archive::Archive::new(
            pressroom_archive::Objects::directory(dir.join("archive")).expect("a directory"),
        ),
        lookout: Lookout::new(
            &prober,
            NameServer::None,
            pressroom_providers::address::Allowed::default(),
        ),
        prober,
        ssh: Hosts::new(Limits::default()),
        settings: Settings {
            sites_dir: dir.join("sites"),
            agent: vec!["/nonexistent/pressroom-agent".into()],
            php: "php".into(),
            request_lease: Duration::from_mins(5),
            snapshot_quota: None,
            upload_limit: UPLOAD_LIMIT,
            keep_aside: Duration::from_hours(24),
            public_url: "https://press.example".into(),
            allowed: pressroom_providers::address::Allowed::default(),
            redis: None,
            node: "test".into(),
            selecting: Selecting::FromPicture,
            health: HealthSettings::default(),
        },
    }
}

/// Runs a test over both kinds of store.
pub async fn on_both<T: AsyncFn(TestFleet)>(test: T) {
    test(TestFleet::sqlite().await).await;
    test(TestFleet::postgres().await).await;
}
