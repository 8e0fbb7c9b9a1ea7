//! Puts the parts together, each made from its section of the configuration.

use crate::{agent, data};
use pressroom_base::{Kind, token};
use pressroom_cli::{
    Failure,
    config::{Config, Isolation, Web},
};
use pressroom_fleet::{Fleet, Parts, Settings};
use pressroom_providers::{
    hosting::{self, HostingConfig, LocalHosting, Programs},
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
pub async fn open(config: &Config) -> Result<Wired, Failure> {
    // Before anything makes a client: there is one cryptography provider.
    tls::install();
    let keyring = data::prepare(config)?;
    let store = Store::open(config.database_url.expose(), keyring)
        .await
        .map_err(|error| {
            Failure::new(Kind::Unreachable, "the store cannot be opened").because(&error)
        })?;
    let hosting = hosting(config);
    let prober = Prober::new();
    if let Ok(address) = hosting.http_addr() {
        prober.register(address);
    }
    let php = hosting
        .php_cli()
        .unwrap_or_else(|_| config.hosting.php.clone());
    let node = node();
    let fleet = Fleet::new(Parts {
        store: store.clone(),
        hosting: hosting.clone(),
        packages: PackageCache::new(&config.packages.cache, sources(config)?),
        prober: prober.clone(),
        settings: Settings {
            sites_dir: config.hosting.sites.clone(),
            agent: agent::command(config)?,
            php: php.display().to_string(),
            request_lease: config.jobs.lease,
            node: node.clone(),
        },
    });
    Ok(Wired {
        fleet,
        store,
        hosting,
        prober,
        node,
    })
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
        trusted_proxies: config
            .hosting
            .trusted_proxies
            .iter()
            .filter_map(|network| match network.parse() {
                Ok(network) => Some(network),
                Err(_) => {
                    tracing::error!("`{network}` in `hosting.trusted_proxies` is no network");
                    None
                }
            })
            .collect(),
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

/// The machine, the process, and four digits for when both come again.
fn node() -> String {
    let machine = rustix::system::uname();
    let machine = machine.nodename().to_string_lossy().into_owned();
    format!("{machine}:{}:{}", std::process::id(), token::hex(4))
}

/// How long anything waits before it tries again what failed.
pub const AGAIN: Duration = Duration::from_secs(10);
