//! A site as its visitors see it, and two looks at it compared.
//!
//! This crate asks pages, reads off what they tell, takes pictures of them in Chromium and
//! says what became worse. It knows no store, no job and no WordPress engine: what it is to
//! look at stands in a [`Plan`], the way there is a [`Channel`], and what it saw is an
//! [`Impression`] of hashes and facts, never of bodies. It changes nothing at a site that a
//! visitor who clicks on would not change.
//!
//! Start reading at [`Visitor::look`], then [`compare()`] and the [`Thresholds`] it goes by;
//! `docs/verification.md` says the same for people.
//!
//! ```
//! use pressroom_visitor::{Impression, Thresholds, compare};
//! let look = Impression::default();
//! assert!(compare(&look, &look, &Thresholds::default()).is_empty());
//! ```

pub mod address;
pub mod channel;
pub mod compare;
pub mod facts;
pub mod finding;
pub mod html;
pub mod impression;
pub mod look;
pub mod marks;
pub mod origin;
pub mod pictures;
pub mod plan;
pub mod sitemap;
pub mod stylesheet;
pub mod thresholds;

pub use address::Home;
pub use channel::{Channel, Fetch, Fetched, Method, Unreachable};
pub use compare::compare;
pub use finding::{Finding, FindingKind, Severity};
pub use impression::Impression;
pub use look::{Looked, Visitor};
pub use origin::AtOrigin;
pub use pictures::{Camera, Difference, Picture, compare_pictures, shrink};
pub use plan::Plan;
pub use thresholds::Thresholds;
