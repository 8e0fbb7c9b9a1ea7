//! A site's security as it is now.

use super::{
    constants::is_on,
    debug, file_editing,
    report::{FileCheck, HideLogin, SiteSecurity},
    served::Visitor,
};
use crate::{Caller, Error, Fleet, Result, authorize::Action};
use pressroom_base::{Kind, id::EnvironmentId};
use pressroom_store::security;
use pressroom_wordpress::{database::UserQuery, protection::HiddenLogin};
use tokio_util::sync::CancellationToken;

impl Fleet {
    /// Looks at what keeps intruders from a site: at its configuration, its files and
    /// tables, and at what its visitors are given at the address where it is registered to
    /// answer. What cannot be found out counts as bad. Nothing is changed.
    ///
    /// Errors: `NotFound`, `Forbidden`, `Unreachable`, `Remote`.
    pub async fn site_security(
        &self,
        caller: &Caller,
        environment: EnvironmentId,
    ) -> Result<SiteSecurity> {
        let row = self
            .environment_row(caller, Action::SiteRead, environment)
            .await?
            .env;
        let ground = self.ground(&row).await?;
        let session = self.open_session(&ground, CancellationToken::new()).await?;
        let admin = UserQuery::Login("admin".to_owned());
        let (listing, found, admins, standing) = tokio::join!(
            session.list_config(self.site_ref(&row)),
            session.protections(&row.path),
            session.read_users(&row.path, admin),
            self.core_standing(&row)
        );
        let (listing, found) = (listing.map_err(silent)?, found.map_err(silent)?);
        let visitor = Visitor::of(self, &row)?;
        let (exposed, has_xmlrpc, lists, misses) = tokio::join!(
            visitor.exposed(&found),
            visitor.has_xmlrpc(),
            visitor.lists_directories(&found),
            visitor.misses_login_page()
        );
        let slug = match &found.login {
            HiddenLogin::On { slug, .. } => Some(slug.clone()),
            HiddenLogin::Off | HiddenLogin::Foreign => None,
        };
        let files = security::get(&self.parts.store, row.id).await?.files;
        let mode = found.config.as_ref().map(|config| config.mode);
        Ok(SiteSecurity {
            file_edit_disabled: is_on(&listing, file_editing::CONSTANT)
                || is_on(&listing, file_editing::STRONGER),
            file_protection: exposed.is_empty(),
            hide_login: HideLogin {
                enabled: slug.is_some() && misses,
                slug,
            },
            debug: debug::seen(&listing),
            checksums: FileCheck {
                status: files
                    .as_ref()
                    .map_or_else(|| "unknown".to_owned(), |(status, _)| status.clone()),
                checked_at: files.map(|(_, at)| at),
            },
            xmlrpc_enabled: has_xmlrpc,
            directory_listing: lists,
            wp_config_mode: mode.map(|mode| format!("{mode:04o}")).unwrap_or_default(),
            // Tables that cannot be read clear nobody.
            admin_user_exists: admins.map_or(true, |found| {
                found
                    .iter()
                    .any(|user| user.login.eq_ignore_ascii_case("admin"))
            }),
            core_up_to_date: standing == (None, None),
            score: 0,
            exposed,
        }
        .weighed())
    }
}

/// A site without a configuration is there, but does not answer what was asked.
fn silent(error: pressroom_carrier::Error) -> Error {
    match error.kind() {
        Kind::NotFound | Kind::Invalid => Error::new(Kind::Remote, error.to_string()),
        _ => error.into(),
    }
}
