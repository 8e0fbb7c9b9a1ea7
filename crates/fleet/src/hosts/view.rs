//! A host as people see it.

use super::record::{address, line};
use pressroom_base::{
    Timestamp,
    id::{HostId, SshKeyId},
};
use pressroom_carrier::ssh::HostKey;
use pressroom_store::HostRow;
use serde::{Deserialize, Serialize};

/// A machine that is reached over SSH.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Host {
    /// Row id.
    pub id: HostId,
    /// The account's name.
    pub account: String,
    /// What its owner calls it.
    pub label: String,
    /// `user@host`, with the port unless that is 22.
    pub address: String,
    /// The key that opens it; `None` for its account's primary one.
    pub key: Option<SshKeyId>,
    /// The host through which it is reached.
    pub via: Option<HostId>,
    /// The fingerprint it is known by; `None` before it was ever reached.
    pub host_key: Option<String>,
    /// How it was last found: `new`, `reachable`, `unreachable`, `refused` or
    /// `key_changed`.
    pub status: &'static str,
    /// What was last seen on it.
    pub survey: Option<HostSurvey>,
    /// When that was.
    pub surveyed_at: Option<Timestamp>,
    /// When it was added.
    pub created_at: Timestamp,
}

/// What a host is and has. All of it is what the host says of itself.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct HostSurvey {
    /// System and machine, such as `Linux x86_64`.
    pub machine: String,
    /// Who works there.
    pub user: String,
    /// That user's home.
    pub home: String,
    /// Every PHP, in the order of the search path.
    pub php: Vec<FoundPhp>,
    /// Web servers that run there.
    pub web_servers: Vec<String>,
    /// Bytes that are free for the user's home; `None` when that is unknown.
    pub free_bytes: Option<u64>,
    /// Whom the user may become without a password, as `sudo -l` names them.
    pub sudo: Vec<String>,
    /// Milliseconds from a question to its whole answer, over an open connection.
    pub latency_ms: u64,
    /// How sites there are worked on.
    #[serde(flatten)]
    pub way: HostWay,
    /// Each WordPress below the home; `None` when nobody could look.
    pub sites: Option<Vec<FoundSite>>,
    /// Why nobody could look, or what was not looked at.
    pub sites_note: Option<String>,
}

/// How sites on a host are worked on.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "way", content = "why", rename_all = "snake_case")]
pub enum HostWay {
    /// By an agent that runs there.
    Agent,
    /// By PHP alone, which carries out a part of the operations, and why no agent can run.
    Php(String),
    /// By none, and why.
    None(String),
    /// Nobody has looked.
    #[default]
    Unknown,
}

/// A PHP of a host.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct FoundPhp {
    /// Its version.
    pub version: String,
    /// The program.
    pub path: String,
}

/// A WordPress on a host.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct FoundSite {
    /// Its directory, absolute.
    pub root: String,
    /// `$wp_version`; `None` when it cannot be read.
    pub version: Option<String>,
    /// Whether it is configured.
    pub configured: bool,
    /// The user it belongs to, where that need not be the login.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub owner: Option<String>,
}

/// The `php` that sites of a host are worked on with, and its version: the first one that
/// was seen there.
pub(crate) fn php_of(row: &HostRow) -> (String, Option<String>) {
    let survey = row.survey.clone();
    let survey = survey.and_then(|survey| serde_json::from_value::<HostSurvey>(survey).ok());
    match survey.and_then(|survey| survey.php.into_iter().next()) {
        Some(php) => (php.path, Some(php.version)),
        None => ("php".to_owned(), None),
    }
}

impl HostSurvey {
    /// No agent can run there, for this reason; so nobody looked for sites either.
    pub(super) fn no_way(&mut self, why: String) {
        self.sites_note = Some(why.clone());
        self.way = HostWay::None(why);
    }
}

impl Host {
    pub(super) fn new(row: HostRow, account: String) -> Self {
        let pinned = row
            .pinned()
            .and_then(|key| line(&key).parse::<HostKey>().ok());
        Self {
            id: row.id,
            account,
            address: address(&row)
                .map_or_else(|_| row.address.clone(), |address| address.to_string()),
            label: row.label,
            key: row.key_id,
            via: row.jump_id,
            host_key: pinned.map(|key| key.fingerprint()),
            status: row.status.as_str(),
            survey: row
                .survey
                .and_then(|survey| serde_json::from_value(survey).ok()),
            surveyed_at: row.surveyed_at,
            created_at: row.created_at,
        }
    }
}
