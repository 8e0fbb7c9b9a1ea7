//! A site as its visitors have it: asked for at its origin what it should not give.

use crate::{Error, Fleet, Result, look::origin_of};
use futures_util::future::join_all;
use pressroom_base::{Kind, token};
use pressroom_providers::{hosting::Origin, probe::Probe};
use pressroom_store::EnvironmentRow;
use pressroom_wordpress::protection::Protections;
use std::time::Duration;
use tokio::time::{Instant, sleep};
use url::Url;

/// A web server that was told of a change hands over to new processes for so long.
const HAND_OVER: Duration = Duration::from_secs(10);
const PAUSE: Duration = Duration::from_millis(250);
/// A page leads on so often at most.
const REDIRECTS: usize = 5;

/// A visitor of one site.
pub(super) struct Visitor<'a> {
    fleet: &'a Fleet,
    origin: Origin,
    /// The path of its address, without a slash at the end.
    base: String,
}

/// What counts as refused.
#[derive(Clone, Copy)]
enum Refusal {
    /// Nothing is given: refused, or not there.
    Nothing,
    /// Refused whether it is there or not. A name that nobody has is asked for, so that
    /// only a rule can refuse it.
    ByRule,
}

impl Refusal {
    fn accepts(self, probe: &Probe) -> bool {
        match self {
            Self::Nothing => matches!(probe.status, Some(403 | 404 | 410)),
            Self::ByRule => probe.status == Some(403),
        }
    }
}

impl<'a> Visitor<'a> {
    /// Somebody at the address where the site is registered to answer.
    pub(super) fn of(fleet: &'a Fleet, row: &EnvironmentRow) -> Result<Self> {
        let origin = origin_of(row).ok_or_else(|| {
            Error::new(Kind::Unreachable, "no address is registered for the site")
        })?;
        fleet.parts.prober.register(origin.addr);
        let base = Url::parse(&row.url).map_or_else(|_| String::new(), |url| url.path().to_owned());
        Ok(Self {
            fleet,
            origin,
            base: base.trim_end_matches('/').to_owned(),
        })
    }

    /// A page as PHP makes it now.
    pub(super) async fn fresh(&self, path: &str) -> Probe {
        let path = format!("{}{path}", self.base);
        let asked = self.fleet.parts.prober.probe_uncached(&self.origin, &path);
        asked.await.unwrap_or_default()
    }

    /// What is at an address that a page of the site leads to, such as where its form is
    /// sent to; asked for at the site's origin, whatever the name in it.
    pub(super) async fn led(&self, address: &str) -> Probe {
        let Some(url) = self.absolute(address) else {
            return Probe::default();
        };
        let path = match url.query() {
            Some(query) => format!("{}?{query}", url.path()),
            None => url.path().to_owned(),
        };
        let asked = self.fleet.parts.prober.probe_uncached(&self.origin, &path);
        asked.await.unwrap_or_default()
    }

    /// Where a page below the site is in the end, and what it is like there. Other servers
    /// are not asked: who is sent there has no status.
    pub(super) async fn end_of(&self, path: &str) -> (Option<Url>, Probe) {
        let mut at = self.absolute(&format!("{}{path}", self.base));
        let mut page = self.fresh(path).await;
        for _ in 0..REDIRECTS {
            let Some(location) = &page.location else {
                break;
            };
            let next = at.as_ref().and_then(|at| at.join(location).ok());
            let is_own = next.as_ref().map(Url::host_str) == at.as_ref().map(Url::host_str);
            page = match &next {
                Some(next) if is_own => self.led(next.as_str()).await,
                _ => Probe::default(),
            };
            at = next;
        }
        (at, page)
    }

    fn absolute(&self, address: &str) -> Option<Url> {
        let base = format!("http://{}{}/", self.origin.host, self.base);
        Url::parse(&base).ok()?.join(address).ok()
    }

    /// A file as it is given out.
    async fn plain(&self, path: &str) -> Probe {
        let path = format!("{}{path}", self.base);
        let asked = self.fleet.parts.prober.probe_home(&self.origin, &path);
        asked.await.unwrap_or_default()
    }

    /// What is given that file protection means to refuse, by path.
    pub(super) async fn exposed(&self, found: &Protections) -> Vec<String> {
        let nobody = format!("pressroom-{}", token::hex(12));
        let content = found.content.as_deref().unwrap_or("wp-content");
        let mut wanted = vec![
            (
                "wp-config.php".to_owned(),
                "/wp-config.php".to_owned(),
                Refusal::Nothing,
            ),
            (
                "readme.html".to_owned(),
                "/readme.html".to_owned(),
                Refusal::Nothing,
            ),
            (
                "license.txt".to_owned(),
                "/license.txt".to_owned(),
                Refusal::Nothing,
            ),
            (
                "hidden files".to_owned(),
                format!("/.{nobody}"),
                Refusal::ByRule,
            ),
            (
                format!("PHP in {content}/cache"),
                format!("/{content}/cache/{nobody}.php"),
                Refusal::ByRule,
            ),
        ];
        if let Some(uploads) = &found.uploads {
            wanted.push((
                format!("PHP in {uploads}"),
                format!("/{uploads}/{nobody}.php"),
                Refusal::ByRule,
            ));
        }
        let asked = wanted.into_iter().map(|(name, path, refusal)| async move {
            (!refusal.accepts(&self.plain(&path).await)).then_some(name)
        });
        join_all(asked).await.into_iter().flatten().collect()
    }

    /// The same once it is nothing, or after a few seconds.
    pub(super) async fn exposed_at_last(&self, found: &Protections) -> Vec<String> {
        let deadline = Instant::now() + HAND_OVER;
        loop {
            let exposed = self.exposed(found).await;
            if exposed.is_empty() || Instant::now() >= deadline {
                return exposed;
            }
            sleep(PAUSE).await;
        }
    }

    /// Whether WordPress answers at `xmlrpc.php`; a silent site may.
    pub(super) async fn has_xmlrpc(&self) -> bool {
        let answer = self.fresh("/xmlrpc.php").await;
        !matches!(answer.status, Some(401 | 403 | 404 | 410))
    }

    /// Whether a directory without a page lists its files.
    pub(super) async fn lists_directories(&self, found: &Protections) -> bool {
        let uploads = found.uploads.as_deref().unwrap_or("wp-content/uploads");
        let asked = ["wp-includes", uploads].map(|directory| format!("/{directory}/"));
        let answers = join_all(asked.iter().map(|path| self.plain(path))).await;
        answers.iter().any(|answer| {
            let title = answer.title.as_deref().unwrap_or_default();
            answer.status == Some(200) && title.trim_start().starts_with("Index of")
        })
    }

    /// Whether visitors get a 404 at the login page's own address.
    pub(super) async fn misses_login_page(&self) -> bool {
        self.fresh("/wp-login.php").await.status == Some(404)
    }
}
