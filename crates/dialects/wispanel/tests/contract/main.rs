//! The contract of this dialect, section by section, over a real listener and real
//! stores. No site answers here: what needs one is in the end-to-end suite.

#[path = "../../../http/tests/frame/fleet.rs"]
mod fleet;
mod world;

mod checksums;
mod conventions;
mod document;
mod errors;
mod install;
mod installations;
mod keys;
mod login;
mod matrix;
mod plugins;
mod progress;
