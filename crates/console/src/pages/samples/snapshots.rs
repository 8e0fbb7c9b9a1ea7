//! Snapshots on their site's page and on their own.

use super::{ago, fleet_sites, frame, health::health_of, now, person, pipelines::panel_of};
use crate::{
    frame::Section,
    pages::{
        site::{SiteFacts, SitePage},
        snapshot::{SnapshotFacts, SnapshotPage},
    },
};
use askama::Template;
use pressroom_base::id::{AccountId, EnvironmentId, JobId};
use pressroom_fleet::{
    principal::Role,
    snapshots::{Held, Snapshot},
    views::Environment,
};
use std::time::Duration;

/// A snapshot in this state.
pub(super) fn snapshot(id: &str, state: &str) -> Snapshot {
    Snapshot {
        id: id.into(),
        account_id: AccountId::new(1),
        environment_id: EnvironmentId::new(1),
        panel_id: "wp_2f686f6d6".into(),
        domain: "blog.example".into(),
        contents: "full".into(),
        format: "tar.zst".into(),
        state: state.into(),
        size: 48_200_000,
        sha256: Some("ab".repeat(32)),
        verified_at: (state == "ready").then(|| ago(3_000)),
        wordpress_version: "6.5.5".into(),
        note: "before the relaunch".into(),
        fault: None,
        job_id: Some(JobId::new(3)),
        created_at: ago(4_000),
        finished_at: Some(ago(3_900)),
        expires_at: Some(now().plus(Duration::from_hours(700))),
        short_id: "0123456789abcdefghij".into(),
        trigger: "manual",
        pipeline: None,
        origin: "capture",
        upload_until: None,
        held: Held {
            database: true,
            files: true,
            paths: vec![".".into()],
            restorable: true,
        },
    }
}

/// A site's page with snapshots in every state.
pub(super) fn site_with_snapshots(site: &Environment, role: Role) -> SitePage {
    let mut damaged = snapshot("d4m4g3d0000000aa", "ready");
    damaged.fault = Some("its bytes are not those that were stored".into());
    let mut old = snapshot("0ld0000000000000", "ready");
    (old.verified_at, old.expires_at) = (None, None);
    let snapshots = [
        snapshot("m4king0000000000", "creating"),
        snapshot("k3v9q2x7m1p0aaaa", "ready"),
        damaged,
        old,
        snapshot("f41l3d0000000000", "failed"),
        snapshot("g0ne000000000000", "expired"),
    ];
    SitePage {
        frame: frame(&site.title, Section::Sites),
        site: SiteFacts::new(site, &[], &snapshots, &person(role), now()),
        health: health_of(site, "healthy"),
        pipelines: panel_of(site, role),
    }
}

/// The page of one.
pub(super) fn snapshot_page(site: &Environment, snapshot: &Snapshot, role: Role) -> SnapshotPage {
    SnapshotPage {
        frame: frame("Snapshot", Section::Sites),
        snapshot: SnapshotFacts::new(site, snapshot, &person(role), now()),
    }
}

#[test]
fn a_snapshots_buttons_are_for_those_who_may_and_for_what_is_there() {
    let blog = fleet_sites().remove(0);
    let kept = snapshot("k3v9q2x7m1p0aaaa", "ready");
    let page = |kept: &Snapshot, role| snapshot_page(&blog, kept, role).render().unwrap();
    let owner = page(&kept, Role::Owner);
    for action in ["/download", "/verify", "/restore", "/remove"] {
        assert!(
            owner.contains(&format!("k3v9q2x7m1p0aaaa{action}\"")),
            "{action}"
        );
    }
    let member = page(&kept, Role::Member);
    assert!(member.contains("/download\"") && !member.contains("/restore\""));
    assert!(!page(&kept, Role::Viewer).contains("/download\""));
    for state in ["creating", "failed", "expired"] {
        let page = page(&snapshot("k3v9q2x7m1p0aaaa", state), Role::Owner);
        assert!(!page.contains("/download\""), "{state}");
    }
    let list = site_with_snapshots(&blog, Role::Owner).render().unwrap();
    for said in [
        "Being made",
        "Verified",
        "Damaged",
        "Not verified",
        "Failed",
        "48.2 MB",
    ] {
        assert!(list.contains(said), "{said}");
    }
    assert!(!list.contains("g0ne"), "a removed one is listed");
}
