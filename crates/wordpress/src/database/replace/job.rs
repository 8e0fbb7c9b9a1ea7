//! What a run of search-replace gives to its workers.

use super::{domains::Domains, progress::Journal, sql::Filter, table::Table};
use crate::{home::Home, watch::Watch};
use pressroom_base::Epoch;
use pressroom_phpdata::serialized::Replacer;
use std::sync::atomic::AtomicBool;

/// What all workers of a run share.
pub(super) struct Job<'a> {
    pub(super) home: &'a Home,
    pub(super) watch: &'a Watch,
    /// `None`: only count.
    pub(super) epoch: Option<Epoch>,
    pub(super) tables: &'a [Table],
    pub(super) replacer: &'a Replacer,
    /// What is left of the pairs where a network's domains are.
    pub(super) words: Option<&'a Replacer>,
    pub(super) domains: &'a Domains,
    pub(super) filter: &'a Filter,
    /// The longest statement that the server takes.
    pub(super) packet: usize,
    pub(super) journal: Option<&'a Journal<'a>>,
    /// Set when a worker failed, for the others to end.
    pub(super) stop: &'a AtomicBool,
}
