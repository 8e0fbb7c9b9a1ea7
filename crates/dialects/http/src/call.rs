//! One request, as a handler sees it.

use crate::{Fault, json};
use axum::http::HeaderMap;
use bytes::Bytes;
use pressroom_fleet::{Caller, Fleet};
use serde::de::DeserializeOwned;
use serde_json::Value;
use std::net::IpAddr;

/// A request that passed every check of the frame.
pub struct Call {
    /// The use cases.
    pub fleet: Fleet,
    /// Who asks.
    pub caller: Caller,
    /// `HEAD`: answer as `GET` would, but hand out nothing that is handed out once.
    pub head: bool,
    /// Where the request comes from.
    pub peer: IpAddr,
    /// Path and query as they were asked for.
    pub target: String,
    pub(crate) headers: HeaderMap,
    pub(crate) params: Vec<(&'static str, String)>,
    pub(crate) query: Vec<(String, String)>,
    pub(crate) body: Bytes,
}

impl Call {
    /// A parameter of the path, decoded; empty when the route has none of that name.
    pub fn param(&self, name: &str) -> &str {
        self.params
            .iter()
            .find(|(known, _)| *known == name)
            .map_or("", |(_, value)| value)
    }

    /// A parameter of the query. Given twice it is refused: which one was meant?
    pub fn query(&self, name: &str) -> Result<Option<&str>, Fault> {
        let mut values = self.query.iter().filter(|(known, _)| known == name);
        let first = values.next().map(|(_, value)| value.as_str());
        if values.next().is_some() {
            return Err(Fault::Malformed(format!(
                "the query names `{name}` more than once"
            )));
        }
        if first.is_some_and(|value| value.contains('\0')) {
            return Err(Fault::Malformed(format!(
                "`{name}` in the query contains a NUL character"
            )));
        }
        Ok(first)
    }

    /// A header's text; empty where it is not there or not text.
    pub fn header(&self, name: &str) -> &str {
        self.headers
            .get(name)
            .and_then(|value| value.to_str().ok())
            .unwrap_or_default()
    }

    /// The body, or its member `wrapper` where that is an object: some clients nest all
    /// that they send in the name of the thing.
    pub fn unwrapped<T: DeserializeOwned>(&self, wrapper: &str) -> Result<T, Fault> {
        let mut whole: Value = json::read(&self.body)?;
        let inner = whole.get_mut(wrapper).filter(|inner| inner.is_object());
        match inner.map(Value::take) {
            Some(inner) => json::read(inner.to_string().as_bytes()),
            None => self.body(),
        }
    }

    /// The body; nothing at all reads as `{}`.
    pub fn body<T: DeserializeOwned>(&self) -> Result<T, Fault> {
        json::read(&self.body)
    }
}
