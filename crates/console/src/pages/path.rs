//! What the paths of pages name.

use crate::errors::Failure;
use pressroom_base::id::EnvironmentId;

/// The site of `/sites/{id}`. What is no id is not there.
pub(crate) fn site_id(id: &str) -> Result<EnvironmentId, Failure> {
    id.parse().map_err(|_| Failure::missing())
}
