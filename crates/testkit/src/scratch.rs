//! Directories of one test, with everything that must not outlive it.

use anyhow::{Context, Result};
use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::Once;
use std::sync::atomic::{AtomicU32, Ordering};

const PREFIX: &str = "pressroom-test-";

/// A directory that other Unix users can pass through but not list; it goes when
/// the value is dropped, together with the Unix users whose homes lie in it.
#[derive(Debug)]
pub struct Scratch {
    path: PathBuf,
}

impl Scratch {
    /// Makes an empty one. The path is short because sockets live below it.
    pub fn new() -> Result<Self> {
        static SWEEP: Once = Once::new();
        static NEXT: AtomicU32 = AtomicU32::new(0);
        SWEEP.call_once(sweep);
        let number = NEXT.fetch_add(1, Ordering::Relaxed);
        let path = std::env::temp_dir().join(format!("{PREFIX}{}-{number}", std::process::id()));
        fs::create_dir(&path).with_context(|| format!("cannot make {}", path.display()))?;
        passable(&path)?;
        Ok(Self { path })
    }

    /// Where it is.
    pub fn path(&self) -> &Path {
        &self.path
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        if std::env::var_os("PRESSROOM_TEST_KEEP").is_some() {
            eprintln!("kept: {}", self.path.display());
        } else {
            remove(&self.path);
        }
    }
}

/// Lets other Unix users pass through a directory without listing it.
pub fn passable(directory: &Path) -> Result<()> {
    fs::set_permissions(directory, fs::Permissions::from_mode(0o711))?;
    Ok(())
}

/// Unix users whose home lies below `directory`, as `/etc/passwd` lists them.
pub fn unix_users_below(directory: &Path) -> Result<Vec<String>> {
    let passwd = fs::read_to_string("/etc/passwd").context("cannot read /etc/passwd")?;
    Ok(passwd
        .lines()
        .filter_map(|line| {
            let mut fields = line.split(':');
            let name = fields.next()?;
            let home = fields.nth(4)?;
            Path::new(home)
                .starts_with(directory)
                .then(|| name.to_owned())
        })
        .collect())
}

fn remove(path: &Path) {
    end_processes_of(path);
    for user in unix_users_below(path).unwrap_or_default() {
        let removed = Command::new("userdel")
            .arg(&user)
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .status();
        if !removed.is_ok_and(|status| status.success()) {
            eprintln!("warning: the Unix user `{user}` of a test is still there");
        }
    }
    if let Err(error) = fs::remove_dir_all(path)
        && path.exists()
    {
        eprintln!("warning: {} is still there: {error}", path.display());
    }
}

/// Ends daemons that were started with a path below `path` on their command line,
/// or that work in it: a failed test may not have come to stop them.
fn end_processes_of(path: &Path) {
    let Ok(entries) = fs::read_dir("/proc") else {
        return;
    };
    let needle = path.as_os_str().as_encoded_bytes();
    for entry in entries.flatten() {
        let Some(pid) = entry
            .file_name()
            .to_str()
            .and_then(|name| name.parse::<i32>().ok())
        else {
            continue;
        };
        let process = entry.path();
        let named = fs::read(process.join("cmdline"))
            .is_ok_and(|line| line.windows(needle.len()).any(|window| window == needle));
        let inside = fs::read_link(process.join("cwd")).is_ok_and(|cwd| cwd.starts_with(path));
        if (named || inside)
            && pid != i32::try_from(std::process::id()).unwrap_or(0)
            && let Some(pid) = rustix::process::Pid::from_raw(pid)
        {
            let _ = rustix::process::kill_process(pid, rustix::process::Signal::KILL);
        }
    }
}

/// Removes what earlier runs left that were killed before they could clean up.
fn sweep() {
    let Ok(entries) = fs::read_dir(std::env::temp_dir()) else {
        return;
    };
    for entry in entries.flatten() {
        let name = entry.file_name();
        let owner = name
            .to_str()
            .and_then(|name| name.strip_prefix(PREFIX))
            .and_then(|rest| rest.split('-').next());
        if let Some(owner) = owner
            && !Path::new("/proc").join(owner).exists()
        {
            remove(&entry.path());
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn goes_when_dropped() {
        let scratch = Scratch::new().expect("a directory can be made");
        let path = scratch.path().to_path_buf();
        fs::write(path.join("file"), b"x").expect("it can be written to");
        if std::env::var_os("PRESSROOM_TEST_KEEP").is_none() {
            drop(scratch);
            assert!(!path.exists());
        }
    }
}
