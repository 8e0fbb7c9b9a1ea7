//! States as people see them: a word, and a shape that needs no colour.

use askama::{Template, filters::HtmlSafe};
use pressroom_fleet::{
    checksums::Verdict,
    components::Outcome,
    health::CheckStatus,
    pipelines::{PipelineState, TargetState},
    snapshots::Snapshot,
    views::{Environment, Job},
};

/// A state's word and look.
#[derive(Debug, Clone, Template)]
#[template(
    source = r#"<span class="badge badge-{{ tone.as_str() }}">{{ word }}</span>"#,
    ext = "html"
)]
pub(crate) struct Badge {
    pub(crate) word: String,
    pub(crate) tone: Tone,
}

// Its own template escapes the word.
impl HtmlSafe for Badge {}

/// How a state looks; each has its own shape and colour in the stylesheet.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Tone {
    Good,
    Working,
    Waiting,
    Warning,
    Bad,
    Off,
}

impl Tone {
    pub(crate) const fn as_str(self) -> &'static str {
        match self {
            Self::Good => "good",
            Self::Working => "working",
            Self::Waiting => "waiting",
            Self::Warning => "warning",
            Self::Bad => "bad",
            Self::Off => "off",
        }
    }
}

impl Badge {
    fn new(word: &str, tone: Tone) -> Self {
        Self {
            word: word.to_owned(),
            tone,
        }
    }

    /// The state of a site.
    pub(crate) fn of_site(site: &Environment) -> Self {
        match site.state.as_str() {
            "active" => Self::new("Active", Tone::Good),
            "installing" => Self::new("Installing", Tone::Working),
            "deleting" => Self::new("Deleting", Tone::Working),
            "broken" => Self::new("Broken", Tone::Bad),
            "failed" => Self::new("Not installed", Tone::Off),
            other => Self::new(other, Tone::Off),
        }
    }

    /// How a site is for its visitors.
    pub(crate) fn of_health(status: &str) -> Self {
        match status {
            "healthy" => Self::new("Healthy", Tone::Good),
            "degraded" => Self::new("Degraded", Tone::Warning),
            "down" => Self::new("Down", Tone::Bad),
            "disconnected" => Self::new("Disconnected", Tone::Bad),
            "pending" => Self::new("Not known yet", Tone::Waiting),
            "paused" => Self::new("Paused", Tone::Off),
            other => Self::new(other, Tone::Off),
        }
    }

    /// How it is with a site of which only an address is known.
    pub(crate) fn of_waiting(status: &str) -> Self {
        match status {
            "pending" => Self::new("Waiting", Tone::Waiting),
            other => Self::of_health(other),
        }
    }

    /// What one look at a site found.
    pub(crate) fn of_look(status: CheckStatus) -> Self {
        match status {
            CheckStatus::Passed => Self::new("Passed", Tone::Good),
            CheckStatus::Warning => Self::new("Warning", Tone::Warning),
            CheckStatus::Failed => Self::new("Failed", Tone::Bad),
        }
    }

    /// Whether signing in takes a code as well.
    pub(crate) fn of_second_factor(on: bool) -> Self {
        if on {
            Self::new("On", Tone::Good)
        } else {
            Self::new("Off", Tone::Off)
        }
    }

    /// The state of a job.
    pub(crate) fn of_job(job: &Job) -> Self {
        match job.state.as_str() {
            "queued" => Self::new("Queued", Tone::Waiting),
            "running" => Self::new("Running", Tone::Working),
            "completed" => Self::new("Completed", Tone::Good),
            "failed" => Self::new("Failed", Tone::Bad),
            "dead" => Self::new("Given up", Tone::Bad),
            "cancelled" => Self::new("Cancelled", Tone::Off),
            other => Self::new(other, Tone::Off),
        }
    }

    /// Where a safe update stands.
    pub(crate) fn of_pipeline(state: PipelineState) -> Self {
        match state {
            PipelineState::Pending => Self::new("Not begun", Tone::Waiting),
            PipelineState::Preflight => Self::new("Planning", Tone::Working),
            PipelineState::Snapshotting => Self::new("Taking a snapshot", Tone::Working),
            PipelineState::Rehearsing => Self::new("Trying in a clone", Tone::Working),
            PipelineState::AwaitingApproval => Self::new("Waits for a yes", Tone::Warning),
            PipelineState::Approved => Self::new("Approved", Tone::Waiting),
            PipelineState::Upgrading => Self::new("Updating", Tone::Working),
            PipelineState::Verifying => Self::new("Verifying", Tone::Working),
            PipelineState::RollingBack => Self::new("Taking back", Tone::Working),
            PipelineState::Completed => Self::new("Completed", Tone::Good),
            PipelineState::Failed => Self::new("Failed", Tone::Bad),
            PipelineState::RolledBack => Self::new("Taken back", Tone::Warning),
            PipelineState::Cancelled => Self::new("Cancelled", Tone::Off),
        }
    }

    /// Where one of its targets stands.
    pub(crate) fn of_target(state: TargetState) -> Self {
        match state {
            TargetState::Pending => Self::new("To come", Tone::Waiting),
            TargetState::Updating => Self::new("Updating", Tone::Working),
            TargetState::Updated => Self::new("Updated", Tone::Good),
            TargetState::Failed => Self::new("Failed", Tone::Bad),
            TargetState::RolledBack => Self::new("Taken back", Tone::Warning),
            TargetState::Skipped => Self::new("Left out", Tone::Off),
        }
    }

    /// How much a finding weighs.
    pub(crate) fn of_severity(severity: &str) -> Self {
        match severity {
            "blocking" => Self::new("Blocking", Tone::Bad),
            "warning" => Self::new("Warning", Tone::Warning),
            "note" => Self::new("Note", Tone::Off),
            other => Self::new(other, Tone::Off),
        }
    }

    /// What there is of a snapshot, and whether it can be relied on.
    pub(crate) fn of_snapshot(snapshot: &Snapshot) -> Self {
        match snapshot.state.as_str() {
            "creating" => Self::new("Being made", Tone::Working),
            "failed" => Self::new("Failed", Tone::Bad),
            "awaiting_upload" => Self::new("Awaited", Tone::Waiting),
            "expired" | "deleted" => Self::new("Removed", Tone::Off),
            "ready" if snapshot.fault.is_some() => Self::new("Damaged", Tone::Bad),
            "ready" if snapshot.verified_at.is_some() => Self::new("Verified", Tone::Good),
            "ready" => Self::new("Not verified", Tone::Warning),
            other => Self::new(other, Tone::Off),
        }
    }

    /// How files stand to their package. What is unknown is never good.
    pub(crate) fn of_verdict(verdict: Verdict) -> Self {
        match verdict {
            Verdict::Clean => Self::new("Intact", Tone::Good),
            Verdict::Differs => Self::new("Differ", Tone::Bad),
            Verdict::Unknown => Self::new("Unknown", Tone::Warning),
        }
    }

    /// How a component's update ended.
    pub(crate) fn of_outcome(outcome: Outcome) -> Self {
        match outcome {
            Outcome::Updated => Self::new("Updated", Tone::Good),
            Outcome::Unchanged => Self::new("Unchanged", Tone::Off),
            Outcome::TakenBack => Self::new("Taken back", Tone::Warning),
            Outcome::Failed => Self::new("Failed", Tone::Bad),
        }
    }

    /// Whether a plugin or theme is in use.
    pub(crate) fn of_status(status: &str) -> Self {
        match status {
            "active" => Self::new("Active", Tone::Good),
            "active-network" => Self::new("Active on network", Tone::Good),
            "parent" => Self::new("Parent", Tone::Good),
            "must-use" => Self::new("Must-use", Tone::Good),
            "dropin" => Self::new("Drop-in", Tone::Good),
            "inactive" => Self::new("Inactive", Tone::Off),
            _ => Self::new("Unknown", Tone::Off),
        }
    }
}
