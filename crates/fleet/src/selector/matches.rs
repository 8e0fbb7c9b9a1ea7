//! Holding a selector against facts.
//!
//! What is not known is neither true nor false, and stays so when it is negated: a site
//! whose PHP nobody has seen is found neither by `php<8.1` nor by `-php<8.1`.

use super::{
    Age, Bound, Comparison, ComponentFacts, ComponentKind, Expr, Facts, Offer, Selector, Standing,
    Term, TextField, VersionField,
    facts::{fold, fold_domain},
};
use pressroom_base::Timestamp;
use pressroom_phpdata::version;
use pressroom_store::{EnvironmentState, SiteStatus};
use std::cmp::Ordering;

/// Whether something holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[expect(missing_docs, reason = "the names say it")]
pub enum Truth {
    No,
    Unknown,
    Yes,
}

impl Truth {
    /// Whether it is known to hold: who acts on a site wants to be sure.
    pub const fn is_yes(self) -> bool {
        matches!(self, Self::Yes)
    }

    pub(super) const fn of(known: bool) -> Self {
        if known { Self::Yes } else { Self::No }
    }

    const fn negated(self) -> Self {
        match self {
            Self::No => Self::Yes,
            Self::Unknown => Self::Unknown,
            Self::Yes => Self::No,
        }
    }

    /// Whether any holds; `No` for none.
    fn any(each: impl IntoIterator<Item = Self>) -> Self {
        let mut sum = Self::No;
        for one in each {
            match one {
                Self::Yes => return Self::Yes,
                Self::Unknown => sum = Self::Unknown,
                Self::No => {}
            }
        }
        sum
    }
}

impl Selector {
    /// Whether the selector holds for an environment at an instant.
    pub fn matches(&self, facts: &Facts, now: Timestamp) -> Truth {
        self.expr().matches(facts, now)
    }
}

impl Expr {
    /// Whether this part holds.
    pub fn matches(&self, facts: &Facts, now: Timestamp) -> Truth {
        let each = |part: &Self| part.matches(facts, now);
        match self {
            Self::All => Truth::Yes,
            Self::Term(term) => term.matches(facts, now),
            Self::Not(inner) => each(inner).negated(),
            Self::Or(parts) => Truth::any(parts.iter().map(each)),
            // All hold unless any does not.
            Self::And(parts) => Truth::any(parts.iter().map(|part| each(part).negated())).negated(),
        }
    }
}

impl Standing {
    /// Whether that is so. An environment that visitors do not see is nothing to them.
    pub(super) fn holds(self, state: EnvironmentState, health: Option<SiteStatus>) -> Truth {
        match (self, health) {
            (Self::State(wanted), _) => Truth::of(state == wanted),
            (Self::Health(wanted), health) => Truth::of(health == Some(wanted)),
            (Self::Down, health) => {
                Truth::of(state == EnvironmentState::Broken || health == Some(SiteStatus::Down))
            }
        }
    }
}

impl Term {
    /// Whether this condition holds.
    pub fn matches(&self, facts: &Facts, now: Timestamp) -> Truth {
        match self {
            Self::Text { field, value } => Truth::of(has_name(facts, *field, value)),
            Self::Kind(kind) => Truth::of(facts.kind == *kind),
            Self::Status(standing) => standing.holds(facts.state, facts.health),
            Self::Series { field, version } => match seen_version(facts, *field) {
                None => Truth::Unknown,
                Some(seen) => Truth::of(is_in_series(seen, version)),
            },
            Self::Version { field, bound } => at_version(seen_version(facts, *field), bound),
            Self::Component { kind, slug, bound } => match &facts.components {
                None => Truth::Unknown,
                Some(components) => has_component(components, *kind, slug, bound.as_ref()),
            },
            Self::Updates { comparison, count } => match &facts.components {
                None => Truth::Unknown,
                Some(components) => {
                    let counted = |offer| components.iter().filter(|it| it.offer == offer).count();
                    let (newer, unknown) = (counted(Offer::Newer), counted(Offer::Unknown));
                    updates(newer, unknown, *comparison, *count)
                }
            },
            Self::Snapshot {
                comparison,
                age: of,
            } => age(facts.snapshot, *comparison, *of, now),
        }
    }
}

fn has_name(facts: &Facts, field: TextField, value: &str) -> bool {
    let (names, wanted) = match field {
        TextField::Account => (&facts.accounts, fold(value)),
        TextField::Domain => (&facts.domains, fold_domain(value)),
        TextField::Site => (&facts.sites, fold(value)),
        TextField::Host => (&facts.hosts, fold(value)),
        TextField::Tag => (&facts.tags, fold(value)),
    };
    names.contains(&wanted)
}

fn seen_version(facts: &Facts, field: VersionField) -> Option<&str> {
    match field {
        VersionField::Core => facts.core.as_deref(),
        VersionField::Php => facts.php.as_deref(),
    }
}

/// 8.1 and 8.1.27 are of 8.1; 8.10 is not.
pub(super) fn is_in_series(seen: &str, series: &str) -> bool {
    seen.strip_prefix(series)
        .is_some_and(|rest| rest.is_empty() || rest.starts_with('.'))
}

fn at_version(seen: Option<&str>, bound: &Bound) -> Truth {
    match seen {
        None => Truth::Unknown,
        Some(seen) => {
            let order = version::compare(seen, &bound.version);
            Truth::of(bound.comparison.holds(order))
        }
    }
}

fn has_component(
    components: &[ComponentFacts],
    kind: ComponentKind,
    slug: &str,
    bound: Option<&Bound>,
) -> Truth {
    let slug = fold(slug);
    let there = components
        .iter()
        .filter(|component| component.kind == kind && component.slug == slug);
    Truth::any(there.map(|component| match bound {
        None => Truth::Yes,
        Some(bound) => at_version(component.version.as_deref(), bound),
    }))
}

/// How the age of what was taken then, if ever, stands to another.
pub(super) fn age(
    taken: Option<Timestamp>,
    comparison: Comparison,
    age: Age,
    now: Timestamp,
) -> Truth {
    // What never was is older than anything.
    let order = taken.map_or(Ordering::Greater, |taken| {
        now.millis()
            .saturating_sub(taken.millis())
            .cmp(&age.millis())
    });
    Truth::of(comparison.holds(order))
}

/// How many have an offer; some offers may be unknown, so the number lies between two.
pub(super) fn updates(newer: usize, unknown: usize, comparison: Comparison, count: u32) -> Truth {
    let least = newer;
    let most = least + unknown;
    let count = usize::try_from(count).unwrap_or(usize::MAX);
    let at_least = comparison.holds(least.cmp(&count));
    let at_most = comparison.holds(most.cmp(&count));
    let strictly_between = least < count && count < most;
    if at_least == at_most && !strictly_between {
        Truth::of(at_least)
    } else {
        Truth::Unknown
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use pressroom_store::EnvironmentKind;

    const DAY: i64 = 24 * 60 * 60 * 1000;
    const NOW: Timestamp = Timestamp::from_millis(100 * DAY);

    fn component(kind: ComponentKind, slug: &str, version: &str, offer: Offer) -> ComponentFacts {
        ComponentFacts {
            kind,
            slug: slug.to_owned(),
            version: (!version.is_empty()).then(|| version.to_owned()),
            offer,
        }
    }

    fn shop() -> Facts {
        use ComponentKind::{Plugin, Theme};
        Facts {
            kind: EnvironmentKind::Production,
            state: EnvironmentState::Broken,
            health: Some(SiteStatus::Healthy),
            accounts: vec!["müller & söhne".to_owned()],
            domains: vec!["xn--mller-kva.example".to_owned()],
            sites: vec!["shop".to_owned(), "wp_2f68a0b13".to_owned()],
            hosts: vec!["web1".to_owned(), "192.0.2.1".to_owned()],
            tags: vec!["shop".to_owned(), "größe.l".to_owned()],
            core: Some("6.5-RC3".to_owned()),
            php: Some("8.1.27".to_owned()),
            components: Some(vec![
                component(Plugin, "woocommerce", "9.3.10", Offer::Newer),
                component(Plugin, "mystery", "", Offer::Unknown),
                component(Theme, "storefront", "4.0", Offer::None),
            ]),
            snapshot: Some(NOW.minus(std::time::Duration::from_hours(24))),
        }
    }

    fn unseen() -> Facts {
        Facts {
            core: None,
            php: None,
            components: None,
            snapshot: None,
            ..shop()
        }
    }

    #[track_caller]
    fn check(facts: &Facts, expected: Truth, selectors: &[&str]) {
        for text in selectors {
            let selector: Selector = text.parse().expect("it is one");
            assert_eq!(selector.matches(facts, NOW), expected, "{text}");
            let negated: Selector = format!("-({text})").parse().expect("it is one");
            assert_eq!(negated.matches(facts, NOW), expected.negated(), "-({text})");
        }
    }

    #[test]
    fn what_is_known_is_found() {
        let found = [
            "all",
            "env:production",
            "status:down",
            "status:broken",
            "status:healthy -status:degraded",
            "account:\"MÜLLER & Söhne\"",
            "domain:Müller.example.",
            "domain:xn--mller-kva.example",
            "site:SHOP",
            "site:wp_2f68a0b13",
            "host:web1 host:192.0.2.1",
            "host!=local",
            "tag:Shop tag:\"shop\" tag:GRÖßE.L -tag:blog tag!=blog",
            "wp<6.5 wp>=6.4 wp=6.5rc3",
            "php:8.1 php:8 php:8.1.27 php>8.1 php!=8.1",
            "plugin:woocommerce plugin:WooCommerce<9.4 plugin:woocommerce>9.3.9",
            "plugin:woocommerce!=9.4",
            "plugin:mystery",
            "theme:storefront=4.0",
            "updates>0 updates>=1 updates<=2 updates<3 updates!=3",
            "snapshot>=24h snapshot<=1d snapshot>1439m snapshot<25h",
            "env:clone OR site:shop",
        ];
        check(&shop(), Truth::Yes, &found);
    }

    #[test]
    fn what_is_otherwise_is_not() {
        let otherwise = [
            "env:staging",
            "status:active",
            "status:disconnected",
            "account:müller",
            "domain:example",
            "host:local",
            "tag:sho OR tag!=shop",
            "wp>=6.5",
            "wp:6.5",
            "php:8.10 OR php:8.1.2 OR php=8.1 OR php<8.1",
            "plugin:woocommerce>=9.4",
            "plugin:storefront",
            "plugin:akismet OR plugin:akismet<1 OR plugin:akismet!=1",
            "theme:woocommerce",
            "updates=0 OR updates>2 OR updates=3",
            "snapshot>24h OR snapshot<1d",
        ];
        check(&shop(), Truth::No, &otherwise);
    }

    #[test]
    fn what_is_not_known_is_neither() {
        let open = ["plugin:mystery<2", "updates=1", "updates!=2", "updates>1"];
        check(&shop(), Truth::Unknown, &open);
        let open = [
            "php<8.1",
            "php:8",
            "wp!=6.5",
            "plugin:akismet",
            "updates>=0",
            "php<8.1 env:production",
            "php<8.1 OR env:clone",
        ];
        check(&unseen(), Truth::Unknown, &open);
        check(&unseen(), Truth::Yes, &["php<8.1 OR env:production"]);
        check(&unseen(), Truth::No, &["php<8.1 env:clone"]);
    }

    #[test]
    fn what_has_no_snapshot_has_waited_for_ever() {
        check(&unseen(), Truth::Yes, &["snapshot>24h snapshot>=9999d"]);
        check(&unseen(), Truth::No, &["snapshot<9999d OR snapshot<=1m"]);
    }

    #[test]
    fn a_snapshot_of_the_future_is_young() {
        let ahead = Facts {
            snapshot: Some(NOW.plus(std::time::Duration::from_hours(1))),
            ..shop()
        };
        check(&ahead, Truth::Yes, &["snapshot<1m"]);
    }

    #[test]
    fn half_of_many_offers_may_be_unknown() {
        let offers = [Offer::Newer, Offer::Unknown, Offer::Unknown, Offer::Unknown];
        let components = offers
            .map(|offer| component(ComponentKind::Plugin, "x", "1", offer))
            .to_vec();
        let facts = Facts {
            components: Some(components),
            ..shop()
        };
        check(
            &facts,
            Truth::Unknown,
            &["updates=2", "updates=4", "updates>3", "updates<4"],
        );
        check(&facts, Truth::Yes, &["updates<5", "updates>0"]);
        check(&facts, Truth::No, &["updates=5", "updates<1"]);
    }
}
