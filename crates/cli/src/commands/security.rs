//! `pressroom security …`

mod measure;
mod show;

pub use measure::{DebugArgs, HideLogin, State, Switch};
pub use show::Show;

use super::place::Place;
use crate::{Exit, Failure, Printer};
use clap::Subcommand;
use pressroom_fleet::{
    Caller, Fleet,
    runs::Operation,
    security::{Measure, SetSecurity},
};

/// What keeps intruders from a site.
#[derive(Debug, Subcommand)]
#[command(after_help = "Examples:
  pressroom security show blog.example
  pressroom security file-protection blog.example on
  pressroom security hide-login blog.example on --slug side-door")]
pub enum Security {
    /// Look at a site as it is served, and weigh what is seen
    Show(Show),
    /// Let wp-admin edit files of plugins and themes, or not
    #[command(after_help = "Examples:
  pressroom security file-editing blog.example off
  pressroom security file-editing --on all off")]
    FileEditing(Switch),
    /// Have the web server refuse what is nobody's business, or no longer
    #[command(after_help = "Examples:
  pressroom security file-protection blog.example on")]
    FileProtection(Switch),
    /// Serve the login page at an address of its own, or at WordPress' again
    HideLogin(HideLogin),
    /// Log PHP's complaints where no address leads, or nowhere
    Debug(DebugArgs),
}

impl Security {
    pub(in crate::commands) async fn run(
        self,
        fleet: &Fleet,
        caller: &Caller,
        printer: &mut Printer,
    ) -> Result<Exit, Failure> {
        let (place, set) = match self {
            Self::Show(show) => return show.run(fleet, caller, printer).await,
            // Off is what protects.
            Self::FileEditing(switch) => {
                let is_off = switch.state == State::Off;
                let set = SetSecurity::new(Measure::FileEditing, Some(is_off));
                (switch.place, set)
            }
            Self::FileProtection(switch) => {
                let is_on = switch.state == State::On;
                let set = SetSecurity::new(Measure::FileProtection, Some(is_on));
                (switch.place, set)
            }
            Self::HideLogin(hide) => {
                let set = SetSecurity {
                    slug: hide.slug,
                    ..SetSecurity::new(Measure::HideLogin, Some(hide.state == State::On))
                };
                (hide.place, set)
            }
            Self::Debug(debug) => {
                let enabled = debug.state.map(|state| state == State::On);
                let site = Some(debug.site);
                let set = SetSecurity::new(Measure::Debug, enabled);
                (Place { site, on: None }, set)
            }
        };
        let operation = Operation::Security(set);
        place.carry_out(operation, fleet, caller, printer).await
    }
}
