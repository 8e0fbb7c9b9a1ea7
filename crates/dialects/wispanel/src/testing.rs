//! Jobs made up for unit tests.

use pressroom_base::{Kind, Timestamp, id::JobId};
use pressroom_fleet::views::{Job, JobError};
use serde_json::Value;

/// A job that ended so.
pub fn ended(state: &str, result: Option<Value>, error: Option<JobError>) -> Job {
    Job {
        id: JobId::new(1),
        public_id: "job_abc".into(),
        kind: "component_update".into(),
        environment_id: None,
        panel_id: None,
        domain: None,
        account_id: None,
        state: state.into(),
        progress: 0,
        step: String::new(),
        message: String::new(),
        steps: Vec::new(),
        result,
        error,
        requested_by: None,
        created_at: Timestamp::from_millis(0),
        started_at: None,
        finished_at: None,
        keeps_secret: false,
    }
}

/// A job's error with a named case.
pub fn error(kind: Kind, named: &str, message: &str) -> JobError {
    JobError {
        kind,
        code: Some(named.into()),
        message: message.into(),
        hint: None,
    }
}
