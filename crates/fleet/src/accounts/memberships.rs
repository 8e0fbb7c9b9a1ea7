//! Accounts as their members see them, each with the member's place in it.

use crate::{
    Caller, Error, Fleet, Principal, Result,
    authorize::{Action, Resource, authorize, authorize_list},
    code,
    principal::Role,
};
use pressroom_base::{
    Timestamp,
    id::{AccountId, ShortId},
};
use pressroom_store::{AccountRow, Role as StoredRole, accounts, sites, users};

/// Somebody's place in an account.
#[derive(Debug, Clone)]
pub struct Membership {
    /// Row id.
    pub id: AccountId,
    /// What programs call the account.
    pub short_id: ShortId,
    /// Its name.
    pub name: String,
    /// What programs call its owner.
    pub owner: Option<ShortId>,
    /// The caller's role in it.
    pub role: Role,
    /// How many people belong to it.
    pub members: u64,
    /// How many sites it has.
    pub sites: u64,
    /// When it was added.
    pub created_at: Timestamp,
}

impl Fleet {
    /// The accounts that the caller belongs to, by name, and how many these are in all.
    pub async fn list_memberships(
        &self,
        caller: &Caller,
        limit: u64,
        offset: u64,
    ) -> Result<(Vec<Membership>, u64)> {
        let ids: Vec<AccountId> = readable(caller)?;
        let mut rows = Vec::with_capacity(ids.len());
        for some in ids.chunks(200) {
            rows.extend(accounts::get_many(&self.parts.store, some).await?);
        }
        rows.sort_by(|left, right| {
            (&left.name_folded, left.id).cmp(&(&right.name_folded, right.id))
        });
        let total = u64::try_from(rows.len()).unwrap_or(u64::MAX);
        let within = |number: u64| usize::try_from(number).unwrap_or(usize::MAX);
        let mut found = Vec::new();
        for row in rows.into_iter().skip(within(offset)).take(within(limit)) {
            found.extend(self.membership(caller, row).await?);
        }
        Ok((found, total))
    }

    /// One of the accounts that the caller belongs to. Another one is `NotFound`, whether
    /// it exists or not.
    pub async fn find_membership(&self, caller: &Caller, id: &ShortId) -> Result<Membership> {
        let row = accounts::by_short_id(&self.parts.store, id)
            .await?
            .ok_or_else(missing)?;
        authorize(
            &caller.principal,
            Action::AccountRead,
            Resource::OfAccount(row.id),
        )?;
        self.membership(caller, row).await?.ok_or_else(missing)
    }

    /// The same person, working in this account of theirs; `NotFound` when it is none.
    pub async fn work_in_account(
        &self,
        mut principal: Principal,
        id: &ShortId,
    ) -> Result<Principal> {
        let found = accounts::by_short_id(&self.parts.store, id).await?;
        let own = found.filter(|row| principal.role_in(row.id).is_some());
        principal.account = Some(own.ok_or_else(missing)?.id);
        Ok(principal)
    }

    /// The account that the caller works in, if in any.
    pub async fn current_membership(&self, caller: &Caller) -> Result<Option<Membership>> {
        let Some(id) = caller.principal.account else {
            return Ok(None);
        };
        match accounts::get(&self.parts.store, id).await? {
            None => Ok(None),
            Some(row) => self.membership(caller, row).await,
        }
    }

    async fn membership(&self, caller: &Caller, row: AccountRow) -> Result<Option<Membership>> {
        let Some(role) = caller.principal.role_in(row.id) else {
            return Ok(None);
        };
        let store = &self.parts.store;
        let owner = accounts::members(store, row.id)
            .await?
            .into_iter()
            .find(|member| member.role == StoredRole::Owner);
        let owner = match owner {
            None => None,
            Some(owner) => users::get(store, owner.user_id).await?,
        };
        let members = accounts::member_count(store, row.id).await?;
        let sites = sites::count(store, row.id).await?;
        Ok(Some(Membership {
            id: row.id,
            short_id: row.short_id,
            name: row.name,
            owner: owner.map(|owner| owner.short_id),
            role,
            members,
            sites,
            created_at: row.created_at,
        }))
    }
}

fn missing() -> Error {
    Error::not_found("account").with_code(code::FOREIGN)
}

fn readable(caller: &Caller) -> Result<Vec<AccountId>> {
    authorize_list(&caller.principal, Action::AccountRead)?;
    let own = caller.principal.memberships.iter();
    Ok(own.map(|(id, _)| *id).collect())
}
