//! Taking sites under management that were there before Pressroom. Nothing of such a
//! site is changed, and nothing heavy is done: it is looked at and recorded.

mod address;
mod ask;
mod place;
mod site;

pub use site::{AdoptSite, Adopted};
