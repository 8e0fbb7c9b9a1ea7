//! An update taken back out of the tables as they are now.

mod exchange;
mod look;
mod plan;
mod replay;
mod rows;
mod run;
mod steps;

pub use run::merge;
