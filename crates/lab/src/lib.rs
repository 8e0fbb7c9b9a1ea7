//! A private MariaDB, real WordPress trees and SSH servers, without a Pressroom.
//!
//! The engine's own tests, its fuzz corpus and the benches start here: [`Mariadb`]
//! is one server per test process that ends with it, [`Site`] is a WordPress that
//! was installed by its own code into a database of its own, [`Sshd`] is a server that
//! real Unix users log in to, [`Hosted`] a WordPress at home with one of them, and a
//! [`Namespace`] the network of another machine. Nothing here uses the code under test. `testkit` is for tests of the whole product; this crate stays
//! small so that the engine's tests compile fast.
//!
//! ```no_run
//! # fn main() -> anyhow::Result<()> {
//! use pressroom_lab::{Site, Wordpress};
//! let site = Site::new(Wordpress::V6_5)?;
//! assert_eq!(site.php("echo get_option('blogname');")?, "Lab");
//! # Ok(())
//! # }
//! ```

mod hosted;
mod login;
mod mariadb;
mod namespace;
mod place;
mod site;
mod sshd;
mod wordpress;

pub use hosted::Hosted;
pub use login::Login;
pub use mariadb::{Database, Mariadb};
pub use namespace::Namespace;
pub use place::binary;
pub use site::{Multisite, Site, SiteOptions};
pub use sshd::Sshd;
pub use wordpress::Wordpress;
