//! WordPress, plugins and themes as packages: found in configured sources, fetched
//! once for the whole fleet, verified, and kept by content.

mod archive;
mod cache;
mod directory;
mod distribution;
mod error;
mod offers;
mod source;
mod storage;
mod wordpress_org;

pub use cache::{Package, PackageCache};
pub use error::{Error, Result};
pub use offers::{Installed, Offer, Standing};
pub use source::{PackageKind, PackageSource};
pub use wordpress_org::WordPressOrg;
