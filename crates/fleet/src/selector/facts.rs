//! What is known of one environment, as far as selectors ask.

use super::ComponentKind;
use pressroom_base::Timestamp;
use pressroom_store::{
    AccountRow, ComponentVersion, DomainRow, EnvironmentKind, EnvironmentRow, EnvironmentState,
    HostRow, SiteRow, SiteStatus, TagRow,
};
use url::{Host, Url};

/// The host that is this machine.
const LOCAL: &str = "local";

/// What is known of one environment. Names are folded as [`Facts::of`] does.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Facts {
    /// What it is for.
    pub kind: EnvironmentKind,
    /// Where it stands.
    pub state: EnvironmentState,
    /// How the site was last seen to be, of the environment that visitors see.
    pub health: Option<SiteStatus>,
    /// The account's name.
    pub accounts: Vec<String>,
    /// Its domain and the host name of its address.
    pub domains: Vec<String>,
    /// The site's name and the environment's id.
    pub sites: Vec<String>,
    /// Its host's label and address; `local` for this machine.
    pub hosts: Vec<String>,
    /// What people call it by.
    pub tags: Vec<String>,
    /// WordPress' version, once it was seen.
    pub core: Option<String>,
    /// PHP's version, once it was seen.
    pub php: Option<String>,
    /// Plugins and themes, once they were seen.
    pub components: Option<Vec<ComponentFacts>>,
    /// When the newest complete snapshot was asked for; `None` when there is none.
    pub snapshot: Option<Timestamp>,
}

/// What is known of a plugin or theme.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ComponentFacts {
    /// Which it is.
    pub kind: ComponentKind,
    /// Its directory, folded.
    pub slug: String,
    /// Its version, if it tells one.
    pub version: Option<String>,
    /// Whether a newer one is on offer.
    pub offer: Offer,
}

/// Whether a newer version is on offer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[expect(missing_docs, reason = "the names say it")]
pub enum Offer {
    Newer,
    None,
    Unknown,
}

/// The rows that tell of one environment.
#[derive(Debug, Clone, Copy)]
pub struct Rows<'a> {
    /// The environment.
    pub environment: &'a EnvironmentRow,
    /// Whose it is.
    pub account: &'a AccountRow,
    /// The site it belongs to.
    pub site: &'a SiteRow,
    /// Its domain, on this machine.
    pub domain: Option<&'a DomainRow>,
    /// Its host, elsewhere.
    pub host: Option<&'a HostRow>,
    /// Its components.
    pub components: &'a [ComponentVersion],
    /// Its tags.
    pub tags: &'a [TagRow],
    /// When the newest snapshot that is ready and complete was asked for.
    pub snapshot: Option<Timestamp>,
}

impl Facts {
    /// Reads them from the store's rows.
    pub fn of(rows: Rows<'_>) -> Self {
        let environment = rows.environment;
        let address = Url::parse(&environment.url).ok();
        let address = address.as_ref().and_then(Url::host_str);
        let own = rows.domain.map(|domain| domain.name.as_str());
        let mut domains: Vec<_> = own.into_iter().chain(address).map(fold_domain).collect();
        domains.dedup();
        Self {
            kind: environment.kind,
            state: environment.state,
            health: (environment.kind == EnvironmentKind::Production).then_some(rows.site.status),
            accounts: vec![fold(&rows.account.name)],
            domains,
            sites: vec![fold(&rows.site.name), fold(&environment.panel_id)],
            hosts: match (rows.host, environment.host_id) {
                (Some(host), _) => vec![fold(&host.label), fold(&host.address)],
                (None, None) => vec![LOCAL.to_owned()],
                // It is elsewhere, and its host is not the reader's to know.
                (None, Some(_)) => Vec::new(),
            },
            tags: rows.tags.iter().map(|row| fold(&row.tag)).collect(),
            core: seen(&environment.core_version),
            php: seen(&environment.php_version),
            components: environment
                .inspected_at
                .map(|_| rows.components.iter().filter_map(component).collect()),
            snapshot: rows.snapshot,
        }
    }
}

fn component(row: &ComponentVersion) -> Option<ComponentFacts> {
    Some(ComponentFacts {
        kind: match row.kind.as_str() {
            "plugin" => ComponentKind::Plugin,
            "theme" => ComponentKind::Theme,
            _ => return None,
        },
        slug: fold(&row.slug),
        version: seen(&row.version),
        offer: match (&row.new_version, &row.offer_unknown) {
            (Some(_), _) => Offer::Newer,
            (None, Some(_)) => Offer::Unknown,
            (None, None) => Offer::None,
        },
    })
}

/// The store keeps what was not seen as an empty text.
fn seen(text: &str) -> Option<String> {
    (!text.is_empty()).then(|| text.to_owned())
}

/// A name as it is compared: case is nothing.
pub(super) fn fold(name: &str) -> String {
    name.trim().to_lowercase()
}

/// A domain's name as it is compared: in letters of its own script or in ASCII.
pub(super) fn fold_domain(name: &str) -> String {
    let name = name.trim().trim_end_matches('.');
    Host::parse(name).map_or_else(|_| fold(name), |host| host.to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_domain_has_one_form() {
        for (written, folded) in [
            ("Example.ORG.", "example.org"),
            ("müller.example", "xn--mller-kva.example"),
            ("xn--mller-kva.example", "xn--mller-kva.example"),
            ("192.0.2.1", "192.0.2.1"),
            (" No Host ", "no host"),
        ] {
            assert_eq!(fold_domain(written), folded);
        }
    }
}
