//! Every key there is, and what its value must look like.

use super::Value;
use ipnet::IpNet;
use std::{
    fmt,
    net::{IpAddr, SocketAddr},
};

/// A key of the configuration.
#[derive(Debug)]
pub struct Key {
    /// The table it stands in; empty for the top level.
    pub section: &'static str,
    /// Its name there.
    pub name: &'static str,
    /// What its value must look like.
    pub shape: Shape,
}

/// What a value must look like.
#[derive(Debug, Clone, Copy)]
pub enum Shape {
    /// Any text.
    Text,
    /// A file or directory; may be empty when `optional`.
    Path {
        /// Whether the empty text stands for none.
        optional: bool,
    },
    /// An IP address and a port.
    Address,
    /// A host and a port, or the absolute path of a socket; empty for none.
    Endpoint,
    /// Networks as `192.0.2.0/24`, or single addresses, separated by commas; empty for none.
    Networks,
    /// `http://…` or `https://…` without a trailing slash, or `auto`.
    PublicUrl,
    /// `sqlite://…` or `postgres://…`.
    DatabaseUrl,
    /// A whole number within limits.
    Integer {
        /// The least.
        min: i64,
        /// The greatest.
        max: i64,
    },
    /// One of these words.
    Choice(&'static [&'static str]),
    /// `machine`, `none`, or an IP address and a port.
    Resolver,
    /// `true`, `false` or a path.
    SwitchOrPath,
    /// `true`, `false` or an `http(s)` address.
    SwitchOrUrl,
}

const fn key(section: &'static str, name: &'static str, shape: Shape) -> Key {
    Key {
        section,
        name,
        shape,
    }
}

const fn integer(section: &'static str, name: &'static str, min: i64, max: i64) -> Key {
    key(section, name, Shape::Integer { min, max })
}

const PATH: Shape = Shape::Path { optional: false };

/// Every key, in the order of the documented defaults.
pub const KEYS: &[Key] = &[
    key("", "data", PATH),
    key("", "listen", Shape::Address),
    key("", "public_url", Shape::PublicUrl),
    key("", "database_url", Shape::DatabaseUrl),
    key("log", "format", Shape::Choice(&["text", "json"])),
    key("log", "filter", Shape::Text),
    key("log", "file", Shape::Path { optional: true }),
    key(
        "log",
        "rotate",
        Shape::Choice(&["daily", "hourly", "never"]),
    ),
    integer("log", "keep", 1, 10_000),
    integer("jobs", "lease_s", 3, 3600),
    integer("jobs", "heartbeat_s", 1, 1200),
    integer("jobs", "poll_ms", 10, 60_000),
    integer("jobs", "workers", 1, 256),
    integer("jobs", "drain_s", 0, 3600),
    key("hosting", "dir", PATH),
    key("hosting", "sites", PATH),
    key("hosting", "http", Shape::Address),
    key("hosting", "php", PATH),
    key(
        "hosting",
        "isolation",
        Shape::Choice(&["auto", "user", "none"]),
    ),
    key("hosting", "web", Shape::Choice(&["auto", "stack", "php"])),
    integer("hosting", "max_domains", 1, 100_000),
    key("hosting", "trusted_proxies", Shape::Networks),
    key("archive", "directory", PATH),
    key("archive", "s3_bucket", Shape::Text),
    key("archive", "s3_endpoint", Shape::Text),
    key("archive", "s3_region", Shape::Text),
    key("archive", "s3_prefix", Shape::Text),
    key("archive", "s3_access_key", Shape::Text),
    key("archive", "s3_secret_file", Shape::Path { optional: true }),
    integer("archive", "quota_gb", 0, 1_000_000),
    integer("archive", "upload_limit_gib", 1, 100_000),
    integer("archive", "keep_aside_days", 1, 3650),
    key("cache", "redis", Shape::Endpoint),
    key("cache", "redis_user", Shape::Text),
    key(
        "cache",
        "redis_password_file",
        Shape::Path { optional: true },
    ),
    integer("cache", "redis_database", 0, 65_535),
    integer("health", "light_s", 30, 86_400),
    integer("health", "full_s", 3600, 2_592_000),
    integer("health", "recheck_s", 5, 3600),
    integer("health", "concurrency", 0, 1024),
    integer("health", "per_host", 1, 1024),
    integer("health", "slow_ms", 100, 60_000),
    key("health", "resolver", Shape::Resolver),
    key("updates", "pictures", Shape::Choice(&["auto", "off"])),
    key("packages", "cache", PATH),
    key("packages", "directory", Shape::Path { optional: true }),
    key("packages", "distribution", Shape::SwitchOrPath),
    key("packages", "wordpress_org", Shape::SwitchOrUrl),
    key("secrets", "key_file", PATH),
    integer("http", "max_requests", 1, 65_536),
    integer("http", "max_connections", 16, 1_000_000),
    integer("http", "max_connections_per_address", 1, 1_000_000),
    integer("http", "idle_s", 1, 3600),
    key("http", "tls_certificate", Shape::Path { optional: true }),
    key("http", "tls_key", Shape::Path { optional: true }),
    key("http", "trusted_proxies", Shape::Networks),
    key("outgoing", "allow_private", Shape::Networks),
    key("mail", "smtp", Shape::Endpoint),
    key(
        "mail",
        "security",
        Shape::Choice(&["starttls", "tls", "none"]),
    ),
    key("mail", "user", Shape::Text),
    key("mail", "password_file", Shape::Path { optional: true }),
    key("mail", "from", Shape::Text),
    key(
        "console",
        "secure_cookies",
        Shape::Choice(&["auto", "always", "never"]),
    ),
];

impl Key {
    /// As written in messages: `jobs.lease_s`.
    pub fn path(&self) -> String {
        if self.section.is_empty() {
            self.name.to_owned()
        } else {
            format!("{}.{}", self.section, self.name)
        }
    }

    /// The environment variable that sets it: `PRESSROOM_JOBS__LEASE_S`.
    pub fn variable(&self) -> String {
        let name = self.name.to_ascii_uppercase();
        if self.section.is_empty() {
            format!("PRESSROOM_{name}")
        } else {
            format!("PRESSROOM_{}__{name}", self.section.to_ascii_uppercase())
        }
    }

    /// The key of this table with this name.
    pub fn find(section: &str, name: &str) -> Option<&'static Self> {
        KEYS.iter()
            .find(|key| key.section == section && key.name == name)
    }

    /// Whether a table of this name exists.
    pub fn is_section(name: &str) -> bool {
        !name.is_empty() && KEYS.iter().any(|key| key.section == name)
    }
}

impl Shape {
    /// Whether the value looks as it must; otherwise what was expected.
    pub fn check(self, value: &Value) -> Result<(), String> {
        let fits = match (self, value) {
            (Self::Text, Value::Text(_))
            | (Self::SwitchOrPath | Self::SwitchOrUrl, Value::Bool(_)) => true,
            (Self::Path { optional }, Value::Text(text)) => optional || !text.is_empty(),
            (Self::Address, Value::Text(text)) => text.parse::<SocketAddr>().is_ok(),
            (Self::Resolver, Value::Text(text)) => {
                matches!(text.as_str(), "machine" | "none") || text.parse::<SocketAddr>().is_ok()
            }
            (Self::Endpoint, Value::Text(text)) => text.is_empty() || is_endpoint(text),
            (Self::Networks, Value::Text(text)) => networks(text).is_some(),
            (Self::PublicUrl, Value::Text(text)) => text == "auto" || is_base_url(text),
            (Self::DatabaseUrl, Value::Text(text)) => ["sqlite://", "postgres://", "postgresql://"]
                .iter()
                .any(|scheme| text.len() > scheme.len() && text.starts_with(scheme)),
            (Self::Integer { min, max }, Value::Integer(number)) => (min..=max).contains(number),
            (Self::Choice(words), Value::Text(text)) => words.contains(&text.as_str()),
            (Self::SwitchOrPath, Value::Text(text)) => text.starts_with('/'),
            (Self::SwitchOrUrl, Value::Text(text)) => is_base_url(text),
            _ => false,
        };
        if fits { Ok(()) } else { Err(self.to_string()) }
    }

    /// Reads a value from text, as a variable or a flag has it.
    pub fn parse(self, text: &str) -> Value {
        match self {
            Self::Integer { .. } => text
                .trim()
                .parse()
                .map_or_else(|_| Value::Text(text.to_owned()), Value::Integer),
            Self::SwitchOrPath | Self::SwitchOrUrl => match text.trim() {
                "true" => Value::Bool(true),
                "false" => Value::Bool(false),
                other => Value::Text(other.to_owned()),
            },
            _ => Value::Text(text.to_owned()),
        }
    }
}

/// `host:port`, `[v6]:port`, or an absolute path.
fn is_endpoint(text: &str) -> bool {
    if text.contains(|c: char| c.is_whitespace() || c.is_control()) {
        return false;
    }
    if text.starts_with('/') {
        return text.len() > 1;
    }
    text.rsplit_once(':').is_some_and(|(host, port)| {
        let is_v6 = host.starts_with('[') && host.ends_with(']');
        !host.is_empty()
            && (is_v6 || !host.contains(':'))
            && port.parse::<u16>().is_ok_and(|port| port > 0)
    })
}

/// The networks in a list of them; a single address is a network of one.
pub(super) fn networks(text: &str) -> Option<Vec<IpNet>> {
    text.split(',')
        .map(str::trim)
        .filter(|one| !one.is_empty())
        .map(|one| {
            let address = one.parse::<IpAddr>().map(IpNet::from);
            address.or_else(|_| one.parse()).ok()
        })
        .collect()
}

fn is_base_url(text: &str) -> bool {
    ["http://", "https://"].iter().any(|scheme| {
        text.strip_prefix(scheme)
            .is_some_and(|rest| !rest.is_empty())
    }) && !text.ends_with('/')
        && !text.contains(char::is_whitespace)
}

impl fmt::Display for Shape {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Text => f.write_str("a text"),
            Self::Path { .. } => f.write_str("a path"),
            Self::Address => f.write_str("an address and a port, e.g. `127.0.0.1:8480`"),
            Self::Resolver => {
                f.write_str("`machine`, `none`, or an address and a port, e.g. `192.0.2.53:53`")
            }
            Self::Endpoint => f.write_str(
                "a host and a port such as `127.0.0.1:6379`, an absolute path, or empty",
            ),
            Self::Networks => {
                f.write_str("networks such as `192.0.2.0/24`, separated by commas, or empty")
            }
            Self::PublicUrl => {
                f.write_str("`auto`, or an `http(s)://` address without a trailing slash")
            }
            Self::DatabaseUrl => f.write_str("`sqlite://…` or `postgres://…`"),
            Self::Integer { min, max } => write!(f, "a whole number from {min} to {max}"),
            Self::Choice(words) => {
                for (index, word) in words.iter().enumerate() {
                    let joint = match index {
                        0 => "",
                        _ if index + 1 == words.len() => " or ",
                        _ => ", ",
                    };
                    write!(f, "{joint}`{word}`")?;
                }
                Ok(())
            }
            Self::SwitchOrPath => f.write_str("`true`, `false` or an absolute path"),
            Self::SwitchOrUrl => {
                f.write_str("`true`, `false` or an `http(s)://` address without a trailing slash")
            }
        }
    }
}

/// The existing key or table most like what was written, as a hint.
pub(super) fn nearest(
    written: &str,
    candidates: impl IntoIterator<Item = String>,
) -> Option<String> {
    let last = |text: &str| text.rsplit(['.']).next().unwrap_or_default().to_owned();
    candidates
        .into_iter()
        .map(|candidate| {
            let whole = strsim::damerau_levenshtein(written, &candidate);
            // The right key in the wrong table is nearer than any misspelling.
            let name = strsim::damerau_levenshtein(&last(written), &last(&candidate)) + 1;
            (whole.min(name), candidate)
        })
        .filter(|(distance, candidate)| *distance <= 2.max(candidate.len() / 4))
        .min_by_key(|(distance, _)| *distance)
        .map(|(_, candidate)| format!("did you mean `{candidate}`"))
}
