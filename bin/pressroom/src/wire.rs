//! Puts the parts together, each made from its section of the configuration.

use crate::{agent, data, opened::open_store};
use pressroom_archive::{Archive, Objects, S3Config};
use pressroom_base::{Secret, token};
use pressroom_cli::{
    Failure,
    config::{Config, Isolation, Mail, Resolver, Web},
};
use pressroom_fleet::{
    Fleet, Parts, Selecting, Settings,
    caches::RedisSettings,
    health::HealthSettings,
    hosts::{Hosts, Limits},
    mail::{Security, Server, Smtp},
    webhooks::{Post, Rules},
};
use pressroom_providers::{
    address::Allowed,
    hosting::{self, HostingConfig, LocalHosting, Programs},
    lookout::{Lookout, NameServer},
    packages::{PackageCache, PackageSource},
    probe::Prober,
    tls,
};
use pressroom_store::Store;
use std::{path::Path, time::Duration};

/// What a process is made of.
pub struct Wired {
    /// Every use case.
    pub fleet: Fleet,
    /// What is kept; for the runner, which claims jobs in it.
    pub store: Store,
    /// The stack; started by whoever runs jobs.
    pub hosting: LocalHosting,
    /// Told where sites may be asked, once the stack has an address.
    pub prober: Prober,
    /// Names this process among those that share the store.
    pub node: String,
}

/// Opens everything that is there already; starts nothing.
pub async fn open(config: &Config, selecting: Selecting) -> Result<Wired, Failure> {
    // Before anything makes a client: there is one cryptography provider.
    tls::install();
    let keyring = data::prepare(config)?;
    let store = open_store(config, keyring).await?;
    store.keep_keys_in(&config.secrets.key_file);
    let hosting = hosting(config);
    let prober = Prober::new();
    if let Ok(address) = hosting.http_addr() {
        prober.register(address);
    }
    let php = hosting
        .php_cli()
        .unwrap_or_else(|_| config.hosting.php.clone());
    let node = node();
    let mut fleet = Fleet::new(Parts {
        store: store.clone(),
        hosting: hosting.clone(),
        archive: archive(config)?,
        packages: PackageCache::new(&config.packages.cache, sources(config)?),
        lookout: Lookout::new(&prober, names(config), allowed(config)),
        prober: prober.clone(),
        ssh: Hosts::new(Limits::default()),
        settings: Settings {
            sites_dir: config.hosting.sites.clone(),
            agent: agent::command(config)?,
            php: php.display().to_string(),
            request_lease: config.jobs.lease,
            snapshot_quota: config.archive.quota,
            upload_limit: config.archive.upload_limit,
            keep_aside: config.archive.keep_aside,
            public_url: config.public_url.clone(),
            allowed: allowed(config),
            redis: redis(config)?,
            node: node.clone(),
            selecting,
            pictures: config.updates.pictures,
            health: HealthSettings {
                light: config.health.light,
                full: config.health.full,
                recheck: config.health.recheck,
                concurrency: config.health.concurrency,
                per_host: config.health.per_host,
                slow_ms: config.health.slow_ms,
            },
        },
    })
    .with_post(post(config));
    if let Some(mail) = &config.mail {
        fleet = fleet.with_mail(smtp(mail, &config.public_url)?);
    }
    Ok(Wired {
        fleet,
        store,
        hosting,
        prober,
        node,
    })
}

/// Private networks that may be asked.
fn allowed(config: &Config) -> Allowed {
    Allowed::from(config.outgoing.allow_private.clone())
}

/// The server that takes mail.
fn smtp(mail: &Mail, public_url: &str) -> Result<Smtp, Failure> {
    let Some((host, port)) = mail.smtp.rsplit_once(':') else {
        return Err(Failure::usage("`mail.smtp` must be a host and a port")
            .with_hint("such as `smtp.example.com:587`"));
    };
    let login = match &mail.user {
        None => None,
        Some(user) => {
            let password = std::fs::read_to_string(&mail.password_file)
                .map_err(|error| Failure::local("`mail.password_file` cannot be read", &error))?;
            Some((user.clone(), Secret::new(password.trim().to_owned())))
        }
    };
    let name = public_url.parse::<url::Url>().ok();
    let name = name.and_then(|url| url.host_str().map(str::to_owned));
    let server = Server {
        host: host.trim_matches(['[', ']']).to_owned(),
        port: port.parse().unwrap_or(25),
        security: match mail.security.as_str() {
            "tls" => Security::Tls,
            "none" => Security::None,
            _ => Security::StartTls,
        },
        login,
        from: mail.from.clone(),
        name: name.unwrap_or_else(|| "localhost".to_owned()),
    };
    Smtp::new(&server).map_err(|error| Failure::usage("`[mail]` makes no sense").because(&error))
}

/// How webhooks are written and sent.
fn post(config: &Config) -> Post {
    let rules = Rules {
        allow: config.outgoing.allow_private.clone(),
        ..Rules::default()
    };
    Post::new(pressroom_dialect_wporchestrix::webhooks::compose, rules)
}

/// The Redis server that sites share, as its operator.
fn redis(config: &Config) -> Result<Option<RedisSettings>, Failure> {
    let Some(redis) = &config.cache.redis else {
        return Ok(None);
    };
    let password = match &redis.password_file {
        None => None,
        Some(file) => Some(std::fs::read_to_string(file).map_err(|error| {
            Failure::local("`cache.redis_password_file` cannot be read", &error)
        })?),
    };
    Ok(Some(RedisSettings {
        address: redis.address.clone(),
        user: redis.user.clone(),
        password: password.map(|text| text.trim().to_owned()),
        database: redis.database,
        ..RedisSettings::default()
    }))
}

/// Where snapshots are kept.
fn archive(config: &Config) -> Result<Archive, Failure> {
    let failed = |error: pressroom_archive::Error| {
        Failure::new(error.kind(), "the archive cannot be opened").because(&error)
    };
    let objects = match &config.archive.s3 {
        None => Objects::directory(&config.archive.directory).map_err(failed)?,
        Some(s3) => {
            let secret = std::fs::read_to_string(&s3.secret_file).map_err(|error| {
                Failure::local("`archive.s3_secret_file` cannot be read", &error)
            })?;
            let endpoint = s3.endpoint.clone().unwrap_or_default();
            Objects::s3(S3Config {
                allow_http: endpoint.starts_with("http://"),
                endpoint: s3.endpoint.clone(),
                region: s3.region.clone(),
                prefix: s3.prefix.clone(),
                access_key: s3.access_key.clone(),
                secret: Secret::new(secret.trim().to_owned()),
                ..S3Config::new(endpoint, &s3.bucket)
            })
            .map_err(failed)?
        }
    };
    Ok(Archive::new(objects))
}

/// This machine's stack, as configured.
pub fn hosting(config: &Config) -> LocalHosting {
    let named = config.hosting.php != Path::new("php");
    LocalHosting::new(HostingConfig {
        http_addr: config.hosting.http,
        isolation: match config.hosting.isolation {
            Isolation::Auto => hosting::Isolation::detect(),
            Isolation::User => hosting::Isolation::UnixUsers,
            Isolation::None => hosting::Isolation::None,
        },
        web: match config.hosting.web {
            Web::Auto => hosting::WebChoice::Auto,
            Web::Stack => hosting::WebChoice::Stack,
            Web::Php => hosting::WebChoice::Php,
        },
        max_domains: config.hosting.max_domains,
        trusted_proxies: config.hosting.trusted_proxies.clone(),
        programs: Programs {
            php: named.then(|| config.hosting.php.clone()),
            ..Programs::default()
        },
        ..HostingConfig::new(&config.hosting.dir, &config.hosting.sites)
    })
}

/// Sources in the order they are asked: what lies at hand first.
fn sources(config: &Config) -> Result<Vec<PackageSource>, Failure> {
    let packages = &config.packages;
    let mut sources = Vec::new();
    sources.extend(packages.directory.clone().map(PackageSource::Directory));
    if let Some(base) = &packages.wordpress_org {
        let base_url = base.parse().map_err(|error| {
            Failure::usage(format!("`packages.wordpress_org` is no address: `{base}`"))
                .because(&error)
        })?;
        sources.push(PackageSource::WordPressOrg { base_url });
    }
    sources.extend(
        packages
            .distribution
            .clone()
            .filter(|path| path.is_dir())
            .map(PackageSource::DistributionWordPress),
    );
    Ok(sources)
}

/// Who is asked what names lead to.
fn names(config: &Config) -> NameServer {
    match config.health.resolver {
        Resolver::Machine => NameServer::Machine,
        Resolver::None => NameServer::None,
        Resolver::At(address) => NameServer::At(address),
    }
}

/// The machine, the process, and four digits for when both come again.
fn node() -> String {
    let machine = rustix::system::uname();
    let machine = machine.nodename().to_string_lossy().into_owned();
    format!("{machine}:{}:{}", std::process::id(), token::hex(4))
}

/// How long anything waits before it tries again what failed.
pub const AGAIN: Duration = Duration::from_secs(10);
