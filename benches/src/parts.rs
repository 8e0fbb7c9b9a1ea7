//! What a fleet is made of that reaches no site.

use anyhow::Result;
use pressroom_archive::{Archive, Objects};
use pressroom_fleet::{
    Parts, Selecting, Settings,
    health::HealthSettings,
    hosts::{Hosts, Limits},
};
use pressroom_providers::{
    hosting::{HostingConfig, LocalHosting},
    lookout::{Lookout, NameServer},
    packages::{PackageCache, PackageSource},
    probe::Prober,
};
use pressroom_store::Store;
use std::{path::Path, time::Duration};

/// A fleet of nothing but its store.
pub fn parts(store: Store, dir: &Path) -> Result<Parts> {
    let prober = Prober::new();
    Ok(Parts {
        store,
        hosting: LocalHosting::new(HostingConfig::new(dir.join("hosting"), dir.join("sites"))),
        packages: PackageCache::new(
            dir.join("cache"),
            vec![PackageSource::Directory(dir.join("packages"))],
        ),
        archive: Archive::new(Objects::directory(dir.join("archive"))?),
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
            upload_limit: 10 << 30,
            keep_aside: Duration::from_hours(24),
            public_url: "https://press.example".into(),
            allowed: pressroom_providers::address::Allowed::default(),
            redis: None,
            node: "bench".into(),
            selecting: Selecting::FromPicture,
            health: HealthSettings::default(),
        },
    })
}
