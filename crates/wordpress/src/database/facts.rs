//! Options and administrators, as *seen* in the tables, where the bridge's word is
//! only what was *reported*.

use super::connection::{self, Connection};
use crate::{
    Error, Result,
    config::{self, Settings},
    home::Home,
    watch::Watch,
};
use mysql_async::prelude::Queryable;
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
const PATIENCE: Duration = Duration::from_secs(30);

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
        match tokio::time::timeout(PATIENCE, ask(&connection, &wanted)).await {
            Ok(facts) => facts,
            Err(_) => Err(Error::Database("no answer within 30 seconds".to_owned())),
        }
    })
}

/// `ID`, `user_login`, `user_email`, and the capabilities as stored.
type UserRow = (u64, Vec<u8>, Vec<u8>, Vec<u8>);

async fn ask(connection: &Connection, wanted: &[&str]) -> Result<SiteFacts> {
    let prefix = connection.prefix();
    let mut conn = connection.open().await?;
    let mut facts = SiteFacts::default();
    let tables: Vec<String> = conn
        .exec(
            "SELECT TABLE_NAME FROM information_schema.TABLES \
             WHERE TABLE_SCHEMA = DATABASE() AND LEFT(TABLE_NAME, ?) = ?",
            (prefix.len(), prefix),
        )
        .await?;
    facts.tables = tables.len() as u64;
    let has = |name: &str| {
        tables
            .iter()
            .any(|table| table.strip_prefix(prefix) == Some(name))
    };
    if has("options") {
        let marks = vec!["?"; wanted.len()].join(",");
        let rows: Vec<(Vec<u8>, Vec<u8>)> = conn
            .exec(
                format!(
                    "SELECT option_name, option_value FROM `{prefix}options` \
                     WHERE option_name IN ({marks})"
                ),
                wanted.to_vec(),
            )
            .await?;
        for (name, value) in rows {
            facts.options.insert(lossy(&name), lossy(&value));
        }
    }
    if has("users") && has("usermeta") {
        let rows: Vec<UserRow> = conn
            .exec(
                format!(
                    "SELECT u.ID, u.user_login, u.user_email, m.meta_value \
                     FROM `{prefix}users` u JOIN `{prefix}usermeta` m ON m.user_id = u.ID \
                     WHERE m.meta_key = ? AND m.meta_value LIKE ? ORDER BY u.ID LIMIT 1000"
                ),
                (format!("{prefix}capabilities"), "%\"administrator\"%"),
            )
            .await?;
        facts.administrators = rows
            .into_iter()
            .filter(|(.., capabilities)| grants_administrator(capabilities))
            .take(100)
            .map(|(id, login, email, _)| Administrator {
                id,
                login: lossy(&login),
                email: lossy(&email),
            })
            .collect();
    }
    conn.disconnect().await?;
    Ok(facts)
}

fn lossy(bytes: &[u8]) -> String {
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
