//! Options and administrators, as *seen* in the tables, where the bridge's word is
//! only what was *reported*.

mod network;

use super::connection::{self, Connection};
use crate::{
    Error, Result,
    config::{self, Defined, Settings},
    home::Home,
    watch::Watch,
};
use mysql_async::{Conn, prelude::Queryable};
pub use network::{Blog, Network};
use pressroom_phpdata::serialized::list_values;
use serde::{Deserialize, Serialize};
use std::{collections::BTreeMap, time::Duration};

/// Facts read from a site's tables.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct SiteFacts {
    /// Option values, raw as stored; an absent option is absent here.
    pub options: BTreeMap<String, String>,
    /// Administrators by rising id (users whose `{prefix}capabilities` names
    /// `administrator`), at most 100.
    pub administrators: Vec<Administrator>,
    /// Tables with the site's prefix.
    pub tables: u64,
    /// The main site's active plugins by file, network-wide ones not among them;
    /// `None` when the stored list is not understood or there is no table of options.
    #[serde(default)]
    pub active_plugins: Option<Vec<String>>,
    /// The network, when this is one and its tables are there.
    #[serde(default)]
    pub network: Option<Network>,
}

/// A user who may do everything.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Administrator {
    /// `ID`.
    pub id: u64,
    /// `user_login`.
    pub login: String,
    /// `user_email`.
    pub email: String,
}

/// What is always read.
const USUAL: [&str; 8] = [
    "siteurl",
    "home",
    "blogname",
    "active_plugins",
    "stylesheet",
    "template",
    "blog_public",
    "permalink_structure",
];
/// A server that has not answered by then will not.
pub(super) const PATIENCE: Duration = Duration::from_secs(30);

/// Reads the usual options, `options`, and the administrators of the site in
/// `root`, with what its `wp-config.php` says. A database without the site's tables
/// is no failure: the facts are then empty.
pub fn read_site(home: &Home, root: &str, options: &[String], watch: &Watch) -> Result<SiteFacts> {
    read_facts(&config::read(home, root)?, options, watch)
}

/// As [`read_site`], with settings that were read before.
pub fn read_facts(settings: &Settings, options: &[String], watch: &Watch) -> Result<SiteFacts> {
    let connection = Connection::of(settings)?;
    let mut wanted: Vec<&str> = USUAL.to_vec();
    wanted.extend(options.iter().map(String::as_str));
    connection::run(watch, async {
        match tokio::time::timeout(PATIENCE, ask(&connection, settings, &wanted)).await {
            Ok(facts) => facts,
            Err(_) => Err(Error::Database("no answer within 30 seconds".to_owned())),
        }
    })
}

/// `ID`, `user_login`, `user_email`, and the capabilities as stored.
type UserRow = (u64, Vec<u8>, Vec<u8>, Vec<u8>);

/// A table of users and one of their meta, as `wp-config.php` names them.
pub(super) struct UserTables {
    pub(super) users: String,
    pub(super) meta: String,
}

impl UserTables {
    /// Whether a list of tables has both.
    fn among(&self, tables: &[String]) -> bool {
        [&self.users, &self.meta]
            .iter()
            .all(|name| tables.contains(name))
    }
}

async fn ask(connection: &Connection, settings: &Settings, wanted: &[&str]) -> Result<SiteFacts> {
    let prefix = connection.prefix();
    let mut conn = connection.open().await?;
    let mut facts = SiteFacts::default();
    // Texts go into these statements as they are, to be one round trip each: a prefix
    // and the names of tables hold letters, digits and `_` only.
    let tables: Vec<String> = conn
        .query(format!(
            "SELECT TABLE_NAME FROM information_schema.TABLES \
             WHERE TABLE_SCHEMA = DATABASE() AND LEFT(TABLE_NAME, {}) = '{prefix}'",
            prefix.len()
        ))
        .await?;
    facts.tables = tables.len() as u64;
    let has = |name: &str| {
        tables
            .iter()
            .any(|table| table.strip_prefix(prefix) == Some(name))
    };
    // Where the main site is not the first one, its tables have its number.
    let main = match (settings.multisite, settings.blog_id_current_site.value()) {
        (Some(true), Some(id)) if id != "1" && id.bytes().all(|byte| byte.is_ascii_digit()) => {
            format!("{id}_options")
        }
        _ => "options".to_owned(),
    };
    if has(&main) {
        facts.options = options(&mut conn, &format!("{prefix}{main}"), wanted).await?;
        // WordPress takes an absent list for an empty one.
        facts.active_plugins = facts
            .options
            .get("active_plugins")
            .map_or(Some(Vec::new()), |stored| list_values(stored.as_bytes()));
    }
    if settings.multisite == Some(true) && has("blogs") && has("sitemeta") {
        facts.network = Some(network::read(&mut conn, prefix, settings, &tables).await?);
    }
    if let Some(user_tables) = user_tables(settings, prefix)
        && (user_tables.among(&tables) || is_there(&mut conn, &user_tables).await?)
    {
        facts.administrators = administrators(&mut conn, prefix, &user_tables).await?;
    }
    conn.disconnect().await?;
    Ok(facts)
}

async fn options(
    conn: &mut Conn,
    table: &str,
    wanted: &[&str],
) -> Result<BTreeMap<String, String>> {
    let names: Vec<String> = wanted
        .iter()
        .map(|name| format!("_utf8mb4 x'{}'", hex::encode(name)))
        .collect();
    let rows: Vec<(Vec<u8>, Vec<u8>)> = conn
        .query(format!(
            "SELECT option_name, option_value FROM `{table}` WHERE option_name IN ({})",
            names.join(",")
        ))
        .await?;
    let texts = rows.into_iter();
    Ok(texts
        .map(|(name, value)| (lossy(&name), lossy(&value)))
        .collect())
}

/// `None` when the configuration names tables that cannot be told, or whose names
/// could not stand in a statement.
pub(super) fn user_tables(settings: &Settings, prefix: &str) -> Option<UserTables> {
    let named = |custom: &Defined, usual: &str| match custom {
        Defined::No => Some(format!("{prefix}{usual}")),
        Defined::As(name) => config::is_prefix(name).then(|| name.clone()),
        Defined::Unknown => None,
    };
    Some(UserTables {
        users: named(&settings.custom_user_table, "users")?,
        meta: named(&settings.custom_user_meta_table, "usermeta")?,
    })
}

async fn is_there(conn: &mut Conn, tables: &UserTables) -> Result<bool> {
    let count: Option<u64> = conn
        .query_first(format!(
            "SELECT COUNT(*) FROM information_schema.TABLES \
             WHERE TABLE_SCHEMA = DATABASE() AND TABLE_NAME IN ('{}', '{}')",
            tables.users, tables.meta
        ))
        .await?;
    Ok(count == Some(2))
}

async fn administrators(
    conn: &mut Conn,
    prefix: &str,
    tables: &UserTables,
) -> Result<Vec<Administrator>> {
    let UserTables { users, meta } = tables;
    let rows: Vec<UserRow> = conn
        .query(format!(
            "SELECT u.ID, u.user_login, u.user_email, m.meta_value \
             FROM `{users}` u JOIN `{meta}` m ON m.user_id = u.ID \
             WHERE m.meta_key = '{prefix}capabilities' \
             AND m.meta_value LIKE '%\"administrator\"%' ORDER BY u.ID LIMIT 1000"
        ))
        .await?;
    Ok(rows
        .into_iter()
        .filter(|(.., capabilities)| grants_administrator(capabilities))
        .take(100)
        .map(|(id, login, email, _)| Administrator {
            id,
            login: lossy(&login),
            email: lossy(&email),
        })
        .collect())
}

pub(super) fn lossy(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

/// Whether serialized capabilities grant the role, not merely name it.
fn grants_administrator(capabilities: &[u8]) -> bool {
    [
        b"s:13:\"administrator\";b:1;".as_slice(),
        b"s:13:\"administrator\";i:1;".as_slice(),
        b"s:13:\"administrator\";s:1:\"1\";".as_slice(),
    ]
    .iter()
    .any(|granted| {
        capabilities
            .windows(granted.len())
            .any(|part| part == *granted)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_granted_role_counts() {
        assert!(grants_administrator(b"a:1:{s:13:\"administrator\";b:1;}"));
        assert!(!grants_administrator(b"a:1:{s:13:\"administrator\";b:0;}"));
    }

    #[test]
    fn unknown_settings_and_dead_servers_are_told() {
        let watch = Watch::unbounded();
        let mut settings = Settings {
            db_name: Some("n".into()),
            db_user: Some("u".into()),
            db_password: None,
            db_host: Some(":/nowhere/s.sock".into()),
            table_prefix: Some("wp_".into()),
            ..Settings::default()
        };
        let why = read_facts(&settings, &[], &watch).unwrap_err().to_string();
        assert!(why.contains("DB_PASSWORD"), "{why}");
        settings.db_password = Some(String::new());
        assert!(matches!(
            read_facts(&settings, &[], &watch),
            Err(Error::Database(_))
        ));
        settings.table_prefix = Some("wp`".into());
        assert!(matches!(
            read_facts(&settings, &[], &watch),
            Err(Error::Database(_))
        ));
    }
}
