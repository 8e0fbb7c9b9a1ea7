//! `php -l`: whether PHP can read a file, without running it.

use super::super::complaint::complaint;
use crate::{Error, Result, home::Home, watch::Watch};
use rustix::process::{Pid, Signal, kill_process_group};
use std::{
    io::Read,
    os::unix::process::CommandExt,
    path::Path,
    process::{Child, Command, Stdio},
    thread,
    time::Duration,
};

const LIMIT: Duration = Duration::from_secs(30);
const POLL: Duration = Duration::from_millis(5);
/// What is kept of PHP's complaint.
const MAX_SAID: u64 = 4096;

/// Fails with the kind of error and its line where PHP refuses the file.
pub(super) fn lint(home: &Home, php: &str, file: &Path, watch: &Watch) -> Result<()> {
    if php.is_empty() || php.starts_with('-') || php.contains('\0') {
        return Err(Error::NoPhp(format!("`{php}` is no command for PHP")));
    }
    let child = Command::new(php)
        .args(["-d", "display_errors=1", "-d", "log_errors=0"])
        .args(["-d", "html_errors=0", "-d", "opcache.enable_cli=0", "-l"])
        .arg(file)
        .current_dir(home.path())
        .env_clear()
        .env(
            "PATH",
            std::env::var_os("PATH").unwrap_or_else(|| "/usr/local/bin:/usr/bin:/bin".into()),
        )
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .process_group(0)
        .spawn()
        .map_err(|why| Error::NoPhp(format!("`{php}` did not start: {why}")))?;
    let mut process = Process(child);
    let stdout = process.0.stdout.take();
    let reader = thread::spawn(move || {
        let mut said = Vec::new();
        if let Some(mut stdout) = stdout {
            // What it says is a courtesy; how it ends decides.
            let _ = stdout.by_ref().take(MAX_SAID).read_to_end(&mut said);
            let _ = std::io::copy(&mut stdout, &mut std::io::sink());
        }
        said
    });
    let limited = watch.within(LIMIT);
    let status = loop {
        match process.0.try_wait() {
            Ok(Some(status)) => break status,
            Ok(None) => limited.check()?,
            Err(why) => return Err(Error::Php(format!("PHP cannot be waited for: {why}"))),
        }
        thread::sleep(POLL);
    };
    drop(process);
    if status.success() {
        return Ok(());
    }
    let said = reader.join().unwrap_or_default();
    let why = complaint(&String::from_utf8_lossy(&said));
    Err(Error::BadInput(format!(
        "PHP refuses the new configuration: {}",
        why.as_deref().unwrap_or("it did not say why")
    )))
}

/// Ended with everything it started, however the caller leaves.
struct Process(Child);

impl Drop for Process {
    fn drop(&mut self) {
        if let Some(pid) = i32::try_from(self.0.id()).ok().and_then(Pid::from_raw)
            && matches!(self.0.try_wait(), Ok(None))
        {
            // Gone already is what we want.
            let _ = kill_process_group(pid, Signal::KILL);
            let _ = self.0.wait();
        }
    }
}
