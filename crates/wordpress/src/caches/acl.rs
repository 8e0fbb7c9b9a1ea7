//! A Redis server that sites share, seen from its operator: a user for each site, who
//! reaches keys with the site's prefix and no others, and sees no names of keys.
//!
//! Nothing here touches a site; it is called where the operator's password is.

use super::{
    Outcome,
    redis::{self, Keys, MAX_ROUNDS, RedisSettings, escaped, open, scan},
    resp::{Client, Value},
    wire::{self, bad},
};
use crate::{Error, Result, watch::Watch};

/// What our drop-in says to the server: it reads and writes single keys and its marks.
/// Nothing lists keys, for their names are told whosever they are.
const COMMANDS: [&str; 12] = [
    "+ping", "+select", "+get", "+mget", "+set", "+del", "+incrby", "+hget", "+hgetall", "+hset",
    "+hsetnx", "+expire",
];

/// Why the server was of no use.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Trouble {
    /// It does not answer, or does not let the operator in.
    #[error("{0}")]
    Unreachable(String),
    /// It cannot keep sites apart.
    #[error("{0}")]
    Unsupported(String),
}

/// A site's user.
#[derive(Clone)]
pub struct SiteUser {
    /// Its name.
    pub name: String,
    /// Its password.
    pub password: String,
    /// What the keys it reaches begin with; ends in a sign.
    pub prefix: String,
}

impl std::fmt::Debug for SiteUser {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("SiteUser")
            .field("name", &self.name)
            .field("prefix", &self.prefix)
            .finish_non_exhaustive()
    }
}

/// Whether the server answers the operator, has users, and lets in nobody else.
pub fn check(server: &RedisSettings, watch: &Watch) -> Result<std::result::Result<(), Trouble>> {
    let ended = wire::talk(watch, async {
        let mut client = open(server).await?;
        client.ask(&[b"PING"]).await?;
        let users = client.call(&[b"ACL", b"USERS"]).await?;
        let mut nobody = Client::connect(&server.address).await?;
        Ok((users, nobody.call(&[b"GET", b"pressroom"]).await?))
    })?;
    let open_to_all = || {
        let why = "it lets everybody in without a password; give it a `requirepass`";
        Err(unsupported(server, why))
    };
    Ok(match ended {
        // Its complaint of a password that it does not ask for.
        Err(why) if why.contains("without any password configured") => open_to_all(),
        Err(why) => Err(unreachable(server, &why)),
        Ok((Value::Error(why), _)) => Err(unsupported(server, &why)),
        Ok((_, Value::Error(_))) => Ok(()),
        Ok(_) => open_to_all(),
    })
}

/// Makes the user, or gives it this password and these rights alone, and sees that it
/// reaches its own keys and no others.
pub fn permit(
    server: &RedisSettings,
    user: &SiteUser,
    watch: &Watch,
) -> Result<std::result::Result<(), Trouble>> {
    if let Err(why) = well_formed(user) {
        return Err(Error::BadInput(why));
    }
    let password = format!(">{}", user.password);
    let keys = format!("~{}*", user.prefix);
    let mut rules: Vec<&[u8]> = vec![b"ACL", b"SETUSER", user.name.as_bytes()];
    rules.extend([b"reset".as_slice(), b"on"]);
    rules.extend([password.as_bytes(), keys.as_bytes(), b"-@all"]);
    rules.extend(COMMANDS.iter().map(|rule| rule.as_bytes()));
    let made = wire::talk(watch, async {
        let mut client = open(server).await?;
        let made = client.call(&rules).await?;
        if !matches!(made, Value::Error(_)) {
            // Only a server that was given a file for them keeps users over its end.
            client.call(&[b"ACL", b"SAVE"]).await?;
        }
        Ok(made)
    })?;
    match made {
        Err(why) => return Ok(Err(unreachable(server, &why))),
        Ok(Value::Error(why)) => return Ok(Err(unsupported(server, &why))),
        Ok(_) => {}
    }
    let own = RedisSettings {
        address: server.address.clone(),
        user: Some(user.name.clone()),
        password: Some(user.password.clone()),
        database: server.database,
        prefix: user.prefix.clone(),
    };
    let ours = format!("{}probe", user.prefix);
    // A prefix ends in a sign: without it the name is not below it.
    let theirs = format!("{}probe", user.prefix.trim_end_matches(':'));
    let seen = wire::talk(watch, async {
        let mut client = open(&own).await?;
        let set: [&[u8]; 5] = [b"SET", ours.as_bytes(), b"1", b"EX", b"1"];
        client.ask(&set).await?;
        let foreign = client.call(&[b"GET", theirs.as_bytes()]).await?;
        let listed = client.call(&[b"SCAN", b"0"]).await?;
        client.ask(&[b"DEL", ours.as_bytes()]).await?;
        Ok(matches!(
            (foreign, listed),
            (Value::Error(_), Value::Error(_))
        ))
    })?;
    Ok(match seen {
        Ok(true) => Ok(()),
        Ok(false) => Err(unsupported(
            server,
            "a user of one site reaches keys of others",
        )),
        Err(why) => Err(unreachable(server, &why)),
    })
}

/// Removes the user and every key with its prefix; answers how many keys there were.
/// Without the user nothing is there to be done.
pub fn withdraw(
    server: &RedisSettings,
    name: &str,
    prefix: &str,
    watch: &Watch,
) -> Result<std::result::Result<u64, Trouble>> {
    let gone = wire::talk(watch, async {
        let mut client = open(server).await?;
        let gone = client.call(&[b"ACL", b"DELUSER", name.as_bytes()]).await?;
        client.call(&[b"ACL", b"SAVE"]).await?;
        Ok(gone)
    })?;
    match gone {
        Err(why) => return Ok(Err(unreachable(server, &why))),
        Ok(Value::Error(why)) => return Ok(Err(unsupported(server, &why))),
        Ok(_) => {}
    }
    remove_keys(server, prefix, watch)
}

/// Removes every key with a prefix, which ends in a sign; answers how many there were.
pub fn remove_keys(
    server: &RedisSettings,
    prefix: &str,
    watch: &Watch,
) -> Result<std::result::Result<u64, Trouble>> {
    if !prefix.ends_with(':') {
        return Err(Error::BadInput(format!("the prefix `{prefix}` has no end")));
    }
    let keys = Keys::Prefixed {
        prefix,
        table: None,
    };
    Ok(match redis::flush(server, keys, watch)? {
        Outcome::Flushed { entries, .. } => Ok(entries),
        Outcome::NotPresent => Ok(0),
        Outcome::Unknown { reason } => Err(Trouble::Unreachable(reason)),
    })
}

/// The values of all keys that begin with the prefix and end so, as they are stored; at
/// most 100, and none that is longer than a MiB.
pub fn values(
    server: &RedisSettings,
    prefix: &str,
    ending: &str,
    watch: &Watch,
) -> Result<std::result::Result<Vec<Vec<u8>>, Trouble>> {
    let answers = of_each(server, b"GET", prefix, ending, watch)?;
    Ok(answers.map(|answers| {
        let text = |answer| match answer {
            Value::Text(value) => Some(value),
            _ => None,
        };
        answers.into_iter().filter_map(text).collect()
    }))
}

/// Whether a key that begins with the prefix and ends so has a value, however long.
pub fn holds(
    server: &RedisSettings,
    prefix: &str,
    ending: &str,
    watch: &Watch,
) -> Result<std::result::Result<bool, Trouble>> {
    let answers = of_each(server, b"STRLEN", prefix, ending, watch)?;
    let is_filled = |answer: &Value| matches!(answer, Value::Number(length) if *length > 0);
    Ok(answers.map(|answers| answers.iter().any(is_filled)))
}

/// What the server says to a command about each of these keys; of the first 100 or so.
fn of_each(
    server: &RedisSettings,
    command: &[u8],
    prefix: &str,
    ending: &str,
    watch: &Watch,
) -> Result<std::result::Result<Vec<Value>, Trouble>> {
    let mut pattern = escaped(prefix.as_bytes());
    pattern.push(b'*');
    let found = wire::talk(watch, async {
        let mut client = open(server).await?;
        let (mut cursor, mut answers) = (b"0".to_vec(), Vec::new());
        for _ in 0..MAX_ROUNDS {
            let (next, keys) = scan(&mut client, &cursor, &pattern).await?;
            let is_it = |key: &&Vec<u8>| {
                key.starts_with(prefix.as_bytes()) && key.ends_with(ending.as_bytes())
            };
            for key in keys.iter().filter(is_it) {
                answers.push(client.call(&[command, key.as_slice()]).await?);
            }
            if next == b"0" || answers.len() >= 100 {
                return Ok(answers);
            }
            cursor = next;
        }
        Err(bad("the server's list of keys does not end"))
    })?;
    Ok(found.map_err(|why| unreachable(server, &why)))
}

/// Rules are words: one in a name would be another rule.
fn well_formed(user: &SiteUser) -> std::result::Result<(), String> {
    let is_plain = |text: &str| {
        !text.is_empty()
            && text.bytes().all(|byte| {
                byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_' | b':' | b'.')
            })
    };
    if !is_plain(&user.name) || !is_plain(&user.prefix) || !user.prefix.ends_with(':') {
        return Err("a Redis user's name or prefix has other signs than letters and digits".into());
    }
    if user.password.is_empty() || user.password.chars().any(char::is_whitespace) {
        return Err("a Redis user's password is empty or has blanks".into());
    }
    Ok(())
}

fn unreachable(server: &RedisSettings, why: &str) -> Trouble {
    Trouble::Unreachable(format!(
        "Redis at `{}` is not reachable: {why}",
        server.address
    ))
}

fn unsupported(server: &RedisSettings, why: &str) -> Trouble {
    let lower = why.to_ascii_lowercase();
    let why = if lower.contains("unknown command") {
        "it has no users; they came with Redis 6".to_owned()
    } else if lower.contains("noperm") {
        format!("Pressroom's own user may not manage users there ({why})")
    } else {
        why.to_owned()
    };
    Trouble::Unsupported(format!(
        "Redis at `{}` cannot keep sites apart: {why}",
        server.address
    ))
}
