//! One request, as a handler sees it.

use crate::{Fault, json};
use bytes::Bytes;
use pressroom_fleet::{Caller, Fleet};
use serde::de::DeserializeOwned;

/// A request that passed every check of the frame.
pub struct Call {
    /// The use cases.
    pub fleet: Fleet,
    /// Who asks.
    pub caller: Caller,
    /// `HEAD`: answer as `GET` would, but hand out nothing that is handed out once.
    pub head: bool,
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

    /// The body; nothing at all reads as `{}`.
    pub fn body<T: DeserializeOwned>(&self) -> Result<T, Fault> {
        json::read(&self.body)
    }
}
