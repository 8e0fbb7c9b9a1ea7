//! The typed configuration.

use super::{Error, Origin, Value, reader::Reader, value::Layer};
use ipnet::IpNet;
use pressroom_base::Secret;
use std::{
    net::SocketAddr,
    path::{Path, PathBuf},
    time::Duration,
};

/// Everything that is configured.
#[derive(Debug, Clone)]
pub struct Config {
    /// Directory of Pressroom's own data, absolute.
    pub data: PathBuf,
    /// Where the HTTP server listens.
    pub listen: SocketAddr,
    /// The address people reach it at, no trailing slash.
    pub public_url: String,
    /// The store; may hold a password.
    pub database_url: Secret<String>,
    /// `[log]`
    pub log: Log,
    /// `[jobs]`
    pub jobs: Jobs,
    /// `[hosting]`
    pub hosting: Hosting,
    /// `[archive]`
    pub archive: Archive,
    /// `[cache]`
    pub cache: Cache,
    /// `[health]`
    pub health: Health,
    /// `[updates]`
    pub updates: Updates,
    /// `[packages]`
    pub packages: Packages,
    /// `[secrets]`
    pub secrets: Secrets,
    /// `[http]`
    pub http: Http,
    /// `[outgoing]`
    pub outgoing: Outgoing,
    /// `[mail]`, if there is a server.
    pub mail: Option<Mail>,
    /// `[console]`
    pub console: Console,
    pub(super) values: Layer,
}

/// `[log]`
#[derive(Debug, Clone)]
pub struct Log {
    /// The form of a line.
    pub format: LogFormat,
    /// What is logged.
    pub filter: String,
    /// Where a server logs to; standard output, without.
    pub file: Option<LogFile>,
}

/// A log file that begins anew from time to time.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LogFile {
    /// Its path; the day, or the hour, is added to its name.
    pub path: PathBuf,
    /// When a new one begins.
    pub rotate: Rotate,
    /// How many are kept.
    pub keep: usize,
}

/// When a new log file begins.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Rotate {
    /// At midnight, UTC.
    Daily,
    /// Each hour.
    Hourly,
    /// Never: somebody else does it.
    Never,
}

/// The form of a log line.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LogFormat {
    /// For people.
    Text,
    /// For collectors.
    Json,
}

/// `[jobs]`
#[derive(Debug, Clone)]
pub struct Jobs {
    /// After this silence a job is given to another worker.
    pub lease: Duration,
    /// Between signs of life.
    pub heartbeat: Duration,
    /// Between looks for work.
    pub poll: Duration,
    /// Jobs at the same time.
    pub workers: usize,
    /// What running work gets when the process stops.
    pub drain: Duration,
}

/// `[hosting]`
#[derive(Debug, Clone)]
pub struct Hosting {
    /// The stack's own files.
    pub dir: PathBuf,
    /// Where sites live.
    pub sites: PathBuf,
    /// Where the stack's web server listens.
    pub http: SocketAddr,
    /// The PHP command.
    pub php: PathBuf,
    /// Who sites run as.
    pub isolation: Isolation,
    /// What serves them.
    pub web: Web,
    /// Domains at most.
    pub max_domains: usize,
    /// Networks whose `X-Forwarded-For` is believed.
    pub trusted_proxies: Vec<IpNet>,
}

/// What serves sites.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Web {
    /// The stack where it is installed.
    Auto,
    /// nginx and php-fpm.
    Stack,
    /// PHP's own server.
    Php,
}

/// `[archive]`
#[derive(Debug, Clone)]
pub struct Archive {
    /// Where snapshots are kept without a bucket.
    pub directory: PathBuf,
    /// A bucket of a service that speaks S3.
    pub s3: Option<S3>,
    /// Bytes of snapshots that an account may keep.
    pub quota: Option<u64>,
    /// Bytes that a snapshot may have that somebody sends.
    pub upload_limit: u64,
    /// How long what a restore displaced is kept where it was not let go of at once.
    pub keep_aside: Duration,
}

/// A bucket of a service that speaks S3.
#[derive(Debug, Clone)]
pub struct S3 {
    /// Its name.
    pub bucket: String,
    /// The service's address; `None` for Amazon's.
    pub endpoint: Option<String>,
    /// Its region.
    pub region: String,
    /// What the names of all objects begin with.
    pub prefix: Option<String>,
    /// The key's name.
    pub access_key: String,
    /// The file that holds the secret key.
    pub secret_file: PathBuf,
}

/// Who sites run as.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Isolation {
    /// [`Isolation::User`] when started by root, [`Isolation::None`] otherwise.
    Auto,
    /// Each domain has a Unix user.
    User,
    /// Everything runs as Pressroom's own user.
    None,
}

/// `[cache]`
#[derive(Debug, Clone)]
pub struct Cache {
    /// The Redis server for sites' object caches.
    pub redis: Option<Redis>,
}

/// A Redis server that sites share.
#[derive(Debug, Clone)]
pub struct Redis {
    /// `host:port`, or the path of a socket.
    pub address: String,
    /// Pressroom's own user there.
    pub user: Option<String>,
    /// The file that holds its password.
    pub password_file: Option<PathBuf>,
    /// Number of the database.
    pub database: u32,
}

/// `[health]`
#[derive(Debug, Clone)]
pub struct Health {
    /// Between two looks at a site.
    pub light: Duration,
    /// Between two closer looks.
    pub full: Duration,
    /// Between a look that failed for the first time and the second.
    pub recheck: Duration,
    /// Sites looked at at once by this process.
    pub concurrency: usize,
    /// Of those, at one address.
    pub per_host: usize,
    /// From when on a site is slow.
    pub slow_ms: u64,
    /// Who is asked what names lead to.
    pub resolver: Resolver,
}

/// Who is asked what names lead to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Resolver {
    /// The name servers of this machine.
    Machine,
    /// Nobody.
    None,
    /// This name server.
    At(SocketAddr),
}

/// `[updates]`
#[derive(Debug, Clone, Copy)]
pub struct Updates {
    /// Whether pages are compared as pictures, where there is a Chromium.
    pub pictures: bool,
}

/// `[packages]`
#[derive(Debug, Clone)]
pub struct Packages {
    /// Where fetched packages are kept.
    pub cache: PathBuf,
    /// A directory of zip files.
    pub directory: Option<PathBuf>,
    /// The operating system's WordPress.
    pub distribution: Option<PathBuf>,
    /// Base address of a server that speaks wordpress.org's API.
    pub wordpress_org: Option<String>,
}

/// `[secrets]`
#[derive(Debug, Clone)]
pub struct Secrets {
    /// The file with the key that seals stored secrets.
    pub key_file: PathBuf,
}

/// `[http]`
#[derive(Debug, Clone)]
pub struct Http {
    /// Requests at the same time.
    pub max_requests: usize,
    /// Connections at the same time.
    pub max_connections: usize,
    /// The same from one address.
    pub max_connections_per_address: usize,
    /// What a connection gets to tell a request, at first and after each answer.
    pub idle: Duration,
    /// The certificate to speak TLS with; plain HTTP, without.
    pub tls: Option<Tls>,
    /// Networks of proxies whose `X-Forwarded-For` is believed.
    pub trusted_proxies: Vec<IpNet>,
}

/// The files of a certificate.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Tls {
    /// The chain, the server's own first, PEM.
    pub certificate: PathBuf,
    /// Its key, PEM.
    pub key: PathBuf,
}

/// `[outgoing]`
#[derive(Debug, Clone)]
pub struct Outgoing {
    /// Private networks that may be asked.
    pub allow_private: Vec<IpNet>,
}

/// `[mail]`
#[derive(Debug, Clone)]
pub struct Mail {
    /// The server's host and port.
    pub smtp: String,
    /// `starttls`, `tls` or `none`.
    pub security: String,
    /// Who signs in there.
    pub user: Option<String>,
    /// The file that holds the password.
    pub password_file: PathBuf,
    /// Who mail is from.
    pub from: String,
}

/// `[console]`
#[derive(Debug, Clone)]
pub struct Console {
    /// When cookies carry `Secure`.
    pub secure_cookies: Cookies,
}

/// When the console's cookies carry `Secure`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Cookies {
    /// When the public address is HTTPS.
    Auto,
    /// Always.
    Always,
    /// Never.
    Never,
}

impl Config {
    pub(super) fn from_values(values: &Layer, data: &Path) -> Result<Self, Error> {
        let mut values = values.clone();
        // Each line keeps what was said; only these stand for something else.
        let shown = data.display().to_string();
        for (value, _) in values.values_mut() {
            if let Value::Text(text) = value
                && text.contains("{data}")
            {
                *text = text.replace("{data}", &shown);
            }
        }
        set(&mut values, "data", shown);
        let read = Reader(&values);

        let listen = read.address("listen");
        let tls = read
            .both("http.tls_certificate", "http.tls_key")?
            .map(|(certificate, key)| Tls { certificate, key });
        let scheme = if tls.is_some() { "https" } else { "http" };
        let public_url = match read.text("public_url").as_str() {
            "auto" => format!("{scheme}://{listen}"),
            said => said.to_owned(),
        };
        let config = Self {
            data: data.to_owned(),
            listen,
            database_url: Secret::new(read.text("database_url")),
            log: Log {
                format: match read.text("log.format").as_str() {
                    "json" => LogFormat::Json,
                    _ => LogFormat::Text,
                },
                filter: read.text("log.filter"),
                file: read.some("log.file").map(|_| LogFile {
                    path: read.path("log.file"),
                    rotate: match read.text("log.rotate").as_str() {
                        "hourly" => Rotate::Hourly,
                        "never" => Rotate::Never,
                        _ => Rotate::Daily,
                    },
                    keep: read.size("log.keep"),
                }),
            },
            jobs: Jobs {
                lease: Duration::from_secs(read.number("jobs.lease_s")),
                heartbeat: Duration::from_secs(read.number("jobs.heartbeat_s")),
                poll: Duration::from_millis(read.number("jobs.poll_ms")),
                workers: read.size("jobs.workers"),
                drain: Duration::from_secs(read.number("jobs.drain_s")),
            },
            hosting: Hosting {
                dir: read.path("hosting.dir"),
                sites: read.path("hosting.sites"),
                http: read.address("hosting.http"),
                php: PathBuf::from(read.text("hosting.php")),
                isolation: match read.text("hosting.isolation").as_str() {
                    "user" => Isolation::User,
                    "none" => Isolation::None,
                    _ => Isolation::Auto,
                },
                web: match read.text("hosting.web").as_str() {
                    "stack" => Web::Stack,
                    "php" => Web::Php,
                    _ => Web::Auto,
                },
                max_domains: read.size("hosting.max_domains"),
                trusted_proxies: read.networks("hosting.trusted_proxies"),
            },
            archive: Archive {
                directory: read.path("archive.directory"),
                s3: read.some("archive.s3_bucket").map(|bucket| S3 {
                    bucket,
                    endpoint: read.some("archive.s3_endpoint"),
                    region: read.text("archive.s3_region"),
                    prefix: read.some("archive.s3_prefix"),
                    access_key: read.text("archive.s3_access_key"),
                    secret_file: read.path("archive.s3_secret_file"),
                }),
                quota: Some(read.number("archive.quota_gb"))
                    .filter(|gigabytes| *gigabytes > 0)
                    .map(|gigabytes| gigabytes.saturating_mul(1_000_000_000)),
                upload_limit: read.number("archive.upload_limit_gib") << 30,
                keep_aside: Duration::from_hours(24 * read.number("archive.keep_aside_days")),
            },
            cache: Cache {
                redis: read.some("cache.redis").map(|address| Redis {
                    address,
                    user: read.some("cache.redis_user"),
                    password_file: read
                        .some("cache.redis_password_file")
                        .map(|_| read.path("cache.redis_password_file")),
                    database: u32::try_from(read.number("cache.redis_database")).unwrap_or(0),
                }),
            },
            health: Health {
                light: Duration::from_secs(read.number("health.light_s")),
                full: Duration::from_secs(read.number("health.full_s")),
                recheck: Duration::from_secs(read.number("health.recheck_s")),
                concurrency: read.size("health.concurrency"),
                per_host: read.size("health.per_host"),
                slow_ms: read.number("health.slow_ms"),
                resolver: match read.text("health.resolver").as_str() {
                    "none" => Resolver::None,
                    address => address.parse().map_or(Resolver::Machine, Resolver::At),
                },
            },
            updates: Updates {
                pictures: read.text("updates.pictures") != "off",
            },
            packages: Packages {
                cache: read.path("packages.cache"),
                directory: Some(read.text("packages.directory"))
                    .filter(|text| !text.is_empty())
                    .map(|_| read.path("packages.directory")),
                distribution: read
                    .switch("packages.distribution", "/usr/share/wordpress")
                    .map(PathBuf::from),
                wordpress_org: read.switch("packages.wordpress_org", "https://api.wordpress.org"),
            },
            secrets: Secrets {
                key_file: read.path("secrets.key_file"),
            },
            http: Http {
                max_requests: read.size("http.max_requests"),
                max_connections: read.size("http.max_connections"),
                max_connections_per_address: read.size("http.max_connections_per_address"),
                idle: Duration::from_secs(read.number("http.idle_s")),
                tls,
                trusted_proxies: read.networks("http.trusted_proxies"),
            },
            outgoing: Outgoing {
                allow_private: read.networks("outgoing.allow_private"),
            },
            mail: read.some("mail.smtp").map(|smtp| Mail {
                smtp,
                security: read.text("mail.security"),
                user: read.some("mail.user"),
                password_file: read.path("mail.password_file"),
                from: read.text("mail.from"),
            }),
            console: Console {
                secure_cookies: match read.text("console.secure_cookies").as_str() {
                    "always" => Cookies::Always,
                    "never" => Cookies::Never,
                    _ => Cookies::Auto,
                },
            },
            public_url: public_url.clone(),
            values: Layer::new(),
        };
        if config.jobs.heartbeat * 3 > config.jobs.lease {
            let refused =
                Error::new("`jobs.heartbeat_s` must be at most a third of `jobs.lease_s`")
                    .hint("one late sign of life must not cost a worker its job");
            return Err(match values.get("jobs.heartbeat_s") {
                Some((_, origin)) => refused.at(origin.clone()),
                None => refused,
            });
        }
        set(&mut values, "public_url", public_url);
        Ok(Self { values, ..config })
    }

    /// Whether the console's cookies travel over HTTPS only.
    pub fn secure_cookies(&self) -> bool {
        match self.console.secure_cookies {
            Cookies::Auto => self.public_url.starts_with("https://"),
            Cookies::Always => true,
            Cookies::Never => false,
        }
    }

    /// Whether somebody said this, or it is the default.
    pub fn is_said(&self, key: &str) -> bool {
        self.values
            .get(key)
            .is_some_and(|(_, origin)| *origin != Origin::Default)
    }

    /// The keys that do not hold what they hold in `other`.
    pub fn differences<'a>(&'a self, other: &'a Self) -> impl Iterator<Item = &'a str> {
        let said = |values: &Layer, key: &str| values.get(key).map(|(value, _)| value.clone());
        self.values
            .keys()
            .filter(move |key| said(&self.values, key) != said(&other.values, key))
            .map(String::as_str)
    }

    /// The file of a SQLite store.
    pub fn sqlite_file(&self) -> Option<PathBuf> {
        let rest = self.database_url.expose().strip_prefix("sqlite://")?;
        Some(PathBuf::from(rest.split('?').next().unwrap_or(rest)))
    }
}

fn set(values: &mut Layer, key: &str, text: String) {
    if let Some((value, _)) = values.get_mut(key) {
        *value = Value::Text(text);
    }
}

#[cfg(test)]
mod tests {
    use super::super::{KEYS, Key};

    #[test]
    fn defaults_name_every_key_once_and_in_order() {
        let found: Vec<String> = {
            let mut section = String::new();
            let mut found = Vec::new();
            for line in super::super::DEFAULTS.lines() {
                if let Some(name) = line.strip_prefix('[') {
                    name.trim_end_matches(']').clone_into(&mut section);
                } else if let Some((name, _)) = line.split_once(" = ")
                    && !line.starts_with('#')
                {
                    let dot = if section.is_empty() { "" } else { "." };
                    found.push(format!("{section}{dot}{name}"));
                }
            }
            found
        };
        assert_eq!(found, KEYS.iter().map(Key::path).collect::<Vec<_>>());
    }
}
