//! Listing tokens.

use super::Token;
use crate::{
    Caller, Fleet, Result,
    authorize::{Action, Resource, authorize},
};
use pressroom_base::Timestamp;
use pressroom_store::{tokens, users};
use std::collections::HashMap;

impl Fleet {
    /// Every token, oldest first, those that open nothing any more included.
    pub async fn list_tokens(&self, caller: &Caller) -> Result<Vec<Token>> {
        authorize(&caller.principal, Action::Operate, Resource::Installation)?;
        let store = &self.parts.store;
        let people: HashMap<_, _> = users::list(store)
            .await?
            .into_iter()
            .map(|user| (user.id, user.email))
            .collect();
        // The clock that judges them when they are used.
        let now = Timestamp::now();
        let rows = tokens::list(store, None).await?;
        Ok(rows
            .into_iter()
            .map(|row| {
                let user = row.user_id.and_then(|id| people.get(&id)).cloned();
                Token::new(row, user, now)
            })
            .collect())
    }
}
