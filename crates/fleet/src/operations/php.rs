//! Whether sites can be worked on at all.

use crate::Fleet;
use std::{process::Stdio, time::Duration};
use tokio::process::Command;

/// How long an interpreter that does nothing may take.
const PATIENCE: Duration = Duration::from_secs(5);

impl Fleet {
    /// Whether the PHP that bridge calls use starts. Anything else that could be
    /// wrong is wrong with one site, not with this machine.
    pub async fn can_run_php(&self) -> bool {
        let run = Command::new(&self.parts.settings.php)
            .arg("-v")
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .kill_on_drop(true)
            .status();
        match tokio::time::timeout(PATIENCE, run).await {
            Ok(Ok(status)) => status.success(),
            Ok(Err(_)) | Err(_) => false,
        }
    }
}
