//! WordPress, plugins and themes as packages: found in configured sources, fetched
//! once for the whole fleet, verified, and kept by content.

mod address;
mod archive;
mod cache;
mod candidate;
mod directory;
mod distribution;
mod error;
mod kind;
mod offers;
mod released;
mod source;
mod storage;
mod translations;
mod wordpress_org;

pub use cache::{Package, PackageCache};
pub use error::{Error, Result};
pub use kind::PackageKind;
pub use offers::{Installed, Offer, Standing};
pub use source::PackageSource;
pub use translations::{LanguagePack, TranslationOffer};
pub use wordpress_org::WordPressOrg;
