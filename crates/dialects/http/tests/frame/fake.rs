//! A dialect whose handlers count.

use axum::{
    body::Body,
    http::{HeaderMap, HeaderName, Method, Request, StatusCode, header},
    response::Response,
};
use http_body_util::BodyExt as _;
use pressroom_base::{
    Kind,
    id::{TokenId, UserId},
};
use pressroom_dialect_http::{
    Answer, Call, Dialect, Doc, Fault, Incoming, Length, Limits, Route, Table, frame::Frame,
    route::DocInfo,
};
use pressroom_fleet::{
    Error, Fleet, Principal,
    authorize::Action,
    principal::{Grants, Identity},
    requests::Rate,
};
use serde_json::{Value, json};
use std::{
    net::IpAddr,
    sync::{
        Arc,
        atomic::{AtomicU32, Ordering},
    },
    time::Duration,
};
use tokio::{io::AsyncReadExt as _, sync::Semaphore};

/// What happened behind the frame.
#[derive(Default)]
pub struct Effects {
    /// How often the acting handler ran to its end.
    pub acts: AtomicU32,
    /// How often the failing handler ran.
    pub failures: AtomicU32,
}

/// Credentials are `Bearer <token id>` and `Bearer read-<token id>`.
pub struct Fake {
    table: Table,
    limits: Limits,
}

pub struct Answered {
    pub status: u16,
    pub headers: HeaderMap,
    pub body: String,
}

impl Answered {
    pub fn header(&self, name: &str) -> &str {
        self.headers
            .get(name)
            .map_or("", |value| value.to_str().expect("plain text"))
    }
}

/// The frame over the fake, its effects, and a gate that the `slow` handler waits at.
pub struct Bench {
    pub frame: Frame,
    pub effects: Arc<Effects>,
    pub gate: Arc<Semaphore>,
}

impl Bench {
    pub fn new(fleet: &Fleet, per_token: u32) -> Self {
        let effects = Arc::new(Effects::default());
        let gate = Arc::new(Semaphore::new(0));
        let dialect = Fake {
            table: table(&effects, &gate),
            limits: Limits {
                per_token,
                per_address: 5,
                window: Duration::from_mins(1),
            },
        };
        Self {
            frame: Frame::new(fleet.clone(), Arc::new(dialect)),
            effects,
            gate,
        }
    }

    pub fn acts(&self) -> u32 {
        self.effects.acts.load(Ordering::SeqCst)
    }

    pub async fn send(&self, request: Request<Body>) -> Answered {
        let response: Response = self.frame.run(request).await;
        let (parts, body) = response.into_parts();
        let body = body.collect().await.expect("a body in memory").to_bytes();
        Answered {
            status: parts.status.as_u16(),
            headers: parts.headers,
            body: String::from_utf8(body.to_vec()).expect("text"),
        }
    }
}

/// A request of token 1.
pub fn request(method: &str, path: &str, body: &str) -> Request<Body> {
    request_as("1", method, path, body)
}

pub fn request_as(token: &str, method: &str, path: &str, body: &str) -> Request<Body> {
    Request::builder()
        .method(method)
        .uri(path)
        .header(header::AUTHORIZATION, format!("Bearer {token}"))
        .header(header::CONTENT_LENGTH, body.len())
        .body(Body::from(body.to_owned()))
        .expect("a request")
}

/// The same with an idempotency key.
pub fn keyed(key: &str, path: &str, body: &str) -> Request<Body> {
    let mut request = request("POST", path, body);
    let key = key.parse().expect("a header value");
    request.headers_mut().insert("idempotency-key", key);
    request
}

fn table(effects: &Arc<Effects>, gate: &Arc<Semaphore>) -> Table {
    let act = {
        let effects = Arc::clone(effects);
        move |call: Call| {
            let effects = Arc::clone(&effects);
            async move {
                let body: Value = call.body()?;
                // Gives every other request the chance to overtake.
                for _ in 0..10 {
                    tokio::task::yield_now().await;
                }
                let count = effects.acts.fetch_add(1, Ordering::SeqCst) + 1;
                Answer::created(&json!({ "count": count, "said": body }))
            }
        }
    };
    let slow = {
        let (effects, gate) = (Arc::clone(effects), Arc::clone(gate));
        move |_: Call| {
            let (effects, gate) = (Arc::clone(&effects), Arc::clone(&gate));
            async move {
                gate.acquire().await.expect("an open gate").forget();
                effects.acts.fetch_add(1, Ordering::SeqCst);
                Answer::ok(&json!({}))
            }
        }
    };
    let fail = {
        let effects = Arc::clone(effects);
        move |call: Call| {
            let effects = Arc::clone(&effects);
            async move {
                effects.failures.fetch_add(1, Ordering::SeqCst);
                let kind = Kind::parse(call.param("kind"));
                Err::<Answer, Fault>(Error::new(kind, "as it was told to").into())
            }
        }
    };
    let mut small = Route::post("F2", "/act", Action::SiteInstall, act);
    small.body_limit = 100;
    Table::new(
        DocInfo::new("Fake", "Counts"),
        vec![
            Route::document("/openapi.json"),
            Route::get("F1", "/read", Action::SiteRead, read).doc(Doc::new("Reads")),
            small.also_at(&["/act/alias"]),
            Route::post("F3", "/slow", Action::SiteInstall, slow),
            Route::post("F4", "/fail/{kind}", Action::SiteInstall, fail),
            Route::post("F5", "/panic", Action::SiteInstall, panics),
            Route::stream("F6", Method::PUT, "/store", Action::SnapshotUpload, stores),
        ],
    )
}

async fn read(call: Call) -> Result<Answer, Fault> {
    Answer::ok(&json!({ "q": call.query("q")?, "head": call.head }))
}

/// Counts what comes, unless it says that it is nothing to store.
async fn stores(_: Call, body: Incoming) -> Result<Answer, Fault> {
    if body.media() == "text/plain" {
        return Err(Fault::UnsupportedMedia);
    }
    if body.length() == Length::Missing {
        return Err(Fault::LengthRequired);
    }
    let length = format!("{:?}", body.length());
    let mut reader = body.reader("file")?;
    let mut bytes = Vec::new();
    match reader.read_to_end(&mut bytes).await {
        Ok(_) => Answer::ok(&json!({ "bytes": bytes.len(), "length": length })),
        Err(error) => Err(Fault::Malformed(error.to_string())),
    }
}

async fn panics(_: Call) -> Result<Answer, Fault> {
    panic!("the handler of a test panics")
}

#[async_trait::async_trait]
impl Dialect for Fake {
    fn name(&self) -> &'static str {
        "fake"
    }

    fn table(&self) -> &Table {
        &self.table
    }

    fn limits(&self) -> Limits {
        self.limits
    }

    async fn authenticate(
        &self,
        _: &Fleet,
        headers: &HeaderMap,
        _: IpAddr,
    ) -> Result<Principal, Fault> {
        let value = headers
            .get(header::AUTHORIZATION)
            .ok_or(Fault::NoCredential)?;
        let text = value
            .to_str()
            .unwrap_or_default()
            .trim_start_matches("Bearer ");
        let (grants, id) = match text.strip_prefix("read-") {
            Some(id) => (Grants::Read, id),
            None => (Grants::All, text),
        };
        let id = id.parse().map_err(|_| Fault::BadCredential)?;
        Ok(Principal {
            identity: Identity::User {
                id: UserId::new(1),
                email: "p@example".into(),
                operator: true,
                token: Some(TokenId::new(id)),
                session: None,
                family: None,
            },
            grants,
            memberships: Vec::new(),
            account: None,
        })
    }

    fn render(&self, fault: &Fault, reference: &str) -> Answer {
        let status = match fault {
            Fault::UseCase(error) => match error.kind() {
                Kind::Invalid => 400,
                Kind::Busy | Kind::Conflict => 409,
                Kind::Remote => 502,
                _ => 500,
            },
            Fault::NoCredential | Fault::BadCredential => 401,
            Fault::OutOfScope => 403,
            Fault::NoRoute => 404,
            Fault::MethodNotAllowed { .. } => 405,
            Fault::KeyInProgress => 409,
            Fault::LengthRequired => 411,
            Fault::BodyTooLarge { .. } => 413,
            Fault::UnsupportedMedia => 415,
            Fault::KeyReused => 422,
            Fault::Limited { .. } => 429,
            Fault::Panicked => 500,
            Fault::Malformed(_) | Fault::InvalidJson | Fault::Member { .. } => 400,
        };
        let status = StatusCode::from_u16(status).expect("a status");
        let out = json!({ "fault": format!("{fault:?}"), "reference": reference });
        Answer::json(status, &out).unwrap_or_else(|_| Answer::empty(status))
    }

    fn rate_headers(&self, rate: &Rate) -> HeaderMap {
        HeaderMap::from_iter([(
            HeaderName::from_static("x-remaining"),
            rate.remaining.into(),
        )])
    }
}

/// `GET` and the like, for tables of tests.
pub const METHODS: [Method; 5] = [
    Method::GET,
    Method::POST,
    Method::PUT,
    Method::PATCH,
    Method::DELETE,
];
