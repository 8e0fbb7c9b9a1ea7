//! What a site keeps from its visitors by files of its own: a login page at an address
//! of its own, a block in `.htaccess`, the mode of `wp-config.php`, and a log of errors
//! outside of what is served.
//!
//! What is ours is marked, written anew and never doubled. What somebody else wrote
//! stays as it is, byte for byte.

mod hide_login;
mod htaccess;
mod look;
mod measure;

pub use hide_login::HiddenLogin;
pub use look::{ConfigFile, Protections, look};
pub use measure::{Measure, carry_out};
