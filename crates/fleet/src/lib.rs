//! What Pressroom does: one function per use case, and the one place that decides
//! who may do what.
//!
//! Faces call these functions with a [`Caller`]; nothing else may change anything.
//! There is no HTTP type here and no SQL. Each use case lives in
//! `<noun>/<verb>.rs`; start with [`authorize`] and then [`sites`].

pub mod accounts;
pub mod activity;
pub mod authorize;
pub mod caches;
pub mod caller;
pub mod checksums;
pub mod components;
pub mod core;
pub mod database;
pub mod domains;
pub mod environments;
pub mod error;
pub mod families;
mod fleet;
pub mod health;
pub mod hosts;
pub mod invitations;
pub mod jobs;
mod look;
pub mod mail;
pub mod maintenance;
pub mod operations;
pub mod pipelines;
pub mod policies;
pub mod principal;
mod reach;
mod readdress;
pub mod requests;
pub mod runs;
pub mod security;
pub mod selector;
pub mod sessions;
pub mod sites;
pub mod snapshots;
pub mod ssh_keys;
pub mod tags;
mod teller;
pub mod tokens;
pub mod users;
pub mod views;
pub mod webhooks;

pub use caller::Caller;
pub use error::{Error, Problem, Result, code};
pub use fleet::{Fleet, Parts, Selecting, Settings};
pub use principal::Principal;
