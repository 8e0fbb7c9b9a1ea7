//! Who is in the index, and who holds what.

use super::{
    super::{ComponentKind, Facts, Offer, TextField, VersionField},
    interner::{Interner, Text},
};
use pressroom_base::{
    Timestamp,
    id::{AccountId, DomainId, EnvironmentId, HostId, SiteId},
};
use pressroom_phpdata::version::Version;
use pressroom_store::{Changed, EnvironmentKind, EnvironmentState, SiteStatus};
use std::collections::HashMap;

/// Which environment it is, whose, and what it refers to.
#[derive(Debug, Clone)]
pub(crate) struct Place {
    /// The environment.
    pub(crate) id: EnvironmentId,
    /// Whose it is.
    pub(crate) account: AccountId,
    /// The site it belongs to.
    pub(crate) site: SiteId,
    /// Its domain.
    pub(crate) domain: Option<DomainId>,
    /// Its machine.
    pub(crate) host: Option<HostId>,
    /// The domain's name, or the address' host name, and the directory: what lists are
    /// sorted by.
    pub(crate) order: (Box<str>, Box<str>),
}

/// What can be held.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(super) enum Key {
    /// One of its names, folded.
    Name(TextField, Text),
    /// A component.
    Component(ComponentKind, Text),
    /// What everybody has at some version.
    Software(VersionField),
}

/// A key and the version at which it is held, where one is known.
type Held = (Key, Option<Text>);

/// One who holds a key.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Holder {
    /// Its place in [`Index::entries`].
    pub(super) at: u32,
    /// The version at which it holds it.
    pub(super) version: Option<Text>,
}

/// One environment.
#[derive(Debug)]
pub(super) struct Entry {
    pub(super) place: Place,
    pub(super) kind: EnvironmentKind,
    pub(super) state: EnvironmentState,
    pub(super) health: Option<SiteStatus>,
    /// Whether its components were ever seen.
    pub(super) is_seen: bool,
    /// How many components have a newer version on offer, and of how many nobody knows.
    pub(super) offers: (usize, usize),
    pub(super) snapshot: Option<Timestamp>,
    /// Sorted, each once.
    held: Box<[Held]>,
}

/// All environments.
#[derive(Debug, Default)]
pub(crate) struct Index {
    pub(super) entries: Vec<Option<Entry>>,
    free: Vec<u32>,
    by_id: HashMap<EnvironmentId, u32>,
    /// Everybody, as lists are sorted.
    pub(super) sorted: Vec<u32>,
    pub(super) names: Interner<()>,
    pub(super) versions: Interner<Version>,
    /// Sorted by place.
    holders: HashMap<Key, Vec<Holder>>,
}

impl Index {
    /// Adds an environment, or brings it up to date.
    pub(crate) fn put(&mut self, place: Place, facts: &Facts) {
        let held = self.hold(facts);
        let at = self.seat(&place);
        let entry = Entry {
            kind: facts.kind,
            state: facts.state,
            health: facts.health,
            is_seen: facts.components.is_some(),
            offers: offers(facts),
            snapshot: facts.snapshot,
            held,
            place,
        };
        self.exchange(at, Some(entry));
    }

    /// Forgets an environment, if it was there.
    pub(crate) fn remove(&mut self, id: EnvironmentId) {
        if let Some(at) = self.by_id.remove(&id) {
            self.unsort(at);
            self.exchange(at, None);
            self.free.push(at);
        }
    }

    /// Those of which something is to be read again.
    pub(crate) fn concerned(&self, changed: Changed) -> Vec<EnvironmentId> {
        let such = |which: &dyn Fn(&Place) -> bool| {
            let places = self.entries.iter().flatten().map(|entry| &entry.place);
            places
                .filter(|place| which(place))
                .map(|place| place.id)
                .collect()
        };
        match changed {
            // It may be new.
            Changed::Environment(id) => vec![id],
            Changed::Site(id) => such(&|place| place.site == id),
            Changed::Account(id) => such(&|place| place.account == id),
            Changed::Domain(id) => such(&|place| place.domain == Some(id)),
            Changed::Host(id) => such(&|place| place.host == Some(id)),
        }
    }

    /// How many environments there are.
    pub(crate) fn len(&self) -> usize {
        self.by_id.len()
    }

    /// Bytes of memory, about.
    pub(crate) fn bytes(&self) -> usize {
        let entries: usize = self.entries.iter().flatten().map(Entry::bytes).sum();
        let holders: usize = self
            .holders
            .values()
            .map(|list| list.capacity() * size_of::<Holder>())
            .sum();
        self.entries.capacity() * size_of::<Option<Entry>>()
            + entries
            + holders
            + self.holders.capacity() * (size_of::<(Key, Vec<Holder>)>() + 1)
            + self.by_id.capacity() * (size_of::<(EnvironmentId, u32)>() + 1)
            + (self.sorted.capacity() + self.free.capacity()) * size_of::<u32>()
            + self.names.bytes()
            + self.versions.bytes()
    }

    /// Who holds a key, by place.
    pub(super) fn holders(&self, key: Key) -> &[Holder] {
        self.holders.get(&key).map_or(&[], Vec::as_slice)
    }

    /// The place of an environment that is there or is given one now.
    fn seat(&mut self, place: &Place) -> u32 {
        let known = self.by_id.get(&place.id).copied();
        if let Some(at) = known {
            let old = self.entries.get(at as usize).and_then(Option::as_ref);
            if old.is_some_and(|old| old.place.order == place.order) {
                return at;
            }
            self.unsort(at);
        }
        let at = known.or_else(|| self.free.pop()).unwrap_or_else(|| {
            self.entries.push(None);
            u32::try_from(self.entries.len() - 1).expect("there are fewer environments")
        });
        let before = |other: &u32| {
            let other = self.entries.get(*other as usize).and_then(Option::as_ref);
            other.is_some_and(|other| other.place.key() < place.key())
        };
        let here = self.sorted.partition_point(before);
        self.sorted.insert(here, at);
        self.by_id.insert(place.id, at);
        at
    }

    fn unsort(&mut self, at: u32) {
        self.sorted.retain(|other| *other != at);
    }

    /// Holds everything that facts name.
    fn hold(&mut self, facts: &Facts) -> Box<[Held]> {
        let mut held = Vec::new();
        for (field, names) in [
            (TextField::Account, &facts.accounts),
            (TextField::Domain, &facts.domains),
            (TextField::Site, &facts.sites),
            (TextField::Host, &facts.hosts),
            (TextField::Tag, &facts.tags),
        ] {
            for name in names {
                held.push((Key::Name(field, self.names.hold(name, |_| ())), None));
            }
        }
        for (field, version) in [
            (VersionField::Core, &facts.core),
            (VersionField::Php, &facts.php),
        ] {
            let version = version.as_ref().map(|text| self.version(text));
            held.push((Key::Software(field), version));
        }
        for component in facts.components.iter().flatten() {
            let slug = self.names.hold(&component.slug, |_| ());
            let version = component.version.as_ref().map(|text| self.version(text));
            held.push((Key::Component(component.kind, slug), version));
        }
        held.sort_unstable();
        held.dedup_by(|again, first| {
            let same = again == first;
            if same {
                self.let_go(*again);
            }
            same
        });
        held.into_boxed_slice()
    }

    fn version(&mut self, text: &str) -> Text {
        self.versions.hold(text, Version::new)
    }

    fn let_go(&mut self, (key, version): Held) {
        match key {
            Key::Name(_, text) | Key::Component(_, text) => self.names.let_go(text),
            Key::Software(_) => {}
        }
        if let Some(version) = version {
            self.versions.let_go(version);
        }
    }

    /// Puts an entry in place of another and tells the lists of holders what differs:
    /// of many components one has changed, mostly.
    fn exchange(&mut self, at: u32, new: Option<Entry>) {
        let Some(seat) = self.entries.get_mut(at as usize) else {
            return;
        };
        let old = std::mem::replace(seat, new);
        let old = old.map(|entry| entry.held).unwrap_or_default();
        let seat = self.entries.get(at as usize).and_then(Option::as_ref);
        let new: &[Held] = seat.map_or(&[], |entry| &entry.held);
        for (key, version) in missing(&old, new) {
            if let Some(list) = self.holders.get_mut(&key) {
                if let Ok(here) = list.binary_search(&Holder { at, version }) {
                    list.remove(here);
                }
                if list.is_empty() {
                    self.holders.remove(&key);
                }
            }
        }
        for (key, version) in missing(new, &old) {
            let list = self.holders.entry(key).or_default();
            let holder = Holder { at, version };
            if let Err(here) = list.binary_search(&holder) {
                list.insert(here, holder);
            }
        }
        for held in old {
            self.let_go(held);
        }
    }
}

impl Place {
    /// Lists are sorted by this; what is equal in all else, by id.
    fn key(&self) -> (&str, &str, i64) {
        (&self.order.0, &self.order.1, self.id.get())
    }
}

impl Entry {
    fn bytes(&self) -> usize {
        size_of_val(&*self.held) + self.place.order.0.len() + self.place.order.1.len()
    }
}

/// What is in one sorted list and not in another.
fn missing<'a>(from: &'a [Held], there: &'a [Held]) -> impl Iterator<Item = Held> + 'a {
    let gone = |held: &&Held| there.binary_search(held).is_err();
    from.iter().filter(gone).copied()
}

fn offers(facts: &Facts) -> (usize, usize) {
    let components = facts.components.as_deref().unwrap_or_default();
    let counted = |offer| components.iter().filter(|it| it.offer == offer).count();
    (counted(Offer::Newer), counted(Offer::Unknown))
}
