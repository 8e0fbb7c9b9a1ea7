//! What faces are given to render: plain facts, no rows and no secrets.

use pressroom_base::{
    Kind, Timestamp,
    id::{AccountId, DomainId, EnvironmentId, JobId, SiteId, UserId},
};
use serde::Serialize;

/// One running WordPress.
#[derive(Debug, Clone, Serialize)]
pub struct Environment {
    /// Row id.
    pub id: EnvironmentId,
    /// The site it belongs to.
    pub site_id: SiteId,
    /// The site's name.
    pub site_name: String,
    /// The owning account.
    pub account_id: AccountId,
    /// The owning account's name.
    pub account_name: String,
    /// Its domain's row, when it was installed into one of ours.
    pub domain_id: Option<DomainId>,
    /// Its domain, e.g. `blog.example`; without one of ours, the host name in its address.
    pub domain: String,
    /// The machine it is on, by its label; this one, without.
    pub host: Option<String>,
    /// `production`, `staging` or `clone`.
    pub kind: String,
    /// `wp_` and at least nine hex digits: the id shown by the WisPanel dialect.
    pub panel_id: String,
    /// `installing`, `active`, `broken` or `deleting`.
    pub state: String,
    /// Absolute directory of `wp-config.php`, no trailing slash.
    pub root: String,
    /// Site address, no trailing slash.
    pub url: String,
    /// Address and port where this machine answers for it, e.g. `127.0.0.1:8081`.
    pub origin: Option<String>,
    /// Site title; empty when unknown.
    pub title: String,
    /// WordPress version; empty when unknown.
    pub core_version: String,
    /// PHP version as last reported; empty when unknown.
    pub php_version: String,
    /// `DB_NAME`.
    pub db_name: String,
    /// `DB_USER`.
    pub db_user: String,
    /// `DB_HOST`.
    pub db_host: String,
    /// `$table_prefix`.
    pub table_prefix: String,
    /// `WP_DEBUG`.
    pub debug: bool,
    /// `MULTISITE`.
    pub multisite: bool,
    /// Installed plugins and themes, as last inspected.
    pub components: Vec<Component>,
    /// The words it can be selected by, in the order of letters.
    pub tags: Vec<String>,
    /// The job that is writing to it now.
    pub busy: Option<JobId>,
    /// When it was last inspected.
    pub inspected_at: Option<Timestamp>,
    /// When it was recorded.
    pub created_at: Timestamp,
}

/// One installed plugin or theme.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Component {
    /// `plugin` or `theme`.
    pub kind: String,
    /// Directory name, or file name of a single-file plugin.
    pub slug: String,
    /// Main file, e.g. `akismet/akismet.php`.
    pub file: String,
    /// Name in its header.
    pub name: String,
    /// Version in its header.
    pub version: String,
    /// `active`, `inactive`, `active-network`, `must-use`, `dropin`, `parent` or `unknown`.
    pub status: String,
    /// A newer version that the package source offers.
    pub new_version: Option<String>,
    /// Why it is not known whether there is a newer version; then the lack of one means
    /// nothing. `None` when it is known.
    pub offer_unknown: Option<String>,
    /// Author in its header.
    pub author: String,
    /// Description in its header.
    pub description: String,
    /// The theme that a theme builds on.
    pub parent: Option<String>,
}

/// A unit of durable work.
#[derive(Debug, Clone, Serialize)]
pub struct Job {
    /// Row id.
    pub id: JobId,
    /// `job_` and twelve letters and digits.
    pub public_id: String,
    /// `site_install`, `component_update`, …
    pub kind: String,
    /// The environment it works on.
    pub environment_id: Option<EnvironmentId>,
    /// That environment's [`Environment::panel_id`].
    pub panel_id: Option<String>,
    /// That environment's domain.
    pub domain: Option<String>,
    /// The owning account.
    pub account_id: Option<AccountId>,
    /// `queued`, `running`, `completed`, `failed`, `cancelled` or `dead`.
    pub state: String,
    /// 0–100, never falling.
    pub progress: i32,
    /// Name of the current or last step.
    pub step: String,
    /// What is going on, for a person.
    pub message: String,
    /// Steps so far, in order.
    pub steps: Vec<Step>,
    /// What it produced, once completed (and partly when taken back).
    pub result: Option<serde_json::Value>,
    /// Why it failed.
    pub error: Option<JobError>,
    /// Who asked.
    pub requested_by: Option<UserId>,
    /// When it was asked for.
    pub created_at: Timestamp,
    /// When it first ran.
    pub started_at: Option<Timestamp>,
    /// When it reached a final state.
    pub finished_at: Option<Timestamp>,
    /// Whether there is something for [`Fleet::take_job_secret`](crate::Fleet::take_job_secret)
    /// to give.
    #[serde(skip)]
    pub keeps_secret: bool,
}

impl Job {
    /// Whether nothing more will happen.
    pub fn is_final(&self) -> bool {
        !matches!(self.state.as_str(), "queued" | "running")
    }
}

/// One step of a job.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Step {
    /// E.g. `download`.
    pub name: String,
    /// `running`, `done`, `failed` or `undone`.
    pub state: String,
}

/// Why a job failed.
#[derive(Debug, Clone, Serialize)]
pub struct JobError {
    /// Its kind.
    pub kind: Kind,
    /// The named case, see [`crate::error::code`].
    pub code: Option<String>,
    /// For a person.
    pub message: String,
    /// What to do next.
    pub hint: Option<String>,
}

/// A change in a watched job.
#[derive(Debug, Clone, Serialize)]
#[serde(tag = "event", rename_all = "snake_case")]
pub enum JobUpdate {
    /// The job's new state; boxed because it is far larger than a line.
    State(Box<Job>),
    /// New output.
    Output {
        /// Rising within the job; pass it back to resume.
        seq: i64,
        /// One or more lines.
        text: String,
    },
}

/// An account.
#[derive(Debug, Clone, Serialize)]
pub struct Account {
    /// Row id.
    pub id: AccountId,
    /// Its name.
    pub name: String,
    /// What its databases' names begin with.
    pub prefix: String,
}

/// A domain an account may install into.
#[derive(Debug, Clone, Serialize)]
pub struct Domain {
    /// Row id.
    pub id: DomainId,
    /// E.g. `blog.example`, ASCII.
    pub name: String,
    /// The owning account.
    pub account_id: AccountId,
    /// The owning account's name.
    pub account_name: String,
    /// Its directory.
    pub root: String,
}

/// A person.
#[derive(Debug, Clone, Serialize)]
pub struct User {
    /// Row id.
    pub id: UserId,
    /// Address, folded.
    pub email: String,
    /// Name.
    pub name: String,
    /// Whether they operate this installation.
    pub operator: bool,
    /// Since when they are shut out.
    pub disabled_at: Option<Timestamp>,
}
