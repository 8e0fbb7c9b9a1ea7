//! Switching one measure.

use crate::{Exit, Failure, Printer, commands::site::find, progress};
use clap::{Args, ValueEnum};
use pressroom_base::Timestamp;
use pressroom_fleet::{Caller, Fleet, authorize::Action, security::SetSecurity};

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
pub struct Switch {
    /// The site's id (`wp_…`) or domain
    pub site: String,
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
  pressroom security hide-login blog.example off")]
pub struct HideLogin {
    /// The site's id (`wp_…`) or domain
    pub site: String,
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

pub(super) async fn set(
    site: &str,
    set: SetSecurity,
    fleet: &Fleet,
    caller: &Caller,
    printer: &mut Printer,
) -> Result<Exit, Failure> {
    let site = find(site, Action::SiteConfigure, fleet, caller).await?;
    let job = fleet.set_security(caller, site.id, set).await?;
    let updates = fleet.watch_job(caller, job.id, 0).await?;
    progress::follow(updates, printer, Timestamp::now).await
}
