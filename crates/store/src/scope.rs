//! Whose things a query may see.

use pressroom_base::id::AccountId;

/// Narrows every listing. Authorisation happened before; this keeps what a
/// principal cannot see out of the rows.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Scope {
    /// Everything: operators and the system itself.
    All,
    /// What belongs to these accounts.
    Accounts(Vec<AccountId>),
}

impl Scope {
    /// Whether something of this account may be seen. Things of no account are
    /// seen by [`Scope::All`] alone.
    pub fn allows(&self, account: Option<AccountId>) -> bool {
        match self {
            Self::All => true,
            Self::Accounts(own) => account.is_some_and(|account| own.contains(&account)),
        }
    }

    /// Sorts a row that was found without a scope.
    pub fn lookup<T>(
        &self,
        row: Option<T>,
        account: impl FnOnce(&T) -> Option<AccountId>,
    ) -> Lookup<T> {
        match row {
            None => Lookup::Missing,
            Some(row) if self.allows(account(&row)) => Lookup::Found(row),
            Some(_) => Lookup::Foreign,
        }
    }

    pub(crate) fn ids(&self) -> Option<Vec<i64>> {
        match self {
            Self::All => None,
            Self::Accounts(own) => Some(own.iter().map(|id| id.get()).collect()),
        }
    }
}

/// What a look-up by name found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Lookup<T> {
    /// It exists and is within the scope.
    Found(T),
    /// It exists, but is somebody else's.
    Foreign,
    /// There is none.
    Missing,
}

impl<T> Lookup<T> {
    /// The row, with foreign taken for missing.
    pub fn found(self) -> Option<T> {
        match self {
            Self::Found(row) => Some(row),
            Self::Foreign | Self::Missing => None,
        }
    }
}

/// A part of a list, newest first unless the listing says otherwise.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Page {
    /// At most this many rows.
    pub limit: u64,
    /// Leave out this many before.
    pub offset: u64,
}

impl Page {
    /// All rows of a listing that is known to be short.
    pub const ALL: Self = Self::first(i64::MAX as u64);

    /// The first `limit` rows.
    pub const fn first(limit: u64) -> Self {
        Self { limit, offset: 0 }
    }
}
