//! Who is asking, as a face established it.

use pressroom_base::id::{AccountId, FamilyId, SessionId, SiteId, TokenId, UserId};
use pressroom_store::{self as store, By, Scope};
use serde::Serialize;

/// Somebody whose credentials were checked.
#[derive(Debug, Clone)]
pub struct Principal {
    /// Who it is.
    pub identity: Identity,
    /// What the credential itself permits, whoever holds it.
    pub grants: Grants,
    /// Accounts the person belongs to, with the role in each.
    pub memberships: Vec<(AccountId, Role)>,
    /// The one of these that the request works in, where a face knows such a thing.
    pub account: Option<AccountId>,
}

/// Who a principal is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Identity {
    /// The operator of this installation at its own command line.
    Console,
    /// A person, through a session or one of their tokens.
    User {
        /// The person.
        id: UserId,
        /// Their address, for the activity log.
        email: String,
        /// Whether they operate this installation: they may see all accounts.
        operator: bool,
        /// The token used, when it was one.
        token: Option<TokenId>,
        /// The browser session used, when it was one.
        session: Option<SessionId>,
        /// The tokens of one sign-in, when it was one of these.
        family: Option<FamilyId>,
    },
    /// A site, through the token that its connector was set up with.
    Site {
        /// The site.
        id: SiteId,
        /// Whose it is.
        account: AccountId,
        /// Its address, for the activity log.
        url: String,
    },
    /// Pressroom itself, running a job.
    Worker,
    /// Whoever is at the other end of a route that asks nobody who they are.
    Nobody,
}

/// What a credential permits.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Grants {
    /// Everything its holder may do.
    All,
    /// Reading only.
    Read,
    /// Sending what is awaited, and nothing else.
    Upload,
    /// Nothing (scopes that mean nothing to us).
    Nothing,
}

/// A person's role in an account, weakest first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Role {
    /// May look.
    Viewer,
    /// May operate sites.
    Member,
    /// May also manage domains, tokens and people.
    Admin,
    /// Owns the account.
    Owner,
}

impl Role {
    /// Every role, weakest first.
    pub const ALL: &[Self] = &[Self::Viewer, Self::Member, Self::Admin, Self::Owner];

    /// As people and programs write it.
    pub const fn as_str(self) -> &'static str {
        self.row().as_str()
    }

    /// Reads a role.
    pub fn parse(text: &str) -> Option<Self> {
        store::Role::parse(text).map(Self::of)
    }

    /// The role for the store.
    pub(crate) const fn row(self) -> store::Role {
        match self {
            Self::Viewer => store::Role::Viewer,
            Self::Member => store::Role::Member,
            Self::Admin => store::Role::Admin,
            Self::Owner => store::Role::Owner,
        }
    }

    /// The role as the store names it.
    pub(crate) const fn of(row: store::Role) -> Self {
        match row {
            store::Role::Viewer => Self::Viewer,
            store::Role::Member => Self::Member,
            store::Role::Admin => Self::Admin,
            store::Role::Owner => Self::Owner,
        }
    }
}

impl Principal {
    /// The operator at the command line of the machine itself.
    pub const fn console() -> Self {
        Self {
            identity: Identity::Console,
            grants: Grants::All,
            memberships: Vec::new(),
            account: None,
        }
    }

    /// Pressroom running a job.
    pub const fn worker() -> Self {
        Self {
            identity: Identity::Worker,
            grants: Grants::All,
            memberships: Vec::new(),
            account: None,
        }
    }

    /// Somebody who did not say who they are.
    pub const fn nobody() -> Self {
        Self {
            identity: Identity::Nobody,
            grants: Grants::Nothing,
            memberships: Vec::new(),
            account: None,
        }
    }

    /// Whether this principal sees every account.
    pub const fn is_operator(&self) -> bool {
        match &self.identity {
            Identity::Console | Identity::Worker => true,
            Identity::User { operator, .. } => *operator,
            Identity::Site { .. } | Identity::Nobody => false,
        }
    }

    /// The person, when it is one.
    pub const fn user_id(&self) -> Option<UserId> {
        match &self.identity {
            Identity::User { id, .. } => Some(*id),
            Identity::Console | Identity::Worker | Identity::Site { .. } | Identity::Nobody => None,
        }
    }

    /// The site, when it is one.
    pub const fn site_id(&self) -> Option<SiteId> {
        match &self.identity {
            Identity::Site { id, .. } => Some(*id),
            _ => None,
        }
    }

    /// The token used, when it was one.
    pub const fn token_id(&self) -> Option<TokenId> {
        match &self.identity {
            Identity::User { token, .. } => *token,
            Identity::Console | Identity::Worker | Identity::Site { .. } | Identity::Nobody => None,
        }
    }

    /// The tokens of one sign-in, when one of them was used.
    pub const fn family_id(&self) -> Option<FamilyId> {
        match &self.identity {
            Identity::User { family, .. } => *family,
            Identity::Console | Identity::Worker | Identity::Site { .. } | Identity::Nobody => None,
        }
    }

    /// How the activity log names this principal.
    pub fn label(&self) -> &str {
        match &self.identity {
            Identity::Console => "command line",
            Identity::Worker => "pressroom",
            Identity::User { email, .. } => email,
            Identity::Site { url, .. } => url,
            Identity::Nobody => "nobody",
        }
    }

    /// Who this is in the activity log.
    pub(crate) const fn by(&self) -> By {
        match &self.identity {
            Identity::User {
                id, token: None, ..
            } => By::User(*id),
            Identity::User { id, .. } => By::Token(*id),
            Identity::Console | Identity::Worker | Identity::Site { .. } | Identity::Nobody => {
                By::System
            }
        }
    }

    /// What this principal's lists are narrowed to.
    pub(crate) fn scope(&self) -> Scope {
        if self.is_operator() {
            Scope::All
        } else {
            Scope::Accounts(self.memberships.iter().map(|(id, _)| *id).collect())
        }
    }

    /// The role held in an account.
    pub fn role_in(&self, account: AccountId) -> Option<Role> {
        self.memberships
            .iter()
            .find(|(id, _)| *id == account)
            .map(|(_, role)| *role)
    }
}
