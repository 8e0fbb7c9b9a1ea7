//! `pressroom site import`

use super::find;
use crate::{Exit, Failure, Printer, progress};
use clap::Args;
use pressroom_base::{Kind, Timestamp};
use pressroom_fleet::{Caller, Fleet, authorize::Action, database::ImportDatabase};
use std::path::PathBuf;

/// Puts the tables of a dump in place of a site's. The site goes on with its own until
/// all is loaded; they are exchanged at once, and exchanged back when the site does not
/// answer any more. Tables that the dump does not hold stay.
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  pressroom site import blog.example blog.sql --yes")]
pub struct Import {
    /// The site's id (`wp_…`) or domain
    pub id: String,
    /// The dump, on the machine whose worker runs the job
    pub file: PathBuf,
    /// Leave it in place even when the site is worse off with it
    #[arg(long)]
    pub keep: bool,
    /// Yes, replace the tables; there is no way back but a snapshot or an export
    #[arg(long)]
    pub yes: bool,
}

impl Import {
    pub(in crate::commands) async fn run(
        self,
        fleet: &Fleet,
        caller: &Caller,
        printer: &mut Printer,
    ) -> Result<Exit, Failure> {
        let site = find(&self.id, Action::SiteDatabase, fleet, caller).await?;
        let file = std::path::absolute(&self.file)
            .map_err(|error| Failure::local("the file cannot be named", &error))?;
        if !self.yes {
            return Err(Failure::new(
                Kind::Invalid,
                format!(
                    "this would replace the tables of {} in the database `{}`",
                    site.url, site.db_name
                ),
            )
            .with_hint("say `--yes` to do it; `pressroom site export` keeps what is there"));
        }
        let import = ImportDatabase {
            file,
            keep: self.keep,
        };
        let job = fleet.import_database(caller, site.id, import).await?;
        let updates = fleet.watch_job(caller, job.id, 0).await?;
        progress::follow(updates, printer, Timestamp::now).await
    }
}
