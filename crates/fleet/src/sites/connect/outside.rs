//! A site that nobody can work on: what can be seen of it from outside.

use crate::{Error, Fleet};
use pressroom_base::Kind;
use pressroom_providers::{outgoing, recognize::recognize};
use url::Url;

/// How it could be worked on.
const ADVICE: &str = "the connector is not part of this version: name the host that it is on, \
     or add its domain to this machine";

impl Fleet {
    /// Why a site cannot be connected to which there is no way but its address.
    pub(super) async fn seen_from_outside(&self, url: &Url) -> Error {
        let seen = match recognize(self.outgoing(), url).await {
            Ok(seen) => seen,
            Err(error) => return unseen(error),
        };
        if !seen.is_wordpress {
            return Error::new(
                Kind::Remote,
                format!(
                    "what answers at `{url}` (status {}) does not look like WordPress",
                    seen.status
                ),
            );
        }
        Error::new(
            Kind::Unsupported,
            format!("WordPress answers at `{url}`, and nothing is known of a way to work on it"),
        )
        .with_hint(ADVICE)
    }
}

fn unseen(error: outgoing::Error) -> Error {
    let kind = match error {
        outgoing::Error::Unreachable { .. } | outgoing::Error::Late { .. } => Kind::Unreachable,
        _ => Kind::Remote,
    };
    Error::new(kind, error.to_string()).with_source(error)
}
