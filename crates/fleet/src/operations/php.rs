//! Whether sites can be worked on at all.

use crate::{Fleet, fleet::PhpSeen};
use std::{
    process::Stdio,
    time::{Duration, Instant},
};
use tokio::process::Command;

/// How long an interpreter that does nothing may take.
const PATIENCE: Duration = Duration::from_secs(5);

/// How long its answer is good. Starting it costs more than the rest of a status.
const FRESH: Duration = Duration::from_secs(2);

impl Fleet {
    /// Whether the PHP that bridge calls use starts. Anything else that could be
    /// wrong is wrong with one site, not with this machine.
    pub async fn can_run_php(&self) -> bool {
        self.php_version().await.is_some()
    }

    /// The version of that PHP, e.g. `8.2.29`; `None` when it does not start. It was
    /// asked at most two seconds ago, once for all who ask now.
    pub(crate) async fn php_version(&self) -> Option<String> {
        let mut seen = self.php.lock().await;
        if let Some(seen) = &*seen
            && seen.at.elapsed() < FRESH
        {
            return seen.version.clone();
        }
        let version = self.ask_php().await;
        *seen = Some(PhpSeen {
            at: Instant::now(),
            version: version.clone(),
        });
        version
    }

    async fn ask_php(&self) -> Option<String> {
        let run = Command::new(&self.parts.settings.php)
            // As sites are worked on, with the machine's configuration; what that makes PHP
            // complain of at its start is no version.
            .args([
                "-d",
                "display_errors=stderr",
                "-d",
                "display_startup_errors=0",
            ])
            .args(["-r", "echo PHP_VERSION;"])
            .stdin(Stdio::null())
            .stderr(Stdio::null())
            .kill_on_drop(true)
            .output();
        let ran = tokio::time::timeout(PATIENCE, run).await.ok()?.ok()?;
        let version = String::from_utf8(ran.stdout).ok()?;
        (ran.status.success() && !version.is_empty()).then_some(version)
    }
}
