//! Two accounts, everybody who could call, and what they own.

use crate::fleet::{TestFleet, on_both};
use pressroom_base::{Epoch, Secret, Timestamp, id::JobId, token};
use pressroom_dialect_http::{Dialect, Hosts, Limits, router};
use pressroom_dialect_wispanel::WisPanel;
use pressroom_fleet::{
    Caller, Fleet, Principal,
    domains::NewDomain,
    tokens::{NewToken, TokenKind},
};
use pressroom_store::{
    EnvironmentKind, EnvironmentPatch, EnvironmentRow, EnvironmentState, NewComponent,
    NewEnvironment, NewSnapshot, NewUser, Role, SnapshotContents, SnapshotFormat, StepState, Store,
    StoredSnapshot, accounts, components, environments,
    jobs::{self, NewJob, queue, record},
    snapshots, tokens, users,
};
use pressroom_testkit::api::{Api, Reply};
use reqwest::Method;
use serde_json::{Value, json};
use std::{net::SocketAddr, sync::Arc, time::Duration};

/// Everybody who could call. The first four are nobody.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Who {
    Nobody,
    UnknownKey,
    ExpiredKey,
    DisabledKey,
    /// A member's key with scope `read`.
    ReadOnly,
    /// A member's key whose scopes mean nothing here.
    ScopedElsewhere,
    Member,
    Viewer,
    /// A member of the other account.
    Foreigner,
    Operator,
}

impl Who {
    pub const ALL: [Self; 10] = [
        Self::Nobody,
        Self::UnknownKey,
        Self::ExpiredKey,
        Self::DisabledKey,
        Self::ReadOnly,
        Self::ScopedElsewhere,
        Self::Member,
        Self::Viewer,
        Self::Foreigner,
        Self::Operator,
    ];
}

/// One account's belongings.
pub struct Site {
    pub domain: String,
    pub environment: EnvironmentRow,
    /// Public id of a finished installation.
    pub job: String,
}

/// A running dialect with something in its store.
pub struct World {
    pub test: TestFleet,
    pub base: String,
    pub own: Site,
    pub foreign: Site,
    keys: Vec<(Who, String)>,
    server: tokio::task::JoinHandle<()>,
}

/// A host name that is bound to this dialect.
pub const BOUND_HOST: &str = "panel.example";

/// What the installation made up, to be shown once.
pub const PASSWORD: &str = "generated-password-1";

impl Drop for World {
    fn drop(&mut self) {
        self.server.abort();
    }
}

/// Runs a test over both stores, with limits that are not in its way.
pub async fn worlds<T: AsyncFn(World)>(test: T) {
    on_both(async |fleet| test(World::new(fleet, generous()).await).await).await;
}

/// Limits that no test reaches by accident.
pub const fn generous() -> Limits {
    Limits {
        per_token: 100_000,
        per_address: 100_000,
        ..WisPanel::LIMITS
    }
}

impl World {
    /// Over one store, with these limits.
    pub async fn new(test: TestFleet, limits: Limits) -> Self {
        let store = &test.store;
        let console = Caller::new(Principal::console());
        for (email, operator) in [
            ("ana@example.com", false),
            ("mia@example.com", false),
            ("vic@example.com", false),
            ("fred@example.com", false),
            ("olga@example.com", true),
        ] {
            add_user(store, email, operator).await;
        }
        for (account, owner) in [("Acme", "ana@example.com"), ("Other", "fred@example.com")] {
            let added = test.fleet.add_account(&console, account, owner).await;
            added.expect("an account");
        }
        join(store, "Acme", "mia@example.com", Role::Member).await;
        join(store, "Acme", "vic@example.com", Role::Viewer).await;
        let own = site(&test, &console, "Acme", "blog.example").await;
        let foreign = site(&test, &console, "Other", "foreign.example").await;
        let keys = keys(&test, &console).await;
        let (base, server) = serve(&test.fleet, limits).await;
        Self {
            test,
            base,
            own,
            foreign,
            keys,
            server,
        }
    }

    /// The key of somebody who has one.
    pub fn key(&self, who: Who) -> Option<&str> {
        let found = self.keys.iter().find(|(other, _)| *other == who);
        found.map(|(_, key)| key.as_str())
    }

    /// A client of the dialect.
    pub fn api(&self, who: Who) -> Api {
        Api::new(&self.base, self.key(who)).expect("a client")
    }

    /// A client with any key.
    pub fn api_with(&self, key: &str) -> Api {
        Api::new(&self.base, Some(key)).expect("a client")
    }

    pub async fn get(&self, who: Who, path: &str) -> Reply {
        self.api(who).get(&full(path)).await.expect("an answer")
    }

    pub async fn post(&self, who: Who, path: &str, body: &Value) -> Reply {
        self.api(who)
            .post(&full(path), body)
            .await
            .expect("an answer")
    }

    pub async fn send(&self, who: Who, method: Method, path: &str, body: &str) -> Reply {
        let body = (!body.is_empty()).then(|| body.to_owned());
        let sent = self.api(who).send(method, &full(path), &[], body).await;
        sent.expect("an answer")
    }

    /// Issues another key for a person.
    pub async fn issue(
        &self,
        user: &str,
        scopes: &[&str],
        networks: &[&str],
        expires_at: Option<Timestamp>,
    ) -> String {
        let console = Caller::new(Principal::console());
        issue(
            &self.test.fleet,
            &console,
            user,
            scopes,
            networks,
            expires_at,
        )
        .await
    }
}

/// Paths in tests omit the prefix, as in the contract.
pub fn full(path: &str) -> String {
    match path.strip_prefix('/') {
        Some(rest) if !path.starts_with("/api/") => format!("/api/v1/wordpress/{rest}"),
        _ => path.to_owned(),
    }
}

/// Checks the five members of an error, and its text.
#[track_caller]
pub fn assert_error(reply: &Reply, status: u16, code: &str, text: &str) {
    assert_eq!(reply.status, status, "{}", reply.text);
    let expected = json!({
        "success": false, "code": code, "error": text, "message": text, "status": status,
    });
    assert_eq!(reply.body, expected);
    assert_eq!(reply.header("content-type"), Some("application/json"));
}

async fn serve(fleet: &Fleet, limits: Limits) -> (String, tokio::task::JoinHandle<()>) {
    let dialect: Arc<dyn Dialect> = Arc::new(WisPanel::with_limits(limits));
    let hosts = Hosts::from([(BOUND_HOST.to_owned(), "wispanel".to_owned())]);
    let router = router(fleet, vec![dialect], hosts);
    let listener = tokio::net::TcpListener::bind(("127.0.0.1", 0))
        .await
        .expect("a port");
    let address = listener.local_addr().expect("an address");
    let service = router.into_make_service_with_connect_info::<SocketAddr>();
    let server = tokio::spawn(async move {
        axum::serve(listener, service)
            .await
            .expect("the server runs");
    });
    (format!("http://{address}"), server)
}

async fn add_user(store: &Store, email: &str, is_operator: bool) {
    let tx = store.begin().await.expect("a transaction");
    let new = NewUser {
        email: email.into(),
        name: email.into(),
        // Nobody signs in here, and hashing a password takes its time.
        password_hash: "none".into(),
        is_operator,
    };
    users::create(&tx, new).await.expect("a user");
    tx.commit().await.expect("committed");
}

async fn join(store: &Store, account: &str, email: &str, role: Role) {
    let tx = store.begin().await.expect("a transaction");
    let account = accounts::by_name(&tx, account)
        .await
        .expect("found")
        .expect("an account");
    let user = users::by_email(&tx, email)
        .await
        .expect("found")
        .expect("a user");
    accounts::set_member(&tx, account.id, user.id, role)
        .await
        .expect("a member");
    tx.commit().await.expect("committed");
}

async fn keys(test: &TestFleet, console: &Caller) -> Vec<(Who, String)> {
    let past = Timestamp::now().minus(Duration::from_secs(1));
    let mut keys = vec![(Who::UnknownKey, format!("wsp_{}", token::hex(48)))];
    for (who, user, scopes, expires_at) in [
        (Who::ExpiredKey, "mia@example.com", &["all"], Some(past)),
        (Who::DisabledKey, "mia@example.com", &["all"], None),
        (Who::ReadOnly, "mia@example.com", &["read"], None),
        (Who::Member, "mia@example.com", &["all"], None),
        (Who::Viewer, "vic@example.com", &["wordpress"], None),
        (Who::Foreigner, "fred@example.com", &["wordpress"], None),
        (Who::Operator, "olga@example.com", &["all"], None),
    ] {
        let key = issue(&test.fleet, console, user, scopes, &[], expires_at).await;
        keys.push((who, key));
    }
    let disabled = keys.iter().find(|(who, _)| *who == Who::DisabledKey);
    disable(&test.store, &disabled.expect("a key").1).await;
    keys.push((Who::ScopedElsewhere, scoped_elsewhere(&test.store).await));
    keys
}

pub async fn issue(
    fleet: &Fleet,
    console: &Caller,
    user: &str,
    scopes: &[&str],
    networks: &[&str],
    expires_at: Option<Timestamp>,
) -> String {
    let own = |texts: &[&str]| texts.iter().map(|text| (*text).to_owned()).collect();
    let new = NewToken {
        user: user.into(),
        kind: TokenKind::Panel,
        name: "test".into(),
        scopes: own(scopes),
        networks: own(networks),
        expires_at,
    };
    let issued = fleet.add_token(console, new).await.expect("a key");
    issued.secret.into_inner()
}

async fn disable(store: &Store, key: &str) {
    let tx = store.begin().await.expect("a transaction");
    let row = tokens::by_secret(&tx, key)
        .await
        .expect("found")
        .expect("a key");
    tokens::set_enabled(&tx, row.id, false)
        .await
        .expect("disabled");
    tx.commit().await.expect("committed");
}

/// No use case issues such a key; an older or newer Pressroom may have.
async fn scoped_elsewhere(store: &Store) -> String {
    let key = format!("wsp_{}", token::hex(48));
    let tx = store.begin().await.expect("a transaction");
    let user = users::by_email(&tx, "mia@example.com")
        .await
        .expect("found");
    let new = pressroom_store::NewToken {
        kind: "panel".into(),
        user_id: user.map(|user| user.id),
        name: "test".into(),
        prefix: key[..12].into(),
        digest: token::digest(&key),
        scopes: vec!["dns".into()],
        ..pressroom_store::NewToken::default()
    };
    tokens::create(&tx, new).await.expect("a key");
    tx.commit().await.expect("committed");
    key
}

async fn site(test: &TestFleet, console: &Caller, account: &str, domain: &str) -> Site {
    let new = NewDomain {
        name: domain.into(),
        account: account.into(),
        root: Some(format!("/srv/pressroom-test/{domain}").into()),
    };
    let added = test.fleet.add_domain(console, new).await.expect("a domain");
    let environment = environment(&test.store, &added).await;
    let job = installation_job(&test.store, &environment).await;
    Site {
        domain: domain.into(),
        environment,
        job,
    }
}

async fn environment(store: &Store, domain: &pressroom_fleet::views::Domain) -> EnvironmentRow {
    let tx = store.begin().await.expect("a transaction");
    let site = environments::create_site(&tx, domain.account_id, &token::hex(32), "My Site").await;
    let site = site.expect("a site");
    let new = NewEnvironment {
        site_id: site.id,
        account_id: domain.account_id,
        domain_id: Some(domain.id),
        host_id: None,
        kind: EnvironmentKind::Production,
        panel_id: format!("wp_{}", &token::digest(&domain.name)[..9]),
        root: format!("{}/public_html", domain.root),
        path: "public_html".into(),
        url: format!("https://{}", domain.name),
        origin_addr: None,
        origin_host: None,
        unix_user: None,
        state: EnvironmentState::Active,
        db_name: "acme_blog_wp".into(),
        db_user: "acme_g2if7lvk".into(),
        db_host: "localhost".into(),
        db_password: Some(Secret::new("database-password".into())),
        table_prefix: "wp_u9fh_".into(),
        core_version: "6.9.4".into(),
        locale: "en_US".into(),
        title: "My Site".into(),
    };
    let row = environments::create(&tx, new)
        .await
        .expect("an environment");
    for (slug, status, version, new_version) in [
        ("wordfence", "active", "8.0", Some("8.1")),
        ("akismet", "inactive", "5.3", None),
        ("mystery", "unknown", "", None),
    ] {
        let component = NewComponent {
            kind: "plugin".into(),
            place: "normal".into(),
            slug: slug.into(),
            file: format!("{slug}/{slug}.php"),
            name: slug.to_uppercase(),
            version: version.into(),
            status: status.into(),
            new_version: new_version.map(str::to_owned),
            author: "Somebody".into(),
            description: "Does something.".into(),
            ..NewComponent::default()
        };
        components::put(&tx, row.id, component)
            .await
            .expect("a component");
    }
    for (slug, status, parent) in [
        ("child", "active", Some("twentytwentyfour")),
        ("twentytwentyfour", "parent", None),
        ("twentytwentythree", "unknown", None),
    ] {
        let component = NewComponent {
            kind: "theme".into(),
            place: "normal".into(),
            slug: slug.into(),
            file: format!("{slug}/style.css"),
            name: slug.to_uppercase(),
            version: "1.1".into(),
            status: status.into(),
            new_version: parent.map(|_| "1.2".to_owned()),
            parent: parent.map(str::to_owned),
            ..NewComponent::default()
        };
        components::put(&tx, row.id, component)
            .await
            .expect("a component");
    }
    // Fresh, so that nobody tries to look at a disk that is not there.
    let patch = EnvironmentPatch {
        inspected_at: Some(Timestamp::now().plus(Duration::from_hours(1))),
        ..EnvironmentPatch::default()
    };
    let row = environments::update(&tx, row.id, patch)
        .await
        .expect("updated");
    tx.commit().await.expect("committed");
    row
}

/// A finished installation with a password to show.
async fn installation_job(store: &Store, environment: &EnvironmentRow) -> String {
    let (id, public_id, epoch) = running_job(store, environment, "site_install").await;
    let tx = store.begin().await.expect("a transaction");
    for name in ["validate", "database"] {
        let step = record::begin_step(&tx, id, epoch, name, &json!({}))
            .await
            .expect("a step");
        let done = record::finish_step(&tx, id, epoch, step.id, StepState::Done, &json!({})).await;
        done.expect("done");
    }
    record::keep_secret(&tx, id, epoch, &Secret::new(PASSWORD.into()))
        .await
        .expect("kept");
    let result = json!({
        "environment_id": environment.id,
        "panel_id": environment.panel_id,
        "admin_user": "admin",
    });
    queue::complete(&tx, id, epoch, &result)
        .await
        .expect("completed");
    tx.commit().await.expect("committed");
    public_id
}

/// A finished snapshot of a site, of which nothing is in any archive.
pub async fn kept_snapshot(store: &Store, site: &Site, name: &str, contents: SnapshotContents) {
    let tx = store.begin().await.expect("a transaction");
    let environment = &site.environment;
    let new = NewSnapshot {
        public_id: name.into(),
        environment_id: environment.id,
        account_id: environment.account_id,
        format: SnapshotFormat::TarZst,
        reserved: 0,
        job_id: None,
        created_by: None,
        note: "before the sale".into(),
        store: "directory".into(),
        object_key: name.into(),
        expires_at: None,
        contents,
        panel_id: environment.panel_id.clone(),
        domain: site.domain.clone(),
    };
    let row = snapshots::begin(&tx, new).await.expect("begun");
    let stored = StoredSnapshot {
        size: 4_820,
        sha256: "ab".repeat(32),
        wordpress_version: "6.9.4".into(),
    };
    snapshots::finish(&tx, row.id, stored).await.expect("ready");
    snapshots::mark_verified(&tx, row.id)
        .await
        .expect("verified");
    tx.commit().await.expect("committed");
}

/// A job that somebody is running.
pub async fn running_job(
    store: &Store,
    environment: &EnvironmentRow,
    kind: &str,
) -> (JobId, String, Epoch) {
    let tx = store.begin().await.expect("a transaction");
    let queued = queue::insert(
        &tx,
        NewJob {
            environment: Some(environment.id),
            account: Some(environment.account_id),
            ..NewJob::new(kind, json!({ "panel_id": environment.panel_id }))
        },
    )
    .await
    .expect("queued");
    tx.commit().await.expect("committed");
    let claimed = queue::claim(store, &[kind], "test", Duration::from_mins(10))
        .await
        .expect("claimed")
        .expect("a job");
    assert_eq!(claimed.id, queued.id);
    let row = jobs::get(store, queued.id)
        .await
        .expect("found")
        .expect("a job");
    (queued.id, queued.public_id, row.epoch)
}
