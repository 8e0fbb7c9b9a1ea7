//! What a domain is to be served as.

use crate::hosting::{Error, HostingConfig, Isolation, Result, SiteUser, names};
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use std::{ops::RangeInclusive, path::PathBuf};

/// A domain as it should be served. All sites below one domain share it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct WebSite {
    /// The name visitors type, lower case.
    pub domain: String,
    /// Further names of the same site.
    #[serde(default)]
    pub aliases: Vec<String>,
    /// The domain's home.
    pub home: PathBuf,
    /// What is served, relative to the home; usually `public_html`.
    pub document_root: String,
    /// Directories below the document root that hold a WordPress of their own, e.g.
    /// `blog`; their pretty addresses go to their own `index.php`.
    #[serde(default)]
    pub subdirectories: Vec<String>,
    /// Those of its WordPress that hold several sites.
    #[serde(default)]
    pub networks: Vec<Network>,
    /// Directories, the document root's being empty, whose WordPress is protected beyond
    /// what every site is.
    #[serde(default)]
    pub protected: Vec<String>,
    /// Whom PHP runs as; `None` without isolation.
    pub user: Option<SiteUser>,
    /// What its PHP may use.
    #[serde(default)]
    pub limits: PoolLimits,
    /// With these the site is served over HTTPS, and over HTTP only to say so.
    #[serde(default)]
    pub tls: Option<TlsFiles>,
    /// Whether requests are logged, without their queries.
    #[serde(default)]
    pub access_log: bool,
}

/// What one domain's PHP may use.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct PoolLimits {
    /// Requests at the same time, 1 to 200. More wait.
    pub max_children: u32,
    /// An idle process ends after this long, 1 to 3600 s.
    pub idle_timeout_s: u32,
    /// A process ends after this many requests, 0 (never) to 100,000.
    pub max_requests: u32,
    /// A request is killed after this long, 5 to 86,400 s.
    pub request_timeout_s: u32,
    /// PHP's `memory_limit`, 32 to 16,384 MiB. Sites cannot raise it.
    pub memory_mb: u32,
    /// The largest file to upload, 1 to 8,192 MiB. A whole request may be 8 MiB more.
    pub upload_mb: u32,
    /// Files and connections a process may have open, 64 to 65,536.
    pub open_files: u32,
    /// PHP functions that do not exist for this site. By default those that start
    /// programs: `open_basedir` does not hold for what they start.
    pub disabled_functions: Vec<String>,
}

impl Default for PoolLimits {
    fn default() -> Self {
        Self {
            max_children: 5,
            idle_timeout_s: 30,
            max_requests: 500,
            request_timeout_s: 300,
            memory_mb: 256,
            upload_mb: 64,
            open_files: 1024,
            disabled_functions: [
                "exec",
                "passthru",
                "pcntl_exec",
                "popen",
                "proc_open",
                "shell_exec",
                "system",
            ]
            .map(str::to_owned)
            .to_vec(),
        }
    }
}

impl PoolLimits {
    /// The largest request in MiB; the form's other fields and boundaries have room.
    pub(in crate::hosting) fn request_mb(&self) -> u32 {
        self.upload_mb + 8
    }

    fn check(&self) -> Result<()> {
        let within = |name: &str, value: u32, range: RangeInclusive<u32>| {
            if range.contains(&value) {
                return Ok(());
            }
            Err(Error::BadSite(format!(
                "`{name}` is {value}, it must be {} to {}",
                range.start(),
                range.end()
            )))
        };
        within("max_children", self.max_children, 1..=200)?;
        within("idle_timeout_s", self.idle_timeout_s, 1..=3600)?;
        within("max_requests", self.max_requests, 0..=100_000)?;
        within("request_timeout_s", self.request_timeout_s, 5..=86_400)?;
        within("memory_mb", self.memory_mb, 32..=16_384)?;
        within("upload_mb", self.upload_mb, 1..=8192)?;
        within("open_files", self.open_files, 64..=65_536)?;
        for function in &self.disabled_functions {
            let plain = (1..=64).contains(&function.len())
                && function
                    .bytes()
                    .all(|byte| byte.is_ascii_alphanumeric() || byte == b'_');
            if !plain {
                return Err(Error::BadName {
                    what: "PHP function",
                    name: function.escape_default().take(80).collect(),
                });
            }
        }
        Ok(())
    }
}

/// A certificate for a domain and its aliases.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct TlsFiles {
    /// The certificate with its chain, PEM.
    pub certificate: PathBuf,
    /// Its private key, PEM.
    pub key: PathBuf,
}

/// A WordPress that holds several sites.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Network {
    /// Its directory below the document root; empty for the document root itself.
    pub directory: String,
    /// Whether its sites are told apart by names below the domain (`second.a.example`)
    /// and not by directories (`a.example/second/`).
    #[serde(default)]
    pub subdomains: bool,
    /// Whether uploads have addresses that begin with `files/` and that WordPress
    /// answers itself, as in networks from before WordPress 3.5.
    #[serde(default)]
    pub files: bool,
}

impl WebSite {
    /// A domain that serves `public_html` of its home.
    pub fn new(
        domain: impl Into<String>,
        home: impl Into<PathBuf>,
        user: Option<SiteUser>,
    ) -> Self {
        Self {
            domain: domain.into(),
            aliases: Vec::new(),
            home: home.into(),
            document_root: "public_html".into(),
            subdirectories: Vec::new(),
            networks: Vec::new(),
            protected: Vec::new(),
            user,
            limits: PoolLimits::default(),
            tls: None,
            access_log: false,
        }
    }

    /// Names the pool's socket: short, whatever the domain.
    pub(in crate::hosting) fn key(&self) -> String {
        hex::encode(&Sha256::digest(&self.domain)[..6])
    }

    /// The directory that is served.
    pub(in crate::hosting) fn root(&self) -> PathBuf {
        if self.document_root.is_empty() {
            return self.home.clone();
        }
        self.home.join(&self.document_root)
    }

    /// All names of the site.
    pub(in crate::hosting) fn names(&self) -> impl Iterator<Item = &str> {
        std::iter::once(self.domain.as_str()).chain(self.aliases.iter().map(String::as_str))
    }

    /// Refuses what must not reach a configuration file.
    pub(in crate::hosting) fn check(&self, config: &HostingConfig) -> Result<()> {
        names::domain(&self.domain)?;
        for alias in &self.aliases {
            names::domain(alias)?;
        }
        names::absolute_path(&self.home)?;
        names::relative_path(&self.document_root)?;
        for directory in &self.subdirectories {
            names::relative_path(directory)?;
            if directory.is_empty() {
                return Err(Error::BadName {
                    what: "path below a home",
                    name: String::new(),
                });
            }
        }
        for network in &self.networks {
            names::relative_path(&network.directory)?;
        }
        for directory in &self.protected {
            names::relative_path(directory)?;
        }
        if let Some(user) = &self.user {
            names::unix_user(&user.name)?;
        }
        self.limits.check()?;
        if let Some(tls) = &self.tls {
            names::absolute_path(&tls.certificate)?;
            names::absolute_path(&tls.key)?;
            if config.https_addr.is_none() {
                return Err(Error::BadSite(
                    "a certificate needs an address for HTTPS, configure one".into(),
                ));
            }
        }
        match (config.isolation, &self.user) {
            (Isolation::UnixUsers, Some(_)) | (Isolation::None, None) => Ok(()),
            _ => Err(Error::Isolation),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_cannot_be_served_is_refused_in_words() {
        let config = HostingConfig {
            isolation: Isolation::None,
            ..HostingConfig::new("/h", "/s")
        };
        let site = WebSite::new("a.example", "/s/a.example", None);
        site.check(&config).unwrap();
        let mut bad = site.clone();
        bad.limits.max_children = 0;
        assert_eq!(
            bad.check(&config).unwrap_err().to_string(),
            "`max_children` is 0, it must be 1 to 200"
        );
        bad = site.clone();
        bad.limits.disabled_functions = vec!["exec\nuser = root".into()];
        assert!(bad.check(&config).is_err());
        bad = site.clone();
        bad.tls = Some(TlsFiles {
            certificate: "/etc/c.pem".into(),
            key: "/etc/k.pem".into(),
        });
        assert!(
            bad.check(&config)
                .unwrap_err()
                .to_string()
                .contains("HTTPS")
        );
        let with_https = HostingConfig {
            https_addr: Some(([127, 0, 0, 1], 8443).into()),
            ..config.clone()
        };
        bad.check(&with_https).unwrap();
        bad.tls = Some(TlsFiles {
            certificate: "/etc/c.pem; return 200".into(),
            key: "/etc/k.pem".into(),
        });
        assert!(bad.check(&with_https).is_err());
    }

    #[test]
    fn a_description_of_an_earlier_version_is_understood() {
        let site: WebSite = serde_json::from_str(
            r#"{"domain":"a.example","home":"/s/a","document_root":"public_html","user":null,"limits":{"memory_mb":512}}"#,
        )
        .unwrap();
        assert_eq!(site.limits.memory_mb, 512);
        assert_eq!(site.limits.max_children, 5);
    }
}
