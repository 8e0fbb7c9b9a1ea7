//! Looking at a site as its visitors do, at the address where it is registered to
//! answer, past any page cache.

use crate::{Fleet, Result};
use pressroom_providers::{
    hosting::Origin,
    probe::{self, Probe},
};
use pressroom_store::EnvironmentRow;
use serde::{Deserialize, Serialize};
use std::time::Duration;
use tokio::time::{Instant, sleep};

/// How long a new site may take until it answers.
const HAND_OVER: Duration = Duration::from_secs(10);
/// Between two looks at it.
const PAUSE: Duration = Duration::from_millis(250);

/// What was seen of a site: one entry per page looked at.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub(crate) struct Look {
    pages: Vec<Seen>,
}

/// One page as it answered.
#[derive(Debug, Clone, Serialize, Deserialize)]
struct Seen {
    /// What a person calls it.
    page: String,
    status: u16,
    /// Where it sends its visitor.
    location: Option<String>,
    /// Whether the page was written to its end.
    complete: bool,
    /// Content of `<title>`.
    #[serde(default)]
    title: Option<String>,
    trouble: Option<String>,
}

impl Look {
    /// Why a visitor would call the site broken; `None` when it lives.
    pub(crate) fn trouble(&self) -> Option<String> {
        self.pages.iter().find_map(|seen| seen.trouble.clone())
    }

    /// The front page's status, 0 when it did not answer.
    pub(crate) fn status(&self) -> u16 {
        self.pages.first().map_or(0, |seen| seen.status)
    }

    /// The first page that sends its visitors to an address that begins so.
    pub(crate) fn leads_to(&self, is_there: impl Fn(&str) -> bool) -> Option<String> {
        let seen = self
            .pages
            .iter()
            .find(|seen| seen.location.as_deref().is_some_and(&is_there))?;
        let location = seen.location.as_deref().unwrap_or_default();
        Some(format!("{} sends its visitors to `{location}`", seen.page))
    }

    /// What is broken, or plainly worse than it was: a page that now sends its visitors
    /// elsewhere, or that ends in the middle, as PHP does when it dies after the first
    /// output.
    pub(crate) fn worse_than(&self, before: &Self) -> Option<String> {
        self.trouble().or_else(|| {
            self.pages.iter().find_map(|now| {
                let then = before.pages.iter().find(|then| then.page == now.page)?;
                now.worse_than(then)
            })
        })
    }

    /// How the front page differs from that of a site which it should equal; a redirect
    /// is not compared.
    pub(crate) fn shows_another_page(&self, other: &Self) -> Option<String> {
        let (now, then) = self.pages.first().zip(other.pages.first())?;
        if now.location.is_some() || then.location.is_some() {
            return None;
        }
        if now.status != then.status {
            return Some(format!(
                "{} answers with status {} and not {}",
                now.page, now.status, then.status
            ));
        }
        (now.title != then.title).then(|| {
            format!(
                "the title of {} is `{}` and not `{}`",
                now.page,
                now.title.as_deref().unwrap_or_default(),
                then.title.as_deref().unwrap_or_default()
            )
        })
    }

    fn broken(page: &str, trouble: String) -> Self {
        Self {
            pages: vec![Seen {
                page: page.to_owned(),
                status: 0,
                location: None,
                complete: false,
                title: None,
                trouble: Some(trouble),
            }],
        }
    }
}

impl Seen {
    fn of(page: &str, rule: Rule, probe: &std::result::Result<Probe, probe::Error>) -> Self {
        let (status, location, complete, trouble) = match probe {
            Err(error) => (
                0,
                None,
                false,
                Some(format!("could not be looked at: {error}")),
            ),
            Ok(probe) => (
                probe.status.unwrap_or(0),
                probe.location.clone(),
                probe.complete,
                (!rule.accepts(probe)).then(|| probe.summary()),
            ),
        };
        let title = probe.as_ref().ok().and_then(|probe| probe.title.clone());
        Self {
            page: page.to_owned(),
            status,
            location,
            complete,
            title,
            trouble: trouble.map(|trouble| format!("{page}: {trouble}")),
        }
    }

    fn worse_than(&self, then: &Self) -> Option<String> {
        if then.location.is_none()
            && let Some(location) = &self.location
        {
            return Some(format!(
                "{} sends its visitors to `{location}` now",
                self.page
            ));
        }
        if then.complete && !self.complete && self.location.is_none() {
            return Some(format!("{} ends in the middle", self.page));
        }
        None
    }
}

/// What counts as an answer of a page.
#[derive(Clone, Copy)]
enum Rule {
    /// A page, or a redirect.
    Page,
    /// The same, or the 404 of a site that has it at another address.
    Login,
    /// Any answer but a server error: this one refuses a visitor who asks for nothing.
    Endpoint,
}

impl Rule {
    fn accepts(self, probe: &Probe) -> bool {
        match self {
            Self::Page => probe.is_healthy(),
            Self::Login => {
                probe.is_healthy() || (probe.status == Some(404) && probe.fatal.is_none())
            }
            Self::Endpoint => {
                probe.status.is_some_and(|status| status < 500) && probe.fatal.is_none()
            }
        }
    }
}

/// Where a recorded environment is registered to answer.
pub(crate) fn origin_of(row: &EnvironmentRow) -> Option<Origin> {
    let addr = row.origin_addr.as_deref()?.parse().ok()?;
    let host = row.origin_host.clone()?;
    Some(Origin {
        addr,
        host,
        tls: row.origin_tls,
    })
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
            if look.trouble().is_none() || Instant::now() >= deadline {
                return Ok(look);
            }
            sleep(PAUSE).await;
        }
    }

    /// Whether an address still answers as a site does; a web server that hands over
    /// is given its time.
    pub(crate) async fn still_serves(&self, domain: &str, url: &str) -> Result<bool> {
        let origin = self.parts.hosting.origin(domain)?;
        let deadline = Instant::now() + HAND_OVER;
        loop {
            let look = self.look_from(&origin, url).await;
            if look.trouble().is_some() || Instant::now() >= deadline {
                return Ok(look.trouble().is_none());
            }
            sleep(PAUSE).await;
        }
    }

    /// Looks at a recorded environment.
    pub(crate) async fn look_at(&self, row: &EnvironmentRow) -> Look {
        let Some(origin) = origin_of(row) else {
            return Look::broken("the site", "no address is registered for it".into());
        };
        self.look_from(&origin, &row.url).await
    }

    /// Three looks: the front page past caches; the login page, which no page cache
    /// serves; and an entrance to wp-admin that needs no sign-in but loads what loads
    /// there only.
    pub(crate) async fn look_from(&self, origin: &Origin, url: &str) -> Look {
        self.parts.prober.register(origin.addr);
        let base =
            url::Url::parse(url).map_or_else(|_| "/".to_owned(), |url| url.path().to_owned());
        let base = base.trim_end_matches('/');
        let mut look = Look::default();
        for (page, path, rule) in [
            ("the front page", "/", Rule::Page),
            ("the login page", "/wp-login.php", Rule::Login),
            ("wp-admin", "/wp-admin/admin-ajax.php", Rule::Endpoint),
        ] {
            let path = format!("{base}{path}");
            let probe = self.parts.prober.probe_uncached(origin, &path).await;
            let seen = Seen::of(page, rule, &probe);
            let is_broken = seen.trouble.is_some();
            look.pages.push(seen);
            if is_broken {
                break;
            }
        }
        look
    }
}
