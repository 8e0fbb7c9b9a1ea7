//! `pressroom snapshot upload`

use super::Kind;
use crate::{Exit, Failure, Printer};
use clap::Args;
use pressroom_base::id::ShortId;
use pressroom_fleet::{
    Caller, Error, Fleet,
    authorize::Action,
    snapshots::{AskSnapshot, Contents, Mode, Sending},
};
use std::path::PathBuf;

/// Keeps an archive that is in a file as a snapshot of a site: a tar, packed with gzip or zstd
/// or not, or a zip. A site can be put back from one that was downloaded from a Pressroom.
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  pressroom snapshot upload blog.example blog.tar.zst
  pressroom snapshot upload https://shop.example old.zip --kind files --label 'from the old host'")]
pub struct Upload {
    /// The site: its id (`site_…`, `wp_…`), its address or its host name
    pub site: String,
    /// The file
    pub file: PathBuf,
    /// What of the site is in it
    #[arg(long, value_name = "KIND", default_value = "full")]
    pub kind: Kind,
    /// What to call it, for whoever finds it
    #[arg(long, default_value = "")]
    pub label: String,
    /// Days until it may be removed, 1 to 365; 30 without
    #[arg(long, value_name = "DAYS")]
    pub retention_days: Option<i64>,
}

impl Upload {
    pub(in crate::commands) async fn run(
        self,
        fleet: &Fleet,
        caller: &Caller,
        printer: &mut Printer,
    ) -> Result<Exit, Failure> {
        let shown = self.file.display().to_string();
        let failed =
            |error: &std::io::Error| Failure::local(format!("cannot read `{shown}`"), error);
        let file = tokio::fs::File::open(&self.file)
            .await
            .map_err(|error| failed(&error))?;
        let bytes = file.metadata().await.map_err(|error| failed(&error))?.len();
        let site = fleet
            .site_named(caller, Action::SnapshotCreate, &self.site)
            .await?;
        let contents: Contents = self.kind.contents();
        let ask = AskSnapshot {
            mode: Mode::Upload,
            contents,
            label: self.label,
            retention_days: self.retention_days,
        };
        let awaited = fleet.ask_snapshot(caller, &site.short_id, ask).await?;
        let id = ShortId::parse(&awaited.short_id).ok_or_else(|| Error::not_found("snapshot"))?;
        let sending = Sending {
            declared: Some(bytes),
            sha256: None,
        };
        let sent = fleet
            .upload_snapshot(caller, &site.short_id, &id, sending, file)
            .await;
        let snapshot = match sent {
            Ok(snapshot) => snapshot,
            Err(error) => {
                // Nobody else knows that it is awaited.
                let removed = fleet
                    .remove_site_snapshot(caller, &site.short_id, &id)
                    .await;
                if let Err(left) = removed {
                    printer.note(&format!("what was begun is left: {left}"));
                }
                return Err(explained(error));
            }
        };
        if printer.json() {
            printer.json_line(&snapshot);
        } else {
            printer.line(&snapshot.id);
        }
        let restorable = if snapshot.held.restorable {
            ""
        } else {
            "; no site can be put back from it"
        };
        printer.note(&format!(
            "kept {} bytes of `{shown}` as {}{restorable}",
            snapshot.size, snapshot.format
        ));
        Ok(Exit::Done)
    }
}

/// With what is wrong, where that is known.
fn explained(error: Error) -> Failure {
    match error.problems().first() {
        Some(problem) => Failure::new(
            error.kind(),
            format!("{}: {}", error.message(), problem.text),
        ),
        None => error.into(),
    }
}
