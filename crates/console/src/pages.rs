//! The pages, one file each.
mod entrance;
pub(crate) mod files;
pub(crate) mod fleet;
pub(crate) mod forgot;
pub(crate) mod health;
pub(crate) mod invitation;
pub(crate) mod job;
pub(crate) mod jobs;
pub(crate) mod path;
pub(crate) mod people;
pub(crate) mod pipeline;
pub(crate) mod pipelines;
pub(crate) mod policy;
pub(crate) mod set_up;
pub(crate) mod sign_in;
pub(crate) mod site;
pub(crate) mod snapshot;
pub(crate) mod snapshots;
pub(crate) use entrance::{home, missing};

#[cfg(test)]
mod samples;
