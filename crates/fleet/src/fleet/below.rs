//! A fleet without a configuration.

use super::{Parts, Selecting, Settings};
use crate::{Result, health::HealthSettings};
use pressroom_archive::{Archive, Objects};
use pressroom_carrier::ssh::{Hosts, Limits};
use pressroom_providers::{
    address::Allowed,
    hosting::{HostingConfig, LocalHosting},
    lookout::{Lookout, NameServer},
    packages::{PackageCache, PackageSource},
    probe::Prober,
};
use pressroom_store::Store;
use std::{path::Path, time::Duration};

impl Parts {
    /// What a fleet is made of that keeps everything below one directory and asks nobody
    /// beyond this machine; no agent is there. For tests and benches, which change what they
    /// are about: a program takes what its configuration says.
    pub fn below(dir: &Path, store: Store) -> Result<Self> {
        let prober = Prober::new();
        Ok(Self {
            store,
            hosting: LocalHosting::new(HostingConfig::new(dir.join("hosting"), dir.join("sites"))),
            packages: PackageCache::new(
                dir.join("cache"),
                vec![PackageSource::Directory(dir.join("packages"))],
            ),
            archive: Archive::new(Objects::directory(dir.join("archive"))?),
            lookout: Lookout::new(&prober, NameServer::None, Allowed::default()),
            prober,
            ssh: Hosts::new(Limits::default()),
            settings: Settings {
                sites_dir: dir.join("sites"),
                agent: vec![dir.join("pressroom-agent").into(), "serve".into()],
                php: "php".into(),
                request_lease: Duration::from_mins(5),
                snapshot_quota: None,
                upload_limit: 10 << 30,
                keep_aside: Duration::from_hours(24),
                public_url: "https://press.example".into(),
                allowed: Allowed::default(),
                redis: None,
                node: "one".into(),
                selecting: Selecting::FromPicture,
                health: HealthSettings::default(),
                pictures: false,
            },
        })
    }
}
