//! Values by their keys, as what they stand for.

use super::{Error, Value, keys, value::Layer};
use ipnet::IpNet;
use std::{net::SocketAddr, path::PathBuf};

/// Reads values whose shape was checked when they were layered. A key without a value
/// cannot be: the defaults name every key, which a test holds true.
pub(super) struct Reader<'a>(pub(super) &'a Layer);

impl Reader<'_> {
    pub(super) fn text(&self, key: &str) -> String {
        match self.0.get(key) {
            Some((Value::Text(text), _)) => text.clone(),
            _ => String::new(),
        }
    }

    /// A text that is not empty.
    pub(super) fn some(&self, key: &str) -> Option<String> {
        Some(self.text(key)).filter(|text| !text.is_empty())
    }

    pub(super) fn path(&self, key: &str) -> PathBuf {
        let path = PathBuf::from(self.text(key));
        std::path::absolute(&path).unwrap_or(path)
    }

    pub(super) fn address(&self, key: &str) -> SocketAddr {
        self.text(key)
            .parse()
            .unwrap_or_else(|_| SocketAddr::from(([127, 0, 0, 1], 0)))
    }

    pub(super) fn networks(&self, key: &str) -> Vec<IpNet> {
        keys::networks(&self.text(key)).unwrap_or_default()
    }

    /// The two files of a certificate and its key, or neither.
    pub(super) fn both(
        &self,
        certificate: &str,
        key: &str,
    ) -> Result<Option<(PathBuf, PathBuf)>, Error> {
        match (self.some(certificate), self.some(key)) {
            (None, None) => Ok(None),
            (Some(_), Some(_)) => Ok(Some((self.path(certificate), self.path(key)))),
            (one, _) => {
                let (there, missing) = match one {
                    Some(_) => (certificate, key),
                    None => (key, certificate),
                };
                let refused = Error::new(format!("`{there}` needs `{missing}` as well"))
                    .hint("TLS takes a certificate and its key");
                Err(match self.0.get(there) {
                    Some((_, origin)) => refused.at(origin.clone()),
                    None => refused,
                })
            }
        }
    }

    pub(super) fn number(&self, key: &str) -> u64 {
        match self.0.get(key) {
            Some((Value::Integer(number), _)) => u64::try_from(*number).unwrap_or(0),
            _ => 0,
        }
    }

    pub(super) fn size(&self, key: &str) -> usize {
        usize::try_from(self.number(key)).unwrap_or(usize::MAX)
    }

    pub(super) fn switch(&self, key: &str, usual: &str) -> Option<String> {
        match self.0.get(key) {
            Some((Value::Bool(true), _)) => Some(usual.to_owned()),
            Some((Value::Text(text), _)) => Some(text.clone()),
            _ => None,
        }
    }
}
