//! How sites were: every look at one, whose turn is next, and when one was down.

mod checks;
mod incidents;
mod sites;
mod turns;

pub use checks::{
    CheckKind, CheckStatus, HealthCheckRow, HealthFilter, NewHealthCheck, by_public_id, details,
    insert, list, put_detail, sweep,
};
pub use incidents::{Incident, close, open, open_of};
pub use sites::{production, set_status, site_by_short_id};
pub use turns::{
    Held, Settled, Turn, claim_due, claim_one, enrol, hold, memory, prolong, put_off, set_slow_ms,
    settle, slow_ms,
};
