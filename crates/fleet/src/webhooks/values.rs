//! What may be said of a receiver.

use crate::{Error, Fleet, Result, code};
use pressroom_base::catalog::webhook;
use pressroom_providers::webhook::Error as Refusal;
use url::Url;

/// Characters of an address.
const URL: usize = 2048;
/// Characters of a description.
const DESCRIPTION: usize = 255;

impl Fleet {
    /// The address in its normal form, if messages may be sent there.
    pub(super) async fn checked_url(&self, text: &str) -> Result<String> {
        let text = text.trim();
        if text.is_empty() {
            return Err(refused("url can't be blank"));
        }
        let url = Url::parse(text).ok().filter(|url| {
            text.len() <= URL
                && url.has_host()
                && url.username().is_empty()
                && url.password().is_none()
                && url.fragment().is_none()
        });
        let Some(url) = url else {
            return Err(refused("url is invalid").with_hint(
                "give an address such as `https://hooks.example.com/in`, without user and password",
            ));
        };
        match self.post.poster.check(&url).await {
            Ok(()) => Ok(url.into()),
            Err(Refusal::NotHttps) => Err(refused("url must be https")
                .with_hint("`http` reaches only networks that `outgoing.allow_private` names")),
            Err(_) => Err(refused("url is not allowed").with_hint(
                "it leads to a private network, and `outgoing.allow_private` does not name that",
            )),
        }
    }
}

/// Each event once, in the order given.
pub(super) fn checked_events(names: &[String]) -> Result<Vec<String>> {
    let mut events: Vec<String> = Vec::new();
    for name in names {
        if name != webhook::EVERYTHING && !webhook::is_known(name) {
            let known: Vec<&str> = webhook::ALL.iter().map(|(name, _)| *name).collect();
            return Err(refused("events is invalid")
                .with_hint(format!("there are `*`, {}", known.join(", "))));
        }
        if !events.contains(name) {
            events.push(name.clone());
        }
    }
    if events.is_empty() {
        return Err(refused("events is invalid").with_hint("name one, or `*` for all"));
    }
    Ok(events)
}

pub(super) fn checked_description(text: &str) -> Result<String> {
    let text = text.trim();
    if text.chars().count() > DESCRIPTION {
        return Err(refused(format!(
            "description is too long (maximum is {DESCRIPTION} characters)"
        )));
    }
    Ok(text.to_owned())
}

fn refused(message: impl Into<String>) -> Error {
    Error::invalid(message).with_code(code::UNPROCESSABLE)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn events_are_known_and_named_once() {
        let names = |names: &[&str]| -> Vec<String> {
            names.iter().map(|name| (*name).to_owned()).collect()
        };
        let given = names(&["site.down", "*", "site.down"]);
        assert_eq!(
            checked_events(&given).expect("known"),
            names(&["site.down", "*"])
        );
        for bad in [&[][..], &["site.up"], &["site.*"], &[""], &["site.down "]] {
            let refused = checked_events(&names(bad)).expect_err("unknown");
            assert_eq!(refused.message(), "events is invalid");
        }
        assert!(checked_description(&"ä".repeat(255)).is_ok());
        assert!(checked_description(&"ä".repeat(256)).is_err());
    }
}
