//! What every other crate may rely on: identifiers, instants, secrets, error
//! kinds and the catalogues of names (events, metrics, environment variables).
//!
//! This crate does no I/O, knows no async runtime and has no opinion about
//! WordPress. Start reading at [`error::Kind`] (how failures are told apart) and
//! [`id`] (what things are called by).
//!
//! ```
//! use pressroom_base::{id::SiteId, secret::Secret};
//! let site = SiteId::new(7);
//! assert_eq!(site.to_string(), "7");
//! assert_eq!(format!("{:?}", Secret::new("hunter2")), "Secret(…)");
//! ```

pub mod address;
pub mod catalog;
pub mod epoch;
pub mod error;
pub mod id;
pub mod keyring;
pub mod password;
pub mod secret;
pub mod time;
pub mod token;

pub use epoch::Epoch;
pub use error::Kind;
pub use secret::Secret;
pub use time::Timestamp;
