use crate::base::{Base, count};
use pressroom_base::id::{ShortId, SiteId};
use pressroom_store::{
    CheckKind, CheckStatus, Lookup, NewHealthCheck, Page, SiteStatus, environments,
    health::{self, Settled},
};
use std::time::Duration;

const LEASE: Duration = Duration::from_mins(3);

crate::on_both! {
    a_turn_is_held_by_one_and_ends_under_its_name
    a_site_is_down_once_at_a_time
    what_does_not_change_is_kept_once
    looks_go_with_their_site
}

/// A site that visitors see.
async fn site(base: &Base, root: &str) -> SiteId {
    let account = base.account(root).await;
    let row = base.environment(account.id, root).await;
    let tx = base.store.begin().await.unwrap();
    let patch = pressroom_store::EnvironmentPatch {
        state: Some(pressroom_store::EnvironmentState::Active),
        ..Default::default()
    };
    environments::update(&tx, row.id, patch).await.unwrap();
    tx.commit().await.unwrap();
    row.site_id
}

fn look(site_id: SiteId, detail_id: i64, keep: bool) -> NewHealthCheck {
    NewHealthCheck {
        site_id,
        environment_id: None,
        status: CheckStatus::Passed,
        kind: CheckKind::Scheduled,
        http_status: Some(200),
        response_ms: Some(400),
        ttfb_ms: Some(200),
        detail_id,
        error: None,
        pipeline_id: None,
        keep,
    }
}

async fn a_turn_is_held_by_one_and_ends_under_its_name(base: Base) {
    let one = site(&base, "/srv/one").await;
    let store = &base.store;
    assert_eq!(
        health::enrol(store, Duration::from_mins(10)).await.unwrap(),
        1
    );
    assert_eq!(
        health::enrol(store, Duration::from_mins(10)).await.unwrap(),
        0
    );
    let turns = health::claim_due(store, 10, LEASE).await.unwrap();
    assert_eq!(turns.len(), 1);
    let turn = &turns[0];
    assert!(turn.site_id == one && !turn.full && turn.memory.is_empty());
    assert!(
        health::claim_due(store, 10, LEASE)
            .await
            .unwrap()
            .is_empty()
    );

    // Somebody asks meanwhile: what was found in the first turn does not count.
    let asked = health::claim_one(store, one, LEASE).await.unwrap().unwrap();
    let tx = store.begin().await.unwrap();
    assert_eq!(health::hold(&tx, one, &turn.claim).await.unwrap(), None);
    let now = tx.now().await.unwrap();
    let settled = Settled {
        memory: "{}".into(),
        due_at: now.plus(Duration::from_mins(5)),
        full_due_at: now.plus(Duration::from_hours(24)),
    };
    let late = health::settle(&tx, one, &turn.claim, &settled).await;
    assert!(late.is_err());
    assert!(
        health::hold(&tx, one, &asked.claim)
            .await
            .unwrap()
            .is_some()
    );
    health::settle(&tx, one, &asked.claim, &settled)
        .await
        .unwrap();
    tx.commit().await.unwrap();
    assert!(!health::prolong(store, turn, LEASE).await.unwrap());

    store.advance_clock(Duration::from_mins(6));
    let again = health::claim_due(store, 10, LEASE).await.unwrap();
    assert_eq!(again[0].memory, "{}");
    store.advance_clock(LEASE + Duration::from_secs(1));
    let taken_over = health::claim_due(store, 10, LEASE).await.unwrap();
    assert_eq!(taken_over.len(), 1, "its holder is gone");
    health::put_off(store, &taken_over[0], Duration::from_mins(1))
        .await
        .unwrap();
    assert!(
        health::claim_due(store, 10, LEASE)
            .await
            .unwrap()
            .is_empty()
    );
    let tx = store.begin().await.unwrap();
    health::set_slow_ms(&tx, one, Some(5000)).await.unwrap();
    tx.commit().await.unwrap();
    store.advance_clock(Duration::from_hours(25));
    let turn = health::claim_due(store, 10, LEASE).await.unwrap().remove(0);
    assert!(turn.full && turn.slow_ms == Some(5000));
}

async fn a_site_is_down_once_at_a_time(base: Base) {
    let one = site(&base, "/srv/one").await;
    let (first, second) = (ShortId::random(), ShortId::random());
    let tx = base.store.begin().await.unwrap();
    let now = tx.now().await.unwrap();
    assert!(
        health::open(&tx, one, now, &first, Some("away"))
            .await
            .unwrap()
    );
    assert!(!health::open(&tx, one, now, &second, None).await.unwrap());
    let open = health::open_of(&tx, one).await.unwrap().unwrap();
    assert_eq!(
        (open.opened_by.as_str(), open.error.as_deref()),
        (first.as_str(), Some("away"))
    );
    assert_eq!(health::close(&tx, one, &second).await.unwrap(), Some(now));
    assert_eq!(health::close(&tx, one, &second).await.unwrap(), None);
    assert!(health::open(&tx, one, now, &second, None).await.unwrap());
    health::set_status(&tx, one, SiteStatus::Down)
        .await
        .unwrap();
    tx.commit().await.unwrap();
    let row = environments::get_site(&base.store, one)
        .await
        .unwrap()
        .unwrap();
    assert_eq!(
        (row.status, row.status_since),
        (SiteStatus::Down, row.checked_at)
    );
    base.store.advance_clock(LEASE);
    let tx = base.store.begin().await.unwrap();
    health::set_status(&tx, one, SiteStatus::Down)
        .await
        .unwrap();
    tx.commit().await.unwrap();
    let later = environments::get_site(&base.store, one)
        .await
        .unwrap()
        .unwrap();
    assert_eq!(later.status_since, row.status_since);
    assert!(later.checked_at > row.checked_at);
}

async fn what_does_not_change_is_kept_once(base: Base) {
    let one = site(&base, "/srv/one").await;
    let tx = base.store.begin().await.unwrap();
    let first = health::put_detail(&tx, one, None, "[1]").await.unwrap();
    assert_eq!(
        health::put_detail(&tx, one, Some(first), "[1]")
            .await
            .unwrap(),
        first
    );
    let second = health::put_detail(&tx, one, Some(first), "[2]")
        .await
        .unwrap();
    assert_ne!(first, second);
    for (detail, keep) in [(first, true), (first, false), (second, false)] {
        health::insert(&tx, look(one, detail, keep)).await.unwrap();
    }
    tx.commit().await.unwrap();
    let found = health::details(&base.store, &[first, second])
        .await
        .unwrap();
    assert_eq!(
        (found[&first].as_str(), found[&second].as_str()),
        ("[1]", "[2]")
    );
    let all = health::HealthFilter::default();
    let (rows, total) = health::list(&base.store, one, &all, Page::first(2))
        .await
        .unwrap();
    assert_eq!((rows.len(), total), (2, 3));
    assert!(rows[0].id > rows[1].id, "newest first");
    let id = &rows[0].public_id;
    let found = health::by_public_id(&base.store, Some(one), id)
        .await
        .unwrap();
    assert!(matches!(found, Lookup::Found(_)));
    let elsewhere = Some(SiteId::new(one.get() + 1));
    let found = health::by_public_id(&base.store, elsewhere, id)
        .await
        .unwrap();
    assert!(matches!(found, Lookup::Foreign));

    let (full, last) = (Duration::from_hours(48), Duration::from_hours(90 * 24));
    let left = async |by| {
        base.store.advance_clock(by);
        let tx = base.store.begin().await.unwrap();
        while health::sweep(&tx, full, last).await.unwrap() {}
        tx.commit().await.unwrap();
        let raw = base.raw().await;
        (
            count(&raw, "SELECT COUNT(*) FROM health_checks").await,
            count(&raw, "SELECT COUNT(*) FROM health_details").await,
        )
    };
    assert_eq!(left(Duration::from_hours(47)).await, (3, 2));
    assert_eq!(left(Duration::from_hours(2)).await, (1, 2));
    assert_eq!(
        left(Duration::from_hours(90 * 24)).await,
        (0, 1),
        "what is in use stays"
    );
}

async fn looks_go_with_their_site(base: Base) {
    let account = base.account("acme").await;
    let row = base.environment(account.id, "/srv/one").await;
    health::enrol(&base.store, Duration::ZERO).await.unwrap();
    let tx = base.store.begin().await.unwrap();
    let detail = health::put_detail(&tx, row.site_id, None, "[]")
        .await
        .unwrap();
    health::insert(&tx, look(row.site_id, detail, true))
        .await
        .unwrap();
    environments::remove(&tx, row.id).await.unwrap();
    tx.commit().await.unwrap();
    let raw = base.raw().await;
    for table in [
        "health_checks",
        "health_details",
        "site_health",
        "health_incidents",
    ] {
        assert_eq!(
            count(&raw, &format!("SELECT COUNT(*) FROM {table}")).await,
            0,
            "{table}"
        );
    }
}
