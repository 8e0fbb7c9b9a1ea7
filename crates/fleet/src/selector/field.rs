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

/// Each field with its name, and how a condition on it may look.
const FIELDS: [(&str, Field, &str); 12] = [
    (
        "plugin",
        Field::Component(ComponentKind::Plugin),
        "plugin:woocommerce<9.4",
    ),
    (
        "theme",
        Field::Component(ComponentKind::Theme),
        "theme:twentytwentyfour",
    ),
    ("wp", Field::Version(VersionField::Core), "wp<6.5"),
    ("php", Field::Version(VersionField::Php), "php<8.1"),
    ("env", Field::Env, "env:production"),
    ("account", Field::Text(TextField::Account), "account:acme"),
    (
        "domain",
        Field::Text(TextField::Domain),
        "domain:example.org",
    ),
    ("site", Field::Text(TextField::Site), "site:shop"),
    ("host", Field::Text(TextField::Host), "host:web1"),
    ("status", Field::Status, "status:active"),
    ("updates", Field::Updates, "updates>0"),
    ("snapshot", Field::Snapshot, "snapshot>24h"),
];

/// Other names; none is shorter than the one it stands for, so that a selector never
/// grows when it is printed.
const ALIASES: [(&str, &str); 3] = [("core", "wp"), ("wordpress", "wp"), ("environment", "env")];

/// What people will ask for, and why it is not there.
const NOT_YET: [(&str, &str); 2] = [
    ("tag", "sites have no tags"),
    ("reseller", "there are no resellers"),
];

/// What a name means.
pub(super) enum Named {
    Field(Field),
    NotYet(&'static str),
    Unknown(Option<&'static str>),
}

impl Field {
    /// Every field.
    pub fn all() -> impl Iterator<Item = Self> {
        FIELDS.into_iter().map(|(_, field, _)| field)
    }

    /// Its name as it is printed.
    pub fn name(self) -> &'static str {
        self.row().0
    }

    /// A condition on it, for those who ask how.
    pub fn example(self) -> &'static str {
        self.row().2
    }

    fn row(self) -> (&'static str, Self, &'static str) {
        FIELDS
            .into_iter()
            .find(|(_, field, _)| *field == self)
            .expect("the table has every field")
    }

    pub(super) fn named(name: &str) -> Named {
        let folded = name.to_lowercase();
        let alias = ALIASES.iter().find(|(alias, _)| *alias == folded);
        let wanted = alias.map_or(folded.as_str(), |(_, of)| of);
        if let Some((_, field, _)) = FIELDS.iter().find(|(name, ..)| *name == wanted) {
            return Named::Field(*field);
        }
        if let Some((_, why)) = NOT_YET.iter().find(|(name, _)| *name == wanted) {
            return Named::NotYet(why);
        }
        let names = FIELDS.iter().map(|(name, ..)| *name);
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
