//! `pressroom site export`

use super::find;
use crate::{Exit, Failure, Printer, table::plain};
use clap::Args;
use pressroom_base::Kind;
use pressroom_fleet::{Caller, Fleet, authorize::Action, database::ExportReport};
use std::{
    io,
    os::fd::AsFd,
    path::{Path, PathBuf},
};
use tokio::{fs::OpenOptions, io::AsyncWriteExt};

/// Writes a site's tables as SQL to a new file, or to standard output. The file holds
/// what the tables hold, password hashes included, and is readable to you alone.
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  pressroom site export blog.example blog.sql
  pressroom site export wp_2f686f6d6 - > blog.sql")]
pub struct Export {
    /// The site's id (`wp_…`) or domain
    pub id: String,
    /// A file that is not there yet, or `-` for standard output
    pub file: PathBuf,
}

impl Export {
    pub(in crate::commands) async fn run(
        self,
        fleet: &Fleet,
        caller: &Caller,
        printer: &mut Printer,
    ) -> Result<Exit, Failure> {
        let site = find(&self.id, Action::SiteDatabase, fleet, caller).await?;
        if self.file == Path::new("-") {
            // A handle of its own: what is written there does not wait for a terminal.
            let out = io::stdout()
                .as_fd()
                .try_clone_to_owned()
                .map_err(|error| Failure::local("standard output cannot be used", &error))?;
            let mut out = tokio::fs::File::from_std(out.into());
            let report = fleet.export_database(caller, site.id, &mut out).await?;
            out.flush()
                .await
                .map_err(|error| Failure::local("the dump could not be written", &error))?;
            show(&report, false, printer);
            return Ok(Exit::Done);
        }
        let refused = |error: io::Error| {
            let shown = self.file.display();
            if error.kind() == io::ErrorKind::AlreadyExists {
                return Failure::new(Kind::Conflict, format!("`{shown}` is there already"));
            }
            Failure::local(format!("`{shown}` cannot be written"), &error)
        };
        let mut file = OpenOptions::new()
            .write(true)
            .create_new(true)
            .mode(0o600)
            .open(&self.file)
            .await
            .map_err(refused)?;
        // Half a dump must not be taken for one, however this ends.
        let mut half = Half(Some(&self.file));
        let report = fleet.export_database(caller, site.id, &mut file).await?;
        file.flush().await.map_err(refused)?;
        file.sync_all().await.map_err(refused)?;
        half.0 = None;
        show(&report, true, printer);
        Ok(Exit::Done)
    }
}

/// A file that goes unless it was completed.
struct Half<'a>(Option<&'a Path>);

impl Drop for Half<'_> {
    fn drop(&mut self) {
        if let Some(path) = self.0 {
            let _ = std::fs::remove_file(path);
        }
    }
}

fn show(report: &ExportReport, out_is_free: bool, printer: &mut Printer) {
    if printer.json() && out_is_free {
        printer.json_line(report);
    }
    printer.note(&format!(
        "{} tables with {} rows, {} views and programs, {} bytes",
        report.tables.len(),
        report.rows(),
        report.programs.len(),
        report.bytes
    ));
    for name in &report.non_transactional {
        printer.note(&format!(
            "`{}` may be of another moment than the rest: its engine knows no snapshot",
            plain(name)
        ));
    }
    // What is not in the dump is told also to whoever wants quiet.
    for missing in &report.missing_rights {
        printer.complaint(&format!(
            "warning: the site's database user lacks {} on {}: what it would show is not in the dump\n",
            plain(&missing.right),
            plain(&missing.on)
        ));
    }
    for left in &report.left_out {
        printer.complaint(&format!(
            "warning: the {} `{}` is not in the dump: {}\n",
            plain(&left.kind),
            plain(&left.name),
            plain(&left.why)
        ));
    }
}
