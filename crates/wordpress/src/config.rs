//! `wp-config.php`: written by us, or read without executing it.

use crate::{Error, Result, disk, fence, home::Home, package, watch::Watch};
use pressroom_base::Epoch;
use pressroom_phpdata::wp_config::{self, Value};
use serde::{Deserialize, Serialize};
use std::{fmt::Write as _, io};

/// What a new `wp-config.php` must say. Values are data: quoting is this module's.
#[derive(Clone, Serialize, Deserialize)]
pub struct NewConfig {
    /// `DB_NAME`.
    pub db_name: String,
    /// `DB_USER`.
    pub db_user: String,
    /// `DB_PASSWORD`.
    pub db_password: String,
    /// `DB_HOST`, e.g. `localhost:/run/mysqld/mysqld.sock`.
    pub db_host: String,
    /// `$table_prefix`; `[A-Za-z0-9_]+`.
    pub table_prefix: String,
    /// Further constants to define, in this order.
    pub constants: Vec<(String, ConfigValue)>,
}

impl std::fmt::Debug for NewConfig {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("NewConfig")
            .field("db_name", &self.db_name)
            .field("db_user", &self.db_user)
            .finish_non_exhaustive()
    }
}

/// The value of a constant.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(untagged)]
pub enum ConfigValue {
    /// `true` or `false`.
    Bool(bool),
    /// An integer.
    Int(i64),
    /// A string.
    Text(String),
}

/// What an existing `wp-config.php` says; `None` is *unknown*, never a default.
#[derive(Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Settings {
    /// `DB_NAME`.
    pub db_name: Option<String>,
    /// `DB_USER`.
    pub db_user: Option<String>,
    /// `DB_PASSWORD`.
    pub db_password: Option<String>,
    /// `DB_HOST`.
    pub db_host: Option<String>,
    /// `$table_prefix`.
    pub table_prefix: Option<String>,
    /// `WP_DEBUG`; `Some(false)` when it is not defined at all.
    pub debug: Option<bool>,
    /// `MULTISITE`; `Some(false)` when it is not defined at all.
    pub multisite: Option<bool>,
}

impl std::fmt::Debug for Settings {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Settings")
            .field("db_name", &self.db_name)
            .field("db_user", &self.db_user)
            .field("db_host", &self.db_host)
            .field("table_prefix", &self.table_prefix)
            .finish_non_exhaustive()
    }
}

const SALTS: [&str; 8] = [
    "AUTH_KEY",
    "SECURE_AUTH_KEY",
    "LOGGED_IN_KEY",
    "NONCE_KEY",
    "AUTH_SALT",
    "SECURE_AUTH_SALT",
    "LOGGED_IN_SALT",
    "NONCE_SALT",
];
const SALT_LENGTH: usize = 64;
/// 64 letters, so that six random bits are one letter; none needs quoting.
const SALT_LETTERS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
const FILE: &str = "wp-config.php";
/// More than any configuration; beyond it a file is not looked at.
const MAX_FILE: u64 = 1024 * 1024;

/// Writes `wp-config.php` with fresh salts, mode 0600, replacing one that is there.
pub fn write(
    home: &Home,
    epoch: Epoch,
    root: &str,
    config: &NewConfig,
    watch: &Watch,
) -> Result<()> {
    fence::check(home, epoch, watch)?;
    let dir = home.resolve(root)?;
    if !dir.is_dir() {
        return Err(Error::Missing(root.to_owned()));
    }
    let path = dir.join(FILE);
    let text = render(config)?;
    // Not beside the file: the root is served, and this holds a password.
    let aside = package::aside(home, epoch)?;
    disk::write_aside(&aside, text.as_bytes(), 0o600)?;
    let placed = fence::critical(home, epoch, watch, || disk::put_in_place(&aside, &path));
    if placed.is_err() {
        disk::remove_file(&aside)?;
    }
    placed
}

/// Reads `wp-config.php` without executing it: in `root`, or one level above where
/// WordPress would look too.
pub fn read(home: &Home, root: &str) -> Result<Settings> {
    let root = root.trim_end_matches('/');
    let own = match root {
        "" | "." => FILE.to_owned(),
        root => format!("{root}/{FILE}"),
    };
    if let Some(file) = home.read_start(&own, MAX_FILE)? {
        return Ok(Settings::from_file(&file));
    }
    if let Some((parent, _)) = own
        .trim_end_matches(FILE)
        .trim_end_matches('/')
        .rsplit_once('/')
        .or((!matches!(root, "" | ".")).then_some(("", "")))
    {
        let beside = |name: &str| match parent {
            "" => name.to_owned(),
            parent => format!("{parent}/{name}"),
        };
        // Another WordPress above has its own configuration, not ours.
        if !disk::exists(&home.resolve(&beside("wp-settings.php"))?)?
            && let Some(file) = home.read_start(&beside(FILE), MAX_FILE)?
        {
            return Ok(Settings::from_file(&file));
        }
    }
    Err(Error::Missing(own))
}

impl Settings {
    /// What a configuration file says.
    pub fn from_file(file: &[u8]) -> Self {
        let config = wp_config::parse(file);
        let text = |name| config.constant(name).and_then(Value::text);
        let flag = |name| config.constant(name).map_or(Some(false), Value::truth);
        Self {
            db_name: text("DB_NAME"),
            db_user: text("DB_USER"),
            db_password: text("DB_PASSWORD"),
            db_host: text("DB_HOST"),
            table_prefix: config.table_prefix().and_then(Value::text),
            debug: flag("WP_DEBUG"),
            multisite: flag("MULTISITE"),
        }
    }
}

/// Whether a table prefix is one that may stand in a statement.
pub(crate) fn is_prefix(prefix: &str) -> bool {
    !prefix.is_empty()
        && prefix.len() <= 48
        && prefix
            .bytes()
            .all(|byte| byte.is_ascii_alphanumeric() || byte == b'_')
}

fn render(config: &NewConfig) -> Result<String> {
    if !is_prefix(&config.table_prefix) {
        return Err(Error::BadInput(format!(
            "table prefix `{}` may hold only letters, digits and `_`",
            config.table_prefix
        )));
    }
    let mut text = String::from("<?php\n");
    let mut define = |name: &str, value: &str| {
        // Writing to a string cannot fail.
        let _ = writeln!(text, "define( '{name}', {value} );");
    };
    define("DB_NAME", &quote(&config.db_name)?);
    define("DB_USER", &quote(&config.db_user)?);
    define("DB_PASSWORD", &quote(&config.db_password)?);
    define("DB_HOST", &quote(&config.db_host)?);
    define("DB_CHARSET", "'utf8mb4'");
    define("DB_COLLATE", "''");
    for name in SALTS {
        define(name, &quote(&salt()?)?);
    }
    for (name, value) in &config.constants {
        let valid = name
            .bytes()
            .enumerate()
            .all(|(at, b)| b.is_ascii_alphabetic() || b == b'_' || (at > 0 && b.is_ascii_digit()));
        if name.is_empty() || !valid {
            return Err(Error::BadInput(format!("`{name}` is no constant's name")));
        }
        let value = match value {
            ConfigValue::Bool(value) => value.to_string(),
            ConfigValue::Int(value) => value.to_string(),
            ConfigValue::Text(value) => quote(value)?,
        };
        define(name, &value);
    }
    let _ = write!(
        text,
        "$table_prefix = '{}';\n\n\
         if ( ! defined( 'ABSPATH' ) ) {{\n\tdefine( 'ABSPATH', __DIR__ . '/' );\n}}\n\
         require_once ABSPATH . 'wp-settings.php';\n",
        config.table_prefix
    );
    Ok(text)
}

/// A PHP string in single quotes, where only `\\` and `'` mean anything.
fn quote(value: &str) -> Result<String> {
    if value.contains('\0') {
        return Err(Error::BadInput(
            "a configuration value holds a NUL byte".to_owned(),
        ));
    }
    Ok(format!(
        "'{}'",
        value.replace('\\', "\\\\").replace('\'', "\\'")
    ))
}

fn salt() -> Result<String> {
    let mut random = [0; SALT_LENGTH];
    getrandom::fill(&mut random)
        .map_err(|why| Error::io("read", "random numbers", io::Error::other(why.to_string())))?;
    Ok(random
        .iter()
        .map(|byte| char::from(SALT_LETTERS[usize::from(byte & 63)]))
        .collect())
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use std::os::unix::fs::PermissionsExt;

    fn sample() -> NewConfig {
        NewConfig {
            db_name: "n".into(),
            db_user: "u".into(),
            db_password: "it's \\ $x \"?>".into(),
            db_host: "localhost:/tmp/s.sock".into(),
            table_prefix: "wp_".into(),
            constants: vec![("WP_DEBUG".into(), ConfigValue::Bool(true))],
        }
    }

    #[test]
    fn is_written_private_and_reads_back() {
        let dir = tempfile::tempdir().unwrap();
        let home = Home::open(dir.path()).unwrap();
        let watch = Watch::unbounded();
        let epoch = Epoch::new(1);
        std::fs::create_dir_all(dir.path().join("public_html/blog")).unwrap();
        fence::take(&home, epoch, &watch).unwrap();
        write(&home, epoch, "public_html", &sample(), &watch).unwrap();
        let path = dir.path().join("public_html/wp-config.php");
        assert_eq!(
            std::fs::metadata(&path).unwrap().permissions().mode() & 0o777,
            0o600
        );
        let read_back = read(&home, "public_html").unwrap();
        assert_eq!(read_back.db_password.as_deref(), Some("it's \\ $x \"?>"));
        assert_eq!(read_back.table_prefix.as_deref(), Some("wp_"));
        assert_eq!(read_back.debug, Some(true));
        assert_eq!(read_back.multisite, Some(false));
        assert_eq!(
            std::fs::read_dir(dir.path().join("public_html"))
                .unwrap()
                .count(),
            2,
            "something was left beside the file"
        );

        // One level above counts, unless another WordPress is there.
        assert_eq!(read(&home, "public_html/blog").unwrap(), read_back);
        std::fs::write(dir.path().join("public_html/wp-settings.php"), "").unwrap();
        assert!(matches!(
            read(&home, "public_html/blog"),
            Err(Error::Missing(_))
        ));

        let before = std::fs::read(&path).unwrap();
        fence::take(&home, Epoch::new(2), &watch).unwrap();
        assert!(matches!(
            write(&home, epoch, "public_html", &sample(), &watch),
            Err(Error::Fenced { .. })
        ));
        assert_eq!(std::fs::read(&path).unwrap(), before);
    }

    #[test]
    fn salts_are_fresh() {
        let one = render(&sample()).unwrap();
        assert_ne!(one, render(&sample()).unwrap());
        let config = wp_config::parse(one.as_bytes());
        let mut salts: Vec<_> = SALTS
            .iter()
            .map(|name| config.constant(name).and_then(Value::text).unwrap())
            .collect();
        assert!(salts.iter().all(|salt| salt.len() == 64));
        salts.sort();
        salts.dedup();
        assert_eq!(salts.len(), 8);
    }

    #[test]
    fn what_cannot_be_said_is_refused() {
        let mut config = sample();
        config.table_prefix = "a'b".into();
        assert!(render(&config).is_err());
        let mut config = sample();
        config.constants.push(("A B".into(), ConfigValue::Int(1)));
        assert!(render(&config).is_err());
        let mut config = sample();
        config.db_password = "a\0b".into();
        assert!(render(&config).is_err());
    }

    proptest! {
        #[test]
        fn any_text_reads_back(password in "[^\0]{0,60}", host in "[^\0]{0,20}") {
            let mut config = sample();
            config.db_password.clone_from(&password);
            config.db_host.clone_from(&host);
            let text = render(&config).unwrap();
            let settings = Settings::from_file(text.as_bytes());
            prop_assert_eq!(settings.db_password, Some(password));
            prop_assert_eq!(settings.db_host, Some(host));
            prop_assert_eq!(settings.debug, Some(true));
        }
    }
}
