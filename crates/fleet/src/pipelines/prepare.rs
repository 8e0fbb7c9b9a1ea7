//! Until somebody is to say yes: preflight, baseline, snapshot, rehearsal.

mod checks;
mod job;
mod rehearse;
mod trial;

pub(crate) use job::PrepareJob;
