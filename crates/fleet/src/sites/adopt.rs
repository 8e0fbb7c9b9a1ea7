//! Taking sites under management that were there before Pressroom. Nothing of such a
//! site is changed, and nothing heavy is done: it is looked at and recorded.

mod address;
mod ask;
mod place;
mod site;

pub(super) use address::{authority, calls_itself};
pub(super) use ask::refuse_another;
pub(super) use place::{Found, checked as checked_path, roots};
pub use site::{AdoptSite, Adopted};
