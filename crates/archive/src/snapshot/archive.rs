//! The door to snapshots.

use crate::Objects;

/// The snapshots in an object store. Cheap to clone; what it does stands in the files
/// beside this one.
#[derive(Debug, Clone)]
pub struct Archive {
    objects: Objects,
}

impl Archive {
    /// Keeps snapshots in this store, below the key `snapshots`.
    pub const fn new(objects: Objects) -> Self {
        Self { objects }
    }

    /// The store beneath.
    pub const fn objects(&self) -> &Objects {
        &self.objects
    }
}
