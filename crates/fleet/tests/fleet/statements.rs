//! How many statements a use case hands to its store.

use std::sync::{
    Arc,
    atomic::{AtomicUsize, Ordering},
};
use tracing::{
    Event, Metadata, Subscriber,
    span::{Attributes, Id, Record},
    subscriber::DefaultGuard,
};

/// A number of statements.
#[derive(Clone, Default)]
pub struct Statements(Arc<AtomicUsize>);

/// Counts those of this thread until the guard is dropped.
pub fn count(statements: &Statements) -> DefaultGuard {
    tracing::subscriber::set_default(statements.clone())
}

impl Statements {
    pub fn get(&self) -> usize {
        self.0.load(Ordering::Relaxed)
    }
}

/// Each statement outside a transaction is a span of the database's connection.
impl Subscriber for Statements {
    fn enabled(&self, metadata: &Metadata<'_>) -> bool {
        metadata.is_span()
            && metadata.target() == "sea_orm::database::db_connection"
            && metadata.name().ends_with("_raw")
    }

    fn new_span(&self, _span: &Attributes<'_>) -> Id {
        Id::from_u64(self.0.fetch_add(1, Ordering::Relaxed) as u64 + 1)
    }

    fn record(&self, _span: &Id, _values: &Record<'_>) {}
    fn record_follows_from(&self, _span: &Id, _follows: &Id) {}
    fn event(&self, _event: &Event<'_>) {}
    fn enter(&self, _span: &Id) {}
    fn exit(&self, _span: &Id) {}
}
