//! Where on a host a site is said to be, as it is kept with the site.

use pressroom_base::id::HostId;
use serde::{Deserialize, Serialize};

/// A WordPress on a host.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(super) struct SshPlace {
    /// The host.
    pub(super) host: HostId,
    /// The directory; looked for by the site's address, without.
    pub(super) path: Option<String>,
}
