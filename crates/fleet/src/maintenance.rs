//! Sites that show their maintenance page until somebody ends it.
//!
//! At the site it is a lease that lapses by itself when nobody prolongs it; that it is
//! wanted is recorded in the store.

mod during;
mod renew;
mod set;

pub(crate) use during::during_maintenance;
pub(crate) use set::MaintenanceJob;
pub use set::MaintenanceSet;

use std::time::Duration;

/// How long a site stays in maintenance when nobody is there to prolong it: as long as
/// WordPress honours it.
pub(crate) const LEASE: Duration = Duration::from_mins(10);
