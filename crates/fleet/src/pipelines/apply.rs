//! From the yes on: each target updated at the site, judged, and taken back where the site
//! suffers.

mod attempt;
mod back;
mod end;
mod item;
mod job;
mod tables;

pub(crate) use job::ApplyJob;
