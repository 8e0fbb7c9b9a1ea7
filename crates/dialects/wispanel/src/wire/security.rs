//! T35 and T37–T40.

use super::RunningOut;
use pressroom_fleet::security::SiteSecurity;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// A measure to be on or off.
#[derive(Default, Deserialize, ToSchema)]
#[serde(default)]
pub struct SecurityIn {
    /// The installation; required.
    pub id: Option<String>,
    /// `true` when absent; for `toggle-debug` the opposite of what it is.
    pub enabled: Option<bool>,
}

/// A login page to hide, or to show again.
#[derive(Default, Deserialize, ToSchema)]
#[serde(default)]
pub struct HideLoginIn {
    /// The installation; required.
    pub id: Option<String>,
    /// `true` when absent.
    pub enabled: Option<bool>,
    /// 3 to 40 lower-case letters, digits and `-`; when absent the one it has, or one that
    /// nobody guesses.
    pub slug: Option<String>,
}

/// What became of a measure.
#[derive(Serialize, ToSchema)]
#[serde(untagged)]
pub enum SecuritySetOut {
    /// As it is now.
    Set(Box<SecurityChangedOut>),
    /// It takes longer than a minute.
    Running(RunningOut),
}

/// What was verified at the site.
#[derive(Serialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct SecurityChangedOut {
    /// `true`.
    pub success: bool,
    /// For a person.
    pub message: String,
    /// What was done and has no effect, and why; absent when there is nothing to say.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub warning: Option<String>,
    /// The whole, seen after the change.
    pub security: SecurityOut,
}

/// An installation's security as it was just seen. What could not be found out counts as
/// bad.
#[derive(Serialize, ToSchema)]
#[expect(clippy::struct_excessive_bools, reason = "the contract has them so")]
pub struct SecurityOut {
    /// Whether wp-admin's editors of plugins and themes are off.
    file_edit_disabled: bool,
    /// Whether `wp-config.php`, texts that name versions, hidden files, and PHP in uploads
    /// and caches are refused.
    file_protection: bool,
    hide_login: HideLoginOut,
    debug: DebugOut,
    checksums: ChecksumsSeenOut,
    /// Whether WordPress answers at `xmlrpc.php`.
    xmlrpc_enabled: bool,
    /// Whether a directory without a page lists its files.
    directory_listing: bool,
    /// The mode of `wp-config.php`, such as `0640`; empty when unknown.
    wp_config_mode: String,
    /// Whether there is a login name `admin`.
    admin_user_exists: bool,
    /// Whether nothing newer is offered; `false` also when nobody knows.
    core_up_to_date: bool,
    /// 0 to 100.
    score: u8,
}

/// Where the login page is.
#[derive(Serialize, ToSchema)]
pub struct HideLoginOut {
    /// Whether visitors get a 404 at `wp-login.php`.
    enabled: bool,
    /// Where it is instead.
    slug: Option<String>,
}

/// `WP_DEBUG` and what follows from it.
#[derive(Serialize, ToSchema)]
pub struct DebugOut {
    wp_debug: bool,
    /// Whether errors are logged.
    log: bool,
    /// Whether visitors see errors.
    display: bool,
}

/// What `verify-checksums` last came to.
#[derive(Serialize, ToSchema)]
pub struct ChecksumsSeenOut {
    /// `verified`, `modified` or `unknown`.
    status: String,
    /// `null` when it was never asked.
    checked_at: Option<String>,
}

impl From<SiteSecurity> for SecurityOut {
    fn from(seen: SiteSecurity) -> Self {
        Self {
            file_edit_disabled: seen.file_edit_disabled,
            file_protection: seen.file_protection,
            hide_login: HideLoginOut {
                enabled: seen.hide_login.enabled,
                slug: seen.hide_login.slug,
            },
            debug: DebugOut {
                wp_debug: seen.debug.wp_debug,
                log: seen.debug.log,
                display: seen.debug.display,
            },
            checksums: ChecksumsSeenOut {
                status: seen.checksums.status,
                checked_at: seen
                    .checksums
                    .checked_at
                    .map(pressroom_base::Timestamp::to_rfc3339),
            },
            xmlrpc_enabled: seen.xmlrpc_enabled,
            directory_listing: seen.directory_listing,
            wp_config_mode: seen.wp_config_mode,
            admin_user_exists: seen.admin_user_exists,
            core_up_to_date: seen.core_up_to_date,
            score: seen.score,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use pressroom_base::Timestamp;
    use pressroom_fleet::security::{DebugLog, FileCheck, HideLogin};

    #[test]
    fn the_members_are_those_of_the_contract() {
        let seen = SiteSecurity {
            file_edit_disabled: true,
            file_protection: true,
            hide_login: HideLogin::default(),
            debug: DebugLog::default(),
            checksums: FileCheck {
                status: "modified".into(),
                checked_at: Some(Timestamp::from_millis(1_779_100_765_000)),
            },
            xmlrpc_enabled: true,
            directory_listing: false,
            wp_config_mode: "0640".into(),
            admin_user_exists: true,
            core_up_to_date: true,
            score: 70,
            exposed: vec!["readme.html".into()],
        };
        let text = serde_json::to_string(&SecurityOut::from(seen)).expect("plain members");
        insta::assert_snapshot!(text, @r#"{"file_edit_disabled":true,"file_protection":true,"hide_login":{"enabled":false,"slug":null},"debug":{"wp_debug":false,"log":false,"display":false},"checksums":{"status":"modified","checked_at":"2026-05-18T10:39:25Z"},"xmlrpc_enabled":true,"directory_listing":false,"wp_config_mode":"0640","admin_user_exists":true,"core_up_to_date":true,"score":70}"#);
    }
}
