//! The site's database, read natively: what was *seen*, where the bridge's word is
//! only what was *reported*.

use crate::{
    Error, Result,
    config::{self, Settings},
    home::Home,
    watch::Watch,
};
use mysql_async::{Conn, Opts, OptsBuilder, prelude::Queryable};
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
const POLL: Duration = Duration::from_millis(20);

/// Reads the usual options, `options`, and the administrators of the site in
/// `root`, with what its `wp-config.php` says. A database without the site's tables
/// is no failure: the facts are then empty.
pub fn read_site(home: &Home, root: &str, options: &[String], watch: &Watch) -> Result<SiteFacts> {
    read_facts(&config::read(home, root)?, options, watch)
}

/// As [`read_site`], with settings that were read before.
pub fn read_facts(settings: &Settings, options: &[String], watch: &Watch) -> Result<SiteFacts> {
    let known = |value: &Option<String>, name: &str| {
        value.clone().ok_or_else(|| {
            Error::Database(format!("`wp-config.php` does not say `{name}` plainly"))
        })
    };
    let prefix = known(&settings.table_prefix, "$table_prefix")?;
    if !config::is_prefix(&prefix) {
        return Err(Error::Database(format!(
            "table prefix `{prefix}` may hold only letters, digits and `_`"
        )));
    }
    let opts = address(&known(&settings.db_host, "DB_HOST")?)?
        .user(Some(known(&settings.db_user, "DB_USER")?))
        .pass(Some(known(&settings.db_password, "DB_PASSWORD")?))
        .db_name(Some(known(&settings.db_name, "DB_NAME")?))
        .prefer_socket(false)
        .stmt_cache_size(0);
    let mut wanted: Vec<&str> = USUAL.to_vec();
    wanted.extend(options.iter().map(String::as_str));
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .map_err(|why| Error::io("start", "a runtime", why))?;
    runtime.block_on(async {
        tokio::select! {
            facts = ask(opts.into(), &prefix, &wanted) => {
                facts.map_err(|why| Error::Database(why.to_string()))
            }
            why = given_up(watch) => Err(why),
            () = tokio::time::sleep(PATIENCE) => {
                Err(Error::Database("no answer within 30 seconds".to_owned()))
            }
        }
    })
}

/// `ID`, `user_login`, `user_email`, and the capabilities as stored.
type UserRow = (u64, Vec<u8>, Vec<u8>, Vec<u8>);

async fn given_up(watch: &Watch) -> Error {
    loop {
        if let Err(why) = watch.check() {
            return why;
        }
        tokio::time::sleep(POLL).await;
    }
}

async fn ask(opts: Opts, prefix: &str, wanted: &[&str]) -> mysql_async::Result<SiteFacts> {
    let mut conn = Conn::new(opts).await?;
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

/// `DB_HOST` as WordPress takes it apart: `host`, `host:port`, `[v6]:port`,
/// `:/socket`, `host:/socket`.
fn address(host: &str) -> Result<OptsBuilder> {
    let opts = OptsBuilder::default();
    if let Some(at) = host.find(":/") {
        return Ok(opts.socket(Some(host[at + 1..].to_owned())));
    }
    if let Some(socket) = host.strip_prefix('/') {
        return Ok(opts.socket(Some(format!("/{socket}"))));
    }
    let bad = || Error::Database(format!("`DB_HOST` `{host}` is not understood"));
    let (name, port) = if host.matches(':').count() > 1 {
        match host.strip_prefix('[').and_then(|rest| rest.split_once(']')) {
            Some((name, port)) => (name, port.strip_prefix(':')),
            None => (host, None),
        }
    } else {
        match host.split_once(':') {
            Some((name, port)) => (name, Some(port)),
            None => (host, None),
        }
    };
    let port = match port {
        None | Some("") => None,
        Some(port) => Some(port.parse::<u16>().map_err(|_| bad())?),
    };
    if matches!(name, "" | "localhost") && port.is_none() {
        // To MySQL clients `localhost` is the socket, wherever this system has it.
        let socket = [
            "/run/mysqld/mysqld.sock",
            "/var/lib/mysql/mysql.sock",
            "/tmp/mysql.sock",
        ]
        .into_iter()
        .find(|socket| std::path::Path::new(socket).exists());
        if let Some(socket) = socket {
            return Ok(opts.socket(Some(socket)));
        }
    }
    let name = match name {
        "" | "localhost" => "127.0.0.1",
        name => name,
    };
    Ok(opts.ip_or_hostname(name).tcp_port(port.unwrap_or(3306)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn takes_hosts_apart_as_wordpress_does() {
        let parts = |host: &str| {
            let opts: Opts = address(host).unwrap().into();
            (
                opts.ip_or_hostname().to_owned(),
                opts.tcp_port(),
                opts.socket().map(str::to_owned),
            )
        };
        assert_eq!(parts("db.local"), ("db.local".into(), 3306, None));
        assert_eq!(parts("db.local:3307"), ("db.local".into(), 3307, None));
        assert_eq!(parts("localhost:3307"), ("127.0.0.1".into(), 3307, None));
        assert_eq!(parts("::1"), ("::1".into(), 3306, None));
        assert_eq!(parts("[::1]:3307"), ("::1".into(), 3307, None));
        assert_eq!(parts("localhost:/a/b.sock").2.as_deref(), Some("/a/b.sock"));
        assert_eq!(parts(":/a/b.sock").2.as_deref(), Some("/a/b.sock"));
        assert!(address("h:port").is_err());
    }

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
