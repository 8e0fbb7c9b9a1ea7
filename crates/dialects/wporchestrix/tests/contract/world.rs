//! Two accounts, and people who sign in with a password.

use crate::fleet::{TestFleet, on_both};
use pressroom_base::{Secret, password};
use pressroom_dialect_http::{Dialect, Hosts, router};
use pressroom_dialect_wporchestrix::{WpOrchestrix, webhooks};
use pressroom_fleet::{
    Caller, Fleet, Principal,
    tokens::{NewToken, TokenKind},
    webhooks::{Post, Rules},
};
use pressroom_store::{NewUser, Role, Store, accounts, users};
use pressroom_testkit::api::{Api, Reply};
use reqwest::Method;
use serde_json::{Value, json};
use std::{
    net::SocketAddr,
    sync::{Arc, OnceLock},
    time::Duration,
};

/// Everybody's password.
pub const PASSWORD: &str = "correct horse battery";
/// Owns `Acme` and, since later, `Zebra`.
pub const ANA: &str = "ana@example.com";
/// A member of `Acme`.
pub const MIA: &str = "mia@example.com";
/// Owns `Other`.
pub const FRED: &str = "fred@example.com";
/// An operator who belongs to no account.
pub const OLGA: &str = "olga@example.com";

/// A running dialect with something in its store.
pub struct World {
    pub test: TestFleet,
    pub base: String,
    server: tokio::task::JoinHandle<()>,
}

impl Drop for World {
    fn drop(&mut self) {
        self.server.abort();
    }
}

/// Runs a test over both stores.
pub async fn worlds<T: AsyncFn(World)>(test: T) {
    on_both(async |fleet| test(World::new(fleet).await).await).await;
}

impl World {
    async fn new(mut test: TestFleet) -> Self {
        test.fleet = test.fleet.with_post(Post::new(webhooks::compose, rules()));
        let store = &test.store;
        let console = Caller::new(Principal::console());
        for (email, name, operator) in [
            (ANA, "Ana Maria Lopez", false),
            (MIA, "Mia", false),
            (FRED, "Fred Foreign", false),
            (OLGA, "Olga Operator", true),
        ] {
            add_user(store, email, name, operator).await;
        }
        for (account, owner) in [("Acme", ANA), ("Zebra", ANA), ("Other", FRED)] {
            let added = test.fleet.add_account(&console, account, owner).await;
            added.expect("an account");
        }
        join(store, "Acme", MIA, Role::Member).await;
        let (base, server) = serve(&test.fleet).await;
        Self { test, base, server }
    }

    /// A client with this `Authorization`.
    pub async fn send(
        &self,
        method: Method,
        path: &str,
        headers: &[(&str, &str)],
        body: Option<String>,
    ) -> Reply {
        let api = Api::new(&self.base, None).expect("a client");
        api.send(method, &full(path), headers, body)
            .await
            .expect("an answer")
    }

    pub async fn get(&self, authorization: &str, path: &str) -> Reply {
        let headers = [("authorization", authorization)];
        self.send(Method::GET, path, &headers, None).await
    }

    /// With no credential.
    pub async fn post(&self, path: &str, body: &Value) -> Reply {
        self.send(Method::POST, path, &[], Some(body.to_string()))
            .await
    }

    pub async fn post_as(&self, authorization: &str, path: &str, body: &Value) -> Reply {
        let headers = [("authorization", authorization)];
        self.send(Method::POST, path, &headers, Some(body.to_string()))
            .await
    }

    /// With no credential, as a form.
    pub async fn form(&self, path: &str, body: &str) -> (u16, Value) {
        let client = pressroom_testkit::api::client_builder().build();
        let sent = client
            .expect("a client")
            .post(format!("{}{}", self.base, full(path)))
            .header("content-type", "application/x-www-form-urlencoded")
            .body(body.to_owned())
            .send()
            .await
            .expect("an answer");
        let status = sent.status().as_u16();
        (status, sent.json().await.expect("JSON"))
    }

    /// W01, as `token …`.
    pub async fn sign_in(&self, email: &str) -> String {
        let body = json!({ "email": email, "password": PASSWORD });
        let reply = self.post("/auth", &body).await;
        assert_eq!(reply.status, 200, "{}", reply.text);
        format!("token {}", reply.string("token").expect("a token"))
    }

    /// W03: the access and the refresh token.
    pub async fn pair(&self, email: &str) -> (String, String) {
        let body = json!({ "email": email, "password": PASSWORD });
        let reply = self.post("/jwt", &body).await;
        tokens(&reply)
    }

    /// A token that somebody made in the settings.
    pub async fn issue(&self, email: &str, scopes: &[&str]) -> String {
        let new = NewToken {
            user: email.into(),
            kind: TokenKind::Api,
            name: "login".into(),
            scopes: scopes.iter().map(|scope| (*scope).to_owned()).collect(),
            networks: Vec::new(),
            expires_at: None,
        };
        let console = Caller::new(Principal::console());
        let issued = self.test.fleet.add_token(&console, new).await;
        format!("token {}", issued.expect("a token").secret.expose())
    }

    /// What this dialect calls an account.
    pub async fn account(&self, name: &str) -> String {
        let row = accounts::by_name(&self.test.store, name).await;
        let row = row.expect("found").expect("an account");
        format!("acct_{}", row.short_id)
    }
}

/// Receivers of webhooks are on this machine, and answer at once or not at all.
pub fn rules() -> Rules {
    Rules {
        allow: vec!["127.0.0.0/8".parse().expect("a network")],
        patience: Duration::from_millis(150),
        ..Rules::default()
    }
}

/// Paths in tests omit the prefix, as in the contract.
pub fn full(path: &str) -> String {
    if path.starts_with("/api/") {
        path.to_owned()
    } else {
        format!("/api/v1{path}")
    }
}

/// Both tokens of an answer, whose other members are as they must be.
#[track_caller]
pub fn tokens(reply: &Reply) -> (String, String) {
    assert_eq!(reply.status, 200, "{}", reply.text);
    assert_eq!(reply.body["token_type"], "Bearer");
    assert_eq!(reply.body["expires_in"], 900);
    assert_eq!(reply.body.as_object().map(serde_json::Map::len), Some(4));
    (
        reply.string("access_token").expect("a token"),
        reply.string("refresh_token").expect("a token"),
    )
}

/// Checks an error that says only this.
#[track_caller]
pub fn assert_error(reply: &Reply, status: u16, text: &str) {
    assert_eq!(reply.status, status, "{}", reply.text);
    assert_eq!(reply.body, json!({ "error": text }));
    assert_eq!(reply.header("content-type"), Some("application/json"));
    assert_eq!(
        reply.header("www-authenticate").is_some(),
        status == 401,
        "{text}"
    );
    assert!(reply.header("x-request-id").is_some());
}

async fn serve(fleet: &Fleet) -> (String, tokio::task::JoinHandle<()>) {
    let dialect: Arc<dyn Dialect> = Arc::new(WpOrchestrix::new());
    let router = router(fleet, vec![dialect], Hosts::new())
        .merge(pressroom_dialect_http::download::router(fleet.clone()));
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

async fn add_user(store: &Store, email: &str, name: &str, is_operator: bool) {
    // Hashing takes its time, and everybody has the same.
    static HASH: OnceLock<String> = OnceLock::new();
    let hash = HASH.get_or_init(|| password::hash(&Secret::new(PASSWORD.into())));
    let tx = store.begin().await.expect("a transaction");
    let new = NewUser {
        email: email.into(),
        name: name.into(),
        password_hash: hash.clone(),
        is_operator,
    };
    users::create(&tx, new).await.expect("a user");
    tx.commit().await.expect("committed");
}

async fn join(store: &Store, account: &str, email: &str, role: Role) {
    let tx = store.begin().await.expect("a transaction");
    let account = accounts::by_name(&tx, account).await.expect("found");
    let user = users::by_email(&tx, email).await.expect("found");
    let (account, user) = (account.expect("an account"), user.expect("a user"));
    accounts::set_member(&tx, account.id, user.id, role)
        .await
        .expect("a member");
    tx.commit().await.expect("committed");
}
