//! Runs: one operation on many environments. Each is an item that ends in a final state,
//! whatever becomes of the others and of us.
//!
//! A run is a job ([`RunJob`]) that begins the items, a few at a time, and writes down how
//! each ended. An item is a job of its own: a command ([`CommandJob`]), or what any other
//! use case starts ([`Operation`]).

mod cancel;
mod command;
mod course;
mod end;
mod find;
mod job;
mod kept;
mod operation;
mod resume;
mod rights;
mod start;
mod targets;
mod view;

pub use operation::{Command, Operation};
pub use pressroom_wordpress::command::{Channel, MAX_LIMIT};
pub use resume::Resumed;
pub use start::{Bounds, NewRun, Started};
pub use targets::{Target, Targets};
pub use view::{Printed, Run, RunItem};

pub(crate) use command::CommandJob;
pub(crate) use job::RunJob;
