//! Configurations that only PHP can tell: `getenv`, includes, Bedrock.
//!
//! The file is run by the site's own `php` as `wp-load.php` would, with whatever
//! `wp-settings.php` it names being empty. That is the site's own code: what it says
//! is hearsay, and its environment is not the web server's. Values that depend on
//! the host that is asked for are unknown.

use super::{
    Settings, Source,
    complaint::complaint,
    locate::{Located, locate},
};
use crate::{Error, Result, bridge::process, disk, home::Home, watch::Watch};
use pressroom_phpdata::wp_config::{Value, WpConfig};
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use std::{
    collections::BTreeMap,
    ffi::OsStr,
    fs, io,
    os::unix::ffi::OsStrExt,
    path::{Path, PathBuf},
    time::Duration,
};

pub(crate) const SCRIPT: &str = include_str!("evaluate.php");
/// What a configuration may use, in megabytes; it loads no WordPress.
const MEMORY_MB: u32 = 256;
/// A configuration that takes longer would not serve a page either.
const LIMIT: Duration = Duration::from_secs(20);

/// What the script is told; paths in hex, they need not be UTF-8.
#[derive(Serialize)]
struct Request<'a> {
    nonce: &'a str,
    config: String,
    abspath: String,
    host: &'a str,
}

/// What the script says.
#[derive(Deserialize)]
struct Answer {
    constants: BTreeMap<String, Told>,
    table_prefix: Option<Told>,
}

#[derive(Clone, PartialEq, Deserialize)]
#[serde(rename_all = "snake_case")]
enum Told {
    Text(String),
    Int(i64),
    Bool(bool),
    Null,
    Unknown,
}

/// Reads the configuration of the WordPress in `root`; where that leaves something
/// needed unknown and there is a `php`, it is evaluated. An evaluation that fails
/// leaves what was read, with [`Settings::trouble`] saying why.
pub fn read_or_evaluate(
    home: &Home,
    root: &str,
    php: Option<&str>,
    watch: &Watch,
) -> Result<Settings> {
    let located = locate(home, root)?;
    let read = Settings::located(home, root, &located);
    let Some(php) = php.filter(|_| read.lacks()) else {
        return Ok(read);
    };
    Ok(match evaluate(home, &located, php, watch)? {
        Ok(config) => Settings {
            source: Source::Evaluated,
            ..Settings::of(&config).at(home, root, &located, &config)
        },
        Err(why) => Settings {
            trouble: Some(why),
            ..read
        },
    })
}

/// What a configuration defines when it is run; inside, why it cannot be told.
pub(super) fn evaluate(
    home: &Home,
    located: &Located,
    php: &str,
    watch: &Watch,
) -> Result<std::result::Result<WpConfig, String>> {
    let script = put_script(home)?;
    let mut both = Vec::new();
    for host in ["localhost", "pressroom.invalid"] {
        match run(home, located, php, &script, host, watch)? {
            Ok(answer) => both.push(answer),
            Err(why) => return Ok(Err(why)),
        }
    }
    let (Some(second), Some(first)) = (both.pop(), both.pop()) else {
        return Ok(Err("PHP gave no answer".to_owned()));
    };
    Ok(Ok(agreed(&first, &second)))
}

fn run(
    home: &Home,
    located: &Located,
    php: &str,
    script: &Path,
    host: &str,
    watch: &Watch,
) -> Result<std::result::Result<Answer, String>> {
    let nonce = nonce()?;
    let input = serde_json::to_vec(&Request {
        nonce: &nonce,
        config: hex::encode(&located.place.file),
        abspath: hex::encode(&located.place.abspath),
        host,
    })
    .map_err(|why| Error::Php(format!("the request cannot be written: {why}")))?;
    let dir = PathBuf::from(OsStr::from_bytes(&located.place.abspath));
    let limited = watch.within(LIMIT);
    let call = process::Call {
        php,
        script,
        dir: &dir,
        readable: &[],
        input: &input,
        nonce: &nonce,
        memory_mb: MEMORY_MB,
        limit: None,
        cache: None,
    };
    let ended = match process::run(home, &call, &limited) {
        Ok(ended) => ended,
        Err(Error::Deadline) => {
            watch.check()?;
            return Ok(Err(format!(
                "the configuration did not end within {} seconds",
                LIMIT.as_secs()
            )));
        }
        Err(Error::NoPhp(why) | Error::Php(why)) => return Ok(Err(why)),
        Err(why) => return Err(why),
    };
    let answer = ended
        .answer
        .as_deref()
        .and_then(|json| serde_json::from_slice(json).ok());
    Ok(answer.ok_or_else(|| {
        // A file without `<?php` says all that is in it: only PHP's own word counts.
        let why = complaint(&ended.noise.tail()).map(|why| format!(": {why}"));
        format!(
            "run by PHP, the configuration does not load WordPress{}",
            why.unwrap_or_default()
        )
    }))
}

/// What two runs for different hosts agree on.
fn agreed(first: &Answer, second: &Answer) -> WpConfig {
    let mut constants = BTreeMap::new();
    for (name, told) in &first.constants {
        let same = second.constants.get(name) == Some(told);
        if let Some(name) = unhex(name).and_then(|name| String::from_utf8(name).ok()) {
            constants.insert(name, if same { value(told) } else { Value::Unknown });
        }
    }
    for name in second.constants.keys() {
        if let Some(name) = unhex(name).and_then(|name| String::from_utf8(name).ok()) {
            constants.entry(name).or_insert(Value::Unknown);
        }
    }
    let prefix = if first.table_prefix == second.table_prefix {
        first.table_prefix.as_ref().map(value)
    } else {
        Some(Value::Unknown)
    };
    // A variable that is absent here has no value in this environment.
    for name in ["DB_NAME", "DB_USER", "DB_PASSWORD", "DB_HOST"] {
        if let Some(value @ (Value::Bool(_) | Value::Null)) = constants.get_mut(name) {
            *value = Value::Unknown;
        }
    }
    WpConfig::of(constants, prefix)
}

fn value(told: &Told) -> Value {
    match told {
        Told::Text(hex) => unhex(hex).map_or(Value::Unknown, Value::Text),
        Told::Int(number) => Value::Int(*number),
        Told::Bool(truth) => Value::Bool(*truth),
        Told::Null => Value::Null,
        Told::Unknown => Value::Unknown,
    }
}

fn unhex(text: &str) -> Option<Vec<u8>> {
    hex::decode(text).ok()
}

/// The script, in a file named for its content.
fn put_script(home: &Home) -> Result<PathBuf> {
    let name = format!("evaluate-{}.php", hex::encode(&Sha256::digest(SCRIPT)[..8]));
    let path = home.state_dir()?.join(name);
    let there = fs::symlink_metadata(&path).is_ok_and(|found| found.is_file())
        && fs::read(&path).is_ok_and(|bytes| bytes == SCRIPT.as_bytes());
    if !there {
        let aside = path.with_extension(nonce()?);
        disk::write_aside(&aside, SCRIPT.as_bytes(), 0o600)?;
        disk::put_in_place(&aside, &path)?;
    }
    Ok(path)
}

fn nonce() -> Result<String> {
    let mut random = [0; 16];
    getrandom::fill(&mut random)
        .map_err(|why| Error::io("read", "random numbers", io::Error::other(why.to_string())))?;
    Ok(hex::encode(random))
}
