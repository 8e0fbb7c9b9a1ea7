//! At which address a site is that was there before, and where it answers.

use super::site::AdoptSite;
use crate::{
    Error, Fleet, Result,
    look::Look,
    sites::address::{parse, text},
};
use pressroom_base::Kind;
use pressroom_providers::{address::is_private, hosting::Origin};
use pressroom_store::HostRow;
use pressroom_wordpress::inventory::Survey;
use std::{
    net::{IpAddr, Ipv4Addr, SocketAddr},
    time::Duration,
};
use tokio::{net::lookup_host, time::timeout};
use url::{Host, Url};

/// How long a name server may take.
const PATIENCE: Duration = Duration::from_secs(5);

/// The address to record: the one that was given, or what the site calls itself. Where
/// both are known their hosts must be one, for a site that thinks it is elsewhere sends
/// its visitors there.
pub(super) fn url_of(new: &AdoptSite, survey: &Survey) -> Result<Url> {
    let itself = calls_itself(survey);
    let given = match (&new.url, &itself) {
        (Some(given), _) => given,
        (None, Some(itself)) => itself,
        (None, None) => {
            let why = survey.trouble.as_deref().unwrap_or("its tables do not say");
            return Err(
                Error::invalid(format!("the site's address is unknown: {why}"))
                    .with_hint("give it with `--url`"),
            );
        }
    };
    let url = checked(given)?;
    if let Some(itself) = itself.as_deref().filter(|_| new.url.is_some())
        && let Ok(itself) = checked(itself)
        && itself.host() != url.host()
    {
        return Err(Error::conflict(format!(
            "the site calls itself `{}`, and not {given}",
            text(&itself)
        ))
        .with_hint(
            "give the address that it has now; `pressroom site search-replace` changes it",
        ));
    }
    Ok(url)
}

/// What a site calls itself, if it says so.
pub(in crate::sites) fn calls_itself(survey: &Survey) -> Option<String> {
    survey
        .inspection
        .settings
        .wp_home
        .value()
        .map(str::to_owned)
        .or_else(|| survey.facts.as_ref()?.options.get("home").cloned())
}

fn checked(given: &str) -> Result<Url> {
    parse(given).ok_or_else(|| {
        Error::invalid(format!(
            "`{}` is no address of a site",
            given.escape_debug()
        ))
        .with_hint("one looks like https://shop.example or https://shop.example/blog")
    })
}

impl Fleet {
    /// Where the site answers, and what was seen there. Without an address that was
    /// given, its machine is asked first and then whatever its name stands for; the first
    /// place at which it lives is taken, or else the first one.
    pub(in crate::sites) async fn origin_to_adopt(
        &self,
        new: &AdoptSite,
        host: Option<&HostRow>,
        url: &Url,
    ) -> Result<(Origin, Look)> {
        let places = match &new.origin {
            Some(given) => vec![given_origin(given, url)?],
            None => self.likely_origins(host, url).await,
        };
        let mut first = None;
        for origin in places {
            let look = self.look_from(&origin, &text(url)).await;
            if look.trouble().is_none() {
                return Ok((origin, look));
            }
            first.get_or_insert((origin, look));
        }
        first.ok_or_else(|| {
            Error::new(
                Kind::Unreachable,
                format!("nobody knows at which address `{}` is asked", text(url)),
            )
            .with_hint(
                "name the web server's own address with `--origin`, such as http://192.0.2.7:80",
            )
        })
    }

    async fn likely_origins(&self, host: Option<&HostRow>, url: &Url) -> Vec<Origin> {
        let Some(port) = url.port_or_known_default() else {
            return Vec::new();
        };
        let mut addresses = match host {
            None => vec![IpAddr::from(Ipv4Addr::LOCALHOST)],
            // Behind another host its address is that host's to know.
            Some(host) if host.jump_id.is_some() => Vec::new(),
            Some(host) => resolve(&host.address, port).await,
        };
        // A site may call itself anything: a name leads to the outside alone.
        let named = match url.host() {
            Some(Host::Domain(name)) => resolve(name, port).await,
            Some(Host::Ipv4(address)) => vec![address.into()],
            Some(Host::Ipv6(address)) => vec![address.into()],
            None => Vec::new(),
        };
        addresses.extend(named.into_iter().filter(|address| !is_private(*address)));
        let mut seen = Vec::new();
        addresses.retain(|address| {
            !seen.contains(address) && {
                seen.push(*address);
                true
            }
        });
        addresses
            .into_iter()
            .map(|address| Origin {
                addr: SocketAddr::new(address, port),
                host: authority(url),
                tls: url.scheme() == "https",
            })
            .collect()
    }
}

/// What was given: `http://ADDRESS:PORT`, `https://ADDRESS:PORT`, or without a scheme that
/// of the site.
fn given_origin(given: &str, url: &Url) -> Result<Origin> {
    let refused = || {
        Error::invalid(format!(
            "`{}` is no web server's address",
            given.escape_debug()
        ))
        .with_hint("one looks like http://192.0.2.7:8080")
    };
    let (scheme, rest) = given.split_once("://").unwrap_or((url.scheme(), given));
    let (tls, port) = match scheme {
        "http" => (false, 80),
        "https" => (true, 443),
        _ => return Err(refused()),
    };
    let rest = rest.trim_end_matches('/');
    let addr = match rest.parse::<SocketAddr>() {
        Ok(addr) => addr,
        Err(_) => SocketAddr::new(
            rest.trim_matches(['[', ']'])
                .parse()
                .map_err(|_| refused())?,
            port,
        ),
    };
    Ok(Origin {
        addr,
        host: authority(url),
        tls,
    })
}

/// The `Host` header: the name, with its port unless that is the scheme's own.
pub(in crate::sites) fn authority(url: &Url) -> String {
    let name = url.host_str().unwrap_or_default();
    match url.port() {
        None => name.to_owned(),
        Some(port) => format!("{name}:{port}"),
    }
}

async fn resolve(name: &str, port: u16) -> Vec<IpAddr> {
    let name = name.trim_matches(['[', ']']);
    match timeout(PATIENCE, lookup_host((name, port))).await {
        Ok(Ok(found)) => found.map(|address| address.ip()).collect(),
        Ok(Err(_)) | Err(_) => Vec::new(),
    }
}

#[cfg(test)]
mod tests {
    use super::{authority, checked, given_origin};

    #[test]
    fn a_web_server_is_an_address() {
        let url = checked("https://shop.example:8443/blog").expect("an address");
        assert_eq!(authority(&url), "shop.example:8443");
        for (given, addr, tls) in [
            ("http://192.0.2.7", "192.0.2.7:80", false),
            ("192.0.2.7", "192.0.2.7:443", true),
            ("https://[2001:db8::1]:8443/", "[2001:db8::1]:8443", true),
            ("https://[2001:db8::1]", "[2001:db8::1]:443", true),
        ] {
            let origin = given_origin(given, &url).expect(given);
            assert_eq!((origin.addr.to_string().as_str(), origin.tls), (addr, tls));
            assert_eq!(origin.host, "shop.example:8443");
        }
        for bad in [
            "shop.example",
            "ftp://192.0.2.7",
            "http://192.0.2.7:99999",
            "",
        ] {
            assert!(given_origin(bad, &url).is_err(), "{bad}");
        }
    }
}
