//! The store alone, for commands that need nothing else of an installation.

use pressroom_base::{Kind, keyring::Keyring};
use pressroom_cli::{Failure, config::Config};
use pressroom_store::{Error, Store};

/// The store, opened.
pub async fn open_store(config: &Config, keyring: Keyring) -> Result<Store, Failure> {
    Store::open(config.database_url.expose(), keyring)
        .await
        .map_err(|error| {
            Failure::new(Kind::Unreachable, "the store cannot be opened").because(&error)
        })
}

/// The store's refusal, with what to do about it.
#[expect(clippy::needless_pass_by_value, reason = "what `map_err` hands over")]
pub fn unusable(error: Error) -> Failure {
    let failure = Failure::new(error.kind(), error.to_string());
    match error {
        Error::NotEmpty { .. } => failure.with_hint(
            "a copy is loaded where nothing is lost: name another `database_url`, or move the \
             old database away",
        ),
        Error::Copy(_) => failure.with_hint("nothing was changed"),
        _ => failure.because(&error),
    }
}
