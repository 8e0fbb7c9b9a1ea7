//! What was seen of a site's security, and how it is weighed.

use super::set::Measure;
use pressroom_base::Timestamp;
use serde::{Deserialize, Serialize};

/// A site's security as it was just seen. What could not be found out counts as bad.
#[derive(Debug, Clone, Serialize)]
#[expect(clippy::struct_excessive_bools, reason = "independent observations")]
pub struct SiteSecurity {
    /// Whether wp-admin's editors of plugins and themes are off.
    pub file_edit_disabled: bool,
    /// Whether the web server refuses what is nobody's business; see [`SiteSecurity::exposed`].
    pub file_protection: bool,
    /// Whether the login page has an address of its own.
    pub hide_login: HideLogin,
    /// What becomes of PHP's complaints.
    pub debug: DebugLog,
    /// How the files stood to their packages when that was last asked.
    pub checksums: FileCheck,
    /// Whether programs may speak to `xmlrpc.php`.
    pub xmlrpc_enabled: bool,
    /// Whether a directory without a page lists its files.
    pub directory_listing: bool,
    /// The mode of `wp-config.php` in octal digits, such as `0640`; empty when unknown.
    pub wp_config_mode: String,
    /// Whether somebody can log in as `admin`.
    pub admin_user_exists: bool,
    /// Whether the package source has no newer WordPress.
    pub core_up_to_date: bool,
    /// 0 to 100, the sum of what is good; see [`SiteSecurity::weights`].
    pub score: u8,
    /// What a visitor was given although file protection means to refuse it, by path.
    pub exposed: Vec<String>,
}

/// Where the login page is.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct HideLogin {
    /// Whether visitors get a 404 at WordPress' own address of it.
    pub enabled: bool,
    /// The last part of its address.
    pub slug: Option<String>,
}

/// What becomes of PHP's complaints, as WordPress takes its constants.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct DebugLog {
    /// `WP_DEBUG`.
    pub wp_debug: bool,
    /// Whether they are logged.
    pub log: bool,
    /// Whether visitors see them.
    pub display: bool,
    /// Where they are logged; `None` for WordPress' own place, or where they are not.
    pub log_file: Option<String>,
}

/// How a site's files stood to their packages.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct FileCheck {
    /// `verified`, `modified` or `unknown`.
    pub status: String,
    /// When that was.
    pub checked_at: Option<Timestamp>,
}

/// The result of the job: what was seen at the site.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct SecurityChanged {
    /// What was asked for.
    pub measure: Measure,
    /// Whether it is on.
    pub enabled: bool,
    /// What happened, for a person.
    pub message: String,
    /// What was done and has no effect yet, and why.
    pub warning: Option<String>,
    /// The last part of the login page's address.
    pub slug: Option<String>,
    /// Where errors are logged.
    pub log_file: Option<String>,
}

impl SiteSecurity {
    /// What the score is the sum of: points, what for, whether they are given.
    pub fn weights(&self) -> [(u8, &'static str, bool); 10] {
        let displays = self.debug.wp_debug && self.debug.display;
        [
            (20, "core up to date", self.core_up_to_date),
            (20, "file protection", self.file_protection),
            (15, "files verified", self.checksums.status == "verified"),
            (10, "file editing off", self.file_edit_disabled),
            (10, "no errors shown to visitors", !displays),
            (5, "login page hidden", self.hide_login.enabled),
            (5, "XML-RPC refused", !self.xmlrpc_enabled),
            (5, "no directory listing", !self.directory_listing),
            (5, "wp-config.php private", is_private(&self.wp_config_mode)),
            (5, "no user `admin`", !self.admin_user_exists),
        ]
    }

    pub(super) fn weighed(mut self) -> Self {
        let weights = self.weights();
        let good = weights.iter().filter(|(_, _, good)| *good);
        self.score = good.map(|(points, ..)| points).sum();
        self
    }
}

/// What others may do, and the group beyond reading.
const TOO_MUCH: u32 = 0o037;

/// Whether others than its owner and group can do nothing with it, and the group only read.
fn is_private(mode: &str) -> bool {
    u32::from_str_radix(mode, 8).is_ok_and(|mode| mode & TOO_MUCH == 0)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn seen() -> SiteSecurity {
        SiteSecurity {
            file_edit_disabled: true,
            file_protection: true,
            hide_login: HideLogin::default(),
            debug: DebugLog::default(),
            checksums: FileCheck {
                status: "unknown".into(),
                checked_at: None,
            },
            xmlrpc_enabled: true,
            directory_listing: false,
            wp_config_mode: "0640".into(),
            admin_user_exists: true,
            core_up_to_date: true,
            score: 0,
            exposed: Vec::new(),
        }
    }

    #[test]
    fn the_score_is_out_of_a_hundred() {
        let all: u8 = seen().weights().iter().map(|(points, ..)| points).sum();
        assert_eq!(all, 100);
        // The example of the contract (`wispanel.md` T35).
        assert_eq!(seen().weighed().score, 70);
        let shown = SiteSecurity {
            debug: DebugLog {
                wp_debug: true,
                display: true,
                ..DebugLog::default()
            },
            wp_config_mode: "0644".into(),
            ..seen()
        };
        assert_eq!(shown.weighed().score, 55);
    }

    #[test]
    fn an_unknown_mode_is_not_private() {
        for (mode, private) in [("0600", true), ("0440", true), ("0660", false), ("", false)] {
            assert_eq!(is_private(mode), private, "{mode}");
        }
    }
}
