//! `pressroom health limit`

use crate::{Exit, Failure, Printer, commands::site::find};
use clap::Args;
use pressroom_fleet::{Caller, Fleet, authorize::Action};

/// Says from when on a site counts as slow.
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  pressroom health limit shop.example 5000
  pressroom health limit shop.example --usual")]
pub struct Limit {
    /// The site's id (`wp_…`) or domain
    pub site: String,
    /// Milliseconds that its front page may take
    #[arg(
        required_unless_present = "usual",
        conflicts_with = "usual",
        value_parser = clap::value_parser!(u64).range(100..=60_000)
    )]
    pub milliseconds: Option<u64>,
    /// As long as every other site, as `health.slow_ms` of the configuration says
    #[arg(long)]
    pub usual: bool,
}

impl Limit {
    pub(in crate::commands) async fn run(
        self,
        fleet: &Fleet,
        caller: &Caller,
        printer: &mut Printer,
    ) -> Result<Exit, Failure> {
        let site = find(&self.site, Action::SiteConfigure, fleet, caller).await?;
        fleet
            .limit_response_time(caller, site.id, self.milliseconds)
            .await?;
        printer.note(&match self.milliseconds {
            Some(ms) => format!("`{}` is slow from {ms} ms on", site.domain),
            None => format!("`{}` is slow when any site is", site.domain),
        });
        Ok(Exit::Done)
    }
}
