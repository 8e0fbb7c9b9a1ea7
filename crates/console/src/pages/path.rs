//! What the paths of pages name.

use crate::errors::Failure;
use pressroom_base::id::{EnvironmentId, ShortId};

/// The site of `/sites/{id}`. What is no id is not there.
pub(crate) fn site_id(id: &str) -> Result<EnvironmentId, Failure> {
    id.parse().map_err(|_| Failure::missing())
}

/// The safe update of `/pipelines/{id}`, with the prefix that programs give it or without.
pub(crate) fn pipeline_id(id: &str) -> Result<ShortId, Failure> {
    let bare = id.strip_prefix("pipe_").unwrap_or(id);
    ShortId::parse(bare).ok_or_else(Failure::missing)
}
