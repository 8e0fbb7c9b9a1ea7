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
        self.php_version().await.is_some()
    }

    /// The version of that PHP, e.g. `8.2.29`; `None` when it does not start.
    pub(crate) async fn php_version(&self) -> Option<String> {
        let run = Command::new(&self.parts.settings.php)
            .args(["-n", "-r", "echo PHP_VERSION;"])
            .stdin(Stdio::null())
            .stderr(Stdio::null())
            .kill_on_drop(true)
            .output();
        let ran = tokio::time::timeout(PATIENCE, run).await.ok()?.ok()?;
        let version = String::from_utf8(ran.stdout).ok()?;
        (ran.status.success() && !version.is_empty()).then_some(version)
    }
}
