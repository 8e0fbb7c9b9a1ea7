//! `pressroom site user …`

mod add;
mod list;
mod reset_password;

pub use add::Add;
pub use list::List;
pub use reset_password::ResetPassword;

use crate::{Exit, Failure, Printer, progress};
use clap::Subcommand;
use pressroom_base::Timestamp;
use pressroom_fleet::{Caller, Fleet, views::Job};
use serde_json::json;

/// Users of a site.
#[derive(Debug, Subcommand)]
#[command(after_help = "Examples:
  pressroom site user list blog.example
  pressroom site user add blog.example ops ops@example.com
  pressroom site user reset-password blog.example editor")]
pub enum User {
    /// List a site's users
    List(List),
    /// Add a user to a site
    Add(Add),
    /// Give a user of a site another password
    ResetPassword(ResetPassword),
}

impl User {
    pub(in crate::commands) async fn run(
        self,
        fleet: &Fleet,
        caller: &Caller,
        printer: &mut Printer,
    ) -> Result<Exit, Failure> {
        match self {
            Self::List(list) => list.run(fleet, caller, printer).await,
            Self::Add(add) => add.run(fleet, caller, printer).await,
            Self::ResetPassword(reset) => reset.run(fleet, caller, printer).await,
        }
    }
}

/// Follows a job to its end; a password it made up is printed last, and never again.
async fn follow(
    job: &Job,
    fleet: &Fleet,
    caller: &Caller,
    printer: &mut Printer,
) -> Result<Exit, Failure> {
    let updates = fleet.watch_job(caller, job.id, 0).await?;
    let exit = progress::follow(updates, printer, Timestamp::now).await?;
    if let Some(password) = fleet.take_job_secret(caller, job.id).await? {
        printer.one(&json!({ "password": password.expose() }), password.expose());
    }
    Ok(exit)
}
