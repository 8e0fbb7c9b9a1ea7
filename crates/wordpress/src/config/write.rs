//! A new `wp-config.php`.

use super::{FILE, is_prefix};
use crate::{Error, Result, disk, fence, home::Home, package, watch::Watch};
use pressroom_base::Epoch;
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
mod tests;
