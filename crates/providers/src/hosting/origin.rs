//! Where a site is reached without DNS.

use super::{
    LocalHosting, Result, names, php_server,
    stack::{self, Serving},
};
use serde::{Deserialize, Serialize};
use std::net::SocketAddr;

/// Where an environment is reached without DNS.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Origin {
    /// Address and port of the web server.
    pub addr: SocketAddr,
    /// The `Host` header: the domain, with its port unless that is 80.
    pub host: String,
    /// Whether it is asked over TLS. What we serve ourselves never is: that is done before
    /// us.
    #[serde(default)]
    pub tls: bool,
}

impl Origin {
    /// `http` or `https`.
    pub const fn scheme(&self) -> &'static str {
        if self.tls { "https" } else { "http" }
    }

    /// The address a visitor would type, without a trailing slash.
    pub fn url(&self) -> String {
        format!("{}://{}", self.scheme(), self.host)
    }
}

impl LocalHosting {
    /// Where `domain` is served from, whatever DNS says. In development mode each
    /// domain has a port of its own, which is set aside for it when first asked for.
    pub fn origin(&self, domain: &str) -> Result<Origin> {
        let domain = names::domain(domain)?;
        let addr = match self.serving()? {
            Serving::Stack => self.http_addr()?,
            Serving::Php => php_server::reserve(self, domain)?,
        };
        let host = match addr.port() {
            80 => domain.to_owned(),
            port => format!("{domain}:{port}"),
        };
        Ok(Origin {
            addr,
            host,
            tls: false,
        })
    }

    /// Where nginx listens: the configured address, or the one chosen by `up` because
    /// that was taken.
    pub fn http_addr(&self) -> Result<SocketAddr> {
        stack::remembered_address(self)
    }
}
