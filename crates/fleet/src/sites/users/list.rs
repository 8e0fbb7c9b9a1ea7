//! Who is a user of a site.

use crate::{Caller, Fleet, Result, authorize::Action};
use pressroom_base::id::EnvironmentId;
use pressroom_wordpress::database::{SeenUser, UserQuery};
use serde::{Deserialize, Serialize};
use tokio_util::sync::CancellationToken;

/// Users read at once.
const PAGE: u32 = 500;

/// A user of a site, as its tables have them.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SiteUser {
    /// Id within the site.
    pub id: u64,
    /// Login name.
    pub login: String,
    /// Mail address.
    pub email: String,
    /// Display name.
    pub display_name: String,
    /// Roles on the main site; `None` when what is stored is not understood.
    pub roles: Option<Vec<String>>,
}

impl From<SeenUser> for SiteUser {
    fn from(user: SeenUser) -> Self {
        Self {
            id: user.id,
            login: user.login,
            email: user.email,
            display_name: user.display_name,
            roles: user.roles,
        }
    }
}

impl Fleet {
    /// The users of a site by rising id, at most `limit` of those behind the id
    /// `after`. They are read from its tables: no PHP runs.
    ///
    /// Errors: `NotFound`, `Forbidden`, `Unreachable`, `Remote`.
    pub async fn list_site_users(
        &self,
        caller: &Caller,
        environment: EnvironmentId,
        after: u64,
        limit: usize,
    ) -> Result<Vec<SiteUser>> {
        let row = self
            .environment_row(caller, Action::SiteUsers, environment)
            .await?
            .env;
        let ground = self.ground(&row).await?;
        let session = self.open_session(&ground, CancellationToken::new()).await?;
        let mut users: Vec<SiteUser> = Vec::new();
        let mut last = after;
        while users.len() < limit {
            let wanted = u32::try_from(limit - users.len()).unwrap_or(PAGE).min(PAGE);
            let query = UserQuery::After {
                id: last,
                limit: wanted,
            };
            let page = session.read_users(&row.path, query).await?;
            let is_last = page.len() < wanted as usize;
            users.extend(page.into_iter().map(SiteUser::from));
            last = users.last().map_or(last, |user| user.id);
            if is_last {
                break;
            }
        }
        Ok(users)
    }
}
