//! Hosts: what they are reached with, what they are known by, and what keeps them.

use crate::{
    base::{Base, new_environment},
    ssh_keys::key,
};
use pressroom_base::{
    Kind,
    id::{AccountId, EnvironmentId, HostId},
};
use pressroom_store::{
    EnvironmentFilter, EnvironmentPatch, EnvironmentState, Error, HostKey, HostPatch, HostRow,
    HostStatus, HostUses, Lookup, NewDomain, NewHost, Page, Pin, Scope, domains, environments,
    hosts,
};

crate::on_both! {
    a_login_at_an_address_is_one_host
    nobody_sees_the_hosts_of_others
    nothing_of_another_account_is_used
    a_key_is_learned_once
    of_many_that_learn_at_once_one_does
    no_host_is_reached_through_itself
    two_changes_at_once_make_no_cycle
    a_host_in_use_stays
    a_directory_is_taken_on_its_own_machine_only
    a_site_has_a_domain_or_a_host
    what_was_seen_is_kept
}

fn new(account: AccountId, label: &str) -> NewHost {
    NewHost {
        account_id: account,
        label: label.into(),
        address: format!("{label}.example"),
        port: 22,
        login: "deploy".into(),
        key_id: None,
        jump_id: None,
    }
}

async fn create(base: &Base, new: NewHost) -> Result<HostRow, Error> {
    let tx = base.store.begin().await?;
    let row = hosts::create(&tx, new).await?;
    tx.commit().await?;
    Ok(row)
}

async fn host(base: &Base, account: AccountId, label: &str) -> HostRow {
    create(base, new(account, label)).await.unwrap()
}

async fn update(base: &Base, id: HostId, patch: HostPatch) -> Result<HostRow, Error> {
    let tx = base.store.begin().await?;
    let row = hosts::update(&tx, id, patch).await?;
    tx.commit().await?;
    Ok(row)
}

fn through(jump: HostId) -> HostPatch {
    HostPatch {
        jump_id: Some(Some(jump)),
        ..HostPatch::default()
    }
}

async fn remove(base: &Base, id: HostId) -> Result<(), Error> {
    let tx = base.store.begin().await?;
    hosts::remove(&tx, id).await?;
    tx.commit().await
}

async fn environment(base: &Base, host: &HostRow, root: &str) -> Result<EnvironmentId, Error> {
    let tx = base.store.begin().await?;
    let public_id = pressroom_base::token::hex(9);
    let site = environments::create_site(&tx, host.account_id, &public_id, root).await?;
    let mut new = new_environment(host.account_id, site.id, root);
    new.host_id = Some(host.id);
    let row = environments::create(&tx, new).await?;
    tx.commit().await?;
    Ok(row.id)
}

async fn a_login_at_an_address_is_one_host(base: Base) {
    let account = base.account("acme").await.id;
    let mut first = new(account, "web");
    first.address = "  Web.Example. ".into();
    let first = create(&base, first).await.unwrap();
    assert_eq!((first.address.as_str(), first.port), ("web.example", 22));
    assert_eq!((first.status, first.pinned()), (HostStatus::New, None));
    let again = create(&base, new(account, "web")).await;
    assert!(matches!(again, Err(Error::Exists { what: "host" })));

    let mut other = new(account, "web");
    other.port = u16::MAX;
    assert_eq!(create(&base, other).await.unwrap().port, u16::MAX);
    let mut other = new(account, "web");
    other.login = "root".into();
    let other = create(&base, other).await.unwrap();
    let patch = HostPatch {
        login: Some("deploy".into()),
        ..HostPatch::default()
    };
    let taken = update(&base, other.id, patch).await;
    assert!(matches!(taken, Err(Error::Exists { what: "host" })));

    let patch = HostPatch {
        label: Some("new".into()),
        address: Some("192.0.2.1".into()),
        port: Some(2222),
        ..HostPatch::default()
    };
    let changed = update(&base, first.id, patch).await.unwrap();
    let expected = HostRow {
        label: "new".into(),
        address: "192.0.2.1".into(),
        port: 2222,
        ..first
    };
    assert_eq!(changed, expected);
    let stored = hosts::get(&base.store, changed.id).await.unwrap();
    assert_eq!(stored, Some(expected));
}

async fn nobody_sees_the_hosts_of_others(base: Base) {
    let (mine, yours) = (
        base.account("mine").await.id,
        base.account("yours").await.id,
    );
    let (b, a) = (host(&base, mine, "b").await, host(&base, mine, "a").await);
    let foreign = host(&base, yours, "c").await;
    // Accounts do not know of each other.
    host(&base, yours, "a").await;
    let store = &base.store;
    let scope = Scope::Accounts(vec![mine]);
    let list = async |scope: &Scope, page| hosts::list(store, scope, page).await.unwrap();
    assert_eq!(list(&scope, Page::first(10)).await, [a.clone(), b.clone()]);
    assert_eq!(list(&scope, Page::first(1)).await, std::slice::from_ref(&a));
    assert_eq!(list(&Scope::All, Page::first(10)).await.len(), 4);
    let nobody = Scope::Accounts(vec![]);
    assert_eq!(list(&nobody, Page::first(10)).await, Vec::new());
    assert_eq!(hosts::count(store, &scope).await.unwrap(), 2);
    assert_eq!(hosts::count(store, &Scope::All).await.unwrap(), 4);

    let look_up = async |id| hosts::look_up(store, &scope, id).await.unwrap();
    assert_eq!(look_up(b.id).await, Lookup::Found(b));
    assert_eq!(look_up(foreign.id).await, Lookup::Foreign);
    assert_eq!(look_up(HostId::new(999)).await, Lookup::Missing);
    let named = async |name| hosts::named(store, &scope, name).await.unwrap();
    assert_eq!(named("a").await, std::slice::from_ref(&a));
    assert_eq!(named("A.Example").await, [a]);
    assert_eq!(named("c").await, Vec::new());
}

async fn nothing_of_another_account_is_used(base: Base) {
    let (mine, yours) = (
        base.account("mine").await.id,
        base.account("yours").await.id,
    );
    let own = host(&base, mine, "own").await;
    let foreign = host(&base, yours, "foreign").await;
    let foreign_key = key(&base, yours, "foreign").await;
    let not_found = |result: Result<HostRow, Error>, noun| match result {
        Err(Error::NotFound { what }) => assert_eq!(what, noun),
        other => panic!("{other:?}"),
    };
    let mut by_key = new(mine, "by-key");
    by_key.key_id = Some(foreign_key.id);
    not_found(create(&base, by_key).await, "SSH key");
    let mut by_jump = new(mine, "by-jump");
    by_jump.jump_id = Some(foreign.id);
    not_found(create(&base, by_jump).await, "host");
    not_found(update(&base, own.id, through(foreign.id)).await, "host");
    let patch = HostPatch {
        key_id: Some(Some(foreign_key.id)),
        ..HostPatch::default()
    };
    not_found(update(&base, own.id, patch).await, "SSH key");

    let disguised = HostRow {
        account_id: mine,
        ..foreign
    };
    let refused = environment(&base, &disguised, "/srv/a").await;
    assert!(matches!(refused, Err(Error::NotFound { what: "host" })));
}

fn host_key(text: &str) -> HostKey {
    HostKey {
        algorithm: "ssh-ed25519".into(),
        base64: text.into(),
    }
}

async fn learn(base: &Base, id: HostId, shown: &HostKey) -> Result<Pin, Error> {
    let tx = base.store.begin().await?;
    let pin = hosts::learn_key(&tx, id, shown).await?;
    tx.commit().await?;
    Ok(pin)
}

async fn a_key_is_learned_once(base: Base) {
    let account = base.account("acme").await.id;
    let (web, other) = (
        host(&base, account, "web").await,
        host(&base, account, "other").await,
    );
    let (one, two) = (host_key("one"), host_key("two"));
    assert_eq!(learn(&base, web.id, &one).await.unwrap(), Pin::Same);
    assert_eq!(learn(&base, web.id, &one).await.unwrap(), Pin::Same);
    let differs = learn(&base, web.id, &two).await.unwrap();
    assert_eq!(differs, Pin::Other(one.clone()));
    let same_bytes = HostKey {
        algorithm: "ssh-rsa".into(),
        ..one.clone()
    };
    let differs = learn(&base, web.id, &same_bytes).await.unwrap();
    assert_eq!(differs, Pin::Other(one.clone()));
    let unknown = learn(&base, HostId::new(999), &one).await;
    assert!(matches!(unknown, Err(Error::NotFound { what: "host" })));

    // Neither another address nor anything else touches it, nor is another host known by it.
    let patch = HostPatch {
        address: Some("elsewhere.example".into()),
        ..HostPatch::default()
    };
    let moved = update(&base, web.id, patch).await.unwrap();
    assert_eq!(moved.pinned(), Some(one));
    let unpinned = hosts::get(&base.store, other.id).await.unwrap().unwrap();
    assert_eq!(unpinned.pinned(), None);

    let tx = base.store.begin().await.unwrap();
    hosts::forget_key(&tx, web.id).await.unwrap();
    let unknown = hosts::forget_key(&tx, HostId::new(999)).await;
    assert!(matches!(unknown, Err(Error::NotFound { what: "host" })));
    tx.commit().await.unwrap();
    assert_eq!(learn(&base, web.id, &two).await.unwrap(), Pin::Same);
}

async fn of_many_that_learn_at_once_one_does(base: Base) {
    let account = base.account("acme").await.id;
    let web = host(&base, account, "web").await;
    let shown: Vec<_> = (0..8).map(|n| host_key(&n.to_string())).collect();
    let learned = shown.iter().map(|shown| learn(&base, web.id, shown));
    let learned = futures_util::future::join_all(learned).await;
    let pinned = hosts::get(&base.store, web.id).await.unwrap().unwrap();
    let pinned = pinned.pinned().unwrap();
    for (shown, learned) in shown.iter().zip(learned) {
        let expected = if *shown == pinned {
            Pin::Same
        } else {
            Pin::Other(pinned.clone())
        };
        assert_eq!(learned.unwrap(), expected);
    }
}

async fn no_host_is_reached_through_itself(base: Base) {
    let account = base.account("acme").await.id;
    let a = host(&base, account, "a").await;
    let mut b = new(account, "b");
    b.jump_id = Some(a.id);
    let b = create(&base, b).await.unwrap();
    let c = host(&base, account, "c").await;
    update(&base, c.id, through(b.id)).await.unwrap();
    for jump in [a.id, b.id, c.id] {
        let refused = update(&base, a.id, through(jump)).await.unwrap_err();
        assert!(matches!(refused, Error::Cycle { what: "host" }));
        assert_eq!(refused.kind(), Kind::Invalid);
    }
    // Nearer is fine, and none at all.
    update(&base, c.id, through(a.id)).await.unwrap();
    let direct = HostPatch {
        jump_id: Some(None),
        ..HostPatch::default()
    };
    update(&base, b.id, direct).await.unwrap();
    update(&base, a.id, through(b.id)).await.unwrap();
}

async fn two_changes_at_once_make_no_cycle(base: Base) {
    let account = base.account("acme").await.id;
    for round in 0..5 {
        let a = host(&base, account, &format!("a{round}")).await;
        let b = host(&base, account, &format!("b{round}")).await;
        let (one, two) = tokio::join!(
            update(&base, a.id, through(b.id)),
            update(&base, b.id, through(a.id)),
        );
        assert!(one.is_ok() != two.is_ok(), "{one:?} {two:?}");
    }
}

async fn a_host_in_use_stays(base: Base) {
    let account = base.account("acme").await.id;
    let jump = host(&base, account, "jump").await;
    let mut web = new(account, "web");
    web.jump_id = Some(jump.id);
    let web = create(&base, web).await.unwrap();
    let there = environment(&base, &web, "/srv/a").await.unwrap();
    for id in [jump.id, web.id] {
        let used = remove(&base, id).await.unwrap_err();
        assert_eq!(used.to_string(), "that host is still in use");
        assert_eq!(used.kind(), Kind::Conflict);
    }
    let uses = async |id| hosts::uses(&base.store, id).await.unwrap();
    let (environments, jumps) = (1, 1);
    let of_web = HostUses {
        environments,
        ..HostUses::default()
    };
    let of_jump = HostUses {
        jumps,
        ..HostUses::default()
    };
    assert_eq!(uses(web.id).await, of_web);
    assert_eq!(uses(jump.id).await, of_jump);

    // What is only a record does not hold it.
    let tx = base.store.begin().await.unwrap();
    let failed = EnvironmentPatch {
        state: Some(EnvironmentState::Failed),
        ..EnvironmentPatch::default()
    };
    environments::update(&tx, there, failed).await.unwrap();
    tx.commit().await.unwrap();
    remove(&base, web.id).await.unwrap();
    assert_eq!(environments::get(&base.store, there).await.unwrap(), None);
    remove(&base, jump.id).await.unwrap();
    let gone = remove(&base, jump.id).await;
    assert!(matches!(gone, Err(Error::NotFound { what: "host" })));
}

async fn a_directory_is_taken_on_its_own_machine_only(base: Base) {
    let account = base.account("acme").await.id;
    let (one, two) = (
        host(&base, account, "one").await,
        host(&base, account, "two").await,
    );
    let local = base.environment(account, "/srv/a").await.id;
    let on_one = environment(&base, &one, "/srv/a").await.unwrap();
    let on_two = environment(&base, &two, "/srv/a").await.unwrap();
    let taken = environment(&base, &one, "/srv/a").await;
    let exists = Error::Exists {
        what: "environment",
    };
    assert_eq!(taken.unwrap_err().to_string(), exists.to_string());

    let places = [
        (None, local),
        (Some(one.id), on_one),
        (Some(two.id), on_two),
    ];
    for (machine, id) in places {
        let found = environments::by_root(&base.store, machine, "/srv/a").await;
        assert_eq!(found.unwrap().unwrap().id, id);
        let using = environments::using_database(&base.store, machine, "acme_wp").await;
        assert_eq!(using.unwrap(), [id]);
    }
    let filter = EnvironmentFilter {
        host_id: Some(one.id),
        ..EnvironmentFilter::default()
    };
    let listed = environments::list(&base.store, &Scope::All, &filter, Page::first(9)).await;
    let listed: Vec<_> = listed.unwrap().iter().map(|row| row.id).collect();
    assert_eq!(listed, [on_one]);
}

async fn a_site_has_a_domain_or_a_host(base: Base) {
    let account = base.account("acme").await.id;
    let web = host(&base, account, "web").await;
    let tx = base.store.begin().await.unwrap();
    let domain = NewDomain {
        account_id: account,
        name: "a.example".into(),
        root: "/srv".into(),
    };
    let domain = domains::create(&tx, domain).await.unwrap();
    let site = environments::create_site(&tx, account, "uuid", "x").await;
    let mut new = new_environment(account, site.unwrap().id, "/srv/a");
    (new.host_id, new.domain_id) = (Some(web.id), Some(domain.id));
    let refused = environments::create(&tx, new).await;
    assert!(matches!(refused, Err(Error::Database(_))), "{refused:?}");
}

async fn what_was_seen_is_kept(base: Base) {
    let account = base.account("acme").await.id;
    let web = host(&base, account, "web").await;
    let tx = base.store.begin().await.unwrap();
    let survey = serde_json::json!({ "php": ["8.2"], "user": "deploy" });
    hosts::surveyed(&tx, web.id, &survey).await.unwrap();
    let unknown = hosts::surveyed(&tx, HostId::new(999), &survey).await;
    assert!(matches!(unknown, Err(Error::NotFound { what: "host" })));
    let now = tx.now().await.unwrap();
    tx.commit().await.unwrap();
    let seen = hosts::get(&base.store, web.id).await.unwrap().unwrap();
    assert_eq!(seen.status, HostStatus::Reachable);
    assert_eq!((seen.survey, seen.surveyed_at), (Some(survey), Some(now)));

    let tx = base.store.begin().await.unwrap();
    for status in HostStatus::ALL {
        hosts::set_status(&tx, web.id, *status).await.unwrap();
        let found = hosts::get(&tx, web.id).await.unwrap().unwrap();
        assert_eq!(found.status, *status);
        assert_eq!(found.surveyed_at, Some(now), "the last survey stays");
    }
}
