//! Hints that something changed. A hint may be lost or come twice: whoever waits
//! for one also looks from time to time.

use pressroom_base::id::JobId;

/// What changed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Signal {
    /// A job may be claimed.
    Queued,
    /// This job's row or steps changed.
    Job(JobId),
    /// This job wrote output. Stays in the process: it comes too often for the
    /// database to pass on.
    Output(JobId),
    /// An event was written to the outbox.
    Event,
}

/// The PostgreSQL channel that carries signals between processes.
pub(crate) const CHANNEL: &str = "pressroom";

impl Signal {
    /// The form sent between processes; `None` for what stays inside.
    pub(crate) fn payload(self) -> Option<String> {
        match self {
            Self::Queued => Some("queued".to_owned()),
            Self::Job(id) => Some(format!("job:{id}")),
            Self::Output(_) => None,
            Self::Event => Some("event".to_owned()),
        }
    }

    pub(crate) fn parse(payload: &str) -> Option<Self> {
        match payload {
            "queued" => Some(Self::Queued),
            "event" => Some(Self::Event),
            other => Some(Self::Job(other.strip_prefix("job:")?.parse().ok()?)),
        }
    }
}
