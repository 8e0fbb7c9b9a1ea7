//! The contract of this dialect, section by section, over a real listener and real
//! stores. No site answers here: what needs one is in the end-to-end suite.

#[path = "../../../http/tests/frame/fleet.rs"]
mod fleet;
mod world;

mod admin;
mod backups;
mod cache;
mod checksums;
mod clone;
mod components;
mod conventions;
mod core;
mod delete;
mod document;
mod errors;
mod install;
mod installations;
mod keys;
mod login;
mod maintenance;
mod matrix;
mod plugins;
mod progress;
mod replace;
mod security;
