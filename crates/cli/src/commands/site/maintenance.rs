//! `pressroom site maintenance`

use super::find;
use crate::{Exit, Failure, Printer, progress};
use clap::{Args, ValueEnum};
use pressroom_base::Timestamp;
use pressroom_fleet::{Caller, Fleet, authorize::Action};

/// Shows a site's visitors its maintenance page until it is ended. When Pressroom
/// does not run, it ends by itself within ten minutes.
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  pressroom site maintenance on blog.example
  pressroom site maintenance off blog.example")]
pub struct Maintenance {
    /// Begin or end
    #[arg(value_enum)]
    pub state: State,
    /// The site's id (`wp_…`) or domain
    pub id: String,
}

/// Whether visitors get the maintenance page.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum State {
    /// They do
    On,
    /// They get the site
    Off,
}

impl Maintenance {
    pub(in crate::commands) async fn run(
        self,
        fleet: &Fleet,
        caller: &Caller,
        printer: &mut Printer,
    ) -> Result<Exit, Failure> {
        let site = find(&self.id, Action::SiteConfigure, fleet, caller).await?;
        let enabled = self.state == State::On;
        let job = fleet.set_maintenance(caller, site.id, enabled).await?;
        let updates = fleet.watch_job(caller, job.id, 0).await?;
        progress::follow(updates, printer, Timestamp::now).await
    }
}
