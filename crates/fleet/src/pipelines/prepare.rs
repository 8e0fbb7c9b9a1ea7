//! Until somebody is to say yes: preflight, baseline, snapshot, rehearsal.

mod active;
mod checks;
mod complaints;
mod inside;
mod job;
mod rehearse;
mod sign_in;
mod trial;

pub(crate) use job::PrepareJob;
