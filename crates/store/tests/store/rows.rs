use crate::base::{Base, new_environment};
use pressroom_base::{
    Kind,
    id::{ResourceId, TokenId},
};
use pressroom_store::{
    EnvironmentFilter, EnvironmentPatch, EnvironmentState, Error, Lookup, Moved, NewAccount,
    NewComponent, NewDomain, NewResource, NewSession, NewToken, NewUser, Page, ResourceState, Role,
    Scope, TokenRow, Tx, accounts, components, domains, environments, resources, sessions,
    settings, tokens, users,
};
use std::time::Duration;

crate::on_both! {
    people_are_found_however_they_are_written
    accounts_get_prefixes_and_members
    tokens_and_sessions_are_found_by_their_secret
    listings_stay_within_their_scope
    a_domain_in_use_stays
    a_failed_installation_frees_its_place
    what_moved_is_found_at_its_new_place
    components_keep_their_ids
    intent_comes_before_the_thing
    what_was_made_for_an_environment_that_is_gone_is_found
    a_transaction_that_is_dropped_leaves_nothing
    settings_are_overwritten
}

fn ada() -> NewUser {
    NewUser {
        email: "  Ada@Example.ORG ".into(),
        name: "Ada".into(),
        password_hash: "$argon2id$…".into(),
        is_operator: true,
    }
}

async fn commit(tx: Tx) {
    tx.commit().await.unwrap();
}

async fn people_are_found_however_they_are_written(base: Base) {
    let tx = base.store.begin().await.unwrap();
    let user = users::create(&tx, ada()).await.unwrap();
    assert_eq!(user.email, "ada@example.org");
    commit(tx).await;
    let found = users::by_email(&base.store, "ADA@example.org")
        .await
        .unwrap();
    assert_eq!(found.as_ref(), Some(&user));

    let tx = base.store.begin().await.unwrap();
    let again = users::create(&tx, ada()).await.unwrap_err();
    assert!(matches!(again, Error::Exists { what: "user" }), "{again:?}");
    assert_eq!(again.kind(), Kind::Conflict);
    drop(tx);

    let tx = base.store.begin().await.unwrap();
    users::set_password(&tx, user.id, "other").await.unwrap();
    let now = tx.now().await.unwrap();
    users::set_disabled(&tx, user.id, Some(now)).await.unwrap();
    commit(tx).await;
    let changed = users::get(&base.store, user.id).await.unwrap().unwrap();
    assert_eq!(changed.password_hash, "other");
    assert_eq!(changed.disabled_at, Some(now));
    let tx = base.store.begin().await.unwrap();
    let nobody = users::set_password(&tx, pressroom_base::id::UserId::new(999), "x").await;
    assert!(matches!(nobody, Err(Error::NotFound { .. })));
}

async fn accounts_get_prefixes_and_members(base: Base) {
    let acme = base.account("Acme & Söhne 42").await;
    assert_eq!(acme.prefix, "acmeshne42");
    assert_eq!(acme.capabilities, ["fleet", "hosting"]);
    let other = base.account("ACME shne/42").await;
    assert_ne!(other.prefix, acme.prefix);
    let digits = base.account("42").await;
    for prefix in [&other.prefix, &digits.prefix] {
        assert!(prefix.len() <= 12 && prefix.as_bytes()[0].is_ascii_lowercase());
    }

    let tx = base.store.begin().await.unwrap();
    let twin = NewAccount {
        name: "acme & SÖHNE 42".into(),
        prefix: None,
        capabilities: vec![],
    };
    let twin = accounts::create(&tx, twin).await;
    assert!(
        matches!(twin, Err(Error::Exists { what: "account" })),
        "{twin:?}"
    );
    drop(tx);

    let tx = base.store.begin().await.unwrap();
    let user = users::create(&tx, ada()).await.unwrap();
    accounts::set_member(&tx, acme.id, user.id, Role::Viewer)
        .await
        .unwrap();
    accounts::set_member(&tx, acme.id, user.id, Role::Owner)
        .await
        .unwrap();
    commit(tx).await;
    let members = accounts::members(&base.store, acme.id).await.unwrap();
    assert_eq!(members.len(), 1);
    assert_eq!(members[0].role, Role::Owner);
    let of = accounts::memberships_of(&base.store, user.id)
        .await
        .unwrap();
    assert_eq!(of, members);
}

async fn tokens_and_sessions_are_found_by_their_secret(base: Base) {
    let tx = base.store.begin().await.unwrap();
    let user = users::create(&tx, ada()).await.unwrap();
    let new = NewToken {
        kind: "panel".into(),
        user_id: Some(user.id),
        name: "laptop".into(),
        prefix: "wsp_12345678".into(),
        digest: pressroom_base::token::digest("wsp_secret"),
        scopes: vec!["wordpress".into(), "read".into()],
        cidrs: vec!["10.0.0.0/8".into()],
        ..NewToken::default()
    };
    let token = tokens::create(&tx, new).await.unwrap();
    let session = sessions::create(
        &tx,
        NewSession {
            user_id: user.id,
            digest: pressroom_base::token::digest("cookie"),
            csrf: "csrf".into(),
            lasts: Duration::from_hours(1),
            address: Some("127.0.0.1".into()),
            agent: None,
        },
    )
    .await
    .unwrap();
    commit(tx).await;

    let found = tokens::by_secret(&base.store, "wsp_secret").await.unwrap();
    assert_eq!(found.as_ref(), Some(&token));
    assert_eq!(
        tokens::by_secret(&base.store, "wsp_other").await.unwrap(),
        None
    );
    tokens::touch(&base.store, &token).await.unwrap();
    let touched = tokens::get(&base.store, token.id).await.unwrap().unwrap();
    let first = touched.last_used_at.expect("it was touched");
    base.store.advance_clock(Duration::from_secs(30));
    tokens::touch(&base.store, &touched).await.unwrap();
    let touched = tokens::get(&base.store, token.id).await.unwrap().unwrap();
    assert_eq!(touched.last_used_at, Some(first), "one write a minute");

    let tx = base.store.begin().await.unwrap();
    for _ in 0..2 {
        tokens::set_enabled(&tx, token.id, false).await.unwrap();
    }
    let unknown = tokens::set_enabled(&tx, TokenId::new(999_999), false).await;
    assert!(matches!(unknown, Err(Error::NotFound { what: "token" })));
    commit(tx).await;
    let listed = tokens::list(&base.store, None).await.unwrap();
    let expected = TokenRow {
        enabled: false,
        ..touched
    };
    assert_eq!(listed, [expected], "revoked ones stay listed");

    let found = sessions::by_secret(&base.store, "cookie").await.unwrap();
    assert_eq!(found, Some(session));
    base.store.advance_clock(Duration::from_hours(1));
    assert_eq!(
        sessions::by_secret(&base.store, "cookie").await.unwrap(),
        None
    );
    let tx = base.store.begin().await.unwrap();
    assert_eq!(sessions::prune(&tx).await.unwrap(), 1);
}

async fn listings_stay_within_their_scope(base: Base) {
    let (mine, yours) = (base.account("Mine").await, base.account("Yours").await);
    let own = base.environment(mine.id, "/srv/mine").await;
    let foreign = base.environment(yours.id, "/srv/yours").await;
    let tx = base.store.begin().await.unwrap();
    for (account, name) in [(mine.id, "Mine.Example."), (yours.id, "yours.example")] {
        let new = NewDomain {
            account_id: account,
            name: name.into(),
            root: format!("/srv/{name}"),
        };
        domains::create(&tx, new).await.unwrap();
    }
    commit(tx).await;

    let (store, scope) = (&base.store, Scope::Accounts(vec![mine.id]));
    let filter = EnvironmentFilter::default();
    let page = Page::first(10);
    let seen = environments::list(store, &scope, &filter, page)
        .await
        .unwrap();
    assert_eq!(seen, std::slice::from_ref(&own));
    let all = environments::list(store, &Scope::All, &filter, page)
        .await
        .unwrap();
    assert_eq!(all.len(), 2);
    assert_eq!(
        environments::count(store, &Scope::All, &filter)
            .await
            .unwrap(),
        2
    );
    let none = Scope::Accounts(vec![]);
    assert_eq!(
        environments::list(store, &none, &filter, page)
            .await
            .unwrap(),
        []
    );

    let look = async |id: &str| environments::by_panel_id(store, &scope, id).await.unwrap();
    assert_eq!(look(&own.panel_id).await, Lookup::Found(own));
    assert_eq!(look(&foreign.panel_id).await, Lookup::Foreign);
    assert_eq!(look("wp_000000000").await, Lookup::Missing);

    let names: Vec<_> = domains::list(store, &scope).await.unwrap();
    assert_eq!(names.len(), 1);
    assert_eq!(names[0].name, "mine.example");
    let foreign = domains::by_name(store, &scope, "YOURS.example")
        .await
        .unwrap();
    assert_eq!(foreign, Lookup::Foreign);
    assert_eq!(accounts::list(store, &scope).await.unwrap().len(), 1);
}

async fn a_domain_in_use_stays(base: Base) {
    let account = base.account("Acme").await;
    let tx = base.store.begin().await.unwrap();
    let new = NewDomain {
        account_id: account.id,
        name: "example.org".into(),
        root: "/srv/example.org".into(),
    };
    let domain = domains::create(&tx, new).await.unwrap();
    domains::set_unix_user(&tx, domain.id, Some("pr_abc"))
        .await
        .unwrap();
    let site = environments::create_site(&tx, account.id, "uuid", "x")
        .await
        .unwrap();
    let mut new = new_environment(account.id, site.id, "/srv/example.org/public_html");
    new.domain_id = Some(domain.id);
    let environment = environments::create(&tx, new).await.unwrap();
    commit(tx).await;

    let tx = base.store.begin().await.unwrap();
    let refused = domains::remove(&tx, domain.id).await.unwrap_err();
    assert!(
        matches!(refused, Error::InUse { what: "domain" }),
        "{refused:?}"
    );
    drop(tx);

    let tx = base.store.begin().await.unwrap();
    let failed = EnvironmentPatch {
        state: Some(EnvironmentState::Failed),
        ..EnvironmentPatch::default()
    };
    environments::update(&tx, environment.id, failed)
        .await
        .unwrap();
    domains::remove(&tx, domain.id).await.unwrap();
    commit(tx).await;
    assert_eq!(domains::get(&base.store, domain.id).await.unwrap(), None);
    assert_eq!(
        environments::get_site(&base.store, site.id).await.unwrap(),
        None
    );
}

async fn a_failed_installation_frees_its_place(base: Base) {
    let account = base.account("Acme").await;
    let first = base.environment(account.id, "/srv/a").await;
    let tx = base.store.begin().await.unwrap();
    let second = new_environment(account.id, first.site_id, "/srv/a");
    let refused = environments::create(&tx, second.clone()).await.unwrap_err();
    assert!(
        matches!(
            refused,
            Error::Exists {
                what: "environment"
            }
        ),
        "{refused:?}"
    );
    drop(tx);

    let tx = base.store.begin().await.unwrap();
    let patch = EnvironmentPatch {
        state: Some(EnvironmentState::Failed),
        ..EnvironmentPatch::default()
    };
    environments::update(&tx, first.id, patch).await.unwrap();
    let second = environments::create(&tx, second).await.unwrap();
    commit(tx).await;
    let there = environments::by_root(&base.store, None, "/srv/a")
        .await
        .unwrap();
    assert_eq!(there.map(|row| row.id), Some(second.id));

    let tx = base.store.begin().await.unwrap();
    environments::remove(&tx, first.id).await.unwrap();
    assert!(
        environments::get_site(&tx, first.site_id)
            .await
            .unwrap()
            .is_some()
    );
    environments::remove(&tx, second.id).await.unwrap();
    assert!(
        environments::get_site(&tx, first.site_id)
            .await
            .unwrap()
            .is_none()
    );
    commit(tx).await;
}

async fn components_keep_their_ids(base: Base) {
    let account = base.account("Acme").await;
    let environment = base.environment(account.id, "/srv/a").await;
    let plugin = |slug: &str, version: &str| NewComponent {
        kind: "plugin".into(),
        place: "normal".into(),
        slug: slug.into(),
        version: version.into(),
        status: "active".into(),
        ..NewComponent::default()
    };
    let replace = async |seen: Vec<NewComponent>| {
        let tx = base.store.begin().await.unwrap();
        components::replace_all(&tx, environment.id, seen)
            .await
            .unwrap();
        commit(tx).await;
        components::list(&base.store, environment.id).await.unwrap()
    };
    let unknown = NewComponent {
        offer_unknown: Some("only its vendor knows".into()),
        ..plugin("akismet", "1.0")
    };
    let before = replace(vec![unknown, plugin("hello", "1.7")]).await;
    let after = replace(vec![plugin("zoo", "1"), plugin("akismet", "2.0")]).await;
    assert_eq!(before.len(), 2);
    let why = before[0].offer_unknown.as_deref();
    assert_eq!(why, Some("only its vendor knows"));
    assert_eq!(after[0].offer_unknown, None, "it is known now");
    let shown: Vec<_> = after
        .iter()
        .map(|row| (&*row.slug, &*row.version))
        .collect();
    assert_eq!(shown, [("akismet", "2.0"), ("zoo", "1")]);
    assert_eq!(after[0].id, before[0].id);
    assert_eq!(replace(vec![]).await, []);
}

async fn what_moved_is_found_at_its_new_place(base: Base) {
    let account = base.account("Acme").await;
    let tx = base.store.begin().await.unwrap();
    let mut made = Vec::new();
    for name in ["old.example", "new.example"] {
        let new = NewDomain {
            account_id: account.id,
            name: name.into(),
            root: format!("/srv/{name}"),
        };
        made.push(domains::create(&tx, new).await.unwrap().id);
    }
    let (old, new) = (made[0], made[1]);
    let site = environments::create_site(&tx, account.id, "uuid", "x")
        .await
        .unwrap();
    let mut row = new_environment(account.id, site.id, "/srv/old.example/public_html");
    row.domain_id = Some(old);
    let id = environments::create(&tx, row).await.unwrap().id;
    let home = NewResource {
        kind: "home".into(),
        name: "/srv/old.example".into(),
        domain_id: Some(old),
        ..NewResource::default()
    };
    let home = resources::intend(&tx, home).await.unwrap();
    resources::transfer(&tx, home, new, "/srv/new.example")
        .await
        .unwrap();
    domains::set_root(&tx, old, "/srv/elsewhere").await.unwrap();
    let moved = Moved {
        domain_id: new,
        root: "/srv/new.example/public_html".into(),
        url: "http://new.example".into(),
        origin_addr: "127.0.0.1:80".into(),
        origin_host: "new.example".into(),
    };
    environments::relocate(&tx, id, moved.clone())
        .await
        .unwrap();
    commit(tx).await;

    let store = &base.store;
    assert!(!environments::live_in_domain(store, old).await.unwrap());
    let row = environments::get(store, id).await.unwrap().unwrap();
    assert_eq!(row.domain_id, Some(new));
    assert_eq!((row.root, row.url), (moved.root.clone(), moved.url.clone()));
    assert_eq!(row.origin_host, Some(moved.origin_host.clone()));
    assert!(
        resources::list_by_domain(store, old)
            .await
            .unwrap()
            .is_empty()
    );
    let found = resources::list_by_domain(store, new).await.unwrap();
    assert_eq!(found[0].name, "/srv/new.example");
    let domain = domains::get(store, old).await.unwrap().unwrap();
    assert_eq!(domain.root, "/srv/elsewhere");

    let tx = store.begin().await.unwrap();
    let nobody = pressroom_base::id::EnvironmentId::new(999);
    let missing = environments::relocate(&tx, nobody, moved).await;
    assert!(matches!(missing, Err(Error::NotFound { .. })));
}

async fn intent_comes_before_the_thing(base: Base) {
    let store = &base.store;
    let new = || NewResource {
        kind: "database".into(),
        name: "acme_wp".into(),
        job_id: Some(pressroom_base::id::JobId::new(7)),
        detail: serde_json::json!({ "host": "localhost" }),
        ..NewResource::default()
    };
    let tx = store.begin().await.unwrap();
    let id = resources::intend(&tx, new()).await.unwrap();
    commit(tx).await;
    let row = resources::by_name(store, "database", "acme_wp")
        .await
        .unwrap()
        .unwrap();
    assert_eq!(row.state, ResourceState::Intended);
    assert_eq!(row.detail["host"], "localhost");

    let tx = store.begin().await.unwrap();
    let refused = resources::intend(&tx, new()).await.unwrap_err();
    assert!(
        matches!(refused, Error::Exists { what: "resource" }),
        "{refused:?}"
    );
    drop(tx);

    let tx = store.begin().await.unwrap();
    resources::present(&tx, id).await.unwrap();
    commit(tx).await;
    let of_job = resources::list_by_job(store, pressroom_base::id::JobId::new(7))
        .await
        .unwrap();
    assert_eq!(of_job.len(), 1);
    assert_eq!(of_job[0].state, ResourceState::Present);

    let tx = store.begin().await.unwrap();
    resources::forget(&tx, id).await.unwrap();
    resources::forget(&tx, id).await.unwrap();
    let gone = resources::present(&tx, ResourceId::new(id.get())).await;
    assert!(matches!(gone, Err(Error::NotFound { .. })));
    commit(tx).await;
    assert_eq!(resources::list_all(store).await.unwrap(), []);
}

async fn what_was_made_for_an_environment_that_is_gone_is_found(base: Base) {
    let account = base.account("Acme").await;
    let here = base.environment(account.id, "/srv/here").await;
    let gone = base.environment(account.id, "/srv/gone").await;
    let tx = base.store.begin().await.unwrap();
    for (kind, name, environment_id) in [
        ("redis_user", "here", Some(here.id)),
        ("redis_user", "gone", Some(gone.id)),
        ("redis_user", "nobody's", None),
        ("database", "other", None),
    ] {
        let new = NewResource {
            kind: kind.into(),
            name: name.into(),
            environment_id,
            ..NewResource::default()
        };
        resources::intend(&tx, new).await.unwrap();
    }
    commit(tx).await;
    let orphaned = async || {
        let found = resources::list_orphaned(&base.store, "redis_user").await;
        let names = found.unwrap().into_iter().map(|row| row.name);
        names.collect::<Vec<_>>()
    };
    assert_eq!(orphaned().await, ["nobody's"]);
    let tx = base.store.begin().await.unwrap();
    environments::remove(&tx, gone.id).await.unwrap();
    commit(tx).await;
    assert_eq!(orphaned().await, ["gone", "nobody's"]);
}

async fn a_transaction_that_is_dropped_leaves_nothing(base: Base) {
    let tx = base.store.begin().await.unwrap();
    users::create(&tx, ada()).await.unwrap();
    assert!(
        users::exist(&tx).await.unwrap(),
        "the transaction sees its own"
    );
    assert!(
        !users::exist(&base.store).await.unwrap(),
        "nobody else does"
    );
    drop(tx);
    assert!(!users::exist(&base.store).await.unwrap());
    // The writer is free again.
    let tx = base.store.begin().await.unwrap();
    users::create(&tx, ada()).await.unwrap();
    commit(tx).await;
    assert!(users::exist(&base.store).await.unwrap());
}

async fn settings_are_overwritten(base: Base) {
    for value in ["closed", "open"] {
        let tx = base.store.begin().await.unwrap();
        settings::set(&tx, "registration", value).await.unwrap();
        commit(tx).await;
    }
    let value = settings::get(&base.store, "registration").await.unwrap();
    assert_eq!(value.as_deref(), Some("open"));
    assert_eq!(settings::get(&base.store, "other").await.unwrap(), None);
}
