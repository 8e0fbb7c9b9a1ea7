//! Rows by what they are looked up by.

use std::{
    collections::{BTreeSet, HashMap},
    hash::Hash,
};

/// Each of the ids once.
pub(super) fn unique<T: Ord>(ids: impl Iterator<Item = Option<T>>) -> Vec<T> {
    let once: BTreeSet<T> = ids.flatten().collect();
    once.into_iter().collect()
}

/// Each row by its key.
pub(super) fn by<K: Hash + Eq, T>(
    rows: impl IntoIterator<Item = T>,
    key: impl Fn(&T) -> K,
) -> HashMap<K, T> {
    rows.into_iter().map(|row| (key(&row), row)).collect()
}

/// The rows of each.
pub(super) fn group<K: Hash + Eq, T>(rows: Vec<T>, key: impl Fn(&T) -> K) -> HashMap<K, Vec<T>> {
    let mut groups: HashMap<K, Vec<T>> = HashMap::new();
    for row in rows {
        groups.entry(key(&row)).or_default().push(row);
    }
    groups
}
