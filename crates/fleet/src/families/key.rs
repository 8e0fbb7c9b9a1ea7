//! Keys that dialects sign their tokens with: random, one for each, sealed in the store.

use crate::{Fleet, Result};
use pressroom_base::{Secret, token};
use pressroom_store::settings;

impl Fleet {
    /// The key that a dialect signs with: 64 hex digits, made when it is first asked for,
    /// and the same for every process over the store.
    pub async fn signing_key(&self, dialect: &str) -> Result<Secret<String>> {
        let store = &self.parts.store;
        let name = format!("signing_key.{dialect}");
        let place = format!("settings.value/{name}");
        let sealed = if let Some(sealed) = settings::get(store, &name).await? {
            sealed
        } else {
            let tx = store.begin().await?;
            let new = store.seal(&place, &Secret::new(token::hex(64)));
            let kept = settings::ensure(&tx, &name, &new).await?;
            tx.commit().await?;
            kept
        };
        Ok(store.unseal(&place, &sealed)?)
    }
}
