//! Single conditions.

use pressroom_store::{EnvironmentKind, EnvironmentState, SiteStatus};
use std::cmp::Ordering;

/// One condition of a selector.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum Term {
    /// `account:acme`: one of its names is this, whatever its case.
    Text {
        /// Which names.
        field: TextField,
        /// The name.
        value: String,
    },
    /// `env:production`.
    Kind(EnvironmentKind),
    /// `status:down`.
    Status(Standing),
    /// `php:8.1`: this version or one of its series, as 8.1.27.
    Series {
        /// Of what.
        field: VersionField,
        /// The series.
        version: String,
    },
    /// `php<8.1`.
    Version {
        /// Of what.
        field: VersionField,
        /// What it is held against.
        bound: Bound,
    },
    /// `plugin:woocommerce<9.4`: it is there, at such a version.
    Component {
        /// Plugin or theme.
        kind: ComponentKind,
        /// Its directory.
        slug: String,
        /// At which versions; at any, without.
        bound: Option<Bound>,
    },
    /// `updates>0`: how many plugins and themes have a newer version on offer.
    Updates {
        /// How the number stands to `count`.
        comparison: Comparison,
        /// What it is held against.
        count: u32,
    },
    /// `snapshot>24h`: how old the newest complete snapshot is.
    Snapshot {
        /// How its age stands to `age`; never for equality.
        comparison: Comparison,
        /// What it is held against.
        age: Age,
    },
}

/// How something stands: what is there, or how its visitors find it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Standing {
    /// What is there.
    State(EnvironmentState),
    /// How the site was last seen to be, of the environment that visitors see.
    Health(SiteStatus),
    /// It was last seen to be down, or nothing that serves is there.
    Down,
}

/// What is told by names.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum TextField {
    /// The account's name.
    Account,
    /// The domain, or the host name of the address.
    Domain,
    /// The site's name, or the environment's id.
    Site,
    /// The host's label or address; `local` is this machine.
    Host,
    /// A tag.
    Tag,
}

/// What has one version.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum VersionField {
    /// WordPress.
    Core,
    /// PHP.
    Php,
}

/// What a site has many of.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum ComponentKind {
    /// Must-use plugins and drop-ins among them.
    Plugin,
    /// Active or not.
    Theme,
}

/// A version to compare with, in PHP's order.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Bound {
    /// How a version stands to it.
    pub comparison: Comparison,
    /// The version; begins with a digit.
    pub version: String,
}

/// How something stands to a value.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[expect(missing_docs, reason = "the names say it")]
pub enum Comparison {
    Less,
    AtMost,
    Equal,
    NotEqual,
    AtLeast,
    More,
}

impl Comparison {
    /// Every comparison.
    pub const ALL: [Self; 6] = [
        Self::Less,
        Self::AtMost,
        Self::Equal,
        Self::NotEqual,
        Self::AtLeast,
        Self::More,
    ];

    /// As it is written.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Less => "<",
            Self::AtMost => "<=",
            Self::Equal => "=",
            Self::NotEqual => "!=",
            Self::AtLeast => ">=",
            Self::More => ">",
        }
    }

    /// Whether it is true of what stands in this order to the value.
    pub const fn holds(self, order: Ordering) -> bool {
        match self {
            Self::Less => order.is_lt(),
            Self::AtMost => order.is_le(),
            Self::Equal => order.is_eq(),
            Self::NotEqual => order.is_ne(),
            Self::AtLeast => order.is_ge(),
            Self::More => order.is_gt(),
        }
    }
}

/// A time span as it was written: 48h is not 2d, though as long.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Age {
    /// How many.
    pub count: u32,
    /// Of what.
    pub unit: AgeUnit,
}

/// What spans are counted in.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[expect(missing_docs, reason = "the names say it")]
pub enum AgeUnit {
    Minutes,
    Hours,
    Days,
}

impl AgeUnit {
    /// Every unit.
    pub const ALL: [Self; 3] = [Self::Minutes, Self::Hours, Self::Days];

    /// As it is written.
    pub const fn as_char(self) -> char {
        match self {
            Self::Minutes => 'm',
            Self::Hours => 'h',
            Self::Days => 'd',
        }
    }

    const fn millis(self) -> i64 {
        const MINUTE: i64 = 60_000;
        match self {
            Self::Minutes => MINUTE,
            Self::Hours => 60 * MINUTE,
            Self::Days => 24 * 60 * MINUTE,
        }
    }
}

impl Age {
    /// Its length in milliseconds; the longest is far below the type's limit.
    pub fn millis(self) -> i64 {
        i64::from(self.count) * self.unit.millis()
    }
}
