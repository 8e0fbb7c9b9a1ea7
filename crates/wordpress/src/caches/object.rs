//! Which object cache a site has, and how its `wp-config.php` says to reach it.

use super::{
    Cache, CacheFlush, FlushOptions, Outcome,
    ours::{self, DropIn, MAX_DROP_IN},
    redis::{self, Keys, RedisSettings},
};
use crate::{Error, Result, config, core::below, home::Home, watch::Watch};
use pressroom_phpdata::{
    headers,
    wp_config::{self, Value, WpConfig},
};

/// What a drop-in keeps its entries in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Backend {
    Redis,
    Memcached,
    Apcu,
    Other,
}

pub(super) fn flush(
    home: &Home,
    root: &str,
    content: &str,
    options: &FlushOptions,
    watch: &Watch,
) -> Result<CacheFlush> {
    let told = |name: &str, outcome| CacheFlush {
        cache: Cache::Object,
        name: name.to_owned(),
        outcome,
    };
    let drop_in = match home.read_start(&below(content, "object-cache.php"), MAX_DROP_IN) {
        Ok(Some(drop_in)) => drop_in,
        Ok(None) => return Ok(told("object cache", Outcome::NotPresent)),
        Err(why) => return Ok(told("object cache", unread("object-cache.php", &why))),
    };
    let name = headers::value(&drop_in, "Plugin Name").unwrap_or_else(|| "object cache".to_owned());
    if DropIn::Object.is_ours(&drop_in) {
        return Ok(told(&name, own(home, root, options, watch)?));
    }
    let outcome = match backend(&name, &drop_in) {
        Backend::Redis => redis(home, root, options, watch)?,
        Backend::Memcached => Outcome::unknown(
            "Memcached cannot list its keys, so one site's cannot be removed by their prefix",
        ),
        Backend::Apcu => Outcome::unknown("its entries are in the memory of the site's PHP"),
        Backend::Other => Outcome::unknown("the drop-in does not say what it keeps its entries in"),
    };
    Ok(told(&name, outcome))
}

/// Our own: its user sees no names of keys, so its marks are changed.
fn own(home: &Home, root: &str, options: &FlushOptions, watch: &Watch) -> Result<Outcome> {
    let settings = match &options.redis {
        Some(settings) => settings.clone(),
        None => match config::locate(home, root) {
            Ok(found) => {
                match own_settings(&wp_config::parse_at(&found.bytes, &found.place)) {
                    Ok(Some(settings)) => settings,
                    // Without them WordPress' own cache is used.
                    Ok(None) => return Ok(Outcome::NotPresent),
                    Err(reason) => return Ok(Outcome::unknown(reason)),
                }
            }
            Err(why) => return Ok(unread(config::FILE, &why)),
        },
    };
    redis::change_marks(&settings, watch)
}

/// What our drop-in is told; `None` when it is told nothing.
fn own_settings(config: &WpConfig) -> std::result::Result<Option<RedisSettings>, String> {
    let text = |name: &str| match config.constant(name) {
        None => Ok(None),
        Some(value) => value
            .text()
            .map(|text| Some(text).filter(|text| !text.is_empty()))
            .ok_or_else(|| format!("`wp-config.php` does not say `{name}` plainly")),
    };
    let (Some(address), Some(prefix)) = (text(ours::REDIS_ADDRESS)?, text(ours::REDIS_PREFIX)?)
    else {
        return Ok(None);
    };
    let database = text(ours::REDIS_DATABASE)?.unwrap_or_else(|| "0".to_owned());
    Ok(Some(RedisSettings {
        address,
        user: text(ours::REDIS_USER)?,
        password: text(ours::REDIS_PASSWORD)?,
        database: database
            .parse()
            .map_err(|_| format!("`{}` is no number", ours::REDIS_DATABASE))?,
        prefix,
    }))
}

/// In what a drop-in keeps its entries, in one word.
pub(super) fn backend_name(name: &str, drop_in: &[u8]) -> &'static str {
    match backend(name, drop_in) {
        Backend::Redis => "redis",
        Backend::Memcached => "memcached",
        Backend::Apcu => "apcu",
        Backend::Other => "other",
    }
}

fn redis(home: &Home, root: &str, options: &FlushOptions, watch: &Watch) -> Result<Outcome> {
    let config = match config::locate(home, root) {
        Ok(found) => wp_config::parse_at(&found.bytes, &found.place),
        Err(Error::Missing(_)) => WpConfig::default(),
        Err(why) if options.redis.is_none() => return Ok(unread(config::FILE, &why)),
        Err(_) => WpConfig::default(),
    };
    let settings = match &options.redis {
        Some(settings) => settings.clone(),
        None => match settings(&config) {
            Ok(settings) => settings,
            Err(reason) => return Ok(Outcome::unknown(reason)),
        },
    };
    if options.redis_database_is_exclusive {
        return redis::flush(&settings, Keys::All, watch);
    }
    // On a network, numbers of blogs stand where the table prefix does.
    let single = config
        .constant("MULTISITE")
        .map_or(Some(false), Value::truth)
        == Some(false);
    let table = config.table_prefix().and_then(Value::text);
    let keys = Keys::Prefixed {
        prefix: &settings.prefix,
        table: table.as_deref().filter(|_| single),
    };
    redis::flush(&settings, keys, watch)
}

fn unread(name: &str, why: &Error) -> Outcome {
    Outcome::unknown(match why {
        Error::BadPath(path) => format!("`{path}` is, or is behind, a symbolic link"),
        why => format!("`{name}` cannot be read: {why}"),
    })
}

/// By the name in the header, else by what the code uses.
fn backend(name: &str, drop_in: &[u8]) -> Backend {
    let of = |text: &str| {
        let text = text.to_ascii_lowercase();
        let words = [
            ("redis", Backend::Redis),
            ("memcache", Backend::Memcached),
            ("apcu", Backend::Apcu),
        ];
        let mut found = words.into_iter().filter(|(word, _)| text.contains(word));
        match (found.next(), found.next()) {
            (Some((_, backend)), None) => Some(backend),
            _ => None,
        }
    };
    of(name)
        .or_else(|| of(&String::from_utf8_lossy(drop_in)))
        .unwrap_or(Backend::Other)
}

/// What the constants of the drop-ins say; a reason where it is not plain.
fn settings(config: &WpConfig) -> std::result::Result<RedisSettings, String> {
    for name in [
        "WP_REDIS_CLUSTER",
        "WP_REDIS_SERVERS",
        "WP_REDIS_SHARDS",
        "WP_REDIS_SENTINEL",
        "WP_REDIS_CONFIG",
    ] {
        if config.constant(name).is_some() && is_defined(config, name) {
            return Err(format!("`{name}` names servers that are not talked to"));
        }
    }
    let text = |name: &str| match config.constant(name) {
        None => Ok(None),
        Some(value) => value
            .text()
            .map(|text| Some(text).filter(|text| !text.is_empty()))
            .ok_or_else(|| format!("`wp-config.php` does not say `{name}` plainly")),
    };
    let scheme = text("WP_REDIS_SCHEME")?.unwrap_or_else(|| "tcp".to_owned());
    let host = text("WP_REDIS_HOST")?.unwrap_or_else(|| "127.0.0.1".to_owned());
    let path = text("WP_REDIS_PATH")?;
    let address = match (scheme.as_str(), path) {
        ("unix", Some(path)) => path,
        ("unix", None) => host,
        ("tcp" | "redis", _) if host.starts_with('/') => host,
        ("tcp" | "redis", _) => {
            let host = host.trim_start_matches("tcp://");
            let port = text("WP_REDIS_PORT")?.unwrap_or_else(|| "6379".to_owned());
            if host.contains(':') && !host.starts_with('[') {
                format!("[{host}]:{port}")
            } else {
                format!("{host}:{port}")
            }
        }
        _ => return Err(format!("`WP_REDIS_SCHEME` `{scheme}` is not spoken")),
    };
    let database = text("WP_REDIS_DATABASE")?.unwrap_or_else(|| "0".to_owned());
    let prefix = match text("WP_REDIS_PREFIX")? {
        Some(prefix) => prefix,
        None => text("WP_CACHE_KEY_SALT")?.unwrap_or_default(),
    };
    Ok(RedisSettings {
        address,
        user: text("WP_REDIS_USERNAME")?,
        password: text("WP_REDIS_PASSWORD")?,
        database: database
            .parse()
            .map_err(|_| format!("`WP_REDIS_DATABASE` `{database}` is no number"))?,
        prefix,
    })
}

/// Whether a constant is there for certain, or at least as far as is known. In a
/// configuration that includes others everything may be; those constants that nearly
/// nobody has do not make all of it unknown.
fn is_defined(config: &WpConfig, name: &str) -> bool {
    let opaque = config.constant("PRESSROOM_NO_SUCH_CONSTANT").is_some();
    !opaque || config.constant(name) != Some(&Value::Unknown)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(lines: &str) -> std::result::Result<RedisSettings, String> {
        settings(&wp_config::parse(format!("<?php\n{lines}").as_bytes()))
    }

    #[test]
    fn constants_say_where_redis_is() {
        let plain = of("").unwrap();
        assert_eq!((&*plain.address, plain.database), ("127.0.0.1:6379", 0));
        let all = of(
            "define('WP_REDIS_HOST', 'cache.example'); define('WP_REDIS_PORT', 6380);
             define('WP_REDIS_DATABASE', 3); define('WP_REDIS_PASSWORD', 'p');
             define('WP_CACHE_KEY_SALT', 'salt:');",
        )
        .unwrap();
        assert_eq!(all.address, "cache.example:6380");
        assert_eq!((all.database, &*all.prefix), (3, "salt:"));
        assert_eq!(all.password.as_deref(), Some("p"));
        let unix = of(
            "define('WP_REDIS_SCHEME', 'unix'); define('WP_REDIS_PATH', '/run/r.sock');
             define('WP_REDIS_PREFIX', 'a'); define('WP_CACHE_KEY_SALT', 'b');",
        )
        .unwrap();
        assert_eq!((&*unix.address, &*unix.prefix), ("/run/r.sock", "a"));
        assert_eq!(
            of("define('WP_REDIS_HOST', '::1');").unwrap().address,
            "[::1]:6379"
        );
    }

    #[test]
    fn our_own_drop_in_has_constants_of_its_own() {
        let own =
            |lines: &str| own_settings(&wp_config::parse(format!("<?php\n{lines}").as_bytes()));
        assert_eq!(own("define('WP_REDIS_HOST', 'x');").unwrap(), None);
        let found = own(
            "define('PRESSROOM_REDIS_ADDRESS', '127.0.0.1:6380'); define('PRESSROOM_REDIS_PREFIX', 'p:');
             define('PRESSROOM_REDIS_USER', 'u'); define('PRESSROOM_REDIS_PASSWORD', 'w');
             define('PRESSROOM_REDIS_DATABASE', 2);",
        )
        .unwrap()
        .unwrap();
        assert_eq!(
            (&*found.address, found.database, &*found.prefix),
            ("127.0.0.1:6380", 2, "p:")
        );
        assert_eq!(
            (found.user.as_deref(), found.password.as_deref()),
            (Some("u"), Some("w"))
        );
        assert!(own("define('PRESSROOM_REDIS_ADDRESS', getenv('X'));").is_err());
    }

    #[test]
    fn what_is_not_plain_is_unknown() {
        for (lines, word) in [
            ("define('WP_REDIS_SCHEME', 'tls');", "tls"),
            (
                "define('WP_REDIS_PASSWORD', array('u', 'p'));",
                "WP_REDIS_PASSWORD",
            ),
            ("define('WP_REDIS_HOST', getenv('X'));", "WP_REDIS_HOST"),
            (
                "define('WP_REDIS_CLUSTER', array('x'));",
                "WP_REDIS_CLUSTER",
            ),
            ("define('WP_REDIS_DATABASE', 'x');", "no number"),
        ] {
            let why = of(lines).unwrap_err();
            assert!(why.contains(word), "{why}");
        }
    }

    #[test]
    fn drop_ins_are_told_by_name_or_code() {
        for (name, code, backend_is) in [
            ("Redis Object Cache Drop-In", "memcached", Backend::Redis),
            ("Memcached", "redis", Backend::Memcached),
            (
                "object cache",
                "$this->redis = new Redis();",
                Backend::Redis,
            ),
            ("object cache", "apcu_store(", Backend::Apcu),
            ("object cache", "redis memcached", Backend::Other),
            ("object cache", "", Backend::Other),
        ] {
            assert_eq!(backend(name, code.as_bytes()), backend_is, "{name} {code}");
        }
    }
}
