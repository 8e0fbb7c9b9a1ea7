//! How far each stage of a pipeline came.

use pressroom_base::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::Value;

/// One part of a pipeline.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum StageName {
    /// What is to be done is made out, and whether it can be.
    Preflight,
    /// The site is packed into the archive.
    Snapshot,
    /// The updates are tried in a throw-away clone.
    Rehearsal,
    /// Somebody says yes.
    Approval,
    /// The site is changed.
    Upgrade,
    /// The site is looked at as a whole.
    Verification,
    /// All of it is taken back.
    Rollback,
}

impl StageName {
    /// Every one, in order.
    pub const ALL: &[Self] = &[
        Self::Preflight,
        Self::Snapshot,
        Self::Rehearsal,
        Self::Approval,
        Self::Upgrade,
        Self::Verification,
        Self::Rollback,
    ];

    /// As programs call it.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Preflight => "preflight",
            Self::Snapshot => "snapshot",
            Self::Rehearsal => "rehearsal",
            Self::Approval => "approval",
            Self::Upgrade => "upgrade",
            Self::Verification => "verification",
            Self::Rollback => "rollback",
        }
    }
}

/// How one part of a pipeline stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum StageStatus {
    /// Its turn has not come.
    Pending,
    /// It is under way.
    Running,
    /// Somebody is waited for.
    Waiting,
    /// It went well.
    Passed,
    /// It did not.
    Failed,
    /// It was left out; its message says why.
    Skipped,
    /// There was no need for it.
    NotNeeded,
}

impl StageStatus {
    /// As programs call it.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Pending => "pending",
            Self::Running => "running",
            Self::Waiting => "waiting",
            Self::Passed => "passed",
            Self::Failed => "failed",
            Self::Skipped => "skipped",
            Self::NotNeeded => "not_needed",
        }
    }
}

/// One part of a pipeline, and how far it came.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Stage {
    /// Which.
    pub name: StageName,
    /// How it stands.
    pub status: StageStatus,
    /// When it was begun, for the last time.
    pub started_at: Option<Timestamp>,
    /// When it was over.
    pub finished_at: Option<Timestamp>,
    /// What came of it, in a sentence.
    pub message: Option<String>,
    /// The figures behind it, an object.
    pub detail: Value,
}

/// All stages, in order.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(transparent)]
pub(crate) struct Stages(Vec<Stage>);

impl Stages {
    /// Before any of them.
    pub(crate) fn new(snapshot: bool, approval: bool) -> Self {
        let stage = |name: &StageName| {
            let (status, message) = match name {
                StageName::Snapshot if !snapshot => {
                    (StageStatus::Skipped, Some("none was asked for".to_owned()))
                }
                StageName::Approval if !approval => (StageStatus::NotNeeded, None),
                StageName::Rollback => (StageStatus::NotNeeded, None),
                _ => (StageStatus::Pending, None),
            };
            Stage {
                name: *name,
                status,
                started_at: None,
                finished_at: None,
                message,
                detail: Value::Null,
            }
        };
        Self(StageName::ALL.iter().map(stage).collect())
    }

    /// Reads what a row has; before all of them, where that makes no sense.
    pub(crate) fn read(value: &Value) -> Self {
        Self::deserialize(value).unwrap_or_else(|_| Self::new(true, true))
    }

    pub(crate) fn written(&self) -> Value {
        serde_json::to_value(self).unwrap_or_default()
    }

    pub(crate) fn into_vec(self) -> Vec<Stage> {
        self.0
    }

    /// The one that is under way, or is waited for.
    pub(crate) fn current(&self) -> Option<StageName> {
        self.0
            .iter()
            .find(|stage| matches!(stage.status, StageStatus::Running | StageStatus::Waiting))
            .map(|stage| stage.name)
    }

    /// One of them is begun, as `Running` or `Waiting`.
    pub(crate) fn begin(&mut self, name: StageName, status: StageStatus, now: Timestamp) {
        if let Some(stage) = self.at(name) {
            stage.status = status;
            stage.started_at = Some(now);
            stage.finished_at = None;
            stage.message = None;
        }
    }

    /// One of them is over.
    pub(crate) fn end(
        &mut self,
        name: StageName,
        status: StageStatus,
        message: impl Into<String>,
        now: Timestamp,
    ) {
        if let Some(stage) = self.at(name) {
            stage.status = status;
            stage.started_at.get_or_insert(now);
            stage.finished_at = Some(now);
            stage.message = Some(message.into());
        }
    }

    /// What is known of one.
    pub(crate) fn tell(&mut self, name: StageName, detail: Value) {
        if let Some(stage) = self.at(name) {
            stage.detail = detail;
        }
    }

    /// Whatever was under way is over, and what was still to come does not.
    pub(crate) fn stop(&mut self, status: StageStatus, message: &str, now: Timestamp) {
        for stage in &mut self.0 {
            match stage.status {
                StageStatus::Running | StageStatus::Waiting => {
                    stage.status = status;
                    stage.finished_at = Some(now);
                    stage.message = Some(message.to_owned());
                }
                StageStatus::Pending => stage.status = StageStatus::Skipped,
                _ => {}
            }
        }
    }

    fn at(&mut self, name: StageName) -> Option<&mut Stage> {
        self.0.iter_mut().find(|stage| stage.name == name)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn status(stages: &Stages, name: StageName) -> Option<StageStatus> {
        let stage = stages.0.iter().find(|stage| stage.name == name);
        stage.map(|stage| stage.status)
    }

    #[test]
    fn stages_begin_and_end() {
        let now = Timestamp::from_millis(5);
        let mut stages = Stages::new(false, true);
        assert_eq!(
            status(&stages, StageName::Snapshot),
            Some(StageStatus::Skipped)
        );
        assert_eq!(
            status(&stages, StageName::Rollback),
            Some(StageStatus::NotNeeded)
        );
        stages.begin(StageName::Preflight, StageStatus::Running, now);
        assert_eq!(stages.current(), Some(StageName::Preflight));
        stages.end(StageName::Preflight, StageStatus::Passed, "3 targets", now);
        assert_eq!(stages.current(), None);
        stages.begin(StageName::Rehearsal, StageStatus::Running, now);
        stages.stop(StageStatus::Failed, "it broke", now);
        let read = Stages::read(&stages.written());
        assert_eq!(read, stages);
        assert_eq!(
            status(&read, StageName::Rehearsal),
            Some(StageStatus::Failed)
        );
        assert_eq!(
            status(&read, StageName::Upgrade),
            Some(StageStatus::Skipped)
        );
        assert_eq!(
            status(&read, StageName::Preflight),
            Some(StageStatus::Passed)
        );
    }
}
