//! Switching one measure.

use crate::commands::place::Place;
use clap::{Args, ValueEnum};

/// Whether it is to be.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum State {
    /// It is
    On,
    /// It is not
    Off,
}

/// Switches it. It is verified at the site; what cannot be verified is taken back.
#[derive(Debug, Args)]
#[command(allow_missing_positional = true)]
pub struct Switch {
    /// Where
    #[command(flatten)]
    pub place: Place,
    /// On or off
    #[arg(value_enum)]
    pub state: State,
}

/// Serves the login page at an address of its own: visitors get a 404 at `wp-login.php`
/// and in `wp-admin`. Login links of Pressroom go on working.
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  pressroom security hide-login blog.example on
  pressroom security hide-login blog.example on --slug side-door
  pressroom security hide-login blog.example off
  pressroom security hide-login --on account:acme on")]
#[command(allow_missing_positional = true)]
pub struct HideLogin {
    /// Where
    #[command(flatten)]
    pub place: Place,
    /// On or off
    #[arg(value_enum)]
    pub state: State,
    /// The last part of the address; the one it has, or one that nobody guesses
    #[arg(long)]
    pub slug: Option<String>,
}

/// Sets `WP_DEBUG` and has errors logged to a private file instead of shown.
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  pressroom security debug blog.example on
  pressroom security debug blog.example")]
pub struct DebugArgs {
    /// The site's id (`wp_…`) or domain
    pub site: String,
    /// On or off; the opposite of what it is when absent
    #[arg(value_enum)]
    pub state: Option<State>,
}
