//! Words that people give to sites, to aim bulk actions, lists and reports by.
//!
//! They are Pressroom's own: nothing of them is written into a site. A tag belongs to
//! the environment that people name, not to all of its site: what is tagged `shop` in
//! production is not so on staging, and a copy has none of its source's tags.

mod change;

pub use change::MAX_TAGS;
