//! A site's pages: as its visitors get them, and as WordPress makes them now.

use super::target::Target;
use crate::Fleet;
use pressroom_providers::{
    lookout::Refused,
    probe::{Probe, Prober},
};
use std::net::SocketAddr;
use url::Url;

/// Asks for them.
pub(super) struct Pages<'a> {
    pub(super) fleet: &'a Fleet,
    pub(super) target: &'a Target,
}

/// What a page answered, or why it could not be asked for.
pub(super) type Answer = Result<Probe, Unasked>;

/// Why a page could not be asked for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Unasked {
    /// Its visitors get nothing either.
    Nowhere(String),
    /// They may well get it: nothing is known.
    Unknown(String),
}

impl Pages<'_> {
    /// The front page as visitors get it, from whatever cache.
    ///
    /// Where a site's web server listens on an address that nobody outside reaches, and
    /// its name does not lead there, those who see it see it there: so do we.
    pub(super) async fn served(&self) -> Answer {
        let page = self.target.page("/");
        let refused = match self.fleet.parts.lookout.visitor.visit(&page).await {
            Ok(visit) => return Ok(visit.probe),
            Err(refused) => refused,
        };
        match (&self.target.origin, self.target.inner_address()) {
            (Some(origin), Some(_)) => {
                let probe = self.prober().probe_home(origin, &path_of(&page)).await;
                probe.map_err(|error| Unasked::Unknown(error.to_string()))
            }
            _ => Err(unasked(&refused)),
        }
    }

    /// A page as it is made now, where the site is registered to answer, otherwise where
    /// its name leads.
    pub(super) async fn made(&self, path: &str) -> Answer {
        let page = self.target.page(path);
        if let Some(origin) = &self.target.origin {
            let probe = self.prober().probe_uncached(origin, &path_of(&page)).await;
            return probe.map_err(|error| Unasked::Unknown(error.to_string()));
        }
        let visit = self.fleet.parts.lookout.visitor.visit_uncached(&page).await;
        visit
            .map(|visit| visit.probe)
            .map_err(|refused| unasked(&refused))
    }

    /// The address whose certificate visitors are shown.
    pub(super) async fn address(&self) -> Result<SocketAddr, Unasked> {
        let found = self
            .fleet
            .parts
            .lookout
            .visitor
            .address(&self.target.url)
            .await;
        let origin = self.target.origin.as_ref();
        match (found, origin, self.target.inner_address()) {
            (Ok(addr), _, _) => Ok(addr),
            (Err(_), Some(origin), Some(addr)) if origin.tls => Ok(addr),
            (Err(_), _, Some(_)) => Err(Unasked::Unknown(
                "whatever ends TLS for the site is out of sight".to_owned(),
            )),
            (Err(refused), _, None) => Err(unasked(&refused)),
        }
    }

    fn prober(&self) -> &Prober {
        &self.fleet.parts.prober
    }
}

fn unasked(refused: &Refused) -> Unasked {
    let why = refused.to_string();
    match refused {
        Refused::Unresolved(_) => Unasked::Nowhere(why),
        Refused::Scheme(_) | Refused::Private(_) => Unasked::Unknown(why),
    }
}

fn path_of(page: &Url) -> String {
    match page.query() {
        Some(query) => format!("{}?{query}", page.path()),
        None => page.path().to_owned(),
    }
}
