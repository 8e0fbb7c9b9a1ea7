//! Routes as data. From one table come the router, the OpenAPI document, the
//! contract coverage list and the authorisation matrix of the tests.

mod openapi;
mod table;

pub use openapi::{Credential, Doc, DocInfo, Shape};
pub use table::{Lookup, Table};

use crate::{Answer, Call, Fault, Incoming};
use axum::http::Method;
use futures_util::future::BoxFuture;
use pressroom_fleet::authorize::Action;
use std::sync::Arc;

/// Bytes a body may have unless its route says otherwise.
pub const BODY_LIMIT: usize = 64 * 1024;

/// One row of a dialect's contract.
#[derive(Clone)]
pub struct Route {
    /// Its row in the contract, e.g. `T05`.
    pub row: &'static str,
    /// Method. `HEAD` follows `GET`.
    pub method: Method,
    /// Path with `{name}` parameters, no trailing slash.
    pub path: &'static str,
    /// Further paths that do the same.
    pub aliases: &'static [&'static str],
    /// Who may call it.
    pub access: Access,
    /// What it is about.
    pub target: Target,
    /// Whether an `Idempotency-Key` is heeded.
    pub idempotent: bool,
    /// Whether its body may be a form.
    pub takes_forms: bool,
    /// Bytes its body may have.
    pub body_limit: usize,
    /// What its OpenAPI operation says.
    pub doc: Doc,
    /// What it does.
    pub handler: Handler,
}

/// Who may call a route.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Access {
    /// Anybody.
    Public,
    /// Whoever has a valid credential, whatever it permits.
    Known,
    /// A principal that may do this to the target.
    Granted(Action),
}

/// What a route is about, and where the request names it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Target {
    /// Nothing that anybody owns.
    Nothing,
    /// What the caller may see: never refused, only shorter.
    OwnList,
    /// An installation.
    Installation(Place),
    /// A job.
    Job(Place),
    /// A domain.
    Domain(Place),
    /// A person.
    Person(Place),
}

/// Where a request names its target.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Place {
    /// A parameter of the path.
    Path(&'static str),
    /// A parameter of the query.
    Query(&'static str),
    /// A member of the body.
    Body(&'static str),
}

/// What a use case's answer is waited for with.
type Answering = BoxFuture<'static, Result<Answer, Fault>>;

/// What a route does.
#[derive(Clone)]
pub enum Handler {
    /// Calls a use case.
    Run(Arc<dyn Fn(Call) -> Answering + Send + Sync>),
    /// Calls a use case with a body that is handed on as it comes. How large it may be, and
    /// of which kind, is for the handler to say.
    ///
    /// No `Idempotency-Key` is heeded: whether a body is the same as before could not be
    /// known before it was read to its end, and reading it is what the key is to spare. What
    /// such a route changes must be of a kind that happens once.
    Stream(Arc<dyn Fn(Call, Incoming) -> Answering + Send + Sync>),
    /// Answers the table's own OpenAPI document.
    Document,
}

impl Route {
    /// A reading route.
    pub fn get<F, R>(row: &'static str, path: &'static str, action: Action, run: F) -> Self
    where
        F: Fn(Call) -> R + Send + Sync + 'static,
        R: Future<Output = Result<Answer, Fault>> + Send + 'static,
    {
        Self::new(
            row,
            Method::GET,
            path,
            Access::Granted(action),
            handler(run),
        )
    }

    /// An acting route.
    pub fn post<F, R>(row: &'static str, path: &'static str, action: Action, run: F) -> Self
    where
        F: Fn(Call) -> R + Send + Sync + 'static,
        R: Future<Output = Result<Answer, Fault>> + Send + 'static,
    {
        Self {
            idempotent: true,
            ..Self::new(
                row,
                Method::POST,
                path,
                Access::Granted(action),
                handler(run),
            )
        }
    }

    /// A route that changes what is there.
    pub fn patch<F, R>(row: &'static str, path: &'static str, action: Action, run: F) -> Self
    where
        F: Fn(Call) -> R + Send + Sync + 'static,
        R: Future<Output = Result<Answer, Fault>> + Send + 'static,
    {
        Self {
            idempotent: true,
            ..Self::new(
                row,
                Method::PATCH,
                path,
                Access::Granted(action),
                handler(run),
            )
        }
    }

    /// A removing route. It takes a body like [`Route::post`]; its effect is one however
    /// often it is asked for, so that it needs no `Idempotency-Key`.
    pub fn delete<F, R>(row: &'static str, path: &'static str, action: Action, run: F) -> Self
    where
        F: Fn(Call) -> R + Send + Sync + 'static,
        R: Future<Output = Result<Answer, Fault>> + Send + 'static,
    {
        Self::new(
            row,
            Method::DELETE,
            path,
            Access::Granted(action),
            handler(run),
        )
    }

    /// A route that changes something that is there.
    pub fn change<F, R>(
        row: &'static str,
        method: Method,
        path: &'static str,
        action: Action,
        run: F,
    ) -> Self
    where
        F: Fn(Call) -> R + Send + Sync + 'static,
        R: Future<Output = Result<Answer, Fault>> + Send + 'static,
    {
        Self {
            idempotent: true,
            ..Self::new(row, method, path, Access::Granted(action), handler(run))
        }
    }

    /// A route that takes in a body of any length.
    pub fn stream<F, R>(
        row: &'static str,
        method: Method,
        path: &'static str,
        action: Action,
        run: F,
    ) -> Self
    where
        F: Fn(Call, Incoming) -> R + Send + Sync + 'static,
        R: Future<Output = Result<Answer, Fault>> + Send + 'static,
    {
        let handler = Handler::Stream(Arc::new(move |call, body| Box::pin(run(call, body))));
        Self {
            body_limit: usize::MAX,
            ..Self::new(row, method, path, Access::Granted(action), handler)
        }
    }

    /// Where the table's OpenAPI document is served, to anybody.
    pub fn document(path: &'static str) -> Self {
        Self::new(
            "openapi",
            Method::GET,
            path,
            Access::Public,
            Handler::Document,
        )
        .doc(Doc::new("This document"))
    }

    /// A route that anybody may ask, as a form if they like: signing in.
    pub fn open<F, R>(row: &'static str, method: Method, path: &'static str, run: F) -> Self
    where
        F: Fn(Call) -> R + Send + Sync + 'static,
        R: Future<Output = Result<Answer, Fault>> + Send + 'static,
    {
        Self {
            takes_forms: true,
            ..Self::new(row, method, path, Access::Public, handler(run))
        }
    }

    /// A route about the caller and nobody else, for every valid credential.
    pub fn known<F, R>(row: &'static str, method: Method, path: &'static str, run: F) -> Self
    where
        F: Fn(Call) -> R + Send + Sync + 'static,
        R: Future<Output = Result<Answer, Fault>> + Send + 'static,
    {
        Self::new(row, method, path, Access::Known, handler(run))
    }

    fn new(
        row: &'static str,
        method: Method,
        path: &'static str,
        access: Access,
        handler: Handler,
    ) -> Self {
        Self {
            row,
            method,
            path,
            aliases: &[],
            access,
            target: Target::Nothing,
            idempotent: false,
            takes_forms: false,
            body_limit: BODY_LIMIT,
            doc: Doc::new(""),
            handler,
        }
    }

    /// What it is about.
    #[must_use]
    pub fn about(mut self, target: Target) -> Self {
        self.target = target;
        self
    }

    /// Further paths that do the same.
    #[must_use]
    pub fn also_at(mut self, aliases: &'static [&'static str]) -> Self {
        self.aliases = aliases;
        self
    }

    /// An `Idempotency-Key` is heeded: a request that comes again is answered as the first
    /// time.
    #[must_use]
    pub fn once_by_key(mut self) -> Self {
        self.idempotent = true;
        self
    }

    /// Its body may be a form.
    #[must_use]
    pub fn with_forms(mut self) -> Self {
        self.takes_forms = true;
        self
    }

    /// What its OpenAPI operation says.
    #[must_use]
    pub fn doc(mut self, doc: Doc) -> Self {
        self.doc = doc;
        self
    }

    /// Whether it changes anything.
    pub fn writes(&self) -> bool {
        match self.access {
            Access::Public | Access::Known => false,
            Access::Granted(action) => !action.is_read(),
        }
    }

    /// Whether its body is handed on as it comes.
    pub const fn streams(&self) -> bool {
        matches!(self.handler, Handler::Stream(_))
    }

    /// All paths, the main one first.
    pub fn paths(&self) -> impl Iterator<Item = &'static str> {
        std::iter::once(self.path).chain(self.aliases.iter().copied())
    }
}

fn handler<F, R>(run: F) -> Handler
where
    F: Fn(Call) -> R + Send + Sync + 'static,
    R: Future<Output = Result<Answer, Fault>> + Send + 'static,
{
    Handler::Run(Arc::new(move |call| Box::pin(run(call))))
}
