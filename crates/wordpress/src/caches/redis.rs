//! A persistent object cache in Redis: one site's keys, by prefix.
//!
//! A server is often shared by many sites, so nothing is ever emptied whole unless
//! the caller says that the database number is this site's alone. Keys are found with
//! `SCAN`, checked byte by byte to be this site's, removed in batches, and looked for
//! again.
//!
//! The drop-ins (Redis Object Cache, WP Redis) name keys
//! `<salt><table prefix or blog number>…:<group>:<key>`. A salt that ends in a sign
//! (`shop:`) is a boundary by itself; after one that does not (`shop`), only keys that
//! go on with this site's table prefix are taken for its own, for `shop2` may be
//! somebody else's.
//!
//! Our own drop-in does not list keys: a word in a hash, the marks, is part of each, and
//! another word makes all of them unknown ([`change_marks`]).

use super::{
    Outcome,
    resp::{Client, Value},
    wire::{self, bad},
};
use crate::{Result, watch::Watch};
use serde::{Deserialize, Serialize};
use std::io;

/// How to get at a site's keys.
#[derive(Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct RedisSettings {
    /// An absolute path of a socket, `host:port`, or `[v6]:port`.
    pub address: String,
    /// For servers with users; `None` is the default user.
    #[serde(default)]
    pub user: Option<String>,
    /// What `AUTH` needs.
    #[serde(default)]
    pub password: Option<String>,
    /// Number of the database.
    #[serde(default)]
    pub database: u32,
    /// What all keys of the site begin with (`WP_REDIS_PREFIX`, `WP_CACHE_KEY_SALT`);
    /// may be empty.
    #[serde(default)]
    pub prefix: String,
}

impl std::fmt::Debug for RedisSettings {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("RedisSettings")
            .field("address", &self.address)
            .field("database", &self.database)
            .field("prefix", &self.prefix)
            .finish_non_exhaustive()
    }
}

/// Which keys are the site's.
#[derive(Debug, Clone, Copy)]
pub(super) enum Keys<'a> {
    /// All of the database number.
    All,
    /// Those with the prefix; `table` is `$table_prefix` as far as it is known, `None`
    /// on a network, where numbers stand in its place.
    Prefixed {
        prefix: &'a str,
        table: Option<&'a str>,
    },
}

const BATCH: &[u8] = b"1000";
/// Rounds of a scan; a server that never comes back to zero is not followed for ever.
pub(super) const MAX_ROUNDS: usize = 1_000_000;

/// Removes the keys and looks again.
pub(super) fn flush(settings: &RedisSettings, keys: Keys<'_>, watch: &Watch) -> Result<Outcome> {
    if let Keys::Prefixed { prefix: "", .. } = keys {
        return Ok(Outcome::unknown(
            "the site's keys have no prefix, they cannot be told from those of other sites",
        ));
    }
    let ended = wire::talk(watch, async {
        let mut client = open(settings).await?;
        if matches!(keys, Keys::All) {
            empty(&mut client).await
        } else {
            remove(&mut client, keys).await
        }
    })?;
    Ok(ended.unwrap_or_else(|why| {
        Outcome::unknown(format!(
            "Redis at `{}` could not be flushed: {why}",
            settings.address
        ))
    }))
}

/// The hash with the words that keys of our own drop-in carry, behind the prefix.
const MARKS: &str = "marks";

/// Makes all keys of our own drop-in unknown, and looks again.
pub(super) fn change_marks(settings: &RedisSettings, watch: &Watch) -> Result<Outcome> {
    let mut random = [0; 6];
    getrandom::fill(&mut random).map_err(|why| {
        crate::Error::io("read", "random numbers", io::Error::other(why.to_string()))
    })?;
    let word = hex::encode(random);
    let name = format!("{}{MARKS}", settings.prefix);
    let ended = wire::talk(watch, async {
        let mut client = open(settings).await?;
        client
            .ask(&[b"HSET", name.as_bytes(), b"*", word.as_bytes()])
            .await?;
        client.ask(&[b"HGET", name.as_bytes(), b"*"]).await
    })?;
    Ok(match ended {
        Ok(Value::Text(now)) if now == word.as_bytes() => Outcome::Flushed {
            entries: 0,
            verified: "no key that was there carries the word that all must carry now".to_owned(),
        },
        // Somebody flushed it in the same moment.
        Ok(Value::Text(now)) if !now.is_empty() => Outcome::Flushed {
            entries: 0,
            verified: "the word that all keys must carry was changed again since".to_owned(),
        },
        Ok(_) => Outcome::unknown("the word that all keys carry was not kept"),
        Err(why) => Outcome::unknown(format!(
            "Redis at `{}` could not be flushed: {why}",
            settings.address
        )),
    })
}

pub(super) async fn open(settings: &RedisSettings) -> io::Result<Client> {
    let mut client = Client::connect(&settings.address).await?;
    if let Some(password) = &settings.password {
        let mut auth: Vec<&[u8]> = vec![b"AUTH"];
        auth.extend(settings.user.as_ref().map(String::as_bytes));
        auth.push(password.as_bytes());
        client.ask(&auth).await?;
    }
    let number = settings.database.to_string();
    client.ask(&[b"SELECT", number.as_bytes()]).await?;
    Ok(client)
}

async fn empty(client: &mut Client) -> io::Result<Outcome> {
    let Value::Number(before) = client.ask(&[b"DBSIZE"]).await? else {
        return Err(bad("the server does not count"));
    };
    client.ask(&[b"FLUSHDB"]).await?;
    Ok(match client.ask(&[b"DBSIZE"]).await? {
        // The running site may have written again; what it wrote is new.
        Value::Number(after) if after <= before.min(100) => Outcome::Flushed {
            entries: u64::try_from(before).unwrap_or(0),
            verified: format!("the database was emptied and holds {after} new keys"),
        },
        _ => Outcome::unknown("the database is not empty afterwards"),
    })
}

async fn remove(client: &mut Client, keys: Keys<'_>) -> io::Result<Outcome> {
    let Keys::Prefixed { prefix, .. } = keys else {
        return Err(bad("no prefix"));
    };
    let mut pattern = escaped(prefix.as_bytes());
    pattern.push(b'*');
    let mut removed = 0;
    let mut unlink: &[u8] = b"UNLINK";
    let (mut cursor, mut doubtful) = (b"0".to_vec(), 0_u64);
    for _ in 0..MAX_ROUNDS {
        let (next, found) = scan(client, &cursor, &pattern).await?;
        let (ours, others): (Vec<_>, Vec<_>) =
            found.into_iter().partition(|key| is_ours(key, keys));
        doubtful += others.len() as u64;
        for batch in ours.chunks(500) {
            let mut command: Vec<&[u8]> = vec![unlink];
            command.extend(batch.iter().map(Vec::as_slice));
            let mut answer = client.call(&command).await?;
            if let Value::Error(why) = &answer
                && why.to_ascii_lowercase().contains("unknown command")
            {
                // Before Redis 4.
                unlink = b"DEL";
                command[0] = unlink;
                answer = client.call(&command).await?;
            }
            match answer {
                Value::Number(count) => removed += u64::try_from(count).unwrap_or(0),
                Value::Error(why) => return Err(bad(format!("the server refused: {why}"))),
                _ => return Err(bad("the server does not say what it removed")),
            }
        }
        if next == b"0" {
            return judge(client, keys, &pattern, removed, doubtful).await;
        }
        cursor = next;
    }
    Err(bad("the server's list of keys does not end"))
}

/// Looks again. A site that is being visited fills its cache meanwhile; such keys are
/// new, and a second look at the same moment would never be empty: what counts is
/// that every old key was removed by name.
async fn judge(
    client: &mut Client,
    keys: Keys<'_>,
    pattern: &[u8],
    removed: u64,
    doubtful: u64,
) -> io::Result<Outcome> {
    let (mut cursor, mut written) = (b"0".to_vec(), 0_u64);
    for _ in 0..MAX_ROUNDS {
        let (next, found) = scan(client, &cursor, pattern).await?;
        written += found.iter().filter(|key| is_ours(key, keys)).count() as u64;
        if next == b"0" {
            break;
        }
        cursor = next;
    }
    if doubtful > 0 {
        return Ok(Outcome::unknown(format!(
            "{removed} keys were removed; {doubtful} more begin with the prefix but may be \
             another site's"
        )));
    }
    Ok(Outcome::Flushed {
        entries: removed,
        verified: if written == 0 {
            "no key with the prefix was found afterwards".to_owned()
        } else {
            format!("every key with the prefix was removed; {written} were written since")
        },
    })
}

pub(super) async fn scan(
    client: &mut Client,
    cursor: &[u8],
    pattern: &[u8],
) -> io::Result<(Vec<u8>, Vec<Vec<u8>>)> {
    let answer = client
        .ask(&[b"SCAN", cursor, b"MATCH", pattern, b"COUNT", BATCH])
        .await?;
    if let Value::Array(parts) = answer
        && let [Value::Text(next), Value::Array(keys)] = parts.as_slice()
    {
        let keys = keys
            .iter()
            .filter_map(|key| match key {
                Value::Text(key) => Some(key.clone()),
                _ => None,
            })
            .collect();
        return Ok((next.clone(), keys));
    }
    Err(bad("the server does not list its keys"))
}

/// Whether a key is the site's, whatever the server matched.
fn is_ours(key: &[u8], keys: Keys<'_>) -> bool {
    let Keys::Prefixed { prefix, table } = keys else {
        return true;
    };
    let Some(rest) = key.strip_prefix(prefix.as_bytes()) else {
        return false;
    };
    if prefix
        .bytes()
        .last()
        .is_some_and(|last| !last.is_ascii_alphanumeric())
    {
        return true;
    }
    // Redis Object Cache trims these signs from the table prefix.
    let signs: &[char] = &['_', '-', ':', '$'];
    let boundary = |rest: &[u8]| {
        rest.first()
            .is_some_and(|byte| !byte.is_ascii_alphanumeric())
    };
    match table.map(|table| table.trim_matches(signs)) {
        Some(table) if !table.is_empty() => {
            let rest = match rest.first() {
                Some(first) if signs.contains(&char::from(*first)) => &rest[1..],
                _ => rest,
            };
            rest.strip_prefix(table.as_bytes()).is_some_and(boundary)
        }
        // On a network numbers go on without a boundary: only what has one is told.
        _ => boundary(rest),
    }
}

/// A text that `MATCH` takes as it is.
pub(super) fn escaped(text: &[u8]) -> Vec<u8> {
    let mut all = Vec::with_capacity(text.len());
    for byte in text {
        if matches!(byte, b'*' | b'?' | b'[' | b']' | b'\\' | b'^' | b'-') {
            all.push(b'\\');
        }
        all.push(*byte);
    }
    all
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_of_other_sites_are_told_apart() {
        let keys = |prefix, table| Keys::Prefixed { prefix, table };
        let wp = Some("wp_");
        for (key, keys, ours) in [
            ("shop:wp:options:alloptions", keys("shop:", wp), true),
            ("shop:anything", keys("shop:", None), true),
            ("shopwp:options:alloptions", keys("shop", wp), true),
            ("shopwp_:options:alloptions", keys("shop", wp), true),
            ("shop:wp:options:alloptions", keys("shop", wp), true),
            ("shop2wp:options:alloptions", keys("shop", wp), false),
            ("shop2:wp:options:alloptions", keys("shop", wp), false),
            ("shopwp2:options:alloptions", keys("shop", wp), false),
            ("shop:options:x", keys("shop", Some("_")), true),
            ("shop2:options:x", keys("shop", None), false),
            ("other:wp:options:x", keys("shop:", wp), false),
            ("sho", keys("shop", wp), false),
        ] {
            assert_eq!(is_ours(key.as_bytes(), keys), ours, "{key} {keys:?}");
        }
    }

    #[test]
    fn settings_print_no_password() {
        let settings = RedisSettings {
            password: Some("secret".into()),
            ..RedisSettings::default()
        };
        assert!(!format!("{settings:?}").contains("secret"));
    }

    #[test]
    fn nothing_with_no_prefix_is_touched() {
        let settings = RedisSettings {
            address: "/nonexistent".into(),
            ..RedisSettings::default()
        };
        let keys = Keys::Prefixed {
            prefix: "",
            table: None,
        };
        let watch = Watch::unbounded();
        let Outcome::Unknown { reason } = flush(&settings, keys, &watch).unwrap() else {
            panic!("flushed")
        };
        assert!(reason.contains("no prefix"), "{reason}");
    }
}
