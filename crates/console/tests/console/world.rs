//! Two accounts with a site each, and everybody who could ask.

use crate::{
    fleet::TestFleet,
    kept,
    updates::{self, Update},
};
use axum::{
    Router,
    body::Body,
    http::{HeaderMap, Method, Request, StatusCode, header},
};
use http_body_util::BodyExt as _;
use pressroom_base::{Epoch, Secret, Timestamp, id::JobId, password, token};
use pressroom_console::ConsoleConfig;
use pressroom_fleet::{Caller, Principal, domains::NewDomain, views::Domain};
use pressroom_store::{
    EnvironmentKind, EnvironmentPatch, EnvironmentRow, EnvironmentState, NewComponent,
    NewEnvironment, NewSession, NewUser, Role, Store, accounts, components, environments,
    jobs::{self, NewJob, queue},
    sessions, users,
};
use serde_json::json;
use std::time::Duration;
use tower::ServiceExt as _;

/// What everybody's password is.
pub const PASSWORD: &str = "correct horse battery";
/// What every session's forms carry.
pub const CSRF: &str = "0123456789abcdef";

/// Everybody who could ask.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Who {
    Nobody,
    /// With a cookie of a session that is over.
    Stale,
    Viewer,
    Member,
    /// A member of the other account.
    Foreigner,
    Operator,
}

impl Who {
    pub const ALL: [Self; 6] = [
        Self::Nobody,
        Self::Stale,
        Self::Viewer,
        Self::Member,
        Self::Foreigner,
        Self::Operator,
    ];

    const fn email(self) -> Option<&'static str> {
        match self {
            Self::Nobody | Self::Stale => None,
            Self::Viewer => Some("vic@example.com"),
            Self::Member => Some("mia@example.com"),
            Self::Foreigner => Some("fred@example.com"),
            Self::Operator => Some("olga@example.com"),
        }
    }
}

/// One account's belongings: a site on which a job is at work.
pub struct Site {
    pub environment: EnvironmentRow,
    pub job: String,
    pub job_id: JobId,
    pub epoch: Epoch,
    /// A snapshot of it.
    pub snapshot: String,
    /// A safe update of it that waits for a yes, with a picture.
    pub update: Update,
}

/// The console with something in its store.
pub struct World {
    pub test: TestFleet,
    pub own: Site,
    pub foreign: Site,
    router: Router,
}

/// What was answered.
pub struct Reply {
    pub status: StatusCode,
    pub headers: HeaderMap,
    /// As text, as far as it is some.
    pub text: String,
    pub bytes: Vec<u8>,
}

impl Reply {
    pub fn header(&self, name: &str) -> &str {
        self.headers
            .get(name)
            .map(|value| value.to_str().expect("text"))
            .unwrap_or_default()
    }
}

impl World {
    pub async fn new() -> Self {
        Self::with(ConsoleConfig::default()).await
    }

    pub async fn with(config: ConsoleConfig) -> Self {
        let test = TestFleet::sqlite().await;
        let hash = password::hash(&Secret::new(PASSWORD.into()));
        for who in Who::ALL {
            if let Some(email) = who.email() {
                add_user(&test.store, email, &hash, who == Who::Operator).await;
            }
        }
        let console = Caller::new(Principal::console());
        for (account, owner) in [("Acme", "olga@example.com"), ("Other", "fred@example.com")] {
            let added = test.fleet.add_account(&console, account, owner).await;
            added.expect("an account");
        }
        join(&test.store, "mia@example.com", Role::Member).await;
        join(&test.store, "vic@example.com", Role::Viewer).await;
        let own = site(&test, "Acme", "blog.example").await;
        let foreign = site(&test, "Other", "foreign.example").await;
        let router = pressroom_console::router(test.fleet.clone(), config);
        Self {
            test,
            own,
            foreign,
            router,
        }
    }

    /// A new session's cookie value.
    pub async fn session(&self, who: Who) -> Option<String> {
        let secret = token::hex(64);
        let Some(email) = who.email() else {
            return (who == Who::Stale).then_some(secret);
        };
        let tx = self.test.store.begin().await.expect("a transaction");
        let user = users::by_email(&tx, email).await.expect("found");
        let new = NewSession {
            user_id: user.expect("a user").id,
            digest: token::digest(&secret),
            csrf: CSRF.into(),
            lasts: Duration::from_hours(1),
            address: None,
            agent: None,
        };
        sessions::create(&tx, new).await.expect("a session");
        tx.commit().await.expect("committed");
        Some(secret)
    }

    /// Asks as somebody, with a session of its own.
    pub async fn ask(&self, who: Who, method: &Method, path: &str, body: &str) -> Reply {
        let cookie = self
            .session(who)
            .await
            .map(|secret| format!("pressroom_session={secret}"));
        let mut headers = vec![("sec-fetch-site", "same-origin")];
        headers.extend(cookie.as_deref().map(|cookie| ("cookie", cookie)));
        self.send(method, path, &headers, body).await
    }

    pub async fn get(&self, who: Who, path: &str) -> Reply {
        self.ask(who, &Method::GET, path, "").await
    }

    /// Posts a form with these headers only.
    pub async fn post(&self, path: &str, headers: &[(&str, &str)], body: &str) -> Reply {
        self.send(&Method::POST, path, headers, body).await
    }

    pub async fn send(
        &self,
        method: &Method,
        path: &str,
        headers: &[(&str, &str)],
        body: &str,
    ) -> Reply {
        let mut request = Request::builder()
            .method(method)
            .uri(path)
            .header(header::HOST, "console.example");
        if method == Method::POST {
            request = request.header(header::CONTENT_TYPE, "application/x-www-form-urlencoded");
        }
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        let request = request
            .body(Body::from(body.to_owned()))
            .expect("a request");
        let response = self
            .router
            .clone()
            .oneshot(request)
            .await
            .expect("an answer");
        let (parts, body) = response.into_parts();
        // A stream of a running job has no end.
        let kind = parts.headers.get(header::CONTENT_TYPE);
        let is_stream = kind.is_some_and(|kind| kind == "text/event-stream");
        let bytes = if is_stream && !path.contains("whole") {
            Vec::new()
        } else {
            body.collect().await.expect("a body").to_bytes().to_vec()
        };
        let is_picture = parts
            .headers
            .get(header::CONTENT_TYPE)
            .is_some_and(|kind| kind == "image/png");
        let text = if is_picture {
            String::new()
        } else {
            String::from_utf8(bytes.clone()).expect("text")
        };
        Reply {
            status: parts.status,
            headers: parts.headers,
            text,
            bytes,
        }
    }
}

async fn add_user(store: &Store, email: &str, hash: &str, is_operator: bool) {
    let tx = store.begin().await.expect("a transaction");
    let new = NewUser {
        email: email.into(),
        name: String::new(),
        password_hash: hash.into(),
        is_operator,
    };
    users::create(&tx, new).await.expect("a user");
    tx.commit().await.expect("committed");
}

async fn join(store: &Store, email: &str, role: Role) {
    let tx = store.begin().await.expect("a transaction");
    let account = accounts::by_name(&tx, "Acme").await.expect("found");
    let user = users::by_email(&tx, email).await.expect("found");
    let (account, user) = account.zip(user).expect("both");
    let joined = accounts::set_member(&tx, account.id, user.id, role).await;
    joined.expect("a member");
    tx.commit().await.expect("committed");
}

async fn site(test: &TestFleet, account: &str, domain: &str) -> Site {
    let new = NewDomain {
        name: domain.into(),
        account: account.into(),
        root: Some(format!("/srv/pressroom-test/{domain}").into()),
    };
    let console = Caller::new(Principal::console());
    let added = test.fleet.add_domain(&console, new).await;
    let environment = environment(&test.store, &added.expect("a domain")).await;
    let (job_id, job, epoch) = running_job(&test.store, &environment).await;
    let account = environment.account_id;
    let snapshot = kept::snapshot(test, account, environment.id, b"packed", None).await;
    Site {
        update: updates::waiting(test, &environment).await,
        snapshot: snapshot.public_id,
        environment,
        job,
        job_id,
        epoch,
    }
}

async fn environment(store: &Store, domain: &Domain) -> EnvironmentRow {
    let tx = store.begin().await.expect("a transaction");
    let public_id = token::hex(32);
    let site = environments::create_site(&tx, domain.account_id, &public_id, &domain.name);
    let new = NewEnvironment {
        site_id: site.await.expect("a site").id,
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
        db_name: "acme_blog".into(),
        db_user: "acme_g2if7lvk".into(),
        db_host: "localhost".into(),
        db_password: Some(Secret::new("database-password".into())),
        table_prefix: "wp_u9fh_".into(),
        core_version: "6.5.5".into(),
        locale: "en_US".into(),
        title: format!("Title of {}", domain.name),
    };
    let row = environments::create(&tx, new)
        .await
        .expect("an environment");
    let component = NewComponent {
        kind: "plugin".into(),
        place: "normal".into(),
        slug: "sample".into(),
        file: "sample/sample.php".into(),
        name: "Sample".into(),
        version: "1.0".into(),
        status: "active".into(),
        new_version: Some("1.1".into()),
        ..NewComponent::default()
    };
    let put = components::put(&tx, row.id, component).await;
    put.expect("a component");
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

async fn running_job(store: &Store, environment: &EnvironmentRow) -> (JobId, String, Epoch) {
    let tx = store.begin().await.expect("a transaction");
    let new = NewJob {
        environment: Some(environment.id),
        account: Some(environment.account_id),
        ..NewJob::new("component_update", json!({}))
    };
    let queued = queue::insert(&tx, new).await.expect("queued");
    tx.commit().await.expect("committed");
    let lease = Duration::from_mins(10);
    let claimed = queue::claim(store, &["component_update"], "test", lease).await;
    assert_eq!(claimed.expect("claimed").expect("a job").id, queued.id);
    let row = jobs::get(store, queued.id).await.expect("found");
    (queued.id, queued.public_id, row.expect("a job").epoch)
}
