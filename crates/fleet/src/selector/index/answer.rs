//! Whom a selector finds.

use super::{
    super::{
        Bound, Expr, Selector, Term, TextField, Truth, VersionField,
        facts::{fold, fold_domain},
        matches::{age, is_in_series, updates},
    },
    bits::Truths,
    environments::{Entry, Index, Key},
    interner::Text,
};
use pressroom_base::{
    Timestamp,
    id::{AccountId, EnvironmentId},
};
use pressroom_phpdata::version::Version;
use pressroom_store::Scope;
use std::collections::HashSet;

/// What a selector found.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Answer {
    /// Those for which it holds, by domain, then directory.
    pub(crate) found: Vec<EnvironmentId>,
    /// How many others there are of which too little is known to tell.
    pub(crate) undecided: usize,
    /// Tags that are asked for and that nobody within the scope has.
    pub(crate) unknown_tags: Vec<String>,
}

impl Index {
    /// The environments within a scope for which a selector holds at an instant.
    pub(crate) fn answer(&self, selector: &Selector, scope: &Scope, now: Timestamp) -> Answer {
        let truths = self.of_expr(selector.expr(), now);
        let seen = Seen::by(scope);
        let mut answer = Answer::default();
        for at in self.sorted.iter().map(|at| *at as usize) {
            // Most are not found: whose they are is asked of the others alone.
            let truth = truths.at(at);
            if truth == Truth::No {
                continue;
            }
            let Some(entry) = self.entries.get(at).and_then(Option::as_ref) else {
                continue;
            };
            if !seen.allows(entry) {
                continue;
            }
            match truth {
                Truth::Yes => answer.found.push(entry.place.id),
                Truth::Unknown => answer.undecided += 1,
                Truth::No => {}
            }
        }
        answer.unknown_tags = selector.tags();
        answer
            .unknown_tags
            .retain(|tag| !self.is_tag_of(tag, &seen));
        answer
    }

    /// About how many looks at an environment an answer takes.
    pub(crate) fn cost(&self, selector: &Selector) -> usize {
        selector.terms() * self.entries.len()
    }

    fn is_tag_of(&self, tag: &str, seen: &Seen) -> bool {
        let Some(name) = self.names.find(tag) else {
            return false;
        };
        let mut holders = self.holders(Key::Name(TextField::Tag, name)).iter();
        holders.any(|holder| {
            let entry = self.entries.get(holder.at as usize);
            entry
                .and_then(Option::as_ref)
                .is_some_and(|entry| seen.allows(entry))
        })
    }

    fn of_expr(&self, expr: &Expr, now: Timestamp) -> Truths {
        match expr {
            Expr::All => self.everywhere(Truth::Yes),
            Expr::Term(term) => self.of_term(term, now),
            Expr::Not(inner) => self.of_expr(inner, now).negated(),
            Expr::Or(parts) => {
                let mut sum = self.everywhere(Truth::No);
                for part in parts {
                    sum.or(&self.of_expr(part, now));
                }
                sum
            }
            Expr::And(parts) => {
                let mut sum = self.everywhere(Truth::Yes);
                for part in parts {
                    sum.and(&self.of_expr(part, now));
                    if sum.is_nowhere() {
                        break;
                    }
                }
                sum
            }
        }
    }

    fn of_term(&self, term: &Term, now: Timestamp) -> Truths {
        match term {
            Term::Text { field, value } => {
                let folded = match field {
                    TextField::Domain => fold_domain(value),
                    TextField::Account | TextField::Site | TextField::Host | TextField::Tag => {
                        fold(value)
                    }
                };
                self.of_name(&folded, |name| Key::Name(*field, name), |_| Truth::Yes)
            }
            Term::Component { kind, slug, bound } => {
                let mut at_version = self.at_version(bound.as_ref());
                let key = |slug| Key::Component(*kind, slug);
                let mut found = self.of_name(&fold(slug), key, &mut at_version);
                let unseen = |entry: &Entry| Truth::of(!entry.is_seen);
                found.or(&self.unknown_where(unseen));
                found
            }
            Term::Version { field, bound } => {
                self.of_software(*field, self.at_version(Some(bound)))
            }
            Term::Series { field, version } => {
                let in_series = |text: &str, _: &Version| is_in_series(text, version);
                self.of_software(*field, self.judged(in_series))
            }
            Term::Kind(kind) => self.where_(|entry| Truth::of(entry.kind == *kind)),
            Term::Status(standing) => {
                self.where_(|entry| standing.holds(entry.state, entry.health))
            }
            Term::Updates { comparison, count } => self.where_(|entry| {
                let (newer, unknown) = entry.offers;
                if entry.is_seen {
                    updates(newer, unknown, *comparison, *count)
                } else {
                    Truth::Unknown
                }
            }),
            Term::Snapshot {
                comparison,
                age: of,
            } => self.where_(|entry| age(entry.snapshot, *comparison, *of, now)),
        }
    }

    fn everywhere(&self, truth: Truth) -> Truths {
        Truths::all(truth, self.entries.len())
    }

    /// Looks at everybody.
    fn where_(&self, is: impl Fn(&Entry) -> Truth) -> Truths {
        Truths::of(
            self.entries
                .iter()
                .map(|entry| entry.as_ref().map_or(Truth::No, &is)),
        )
    }

    fn unknown_where(&self, is: impl Fn(&Entry) -> Truth) -> Truths {
        self.where_(|entry| match is(entry) {
            Truth::Yes => Truth::Unknown,
            Truth::Unknown | Truth::No => Truth::No,
        })
    }

    /// Looks at those who hold a key of this name; a name that nobody holds is not known.
    fn of_name(
        &self,
        name: &str,
        key: impl Fn(Text) -> Key,
        is: impl FnMut(Option<Text>) -> Truth,
    ) -> Truths {
        match self.names.find(name) {
            Some(name) => self.of_holders(key(name), is),
            None => self.everywhere(Truth::No),
        }
    }

    fn of_software(&self, field: VersionField, is: impl FnMut(Option<Text>) -> Truth) -> Truths {
        self.of_holders(Key::Software(field), is)
    }

    fn of_holders(&self, key: Key, mut is: impl FnMut(Option<Text>) -> Truth) -> Truths {
        let mut found = self.everywhere(Truth::No);
        for holder in self.holders(key) {
            found.raise(holder.at as usize, is(holder.version));
        }
        found
    }

    fn at_version<'a>(
        &'a self,
        bound: Option<&'a Bound>,
    ) -> impl FnMut(Option<Text>) -> Truth + use<'a> {
        let to = bound.map(|bound| (bound.comparison, Version::new(&bound.version)));
        let mut judged = self.judged(move |_, version| {
            to.as_ref()
                .is_none_or(|(comparison, to)| comparison.holds(version.compare(to)))
        });
        move |version| match bound {
            None => Truth::Yes,
            Some(_) => judged(version),
        }
    }

    /// Judges each version once, however many hold it.
    fn judged<'a>(
        &'a self,
        is: impl Fn(&str, &Version) -> bool + 'a,
    ) -> impl FnMut(Option<Text>) -> Truth + 'a {
        let mut known: Vec<Option<Truth>> = vec![None; self.versions.end()];
        move |version| {
            let Some(id) = version else {
                return Truth::Unknown;
            };
            let Some(known) = known.get_mut(id.number()) else {
                return Truth::Unknown;
            };
            *known.get_or_insert_with(|| match self.versions.get(id) {
                None => Truth::Unknown,
                Some((text, version)) => Truth::of(is(text, version)),
            })
        }
    }
}

/// Whose environments may be seen.
enum Seen {
    All,
    Of(HashSet<AccountId>),
}

impl Seen {
    fn by(scope: &Scope) -> Self {
        match scope {
            Scope::All => Self::All,
            Scope::Accounts(own) => Self::Of(own.iter().copied().collect()),
        }
    }

    fn allows(&self, entry: &Entry) -> bool {
        match self {
            Self::All => true,
            Self::Of(own) => own.contains(&entry.place.account),
        }
    }
}
