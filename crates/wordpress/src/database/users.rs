//! People of a site as *seen* in its tables: no PHP runs, and no plugin has a say.

use super::{
    connection::{self, Connection},
    facts::{PATIENCE, UserTables, lossy, user_tables},
};
use crate::{Error, Result, config, home::Home, watch::Watch};
use mysql_async::{Conn, Params, prelude::Queryable};
use pressroom_phpdata::serialized::list_keys;
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

/// So many users are told at once.
const MAX_USERS: u32 = 500;

/// Which users to read.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum UserQuery {
    /// The one with this id.
    Id(u64),
    /// The one with this login name, compared as the table compares.
    Login(String),
    /// Those with this mail address.
    Email(String),
    /// Those behind this id, by rising id.
    After {
        /// The last id that is known.
        id: u64,
        /// At most so many, 500 at the most.
        limit: u32,
    },
}

/// A user as the tables have them.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SeenUser {
    /// `ID`.
    pub id: u64,
    /// `user_login`.
    pub login: String,
    /// `user_email`.
    pub email: String,
    /// `display_name`.
    pub display_name: String,
    /// Roles and single rights on the main site, as its `{prefix}capabilities` names
    /// them; `None` when that is not understood.
    pub roles: Option<Vec<String>>,
    /// SHA-256 of the stored password hash: tells a change, and nothing else.
    pub password_mark: String,
    /// Whether somebody may still be logged in as them.
    pub has_sessions: bool,
}

/// Reads users of the site in `root`. On a network all of its users, with their roles
/// on its main site.
pub fn read_users(
    home: &Home,
    root: &str,
    query: &UserQuery,
    watch: &Watch,
) -> Result<Vec<SeenUser>> {
    let settings = config::read(home, root)?;
    let connection = Connection::of(&settings)?;
    let tables = user_tables(&settings, connection.prefix()).ok_or_else(|| {
        Error::Database("wp-config.php does not tell where the users are".to_owned())
    })?;
    let prefix = match main_blog(&settings) {
        Some(id) => format!("{}{id}_", connection.prefix()),
        None => connection.prefix().to_owned(),
    };
    connection::run(watch, async {
        let asked = async {
            let mut conn = connection.open().await?;
            let users = ask(&mut conn, &tables, &prefix, query).await?;
            conn.disconnect().await?;
            Ok(users)
        };
        match tokio::time::timeout(PATIENCE, asked).await {
            Ok(users) => users,
            Err(_) => Err(Error::Database("no answer within 30 seconds".to_owned())),
        }
    })
}

/// The number in the names of the main site's rights, where it is not the first one.
pub(super) fn main_blog(settings: &config::Settings) -> Option<&str> {
    match (settings.multisite, settings.blog_id_current_site.value()) {
        (Some(true), Some(id)) if id != "1" && id.bytes().all(|byte| byte.is_ascii_digit()) => {
            Some(id)
        }
        _ => None,
    }
}

/// `ID`, login, address, display name, password hash, capabilities, sessions.
type Row = (
    u64,
    Vec<u8>,
    Vec<u8>,
    Vec<u8>,
    Vec<u8>,
    Option<Vec<u8>>,
    Option<Vec<u8>>,
);

async fn ask(
    conn: &mut Conn,
    tables: &UserTables,
    prefix: &str,
    query: &UserQuery,
) -> Result<Vec<SeenUser>> {
    let UserTables { users, meta } = tables;
    let (which, value, limit): (_, mysql_async::Value, _) = match query {
        UserQuery::Id(id) => ("u.ID = ?", (*id).into(), 1),
        UserQuery::Login(login) => ("u.user_login = ?", login.as_str().into(), MAX_USERS),
        UserQuery::Email(email) => ("u.user_email = ?", email.as_str().into(), MAX_USERS),
        UserQuery::After { id, limit } => ("u.ID > ?", (*id).into(), (*limit).clamp(1, MAX_USERS)),
    };
    // A user may have the same meta twice; WordPress takes the first.
    let first = |key: &str| {
        format!(
            "(SELECT m.meta_value FROM `{meta}` m WHERE m.user_id = u.ID \
             AND m.meta_key = '{key}' ORDER BY m.umeta_id LIMIT 1)"
        )
    };
    let rows: Vec<Row> = conn
        .exec(
            format!(
                "SELECT u.ID, u.user_login, u.user_email, u.display_name, u.user_pass, {}, {} \
                 FROM `{users}` u WHERE {which} ORDER BY u.ID LIMIT {limit}",
                first(&format!("{prefix}capabilities")),
                first("session_tokens"),
            ),
            Params::Positional(vec![value]),
        )
        .await?;
    Ok(rows.into_iter().map(seen).collect())
}

fn seen((id, login, email, display_name, pass, capabilities, sessions): Row) -> SeenUser {
    SeenUser {
        id,
        login: lossy(&login),
        email: lossy(&email),
        display_name: lossy(&display_name),
        roles: list_keys(&capabilities.unwrap_or_default()),
        password_mark: hex::encode(Sha256::digest(&pass)),
        has_sessions: sessions.is_some_and(|stored| !stored.is_empty() && stored != b"a:0:{}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rights_and_sessions_are_told_as_stored() {
        let row = |capabilities: Option<&[u8]>, sessions: Option<&[u8]>| {
            seen((
                7,
                b"ops".to_vec(),
                b"ops@x.example".to_vec(),
                b"Ops".to_vec(),
                b"$P$hash".to_vec(),
                capabilities.map(<[u8]>::to_vec),
                sessions.map(<[u8]>::to_vec),
            ))
        };
        let user = row(Some(b"a:1:{s:6:\"editor\";b:1;}"), Some(b"a:0:{}"));
        assert_eq!(user.roles, Some(vec!["editor".to_owned()]));
        assert!(!user.has_sessions && user.password_mark.len() == 64);
        assert!(!user.password_mark.contains("hash"));
        let user = row(None, Some(b"a:1:{s:1:\"x\";a:0:{}}"));
        assert_eq!(user.roles, Some(Vec::new()));
        assert!(user.has_sessions);
        assert_eq!(row(Some(b"broken"), None).roles, None);
    }
}
