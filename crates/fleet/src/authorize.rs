//! The one place that decides who may do what.

use crate::{
    Error, Result, code,
    principal::{Grants, Identity, Principal, Role},
};
use pressroom_base::{
    Kind,
    id::{AccountId, UserId},
};

/// What somebody wants to do. Each has the weakest role that may do it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Action {
    /// Look at sites, components and jobs.
    SiteRead,
    /// Add a site that is there already, by its address.
    SiteAdd,
    /// Give a site another name or address on record, and have it be looked at or not.
    SiteEdit,
    /// Install into a domain, or copy a site there.
    SiteInstall,
    /// Take snapshots of a site, and read them.
    SnapshotCreate,
    /// Send a snapshot that is awaited.
    SnapshotUpload,
    /// Put a site back as it was, and remove snapshots.
    SnapshotRestore,
    /// Remove or hand over a site.
    SiteRemove,
    /// Give a site another address. The target domain is asked for as well.
    SiteMove,
    /// Be logged in to a site as one of its users.
    SiteLogin,
    /// See and add users of a site, and change their passwords.
    SiteUsers,
    /// Change how a site is served.
    SiteConfigure,
    /// Give a site tags and take them away: what bulk actions are aimed by.
    SiteTag,
    /// Change a site's code.
    ComponentUpdate,
    /// Say yes to updates that were tried.
    UpgradeApprove,
    /// Read and change a site's tables, whatever is in them.
    SiteDatabase,
    /// Run commands of one's own as a site's user: with them anything can be done there.
    SiteCommand,
    /// Stop a job. What started it is asked for as well: [`Action::of_job`].
    JobCancel,
    /// Look at the account's domains.
    DomainRead,
    /// Look at an account, who belongs to it, and what happened in it.
    AccountRead,
    /// Invite people to an account, and take invitations back. Nobody gives a role that is
    /// stronger than their own.
    AccountInvite,
    /// Look at what an account's receivers of webhooks are told.
    WebhookRead,
    /// Say where an account's events are told, and what is told again.
    WebhookManage,
    /// Issue a token to oneself.
    TokenIssue,
    /// Have one's sign-in ask for a code as well, or no longer.
    SecondFactor,
    /// Add or remove people, accounts, domains and tokens.
    Operate,
}

impl Action {
    /// Every action, for the generated matrix.
    pub const ALL: &[Self] = &[
        Self::SiteRead,
        Self::SiteAdd,
        Self::SiteEdit,
        Self::SiteInstall,
        Self::SnapshotCreate,
        Self::SnapshotUpload,
        Self::SnapshotRestore,
        Self::SiteRemove,
        Self::SiteMove,
        Self::SiteLogin,
        Self::SiteUsers,
        Self::SiteConfigure,
        Self::SiteTag,
        Self::ComponentUpdate,
        Self::UpgradeApprove,
        Self::SiteDatabase,
        Self::SiteCommand,
        Self::JobCancel,
        Self::DomainRead,
        Self::AccountRead,
        Self::AccountInvite,
        Self::WebhookRead,
        Self::WebhookManage,
        Self::TokenIssue,
        Self::SecondFactor,
        Self::Operate,
    ];

    /// The weakest role in the owning account that may do this; `None` for actions
    /// that no role permits: only an operator of the installation may do them, or the
    /// person they are about.
    pub const fn least_role(self) -> Option<Role> {
        match self {
            Self::SiteRead | Self::DomainRead | Self::AccountRead | Self::WebhookRead => {
                Some(Role::Viewer)
            }
            Self::SiteInstall
            | Self::SiteLogin
            | Self::SiteUsers
            | Self::SiteConfigure
            | Self::SiteTag
            | Self::ComponentUpdate
            | Self::JobCancel
            | Self::SnapshotCreate
            | Self::SnapshotUpload => Some(Role::Member),
            Self::SiteAdd
            | Self::SiteEdit
            | Self::SiteRemove
            | Self::SiteMove
            | Self::SnapshotRestore
            | Self::UpgradeApprove
            | Self::SiteDatabase
            | Self::SiteCommand
            | Self::AccountInvite
            | Self::WebhookManage => Some(Role::Admin),
            Self::TokenIssue | Self::SecondFactor | Self::Operate => None,
        }
    }

    /// What starts a job of this kind. Whoever stops one must be allowed that as well: a
    /// site that is half removed is as much their doing as one that is removed. A kind
    /// without an entry is for operators.
    pub fn of_job(kind: &str) -> Self {
        match kind {
            "site_connect" => Self::SiteAdd,
            "site_install" | "site_clone" => Self::SiteInstall,
            "site_snapshot" | "snapshot_verify" => Self::SnapshotCreate,
            "site_restore" | "site_sweep" => Self::SnapshotRestore,
            "site_remove" => Self::SiteRemove,
            "site_move" => Self::SiteMove,
            "site_login" => Self::SiteLogin,
            "site_user_add" | "site_password_reset" => Self::SiteUsers,
            "site_maintenance" | "site_cache" | "site_security" => Self::SiteConfigure,
            "component_update" | "component_change" | "core_update" | "pipeline_prepare"
            | "pipeline_apply" => Self::ComponentUpdate,
            "site_search_replace" | "site_import" => Self::SiteDatabase,
            // A run is in no account: as a job it is operators' to stop, otherwise see `runs`.
            "site_command" | "fleet_run" => Self::SiteCommand,
            _ => Self::Operate,
        }
    }

    /// Whether a read-only credential suffices.
    pub const fn is_read(self) -> bool {
        matches!(
            self,
            Self::SiteRead | Self::DomainRead | Self::AccountRead | Self::WebhookRead
        )
    }
}

/// What an action is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Resource {
    /// Something an account owns.
    OfAccount(AccountId),
    /// Something that is one person's own.
    OfPerson(UserId),
    /// The installation as a whole.
    Installation,
}

/// Permits or refuses. A thing of an account that the principal does not belong to is
/// `NotFound` with [`code::FOREIGN`]: whether it exists is not theirs to know. A role or
/// credential that is too weak is `Forbidden`.
pub fn authorize(principal: &Principal, action: Action, resource: Resource) -> Result<()> {
    match principal.grants {
        Grants::All => {}
        Grants::Read if action.is_read() => {}
        Grants::Upload if action == Action::SnapshotUpload => {}
        Grants::Read | Grants::Upload | Grants::Nothing => {
            return Err(
                Error::new(Kind::Forbidden, "this credential does not permit that")
                    .with_code(code::OUT_OF_SCOPE),
            );
        }
    }
    if principal.is_operator() {
        return Ok(());
    }
    if let (Identity::Site { account, .. }, Resource::OfAccount(of)) =
        (&principal.identity, resource)
    {
        return if *account == of {
            Ok(())
        } else {
            Err(Error::not_found("object").with_code(code::FOREIGN))
        };
    }
    let Identity::User { .. } = principal.identity else {
        return Err(forbidden());
    };
    match (resource, action.least_role()) {
        (Resource::OfAccount(account), Some(least)) => match principal.role_in(account) {
            None => Err(Error::not_found("object").with_code(code::FOREIGN)),
            Some(role) if role >= least => Ok(()),
            Some(_) => Err(forbidden()),
        },
        (Resource::OfPerson(person), _)
            if matches!(action, Action::TokenIssue | Action::SecondFactor) =>
        {
            if principal.user_id() == Some(person) {
                Ok(())
            } else {
                Err(Error::not_found("object").with_code(code::FOREIGN))
            }
        }
        (Resource::OfAccount(_) | Resource::OfPerson(_) | Resource::Installation, _) => {
            Err(forbidden())
        }
    }
}

/// Permits listing what an action is about: lists are narrowed by scope, so that only
/// the credential and the person's role anywhere decide.
pub fn authorize_list(principal: &Principal, action: Action) -> Result<()> {
    match principal.memberships.first() {
        _ if principal.is_operator() => authorize(principal, action, Resource::Installation),
        Some((account, _)) if action.is_read() => {
            authorize(principal, action, Resource::OfAccount(*account))
        }
        // Somebody in no account sees empty lists, if the credential permits looking.
        None if action.is_read() && matches!(principal.grants, Grants::All | Grants::Read) => {
            Ok(())
        }
        _ => authorize(principal, action, Resource::Installation),
    }
}

fn forbidden() -> Error {
    Error::new(Kind::Forbidden, "you are not allowed to do that")
}

#[cfg(test)]
mod tests {
    use super::*;
    use pressroom_base::id::UserId;

    fn person(role: Option<Role>, grants: Grants) -> Principal {
        Principal {
            identity: Identity::User {
                id: UserId::new(1),
                email: "p@example".into(),
                operator: false,
                token: None,
                session: None,
                family: None,
            },
            grants,
            memberships: role
                .map(|role| (AccountId::new(1), role))
                .into_iter()
                .collect(),
            account: None,
        }
    }

    #[test]
    fn roles_grants_and_accounts_decide() {
        let own = Resource::OfAccount(AccountId::new(1));
        let foreign = Resource::OfAccount(AccountId::new(2));
        for action in Action::ALL {
            for role in [Role::Viewer, Role::Member, Role::Admin, Role::Owner] {
                let allowed = authorize(&person(Some(role), Grants::All), *action, own).is_ok();
                assert_eq!(
                    allowed,
                    action.least_role().is_some_and(|least| role >= least)
                );
                assert!(authorize(&person(Some(role), Grants::All), *action, foreign).is_err());
                let read = authorize(&person(Some(role), Grants::Read), *action, own).is_ok();
                assert_eq!(read, action.is_read());
            }
            assert!(authorize(&Principal::console(), *action, Resource::Installation).is_ok());
            assert!(authorize(&person(None, Grants::Nothing), *action, own).is_err());
        }
    }
}
