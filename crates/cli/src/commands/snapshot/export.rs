//! `pressroom snapshot export`

use crate::{Exit, Failure, Printer};
use clap::Args;
use pressroom_fleet::{Caller, Fleet};
use std::path::PathBuf;
use tokio::io::AsyncWriteExt;

/// Writes a snapshot to a new file, as it is in the archive: any `tar` with zstd, or
/// `unzip`, opens it.
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  pressroom snapshot export k3v9q2x7m1p0 blog.tar.zst")]
pub struct Export {
    /// The snapshot
    pub snapshot: String,
    /// The file to make
    pub file: PathBuf,
}

impl Export {
    pub(in crate::commands) async fn run(
        self,
        fleet: &Fleet,
        caller: &Caller,
        printer: &mut Printer,
    ) -> Result<Exit, Failure> {
        let (snapshot, mut reader) = fleet.open_snapshot(caller, &self.snapshot).await?;
        let shown = self.file.display().to_string();
        let failed =
            |error: &std::io::Error| Failure::local(format!("cannot write `{shown}`"), error);
        let mut file = tokio::fs::OpenOptions::new()
            .write(true)
            .create_new(true)
            .mode(0o600)
            .open(&self.file)
            .await
            .map_err(|error| failed(&error))?;
        let written = async {
            let bytes = tokio::io::copy(&mut reader, &mut file).await?;
            file.flush().await?;
            file.sync_all().await?;
            Ok(bytes)
        };
        let bytes: std::io::Result<u64> = written.await;
        match bytes {
            Ok(bytes) if bytes == snapshot.size => {}
            Ok(bytes) => {
                let _ = tokio::fs::remove_file(&self.file).await;
                return Err(Failure::new(
                    pressroom_base::Kind::Remote,
                    format!("{bytes} of {} bytes came", snapshot.size),
                ));
            }
            Err(error) => {
                let _ = tokio::fs::remove_file(&self.file).await;
                return Err(failed(&error));
            }
        }
        if printer.json() {
            printer.json_line(&snapshot);
        }
        printer.note(&format!("wrote {} bytes to `{shown}`", snapshot.size));
        Ok(Exit::Done)
    }
}
