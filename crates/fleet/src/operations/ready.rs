//! Whether this process can do its work.

use crate::{Error, Fleet, Result};
use pressroom_base::Kind;
use std::time::Duration;

impl Fleet {
    /// Fails when the store does not answer within two seconds.
    pub async fn ready(&self) -> Result<()> {
        match tokio::time::timeout(Duration::from_secs(2), self.parts.store.ping()).await {
            Ok(answered) => Ok(answered?),
            Err(_) => Err(Error::new(
                Kind::Unreachable,
                "the database does not answer",
            )),
        }
    }
}
