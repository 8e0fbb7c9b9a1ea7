//! All that one look found.

use super::{Check, CheckName, Verdict};
use pressroom_base::Timestamp;
use pressroom_providers::lookout::Records;
use pressroom_store::CheckStatus;
use serde::{Deserialize, Serialize};

/// All that one look found.
#[derive(Debug, Clone, Default)]
pub(crate) struct Finding {
    /// What was looked at, in the order of [`CheckName::ALL`].
    pub(crate) checks: Vec<Check>,
    /// What the front page answered with, how long that took, and until it began.
    pub(crate) http: Http,
    /// When the certificate ceases to be good.
    pub(crate) ssl_expires_at: Option<Timestamp>,
    /// WordPress' version, as far as it is known.
    pub(crate) wp_version: Option<String>,
    /// PHP's.
    pub(crate) php_version: Option<String>,
    /// What the name leads to, if that was looked up.
    pub(crate) records: Option<Records>,
    /// Whether we could work on the site, if that was tried.
    pub(crate) contact: Option<Contact>,
    /// Why what failed counts for nothing: somebody works on the site.
    pub(crate) excused: Option<String>,
    /// Whether it was a closer look.
    pub(crate) full: bool,
}

/// The front page in figures.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Http {
    pub(crate) status: Option<u16>,
    pub(crate) response_ms: Option<u64>,
    pub(crate) ttfb_ms: Option<u64>,
}

impl Http {
    /// What a front page that answered says of itself.
    pub(crate) fn told(self) -> String {
        match (self.status, self.response_ms) {
            (Some(status), Some(ms)) => format!("{status} in {ms} ms"),
            _ => "no answer".to_owned(),
        }
    }
}

/// Whether a site could be worked on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Contact {
    /// Our agent answered there.
    There,
    /// It did not; why, in the word that programs get.
    Lost(&'static str),
}

/// What of a finding is the same from one look to the next, as it is kept.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub(crate) struct Kept {
    pub(crate) checks: Vec<Check>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) ssl_expires_at: Option<Timestamp>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) wp_version: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) php_version: Option<String>,
}

impl Finding {
    /// The worst of what was found.
    pub(crate) fn status(&self) -> CheckStatus {
        if self.excused.is_some() {
            return CheckStatus::Warning;
        }
        status_of(self.checks.iter())
    }

    /// The worst of what every look sees: what visitors get. The rest warns.
    pub(crate) fn seen_outside(&self) -> CheckStatus {
        status_of(self.checks.iter().filter(|check| is_light(check.name)))
    }

    /// The worst of what only a closer look sees.
    pub(crate) fn seen_inside(&self) -> CheckStatus {
        status_of(self.checks.iter().filter(|check| !is_light(check.name)))
    }

    /// What is wrong, in a sentence.
    pub(crate) fn error(&self) -> Option<String> {
        if let Some(why) = &self.excused {
            return Some(why.clone());
        }
        let worst = self.checks.iter().max_by_key(|check| {
            // Of several that are equally bad the first is told.
            (check.status, std::cmp::Reverse(check.name))
        })?;
        (worst.status >= Verdict::Warning)
            .then(|| format!("{}: {}", worst.name.as_str(), worst.message))
    }

    /// What is the same from one look to the next. Where the front page passed, its
    /// sentence is made from the row's own figures.
    pub(crate) fn kept(&self) -> Kept {
        let checks = self.checks.iter().cloned().map(|mut check| {
            if check.name == CheckName::Http && check.message == self.http.told() {
                check.message.clear();
            }
            check
        });
        Kept {
            checks: checks.collect(),
            ssl_expires_at: self.ssl_expires_at,
            wp_version: self.wp_version.clone(),
            php_version: self.php_version.clone(),
        }
    }

    /// What must differ for a look to be worth keeping.
    pub(crate) fn print(&self) -> String {
        let mut print = format!(
            "{}/{}/{}",
            self.http.status.unwrap_or(0),
            self.wp_version.as_deref().unwrap_or_default(),
            self.php_version.as_deref().unwrap_or_default()
        );
        for check in &self.checks {
            print.push(' ');
            print.push_str(check.name.as_str());
            print.push(':');
            print.push_str(check.status.as_str());
        }
        print
    }
}

/// Whether every look sees it.
const fn is_light(name: CheckName) -> bool {
    matches!(
        name,
        CheckName::Http | CheckName::Tls | CheckName::FatalError
    )
}

fn status_of<'a>(checks: impl Iterator<Item = &'a Check>) -> CheckStatus {
    match checks.map(|check| check.status).max() {
        Some(Verdict::Failed) => CheckStatus::Failed,
        Some(Verdict::Warning) => CheckStatus::Warning,
        _ => CheckStatus::Passed,
    }
}
