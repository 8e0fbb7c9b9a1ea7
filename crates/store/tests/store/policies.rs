use crate::base::Base;
use pressroom_base::id::{AccountId, SiteId};
use pressroom_store::{
    NewComponent, PolicyFields, PolicyOf, Store, Tried, UpdateTurn, components, environments,
    policies,
};
use sea_orm::ConnectionTrait;
use serde_json::json;
use std::time::Duration;

crate::on_both! {
    what_is_said_stays_said
    only_automatic_sites_have_turns
    of_many_that_take_a_turn_one_has_it
    a_turn_that_was_woken_is_not_settled
    the_same_update_is_begun_once
    releases_are_seen_for_the_first_time_once
    a_site_takes_its_policy_along_when_it_goes
}

const LEASE: Duration = Duration::from_mins(1);

async fn site(base: &Base, account: AccountId, name: &str) -> SiteId {
    let tx = base.store.begin().await.unwrap();
    let site = environments::create_site(&tx, account, name, name).await;
    let id = site.unwrap().id;
    tx.commit().await.unwrap();
    id
}

async fn say(store: &Store, of: PolicyOf, fields: PolicyFields) {
    let tx = store.begin().await.unwrap();
    policies::put(&tx, of, fields, None, "test").await.unwrap();
    tx.commit().await.unwrap();
}

fn automatic(is: bool) -> PolicyFields {
    PolicyFields {
        automatic: Some(is),
        ..PolicyFields::default()
    }
}

async fn due(store: &Store) -> Vec<UpdateTurn> {
    policies::enrol(store).await.unwrap();
    policies::claim_due(store, 100, LEASE).await.unwrap()
}

async fn what_is_said_stays_said(base: Base) {
    let account = base.account("Acme").await.id;
    let site = site(&base, account, "a").await;
    let all = PolicyFields {
        automatic: Some(true),
        hold_days: Some(7),
        minor_only: Some(false),
        exclusions: Some(vec!["plugin:a".into(), "theme:*".into()]),
        windows: Some(json!([{ "days": ["sat"], "from": "22:00", "to": "04:00" }])),
        time_zone: Some("Europe/Berlin".into()),
        auto_approve: Some(true),
    };
    say(&base.store, PolicyOf::Account(account), all.clone()).await;
    let little = PolicyFields {
        exclusions: Some(Vec::new()),
        ..PolicyFields::default()
    };
    say(&base.store, PolicyOf::Site(site), automatic(true)).await;
    say(&base.store, PolicyOf::Site(site), little.clone()).await;
    let row = policies::get(&base.store, PolicyOf::Account(account)).await;
    assert_eq!(PolicyFields::from(row.unwrap().unwrap()), all);
    let row = policies::get(&base.store, PolicyOf::Site(site)).await;
    let row = row.unwrap().unwrap();
    assert_eq!((row.site_id, row.account_id), (Some(site), None));
    assert_eq!(PolicyFields::from(row), little);

    let tx = base.store.begin().await.unwrap();
    assert!(policies::clear(&tx, PolicyOf::Site(site)).await.unwrap());
    assert!(!policies::clear(&tx, PolicyOf::Site(site)).await.unwrap());
    tx.commit().await.unwrap();
    let left = policies::get(&base.store, PolicyOf::Site(site)).await;
    assert_eq!(left.unwrap(), None);
}

async fn only_automatic_sites_have_turns(base: Base) {
    let account = base.account("Acme").await.id;
    let other = base.account("Other").await.id;
    let store = &base.store;
    let (a, b) = (
        site(&base, account, "a").await,
        site(&base, account, "b").await,
    );
    site(&base, other, "c").await;
    assert_eq!(policies::enrol(store).await.unwrap(), 0);
    assert!(due(store).await.is_empty());

    say(store, PolicyOf::Account(account), automatic(true)).await;
    say(store, PolicyOf::Site(b), automatic(false)).await;
    let turns = due(store).await;
    assert_eq!(turns.iter().map(|it| it.site_id).collect::<Vec<_>>(), [a]);
    // It is held.
    assert!(due(store).await.is_empty());
    store.advance_clock(LEASE * 2);
    assert_eq!(due(store).await.len(), 1);

    // What the account does not say, a site may.
    say(store, PolicyOf::Account(account), PolicyFields::default()).await;
    say(store, PolicyOf::Site(b), automatic(true)).await;
    store.advance_clock(LEASE * 2);
    let turns = due(store).await;
    assert_eq!(turns.iter().map(|it| it.site_id).collect::<Vec<_>>(), [b]);
    let later = store.now().await.unwrap().plus(LEASE * 10);
    let settled = policies::settle(store, &turns[0], later, Some("Europe/Berlin")).await;
    assert!(settled.unwrap());
    store.advance_clock(LEASE * 2);
    assert!(due(store).await.is_empty());
    store.advance_clock(LEASE * 10);
    let turns = due(store).await;
    assert_eq!(turns[0].zone.as_deref(), Some("Europe/Berlin"));
    let zone = policies::zone(store, b).await.unwrap();
    assert_eq!(zone.as_deref(), Some("Europe/Berlin"));
}

async fn of_many_that_take_a_turn_one_has_it(base: Base) {
    let account = base.account("Acme").await.id;
    for name in ["a", "b", "c", "d"] {
        site(&base, account, name).await;
    }
    let store = &base.store;
    say(store, PolicyOf::Account(account), automatic(true)).await;
    policies::enrol(store).await.unwrap();
    // They are a quarter of a second apart.
    store.advance_clock(Duration::from_secs(2));
    let tries = (0..8).map(|_| policies::claim_due(store, 2, LEASE));
    let mut all = Vec::new();
    for turns in futures_util::future::join_all(tries).await {
        all.extend(turns.unwrap().into_iter().map(|it| it.site_id));
    }
    all.extend(due(store).await.into_iter().map(|it| it.site_id));
    let count = all.len();
    all.sort_unstable();
    all.dedup();
    assert_eq!((count, all.len()), (4, 4));
}

async fn a_turn_that_was_woken_is_not_settled(base: Base) {
    let account = base.account("Acme").await.id;
    let store = &base.store;
    let site = site(&base, account, "a").await;
    say(store, PolicyOf::Site(site), automatic(true)).await;
    let turn = due(store).await.remove(0);
    let tx = store.begin().await.unwrap();
    policies::wake(&tx, PolicyOf::Account(account))
        .await
        .unwrap();
    tx.commit().await.unwrap();
    let later = store.now().await.unwrap().plus(LEASE);
    assert!(!policies::settle(store, &turn, later, None).await.unwrap());
    assert_eq!(due(store).await.len(), 1);
}

async fn the_same_update_is_begun_once(base: Base) {
    let account = base.account("Acme").await.id;
    let site = site(&base, account, "a").await;
    let store = &base.store;
    let update = |version: &str| Tried {
        kind: "plugin".into(),
        slug: "a".into(),
        version: version.into(),
    };
    let begin = |new: Tried| async move {
        let tx = store.begin().await.unwrap();
        let begun = policies::begin(&tx, site, &new).await.unwrap();
        tx.commit().await.unwrap();
        begun
    };
    let all = futures_util::future::join_all((0..6).map(|_| begin(update("1.1")))).await;
    assert_eq!(all.into_iter().filter(|it| *it).count(), 1);
    assert!(begin(update("1.2")).await);
    assert!(!begin(update("1.2")).await);
    let known = policies::tried(store, site).await.unwrap();
    assert_eq!(known, [update("1.2")]);
    let tx = store.begin().await.unwrap();
    policies::forget(&tx, PolicyOf::Account(account))
        .await
        .unwrap();
    tx.commit().await.unwrap();
    assert!(begin(update("1.2")).await);
}

async fn releases_are_seen_for_the_first_time_once(base: Base) {
    let account = base.account("Acme").await.id;
    let store = &base.store;
    let environment = base.environment(account, "/home/a").await.id;
    let offered = |version: Option<&str>| NewComponent {
        kind: "plugin".into(),
        place: "normal".into(),
        slug: "a".into(),
        new_version: version.map(str::to_owned),
        ..NewComponent::default()
    };
    let record = |version: Option<&'static str>| async move {
        let tx = store.begin().await.unwrap();
        let seen = vec![offered(version)];
        components::replace_all(&tx, environment, seen)
            .await
            .unwrap();
        tx.commit().await.unwrap();
        policies::note_offers(store).await.unwrap()
    };
    assert_eq!(record(None).await, 0);
    let before = store.now().await.unwrap();
    assert_eq!(record(Some("1.1")).await, 1);
    store.advance_clock(Duration::from_hours(48));
    assert_eq!(record(Some("1.1")).await, 0);
    assert_eq!(record(Some("1.2")).await, 1);
    let known = policies::releases_of(store, "plugin", "a").await.unwrap();
    assert_eq!(known.len(), 2);
    assert!(known[0].since() < before.plus(Duration::from_hours(1)));
    assert!(known[1].since() > before.plus(Duration::from_hours(47)));
    assert!(!known[0].asked);

    let tx = store.begin().await.unwrap();
    policies::set_released(&tx, &known[1], Some(before))
        .await
        .unwrap();
    let again = [("plugin", "a", "1.2"), ("core", "core", "9.9")];
    let again = again.map(|(kind, slug, version)| (kind.into(), slug.into(), version.into()));
    policies::note_releases(&tx, &again).await.unwrap();
    tx.commit().await.unwrap();
    let known = policies::releases_of(store, "plugin", "a").await.unwrap();
    assert_eq!(known.len(), 2);
    assert_eq!((known[1].since(), known[1].asked), (before, true));
    let core = policies::releases_of(store, "core", "core").await.unwrap();
    assert_eq!(core.len(), 1);
}

async fn a_site_takes_its_policy_along_when_it_goes(base: Base) {
    let account = base.account("Acme").await.id;
    let store = &base.store;
    let site = site(&base, account, "a").await;
    say(store, PolicyOf::Site(site), automatic(true)).await;
    assert_eq!(due(store).await.len(), 1);
    let raw = base.raw().await;
    raw.execute_unprepared("DELETE FROM sites").await.unwrap();
    let left = policies::get(store, PolicyOf::Site(site)).await.unwrap();
    assert_eq!(left, None);
    assert_eq!(policies::zone(store, site).await.unwrap(), None);
}
