//! Which sites a selector finds, and whose.

use crate::{
    base::Base,
    statements::{self, Statements},
};
use pressroom_base::{
    Kind, Timestamp,
    id::{AccountId, DomainId, EnvironmentId},
};
use pressroom_fleet::{
    Caller, Fleet,
    environments::{EnvironmentFilter, Selected},
    principal::{Grants, Role},
};
use pressroom_store::{
    EnvironmentPatch, EnvironmentRow, EnvironmentState, NewAccount, NewComponent, NewEnvironment,
    NewHost, NewSnapshot, SnapshotContents, SnapshotFormat, StoredSnapshot, Tx, accounts,
    components, environments, hosts, snapshots, tags,
};
use std::{
    sync::Arc,
    time::{Duration, Instant},
};

crate::on_both! {
    all_is_what_the_list_has
    what_is_not_known_is_counted_and_left_out
    anothers_sites_are_neither_found_nor_counted
    only_whole_snapshots_count
    domains_and_hosts_are_known
    statements_do_not_grow_with_the_sites
    a_picture_asks_the_store_once_for_what_is_new
    a_picture_sees_what_others_commit
    a_picture_is_true_beside_many_writers
    ages_grow_while_nothing_changes
    a_tag_that_nobody_has_is_told
    a_page_is_a_part_of_all
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

/// What both ways of answering find: the same.
async fn select(base: &Base, caller: &Caller, selector: &str) -> Selected {
    let direct = base.fleet.select_sites(caller, selector).await.unwrap();
    let picture = base.lasting.select_sites(caller, selector).await.unwrap();
    let shown = |selected: &Selected| serde_json::to_value(&selected.environments).unwrap();
    assert_eq!(shown(&direct), shown(&picture), "{selector}");
    assert_eq!(direct.undecided, picture.undecided, "{selector}");
    assert_eq!(direct.hint, picture.hint, "{selector}");
    picture
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
    let selector = "plugin:woocommerce updates=0 snapshot>24h host:local domain!=x.example -tag:x";
    let caller = base.person(Role::Viewer);
    let count = async |fleet: &Fleet| {
        let statements = Statements::default();
        let counting = statements::count(&statements);
        let selected = fleet.select_sites(&caller, selector).await.unwrap();
        drop(counting);
        (selected.environments.len(), statements.get())
    };
    let mut counted = Vec::new();
    for names in [0..2, 2..60] {
        let end = names.end;
        let tx = base.store.begin().await.unwrap();
        for number in names {
            seen(&base, &tx, base.account, &format!("s{number}"), "8.2").await;
        }
        tx.commit().await.unwrap();
        // Brings the picture up to date.
        select(&base, &caller, selector).await;
        let (found, direct) = count(&base.fleet).await;
        assert_eq!(found, end);
        let (found, picture) = count(&base.lasting).await;
        assert_eq!(found, end);
        counted.push((direct, picture));
    }
    // With one for the tag that nobody has.
    let (direct, picture) = counted[0];
    assert!((2..=12).contains(&direct), "{counted:?}");
    assert!((2..=10).contains(&picture), "{counted:?}");
    assert_eq!(counted[0], counted[1]);
}

async fn a_picture_asks_the_store_once_for_what_is_new(base: Base) {
    let tx = base.store.begin().await.unwrap();
    for number in 0..30 {
        seen(&base, &tx, base.account, &format!("s{number}"), "8.2").await;
    }
    tx.commit().await.unwrap();
    let caller = base.person(Role::Viewer);
    let statements = Statements::default();
    let counting = statements::count(&statements);
    let ask = async |selector: &str| {
        let before = statements.get();
        let found = base.lasting.select(&caller, selector).await.unwrap();
        (found.ids.len(), statements.get() - before)
    };
    let (found, made) = ask("plugin:woocommerce<9.4").await;
    assert_eq!(found, 30);
    assert!(made <= 12, "{made} to read it all");
    for selector in [
        "plugin:woocommerce<9.4",
        "-php<8.1 updates=0",
        "snapshot>24h",
    ] {
        assert_eq!(ask(selector).await, (30, 1), "{selector}");
    }
    let size = base.lasting.picture_size().await;
    assert_eq!(size.environments, 30);
    assert!(size.bytes < 30 * 4096, "{size:?}");

    // One site changed: only that is read again, and only once.
    let first = ids(&base, "site:s0").await[0];
    let tx = base.store.begin().await.unwrap();
    tags::add(&tx, first, "changed").await.unwrap();
    tx.commit().await.unwrap();
    let (found, again) = ask("tag:changed").await;
    assert_eq!(found, 1);
    assert!(again <= 9, "{again} for one site");
    assert_eq!(ask("tag:changed").await, (1, 1));
    drop(counting);
}

async fn ids(base: &Base, selector: &str) -> Vec<EnvironmentId> {
    let console = Base::console();
    base.lasting.select(&console, selector).await.unwrap().ids
}

/// Whatever changes, by whomever, the next answer has it.
async fn a_picture_sees_what_others_commit(base: Base) {
    let tx = base.store.begin().await.unwrap();
    let one = seen(&base, &tx, base.account, "one", "8.2").await;
    let two = seen(&base, &tx, base.account, "two", "8.2").await;
    let other = other_account(&tx).await;
    tx.commit().await.unwrap();
    let console = Base::console();
    check(&base, &console, "all", &["one", "two"], 0).await;

    let elsewhere = base.other_process().await;
    let tx = elsewhere.begin().await.unwrap();
    looked_at(&tx, one.id, "7.4").await;
    let three = seen(&base, &tx, other, "three", "7.4").await;
    check(&base, &console, "php<8.1", &[], 0).await;
    tx.commit().await.unwrap();
    check(&base, &console, "php<8.1", &["one", "three"], 0).await;
    let person = base.person(Role::Viewer);
    check(&base, &person, "php<8.1", &["one"], 0).await;

    // What is taken back was never there.
    let tx = elsewhere.begin().await.unwrap();
    looked_at(&tx, two.id, "7.4").await;
    environments::remove(&tx, one.id).await.unwrap();
    tx.rollback().await.unwrap();
    check(&base, &console, "php<8.1", &["one", "three"], 0).await;

    // Gone, undone, and under other names.
    let tx = elsewhere.begin().await.unwrap();
    environments::remove(&tx, one.id).await.unwrap();
    let failed = EnvironmentPatch {
        state: Some(EnvironmentState::Failed),
        ..EnvironmentPatch::default()
    };
    environments::update(&tx, two.id, failed).await.unwrap();
    tx.commit().await.unwrap();
    check(&base, &console, "all", &["three"], 0).await;
    check(&base, &console, "account:other", &["three"], 0).await;
    base.raw("UPDATE accounts SET name = 'Renamed', name_folded = 'renamed' WHERE name = 'Other'")
        .await;
    check(&base, &console, "account:other", &[], 0).await;
    check(&base, &console, "account:renamed", &["three"], 0).await;
    base.raw("UPDATE sites SET name = 'drei' WHERE name = 'three'")
        .await;
    check(&base, &console, "site:drei site:wp_three", &["drei"], 0).await;

    // Another account's now: the old one sees it no more.
    let moved = format!(
        "UPDATE environments SET account_id = {} WHERE id = {}",
        base.account, three.id
    );
    base.raw(&moved).await;
    base.raw(
        &moved
            .replace("environments", "sites")
            .replace(&three.id.to_string(), &three.site_id.to_string()),
    )
    .await;
    check(&base, &person, "account:acme", &["drei"], 0).await;
}

/// An age is that of the question, however old the picture.
async fn ages_grow_while_nothing_changes(base: Base) {
    let tx = base.store.begin().await.unwrap();
    let site = seen(&base, &tx, base.account, "one", "8.2").await;
    let new = new_snapshot(&site, SnapshotContents::Full);
    let id = snapshots::begin(&tx, new).await.unwrap().id;
    let stored = StoredSnapshot {
        size: 1,
        sha256: "ab".repeat(32),
        wordpress_version: String::new(),
    };
    snapshots::finish(&tx, id, stored).await.unwrap();
    tx.commit().await.unwrap();
    // Two seconds short of an hour old.
    let at = Timestamp::now().millis() - 3_600_000 + 2_000;
    base.raw(&format!("UPDATE snapshots SET created_at = {at}"))
        .await;
    let console = Base::console();
    check(&base, &console, "snapshot<1h", &["one"], 0).await;
    let statements = Statements::default();
    let deadline = Instant::now() + Duration::from_secs(20);
    while ids(&base, "snapshot>1h").await.is_empty() {
        assert!(Instant::now() < deadline, "it does not grow old");
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    let counting = statements::count(&statements);
    check_ids(&base, "snapshot<1h", 0).await;
    drop(counting);
    assert_eq!(statements.get(), 1, "nothing was read again");
}

async fn check_ids(base: &Base, selector: &str, count: usize) {
    assert_eq!(ids(base, selector).await.len(), count, "{selector}");
}

/// Many who write, in two processes, and many who ask: none is answered from before what
/// it wrote itself, and in the end the picture is what the store has.
async fn a_picture_is_true_beside_many_writers(base: Base) {
    let base = Arc::new(base);
    let tx = base.store.begin().await.unwrap();
    let mut sites = Vec::new();
    for number in 0..6 {
        sites.push(
            seen(&base, &tx, base.account, &format!("s{number}"), "8.2")
                .await
                .id,
        );
    }
    tx.commit().await.unwrap();
    let elsewhere = base.other_process().await;
    let mut tasks = tokio::task::JoinSet::new();
    for (number, id) in sites.into_iter().enumerate() {
        let base = Arc::clone(&base);
        let store = if number % 2 == 0 {
            base.store.clone()
        } else {
            elsewhere.clone()
        };
        tasks.spawn(async move {
            for round in 0..12 {
                let tag = format!("t{number}-{round}");
                let tx = store.begin().await.unwrap();
                tags::add(&tx, id, &tag).await.unwrap();
                if round % 4 == 3 {
                    tx.rollback().await.unwrap();
                    assert_eq!(ids(&base, &format!("tag:{tag}")).await, []);
                } else {
                    tx.commit().await.unwrap();
                    assert_eq!(ids(&base, &format!("tag:{tag}")).await, [id]);
                }
            }
        });
    }
    while let Some(ended) = tasks.join_next().await {
        ended.unwrap();
    }
    let console = Base::console();
    for selector in ["tag:t0-0 OR tag:t3-5", "-tag:t1-1 -tag:t2-3", "tag:t5-3"] {
        select(&base, &console, selector).await;
    }
}

async fn a_tag_that_nobody_has_is_told(base: Base) {
    let tx = base.store.begin().await.unwrap();
    let other = other_account(&tx).await;
    let mine = seen(&base, &tx, base.account, "mine", "8.2").await;
    let theirs = seen(&base, &tx, other, "theirs", "8.2").await;
    tags::add(&tx, mine.id, "shop").await.unwrap();
    tags::add(&tx, theirs.id, "secret").await.unwrap();
    tx.commit().await.unwrap();
    let person = base.person(Role::Viewer);
    for (caller, selector, names, hint) in [
        (&person, "tag:Shop", &["mine"][..], None),
        (&person, "tag:\"shop\"", &["mine"], None),
        (&person, "-tag:shop", &[], None),
        (
            &person,
            "-tag:shpo",
            &["mine"],
            Some("no site has the tag `shpo`; did you mean `shop`?"),
        ),
        // What others call their sites is not told, and not even that it is there.
        (
            &person,
            "tag:secrte",
            &[],
            Some("no site has the tag `secrte`"),
        ),
        (
            &person,
            "tag:secret",
            &[],
            Some("no site has the tag `secret`"),
        ),
        (
            &Base::console(),
            "tag:secrte",
            &[],
            Some("no site has the tag `secrte`; did you mean `secret`?"),
        ),
        (&Base::console(), "tag:secret", &["theirs"], None),
    ] {
        check(&base, caller, selector, names, 0).await;
        let selected = select(&base, caller, selector).await;
        assert_eq!(selected.hint.as_deref(), hint, "{selector}");
    }
}

async fn a_page_is_a_part_of_all(base: Base) {
    let tx = base.store.begin().await.unwrap();
    for name in ["c", "a", "d", "b"] {
        seen(&base, &tx, base.account, name, "8.2").await;
    }
    tx.commit().await.unwrap();
    let caller = base.person(Role::Viewer);
    for fleet in [&base.fleet, &base.lasting] {
        let page = fleet.select_page(&caller, "all", 1, 2).await.unwrap();
        assert_eq!(page.total, 4);
        let names: Vec<_> = page
            .environments
            .iter()
            .map(|site| &site.site_name)
            .collect();
        assert_eq!(names, ["b", "c"]);
        let beyond = fleet.select_page(&caller, "all", 9, 2).await.unwrap();
        assert_eq!((beyond.total, beyond.environments.len()), (4, 0));
    }
}

async fn who_may_not_look_learns_nothing(base: Base) {
    let tx = base.store.begin().await.unwrap();
    seen(&base, &tx, base.account, "mine", "8.2").await;
    tx.commit().await.unwrap();
    let mut barred = base.person(Role::Owner);
    barred.principal.grants = Grants::Nothing;
    for selector in ["all", "plugn:x"] {
        let refused = base.lasting.select_sites(&barred, selector).await;
        assert_eq!(refused.unwrap_err().kind(), Kind::Forbidden);
    }
    let mut stranger = base.person(Role::Owner);
    stranger.principal.memberships.clear();
    check(&base, &stranger, "all", &[], 0).await;
    let viewer = base.person(Role::Viewer);
    let fault = base.lasting.select_sites(&viewer, "plugn:x").await;
    assert_eq!(fault.unwrap_err().kind(), Kind::Invalid);
    let nothing = base.lasting.select_sites(&viewer, " ").await;
    assert_eq!(nothing.unwrap_err().kind(), Kind::Invalid);
}
