//! Things outside Pressroom: the machine that hosts sites, the sources packages
//! come from, and the pages visitors see.
//!
//! This crate knows no store, no job and no principal: it does what it is told and
//! says what it found. It never opens a path below a site's home and never drops
//! what it is not told to drop. Start reading at [`hosting::LocalHosting`] (users,
//! homes, databases, pools and server blocks on this machine),
//! [`packages::PackageCache`] (core, plugins and themes, fetched once),
//! [`probe::Prober`] (what a page answers) and [`recognize`] (whether it is WordPress'); what
//! visitors get is looked at by a [`lookout::Lookout`].
//!
//! ```
//! use pressroom_providers::address::is_private;
//! assert!(is_private("169.254.169.254".parse().expect("an address")));
//! ```

pub mod address;
pub mod hosting;
pub mod lookout;
pub mod mail;
pub mod outgoing;
pub mod packages;
pub mod probe;
pub mod recognize;
pub mod tls;
pub mod webhook;
