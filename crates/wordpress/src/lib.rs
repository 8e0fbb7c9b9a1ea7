//! The site-side engine: everything Pressroom knows of a WordPress on disk.
//!
//! It runs as the site's own user, inside the agent. It knows no network, no
//! store and no control plane, and never runs site code except through
//! [`bridge`], whose answers it treats as hearsay. All paths it is given are
//! relative to a [`home::Home`] and are checked against leaving it. Start reading at
//! [`fence`], which every effect passes, and [`component`], the smallest whole act.
//!
//! ```
//! use pressroom_wordpress::{Home, Watch, tree};
//! # fn main() -> pressroom_wordpress::Result<()> {
//! let home = Home::open(&std::env::temp_dir())?;
//! assert!(home.resolve("../etc").is_err());
//! assert_eq!(tree::hash_at(&home, "no/such/directory", &Watch::unbounded())?, None);
//! # Ok(())
//! # }
//! ```

pub mod adoption;
pub mod archive;
pub mod bridge;
pub mod caches;
pub mod cage;
pub mod checksums;
pub mod clean;
pub mod command;
pub mod component;
pub mod config;
pub mod core;
pub mod database;
mod disk;
pub mod error;
pub mod fence;
pub mod find;
#[doc(hidden)]
pub mod fuzzing;
pub mod home;
pub mod inventory;
mod journal;
mod kind;
pub mod maintenance;
mod names;
pub mod package;
pub mod programs;
pub mod protection;
pub mod recovery;
pub mod rehearsal;
pub mod snapshot;
pub mod tree;
pub mod usage;
pub mod watch;

pub use error::{Error, Result};
pub use home::Home;
pub use watch::Watch;
