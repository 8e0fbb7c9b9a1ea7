//! The OpenAPI document of a table.

use super::{Access, Route};
use axum::http::Method;
use bytes::Bytes;
use std::{borrow::Cow, collections::BTreeSet};
use utoipa::{
    PartialSchema, ToSchema,
    openapi::{
        Components, Content, Info, OpenApi, Paths, Ref, RefOr, Required, Response, Schema,
        path::{HttpMethod, Operation, Parameter, ParameterIn},
        request_body::RequestBody,
        schema::ArrayBuilder,
        security::{
            ApiKey, ApiKeyValue, HttpAuthScheme, HttpBuilder, SecurityRequirement, SecurityScheme,
        },
    },
};

/// What proves who is asking.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Credential {
    /// `Authorization: Bearer …`.
    Bearer,
    /// `Authorization: token …`.
    Token,
}

impl Credential {
    const fn name(self) -> &'static str {
        match self {
            Self::Bearer => "token",
            Self::Token => "api_token",
        }
    }

    fn scheme(self) -> SecurityScheme {
        match self {
            Self::Bearer => {
                SecurityScheme::Http(HttpBuilder::new().scheme(HttpAuthScheme::Bearer).build())
            }
            // OpenAPI has no word for a scheme of somebody's own.
            Self::Token => SecurityScheme::ApiKey(ApiKey::Header(ApiKeyValue::with_description(
                "Authorization",
                "`token` and the token",
            ))),
        }
    }
}

/// What a document says about its dialect as a whole.
#[derive(Clone)]
pub struct DocInfo {
    title: &'static str,
    description: &'static str,
    errors: Option<Errors>,
    credentials: &'static [Credential],
}

/// The errors that every route may answer with.
#[derive(Clone, Copy)]
struct Errors {
    shape: Shape,
    statuses: &'static [(u16, &'static str)],
}

/// What a document says about one route.
#[derive(Clone)]
pub struct Doc {
    summary: &'static str,
    query: Vec<(&'static str, &'static str, bool)>,
    body: Option<Shape>,
    answers: Vec<(u16, &'static str, Option<Shape>)>,
}

/// A wire type, as the document refers to it.
#[derive(Clone, Copy)]
pub struct Shape {
    name: fn() -> Cow<'static, str>,
    schema: fn() -> RefOr<Schema>,
    nested: fn(&mut Vec<(String, RefOr<Schema>)>),
    list: bool,
}

impl DocInfo {
    /// Title and description.
    pub const fn new(title: &'static str, description: &'static str) -> Self {
        Self {
            title,
            description,
            errors: None,
            credentials: &[Credential::Bearer],
        }
    }

    /// What proves who is asking, each as good as the others.
    #[must_use]
    pub const fn credentials(mut self, credentials: &'static [Credential]) -> Self {
        self.credentials = credentials;
        self
    }

    /// What every error looks like, and all statuses that one can have. No other is
    /// documented, so that a client's generator and a fuzzer know that there is none.
    #[must_use]
    pub const fn errors(mut self, shape: Shape, statuses: &'static [(u16, &'static str)]) -> Self {
        self.errors = Some(Errors { shape, statuses });
        self
    }
}

impl Doc {
    /// One line on what the route does.
    pub const fn new(summary: &'static str) -> Self {
        Self {
            summary,
            query: Vec::new(),
            body: None,
            answers: Vec::new(),
        }
    }

    /// A parameter of the query.
    #[must_use]
    pub fn query(mut self, name: &'static str, text: &'static str, required: bool) -> Self {
        self.query.push((name, text, required));
        self
    }

    /// Its body.
    #[must_use]
    pub const fn body(mut self, shape: Shape) -> Self {
        self.body = Some(shape);
        self
    }

    /// An answer.
    #[must_use]
    pub fn answers(mut self, status: u16, text: &'static str, shape: Shape) -> Self {
        self.answers.push((status, text, Some(shape)));
        self
    }

    /// An answer without a body.
    #[must_use]
    pub fn answers_nothing(mut self, status: u16, text: &'static str) -> Self {
        self.answers.push((status, text, None));
        self
    }
}

impl Shape {
    /// One `T`.
    pub fn of<T: ToSchema>() -> Self {
        Self {
            name: T::name,
            schema: <T as PartialSchema>::schema,
            nested: T::schemas,
            list: false,
        }
    }

    /// A bare array of `T`.
    pub fn list_of<T: ToSchema>() -> Self {
        Self {
            list: true,
            ..Self::of::<T>()
        }
    }

    fn reference(self) -> RefOr<Schema> {
        let reference = Ref::from_schema_name((self.name)());
        if self.list {
            RefOr::T(Schema::Array(ArrayBuilder::new().items(reference).build()))
        } else {
            RefOr::Ref(reference)
        }
    }

    fn register(self, components: &mut Components) {
        let mut found = vec![((self.name)().into_owned(), (self.schema)())];
        (self.nested)(&mut found);
        for (name, schema) in found {
            components.schemas.entry(name).or_insert(schema);
        }
    }
}

/// The document as JSON. Aliases are not listed: a new client has no use for them.
pub fn document(info: &DocInfo, routes: &[Route]) -> Bytes {
    let mut components = Components::new();
    for credential in info.credentials {
        components.add_security_scheme(credential.name(), credential.scheme());
    }
    if let Some(errors) = info.errors {
        errors.shape.register(&mut components);
    }
    let mut paths = Paths::new();
    let mut rows = BTreeSet::new();
    for route in routes {
        let Some(method) = method(&route.method) else {
            continue;
        };
        for shape in route.doc.answers.iter().filter_map(|(_, _, shape)| *shape) {
            shape.register(&mut components);
        }
        if let Some(body) = route.doc.body {
            body.register(&mut components);
        }
        // A row that is served by two methods: the ids of operations must differ.
        let id = if rows.insert(route.row) {
            route.row.to_owned()
        } else {
            format!("{}-{}", route.row, route.method.as_str().to_lowercase())
        };
        paths.add_path_operation(route.path, vec![method], operation(info, route, id));
    }
    let mut about = Info::new(info.title, env!("CARGO_PKG_VERSION"));
    about.description = Some(info.description.to_owned());
    let mut api = OpenApi::new(about, paths);
    api.components = Some(components);
    serde_json::to_vec(&api).unwrap_or_default().into()
}

fn operation(info: &DocInfo, route: &Route, id: String) -> Operation {
    let mut operation = Operation::builder()
        .operation_id(Some(id))
        .summary(Some(route.doc.summary));
    let params = route
        .path
        .split('/')
        .filter_map(|segment| segment.strip_prefix('{')?.strip_suffix('}'));
    for name in params {
        operation = operation.parameter(
            Parameter::builder()
                .name(name)
                .parameter_in(ParameterIn::Path)
                .required(Required::True)
                .schema(Some(<String as PartialSchema>::schema())),
        );
    }
    for (name, text, required) in &route.doc.query {
        let required = if *required {
            Required::True
        } else {
            Required::False
        };
        operation = operation.parameter(
            Parameter::builder()
                .name(*name)
                .parameter_in(ParameterIn::Query)
                .description(Some(*text))
                .required(required)
                .schema(Some(<String as PartialSchema>::schema())),
        );
    }
    if route.idempotent {
        operation = operation.parameter(
            Parameter::builder()
                .name("Idempotency-Key")
                .parameter_in(ParameterIn::Header)
                .description(Some("The same request with the same key acts once"))
                .required(Required::False)
                .schema(Some(<String as PartialSchema>::schema())),
        );
    }
    if let Some(body) = route.doc.body {
        operation = operation.request_body(Some(
            RequestBody::builder()
                .content("application/json", Content::new(Some(body.reference())))
                .required(Some(Required::True))
                .build(),
        ));
    }
    if route.streams() {
        operation = operation.request_body(Some(
            RequestBody::builder()
                .content(
                    "application/octet-stream",
                    Content::new(Some(<String as PartialSchema>::schema())),
                )
                .required(Some(Required::True))
                .build(),
        ));
    }
    for (status, text, shape) in &route.doc.answers {
        operation = operation.response(status.to_string(), answer(text, *shape));
    }
    for (errors, (status, text)) in info
        .errors
        .iter()
        .flat_map(|errors| errors.statuses.iter().map(move |status| (errors, status)))
    {
        operation = operation.response(status.to_string(), answer(text, Some(errors.shape)));
    }
    if route.access != Access::Public {
        for credential in info.credentials {
            let nothing: [&str; 0] = [];
            operation = operation.security(SecurityRequirement::new(credential.name(), nothing));
        }
    }
    operation.build()
}

fn answer(text: &str, shape: Option<Shape>) -> Response {
    let response = Response::builder().description(text);
    match shape {
        None => response.build(),
        Some(shape) => response
            .content("application/json", Content::new(Some(shape.reference())))
            .build(),
    }
}

fn method(method: &Method) -> Option<HttpMethod> {
    Some(match *method {
        Method::GET => HttpMethod::Get,
        Method::POST => HttpMethod::Post,
        Method::PUT => HttpMethod::Put,
        Method::PATCH => HttpMethod::Patch,
        Method::DELETE => HttpMethod::Delete,
        _ => return None,
    })
}
