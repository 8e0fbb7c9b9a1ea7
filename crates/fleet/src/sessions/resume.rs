//! Recognising a session.

use super::sign_in::LASTS;
use crate::{Fleet, Principal, Result, principal::Identity, users, views::User};
use pressroom_base::Secret;
use pressroom_store::{sessions, users as people};

/// A live session.
#[derive(Debug, Clone)]
pub struct Session {
    /// Who, and what they may do.
    pub principal: Principal,
    /// The person.
    pub user: User,
    /// What every form of this session must carry.
    pub csrf: Secret<String>,
}

impl Fleet {
    /// The live session of a cookie value, or `None`.
    pub async fn resume_session(&self, secret: &str) -> Result<Option<Session>> {
        let store = &self.parts.store;
        let Some(row) = sessions::by_secret(store, secret).await? else {
            return Ok(None);
        };
        let (Some(mut principal), Some(user)) = (
            self.person(row.user_id).await?,
            people::get(store, row.user_id).await?,
        ) else {
            return Ok(None);
        };
        if let Identity::User { session, .. } = &mut principal.identity {
            *session = Some(row.id);
        }
        if let Err(error) = sessions::touch(store, &row, LASTS).await {
            tracing::warn!(session.id = %row.id, error = %error, "the session's last use was not noted");
        }
        Ok(Some(Session {
            principal,
            user: users::view(user),
            csrf: Secret::new(row.csrf),
        }))
    }
}
