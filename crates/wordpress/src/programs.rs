//! The PHP that the engine runs at sites, as texts: for whoever starts it without the
//! engine.

use crate::{bridge, config};

/// Boots WordPress and runs actions; reads its request from standard input.
pub fn bridge() -> &'static str {
    bridge::program()
}

/// The must-use file that redeems a one-time login.
pub const fn login() -> &'static str {
    bridge::LOGIN_PROGRAM
}

/// Runs a `wp-config.php` and tells what it defines; reads its request from standard
/// input.
pub const fn evaluation() -> &'static str {
    config::EVALUATION
}
