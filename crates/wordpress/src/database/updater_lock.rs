//! `WordPress`' own automatic updater, held off for a while.
//!
//! `WP_Automatic_Updater::run()` begins with `WP_Upgrader::create_lock( 'auto_updater' )`, and
//! does nothing where that fails. The lock is the option `auto_updater.lock`; its value is the
//! time at which it was taken, and after an hour it counts no more. Here it is taken the same
//! way, without PHP: whoever took it and died holds nobody off for longer than that hour.
//!
//! The value is compared as a number, so that its fraction can tell whose it is.

use super::{
    connection::{self, Connection},
    facts::PATIENCE,
    users::main_blog,
};
use crate::{Error, Result, config, fence, home::Home, watch::Watch};
use mysql_async::{Conn, prelude::Queryable};
use pressroom_base::Epoch;
use serde::{Deserialize, Serialize};
use std::time::{SystemTime, UNIX_EPOCH};

/// The option.
const LOCK: &str = "auto_updater.lock";
/// Seconds for which it counts: `HOUR_IN_SECONDS`, as `create_lock()` has it.
const LASTS: u64 = 3600;

/// Whose the lock is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", tag = "by")]
pub enum UpdaterLock {
    /// The caller's, for an hour from now.
    Caller {
        /// Whether a dead updater's was taken over: an object cache may still have that one.
        taken_over: bool,
    },
    /// Somebody else's.
    Other {
        /// Since when, in seconds since the epoch.
        since: u64,
    },
}

/// Takes the lock for an hour from now, or prolongs it. `holder` is who asks: 1 to 15 digits,
/// of which the last is not 0. Where somebody else holds it, it stays theirs.
pub fn hold_updater(
    home: &Home,
    epoch: Epoch,
    root: &str,
    holder: &str,
    watch: &Watch,
) -> Result<UpdaterLock> {
    check(holder)?;
    at_lock(home, epoch, root, watch, async |conn, table| {
        let now = SystemTime::now().duration_since(UNIX_EPOCH);
        let now = now.map_or(0, |since| since.as_secs());
        let own = format!("{now}.{holder}");
        let end = format!(".{holder}");
        // Twice, should somebody let go of it in between.
        for _ in 0..2 {
            let insert = format!(
                "INSERT IGNORE INTO `{table}` (option_name, option_value, autoload) \
                 VALUES ('{LOCK}', '{own}', 'no')"
            );
            conn.query_drop(insert).await?;
            if conn.affected_rows() == 1 {
                return Ok(UpdaterLock::Caller { taken_over: false });
            }
            let Some(there) = value(conn, table).await? else {
                continue;
            };
            let since = seconds(&there);
            let is_own = there.ends_with(end.as_bytes());
            if !is_own && since.saturating_add(LASTS) > now {
                return Ok(UpdaterLock::Other { since });
            }
            let update = format!(
                "UPDATE `{table}` SET option_value = '{own}' \
                 WHERE option_name = '{LOCK}' AND option_value = x'{}'",
                hex::encode(&there)
            );
            conn.query_drop(update).await?;
            // Within one second it is the same value.
            if conn.affected_rows() == 1 || there == own.as_bytes() {
                return Ok(UpdaterLock::Caller {
                    taken_over: !is_own,
                });
            }
        }
        let there = value(conn, table).await?.unwrap_or_default();
        Ok(UpdaterLock::Other {
            since: seconds(&there),
        })
    })
}

/// Lets go of the lock; one that is somebody else's stays.
pub fn release_updater(
    home: &Home,
    epoch: Epoch,
    root: &str,
    holder: &str,
    watch: &Watch,
) -> Result<()> {
    check(holder)?;
    at_lock(home, epoch, root, watch, async |conn, table| {
        let delete = format!(
            "DELETE FROM `{table}` WHERE option_name = '{LOCK}' AND option_value LIKE '%.{holder}'"
        );
        conn.query_drop(delete).await?;
        Ok(())
    })
}

/// Does something with the table that has the lock: that of the main site, where alone
/// `WordPress` updates itself.
fn at_lock<T>(
    home: &Home,
    epoch: Epoch,
    root: &str,
    watch: &Watch,
    work: impl AsyncFnOnce(&mut Conn, &str) -> Result<T>,
) -> Result<T> {
    let settings = config::read(home, root)?;
    let connection = Connection::of(&settings)?;
    // Letters, digits and `_` only: it can stand in a statement.
    let prefix = connection.prefix();
    let table = match main_blog(&settings) {
        Some(id) => format!("{prefix}{id}_options"),
        None => format!("{prefix}options"),
    };
    fence::check(home, epoch, watch)?;
    fence::critical(home, epoch, watch, || {
        connection::run(watch, async {
            let worked = async {
                let mut conn = connection.open().await?;
                let done = work(&mut conn, &table).await?;
                conn.disconnect().await?;
                Ok(done)
            };
            match tokio::time::timeout(PATIENCE, worked).await {
                Ok(done) => done,
                Err(_) => Err(Error::Database("no answer within 30 seconds".to_owned())),
            }
        })
    })
}

async fn value(conn: &mut Conn, table: &str) -> Result<Option<Vec<u8>>> {
    let select = format!("SELECT option_value FROM `{table}` WHERE option_name = '{LOCK}'");
    Ok(conn.query_first(select).await?)
}

/// The whole seconds of a lock's value; 0 where it is none, which is long ago.
fn seconds(value: &[u8]) -> u64 {
    let text = String::from_utf8_lossy(value);
    let whole = text.trim().split('.').next().unwrap_or_default();
    whole.parse().unwrap_or(0)
}

/// It goes into statements as it is.
fn check(holder: &str) -> Result<()> {
    let fits = (1..=15).contains(&holder.len())
        && holder.bytes().all(|byte| byte.is_ascii_digit())
        && !holder.ends_with('0');
    if fits {
        Ok(())
    } else {
        Err(Error::Database(
            "whoever holds the updater off is named by 1 to 15 digits".to_owned(),
        ))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_lock_s_value_is_a_time() {
        assert_eq!(seconds(b"1732360000"), 1_732_360_000);
        assert_eq!(seconds(b"1732360000.123"), 1_732_360_000);
        assert_eq!(seconds(b"yes"), 0);
    }

    #[test]
    fn a_holder_is_digits() {
        assert!(check("12345").is_ok());
        for bad in ["", "10", "a", "1' OR '1", "1234567890123456"] {
            assert!(check(bad).is_err(), "{bad}");
        }
    }
}
