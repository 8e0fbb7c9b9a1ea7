//! What can be asked for.

use super::{
    Term,
    closest::closest,
    term::{ComponentKind, TextField, VersionField},
};

/// A field, by the kind of value it takes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Field {
    /// Names.
    Text(TextField),
    /// `production`, `staging` or `clone`.
    Env,
    /// Where it stands.
    Status,
    /// A version.
    Version(VersionField),
    /// A component's name, and versions of it.
    Component(ComponentKind),
    /// A number.
    Updates,
    /// An age.
    Snapshot,
}

/// Every field, in the order they are told in.
const FIELDS: [Field; 13] = [
    Field::Component(ComponentKind::Plugin),
    Field::Component(ComponentKind::Theme),
    Field::Version(VersionField::Core),
    Field::Version(VersionField::Php),
    Field::Env,
    Field::Text(TextField::Account),
    Field::Text(TextField::Domain),
    Field::Text(TextField::Site),
    Field::Text(TextField::Host),
    Field::Text(TextField::Tag),
    Field::Status,
    Field::Updates,
    Field::Snapshot,
];

/// Other names; none is shorter than the one it stands for, so that a selector never
/// grows when it is printed.
const ALIASES: [(&str, &str); 3] = [("core", "wp"), ("wordpress", "wp"), ("environment", "env")];

/// What people will ask for, and why it is not there.
const NOT_YET: [(&str, &str); 1] = [("reseller", "there are no resellers")];

/// What a name means.
pub(super) enum Named {
    Field(Field),
    NotYet(&'static str),
    Unknown(Option<&'static str>),
}

impl Field {
    /// Every field.
    pub fn all() -> impl Iterator<Item = Self> {
        FIELDS.into_iter()
    }

    /// Its name as it is printed.
    pub const fn name(self) -> &'static str {
        self.told().0
    }

    /// A condition on it, for those who ask how.
    pub const fn example(self) -> &'static str {
        self.told().1
    }

    const fn told(self) -> (&'static str, &'static str) {
        match self {
            Self::Component(ComponentKind::Plugin) => ("plugin", "plugin:woocommerce<9.4"),
            Self::Component(ComponentKind::Theme) => ("theme", "theme:twentytwentyfour"),
            Self::Version(VersionField::Core) => ("wp", "wp<6.5"),
            Self::Version(VersionField::Php) => ("php", "php<8.1"),
            Self::Env => ("env", "env:production"),
            Self::Text(TextField::Account) => ("account", "account:acme"),
            Self::Text(TextField::Domain) => ("domain", "domain:example.org"),
            Self::Text(TextField::Site) => ("site", "site:shop"),
            Self::Text(TextField::Host) => ("host", "host:web1"),
            Self::Text(TextField::Tag) => ("tag", "tag:shop"),
            Self::Status => ("status", "status:active"),
            Self::Updates => ("updates", "updates>0"),
            Self::Snapshot => ("snapshot", "snapshot>24h"),
        }
    }

    pub(super) fn named(name: &str) -> Named {
        let folded = name.to_lowercase();
        let alias = ALIASES.iter().find(|(alias, _)| *alias == folded);
        let wanted = alias.map_or(folded.as_str(), |(_, of)| of);
        if let Some(field) = Self::all().find(|field| field.name() == wanted) {
            return Named::Field(field);
        }
        if let Some((_, why)) = NOT_YET.iter().find(|(name, _)| *name == wanted) {
            return Named::NotYet(why);
        }
        let names = Self::all().map(Self::name);
        Named::Unknown(closest(
            &folded,
            names.chain(ALIASES.iter().map(|(alias, _)| *alias)),
        ))
    }
}

impl Term {
    /// What it asks for.
    pub const fn field(&self) -> Field {
        match self {
            Self::Text { field, .. } => Field::Text(*field),
            Self::Kind(_) => Field::Env,
            Self::Status(_) => Field::Status,
            Self::Series { field, .. } | Self::Version { field, .. } => Field::Version(*field),
            Self::Component { kind, .. } => Field::Component(*kind),
            Self::Updates { .. } => Field::Updates,
            Self::Snapshot { .. } => Field::Snapshot,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_field_is_found_by_its_name_and_shows_how() {
        for field in Field::all() {
            assert!(matches!(Field::named(field.name()), Named::Field(found) if found == field));
            let example: super::super::Selector = field.example().parse().expect("it is one");
            assert_eq!(example.to_string(), field.example());
            assert!(example.to_string().starts_with(field.name()));
        }
        for (alias, of) in ALIASES {
            assert!(alias.len() >= of.len());
            assert!(matches!(Field::named(alias), Named::Field(found) if found.name() == of));
        }
    }
}
