//! Looking at a site as its visitors do, at the address where it is registered to
//! answer, past any page cache.

use crate::{Fleet, Result};
use pressroom_providers::{
    hosting::Origin,
    probe::{self, Probe},
};
use pressroom_store::EnvironmentRow;
use std::time::Duration;
use tokio::time::{Instant, sleep};

/// How long a new site may take until it answers.
const HAND_OVER: Duration = Duration::from_secs(10);
/// Between two looks at it.
const PAUSE: Duration = Duration::from_millis(250);

/// What was seen of a site.
#[derive(Debug, Clone)]
pub(crate) struct Look {
    pub(crate) status: u16,
    trouble: Option<String>,
}

impl Look {
    /// Why a visitor would call the site broken; `None` when it lives.
    pub(crate) fn trouble(&self) -> Option<String> {
        self.trouble.clone()
    }
}

impl Fleet {
    /// Looks at a new site by its domain and address, until it answers or patience
    /// ends: a web server that has just been told of a site hands it over to new
    /// processes, and for a moment an old one may still answer.
    pub(crate) async fn look_until_alive(&self, domain: &str, url: &str) -> Result<Look> {
        let origin = self.parts.hosting.origin(domain)?;
        let deadline = Instant::now() + HAND_OVER;
        loop {
            let look = self.look_from(&origin, url).await;
            if look.trouble.is_none() || Instant::now() >= deadline {
                return Ok(look);
            }
            sleep(PAUSE).await;
        }
    }

    /// Looks at a recorded environment.
    pub(crate) async fn look_at(&self, row: &EnvironmentRow) -> Look {
        let registered = row
            .origin_addr
            .as_deref()
            .and_then(|addr| addr.parse().ok())
            .zip(row.origin_host.clone());
        let Some((addr, host)) = registered else {
            return Look {
                status: 0,
                trouble: Some("no address is registered for it".into()),
            };
        };
        self.look_from(&Origin { addr, host }, &row.url).await
    }

    /// Two looks: the front page past caches, and the login page, which no page cache
    /// serves and which needs WordPress whole.
    async fn look_from(&self, origin: &Origin, url: &str) -> Look {
        self.parts.prober.register(origin.addr);
        let base =
            url::Url::parse(url).map_or_else(|_| "/".to_owned(), |url| url.path().to_owned());
        let base = base.trim_end_matches('/');
        let mut status = 0;
        for (what, path) in [
            ("the front page", format!("{base}/")),
            ("the login page", format!("{base}/wp-login.php")),
        ] {
            let probe = self.parts.prober.probe_uncached(origin, &path).await;
            let trouble = trouble(what, &probe);
            if status == 0 {
                status = probe
                    .as_ref()
                    .ok()
                    .and_then(|probe| probe.status)
                    .unwrap_or(0);
            }
            if trouble.is_some() {
                return Look { status, trouble };
            }
        }
        Look {
            status,
            trouble: None,
        }
    }
}

fn trouble(what: &str, probe: &std::result::Result<Probe, probe::Error>) -> Option<String> {
    match probe {
        Err(error) => Some(format!("{what} could not be looked at: {error}")),
        Ok(probe) if probe.is_healthy() => None,
        Ok(probe) => Some(format!("{what}: {}", probe.summary())),
    }
}
