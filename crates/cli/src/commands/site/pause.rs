//! `pressroom site pause` and `pressroom site resume`

use crate::{Exit, Failure, Printer};
use clap::Args;
use pressroom_fleet::{Caller, Fleet, authorize::Action, sites::EditSite};

/// Has nobody look at a site, nor be told of it, until it is resumed.
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  pressroom site pause https://shop.example")]
pub struct Pause {
    /// The site's id, address or domain
    pub id: String,
}

/// Has a site be looked at again. One that is not connected is tried at once.
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  pressroom site resume https://shop.example")]
pub struct Resume {
    /// The site's id, address or domain
    pub id: String,
}

impl Pause {
    pub(in crate::commands) async fn run(
        self,
        fleet: &Fleet,
        caller: &Caller,
        printer: &mut Printer,
    ) -> Result<Exit, Failure> {
        set(&self.id, true, fleet, caller, printer).await
    }
}

impl Resume {
    pub(in crate::commands) async fn run(
        self,
        fleet: &Fleet,
        caller: &Caller,
        printer: &mut Printer,
    ) -> Result<Exit, Failure> {
        set(&self.id, false, fleet, caller, printer).await
    }
}

async fn set(
    id: &str,
    paused: bool,
    fleet: &Fleet,
    caller: &Caller,
    printer: &mut Printer,
) -> Result<Exit, Failure> {
    let site = fleet.site_named(caller, Action::SiteEdit, id).await?;
    let edit = EditSite {
        paused: Some(paused),
        ..EditSite::default()
    };
    let now = fleet.edit_site(caller, site.id, edit).await?;
    if printer.json() {
        printer.json_line(&now);
    }
    printer.note(&format!("{} is {} now", now.site.url, now.site.status));
    Ok(Exit::Done)
}
