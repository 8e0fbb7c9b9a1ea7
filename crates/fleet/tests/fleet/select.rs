//! Which sites a selector finds, and whose.

use crate::{
    base::Base,
    statements::{self, Statements},
};
use pressroom_base::{
    Kind,
    id::{AccountId, DomainId, EnvironmentId},
};
use pressroom_fleet::{
    Caller,
    environments::{EnvironmentFilter, Selected},
    principal::{Grants, Role},
};
use pressroom_store::{
    EnvironmentPatch, EnvironmentRow, EnvironmentState, NewAccount, NewComponent, NewEnvironment,
    NewHost, NewSnapshot, SnapshotContents, SnapshotFormat, StoredSnapshot, Tx, accounts,
    components, environments, hosts, snapshots,
};

crate::on_both! {
    all_is_what_the_list_has
    what_is_not_known_is_counted_and_left_out
    anothers_sites_are_neither_found_nor_counted
    only_whole_snapshots_count
    domains_and_hosts_are_known
    statements_do_not_grow_with_the_sites
    who_may_not_look_learns_nothing
}

/// Adds a site that was looked at just now.
async fn seen(base: &Base, tx: &Tx, account: AccountId, name: &str, php: &str) -> EnvironmentRow {
    let site = environments::create_site(tx, account, name, name);
    let site = site.await.unwrap();
    let new = NewEnvironment {
        account_id: account,
        ..base.new_environment(site.id, name, EnvironmentState::Active)
    };
    let row = environments::create(tx, new).await.unwrap();
    looked_at(tx, row.id, php).await
}

async fn looked_at(tx: &Tx, id: EnvironmentId, php: &str) -> EnvironmentRow {
    let plugin = |slug: &str, version: &str| NewComponent {
        kind: "plugin".into(),
        place: "normal".into(),
        slug: slug.into(),
        version: version.into(),
        ..NewComponent::default()
    };
    let all = vec![plugin("akismet", "5.3"), plugin("woocommerce", "9.3.10")];
    components::replace_all(tx, id, all).await.unwrap();
    let patch = EnvironmentPatch {
        php_version: Some(php.into()),
        inspected_at: Some(tx.now().await.unwrap()),
        ..EnvironmentPatch::default()
    };
    environments::update(tx, id, patch).await.unwrap()
}

async fn other_account(tx: &Tx) -> AccountId {
    let other = NewAccount {
        name: "Other".into(),
        prefix: None,
        capabilities: Vec::new(),
    };
    accounts::create(tx, other).await.unwrap().id
}

async fn select(base: &Base, caller: &Caller, selector: &str) -> Selected {
    base.fleet.select_sites(caller, selector).await.unwrap()
}

/// The names of those found, and how many are undecided.
async fn found(base: &Base, caller: &Caller, selector: &str) -> (Vec<String>, usize) {
    let selected = select(base, caller, selector).await;
    let names = selected.environments.into_iter().map(|site| site.site_name);
    (names.collect(), selected.undecided)
}

async fn check(base: &Base, caller: &Caller, selector: &str, names: &[&str], undecided: usize) {
    let (there, open) = found(base, caller, selector).await;
    assert_eq!(
        (there, open),
        (names.iter().map(ToString::to_string).collect(), undecided),
        "{selector}"
    );
}

async fn all_is_what_the_list_has(base: Base) {
    let tx = base.store.begin().await.unwrap();
    for name in ["c", "a", "b"] {
        seen(&base, &tx, base.account, name, "8.2").await;
    }
    tx.commit().await.unwrap();
    let _undone = base.site("undone", EnvironmentState::Failed).await;
    let caller = base.person(Role::Viewer);
    let everything = EnvironmentFilter::default();
    let listed = base.fleet.list_environments(&caller, &everything).await;
    let listed = serde_json::to_value(listed.unwrap()).unwrap();
    let selected = select(&base, &caller, "all").await;
    assert_eq!(selected.undecided, 0);
    assert_eq!(selected.environments.len(), 3);
    assert_eq!(selected.environments[0].components.len(), 2);
    assert_eq!(serde_json::to_value(selected.environments).unwrap(), listed);
}

async fn what_is_not_known_is_counted_and_left_out(base: Base) {
    let tx = base.store.begin().await.unwrap();
    seen(&base, &tx, base.account, "old", "7.4.33").await;
    seen(&base, &tx, base.account, "new", "8.2.28").await;
    // Its files were seen, its PHP was not.
    seen(&base, &tx, base.account, "half", "").await;
    tx.commit().await.unwrap();
    base.site("unseen", EnvironmentState::Installing).await;
    let caller = base.person(Role::Viewer);
    for (selector, names, undecided) in [
        ("php<8.1", &["old"][..], 2),
        ("-php<8.1", &["new"], 2),
        ("plugin:woocommerce<9.4 php<8.1", &["old"], 2),
        ("plugin:woocommerce<9.4", &["half", "new", "old"], 1),
        ("plugin:jetpack php<8.1", &[], 1),
        (
            "plugin:woocommerce OR status:installing",
            &["half", "new", "old", "unseen"],
            0,
        ),
        ("status:installing", &["unseen"], 0),
        ("updates=0", &["half", "new", "old"], 1),
    ] {
        check(&base, &caller, selector, names, undecided).await;
    }
}

async fn anothers_sites_are_neither_found_nor_counted(base: Base) {
    let tx = base.store.begin().await.unwrap();
    let other = other_account(&tx).await;
    seen(&base, &tx, base.account, "mine", "7.4").await;
    seen(&base, &tx, other, "theirs", "7.4").await;
    seen(&base, &tx, other, "unclear", "").await;
    tx.commit().await.unwrap();
    let (person, operator) = (base.person(Role::Owner), Base::console());
    for (selector, own, all, undecided) in [
        ("all", &["mine"][..], &["mine", "theirs", "unclear"][..], 0),
        ("php<8.1", &["mine"], &["mine", "theirs"], 1),
        (
            "plugin:akismet",
            &["mine"],
            &["mine", "theirs", "unclear"],
            0,
        ),
        ("account:other", &[], &["theirs", "unclear"], 0),
        ("-account:acme", &[], &["theirs", "unclear"], 0),
        (
            "site:theirs OR site:wp_unclear",
            &[],
            &["theirs", "unclear"],
            0,
        ),
        ("domain:theirs.example", &[], &["theirs"], 0),
    ] {
        check(&base, &person, selector, own, 0).await;
        check(&base, &operator, selector, all, undecided).await;
    }
}

async fn only_whole_snapshots_count(base: Base) {
    let tx = base.store.begin().await.unwrap();
    for (name, contents, is_stored, is_damaged) in [
        ("whole", SnapshotContents::Full, true, false),
        ("tables", SnapshotContents::Database, true, false),
        ("begun", SnapshotContents::Full, false, false),
        ("damaged", SnapshotContents::Full, true, true),
    ] {
        let site = seen(&base, &tx, base.account, name, "8.2").await;
        let new = new_snapshot(&site, contents);
        let id = snapshots::begin(&tx, new).await.unwrap().id;
        if is_stored {
            let stored = StoredSnapshot {
                size: 1,
                sha256: "ab".repeat(32),
                wordpress_version: String::new(),
            };
            snapshots::finish(&tx, id, stored).await.unwrap();
        }
        if is_damaged {
            snapshots::mark_damaged(&tx, id, "a frame is cut")
                .await
                .unwrap();
        }
    }
    tx.commit().await.unwrap();
    let caller = base.person(Role::Viewer);
    check(&base, &caller, "snapshot<1h", &["whole"], 0).await;
    let without = ["begun", "damaged", "tables"];
    check(&base, &caller, "snapshot>9999d", &without, 0).await;
}

fn new_snapshot(site: &EnvironmentRow, contents: SnapshotContents) -> NewSnapshot {
    NewSnapshot {
        public_id: site.panel_id.clone(),
        environment_id: site.id,
        account_id: site.account_id,
        format: SnapshotFormat::TarZst,
        reserved: 0,
        job_id: None,
        created_by: None,
        note: String::new(),
        store: "directory".into(),
        object_key: site.panel_id.clone(),
        expires_at: None,
        contents,
        panel_id: site.panel_id.clone(),
        domain: String::new(),
    }
}

async fn domains_and_hosts_are_known(base: Base) {
    let console = Base::console();
    let added = base
        .fleet
        .add_domain(&console, Base::new_domain("shop.test"));
    let domain: DomainId = added.await.unwrap().id;
    let tx = base.store.begin().await.unwrap();
    let host = NewHost {
        account_id: base.account,
        label: "web1".into(),
        address: "192.0.2.7".into(),
        port: 22,
        login: "deploy".into(),
        key_id: None,
        jump_id: None,
    };
    let host = hosts::create(&tx, host).await.unwrap().id;
    for (name, domain_id, host_id) in [("here", Some(domain), None), ("far", None, Some(host))] {
        let site = environments::create_site(&tx, base.account, name, name).await;
        let new = NewEnvironment {
            domain_id,
            host_id,
            ..base.new_environment(site.unwrap().id, name, EnvironmentState::Active)
        };
        let row = environments::create(&tx, new).await.unwrap();
        looked_at(&tx, row.id, "8.2").await;
    }
    tx.commit().await.unwrap();
    let caller = base.person(Role::Viewer);
    check(&base, &caller, "domain:Shop.test host:local", &["here"], 0).await;
    check(&base, &caller, "host:web1 host:192.0.2.7", &["far"], 0).await;
}

async fn statements_do_not_grow_with_the_sites(base: Base) {
    let selector = "plugin:woocommerce updates=0 snapshot>24h host:local domain!=x.example";
    let caller = base.person(Role::Viewer);
    let mut counted = Vec::new();
    for names in [0..2, 2..60] {
        let end = names.end;
        let tx = base.store.begin().await.unwrap();
        for number in names {
            seen(&base, &tx, base.account, &format!("s{number}"), "8.2").await;
        }
        tx.commit().await.unwrap();
        let statements = Statements::default();
        let counting = statements::count(&statements);
        let selected = select(&base, &caller, selector).await;
        drop(counting);
        assert_eq!(selected.environments.len(), end);
        counted.push(statements.get());
    }
    assert!((2..=9).contains(&counted[0]), "{counted:?}");
    assert_eq!(counted[0], counted[1]);
}

async fn who_may_not_look_learns_nothing(base: Base) {
    let tx = base.store.begin().await.unwrap();
    seen(&base, &tx, base.account, "mine", "8.2").await;
    tx.commit().await.unwrap();
    let mut barred = base.person(Role::Owner);
    barred.principal.grants = Grants::Nothing;
    for selector in ["all", "plugn:x"] {
        let refused = base.fleet.select_sites(&barred, selector).await;
        assert_eq!(refused.unwrap_err().kind(), Kind::Forbidden);
    }
    let mut stranger = base.person(Role::Owner);
    stranger.principal.memberships.clear();
    check(&base, &stranger, "all", &[], 0).await;
    let viewer = base.person(Role::Viewer);
    let fault = base.fleet.select_sites(&viewer, "plugn:x").await;
    assert_eq!(fault.unwrap_err().kind(), Kind::Invalid);
    let nothing = base.fleet.select_sites(&viewer, " ").await;
    assert_eq!(nothing.unwrap_err().kind(), Kind::Invalid);
}
