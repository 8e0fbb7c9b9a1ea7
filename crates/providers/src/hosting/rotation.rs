//! Logs that are long enough are set aside, and the oldest forgotten. The daemons open
//! them anew when told to, so no line is lost and none is written twice.

use super::{
    LocalHosting, Result,
    daemon::until,
    layout::remove_if_there,
    stack::{Fpm, Mariadb, Nginx, Serving},
    web::described::Described,
};
use std::{
    ffi::OsString,
    fs, io,
    path::{Path, PathBuf},
    time::Duration,
};

const REOPEN: Duration = Duration::from_secs(10);

impl LocalHosting {
    /// Sets every log of the stack aside that is longer than configured, and keeps as
    /// many of them as configured: `name.1` is the newest. Returns those set aside.
    /// Meant to be called every few minutes; logs below homes are not looked at.
    pub async fn rotate_logs(&self) -> Result<Vec<PathBuf>> {
        let layout = self.layout();
        if !layout.dir.exists() {
            return Ok(Vec::new());
        }
        let _turn = self.turn().await?;
        let mut done = Vec::new();
        let mut nginx = vec![layout.nginx_log()];
        nginx.extend(files(&layout.access_logs(), ".log")?);
        let nginx = self.set_aside(nginx)?;
        if !nginx.is_empty() {
            Nginx::of(self).reopen_logs()?;
        }
        let fpm = self.set_aside(vec![layout.fpm_log()])?;
        if !fpm.is_empty() {
            Fpm::of(self).reopen_logs()?;
        }
        let mariadb = self.set_aside(vec![layout.mariadb_log()])?;
        if !mariadb.is_empty() {
            Mariadb::of(self).reopen_logs().await?;
        }
        // A daemon that does not run makes its log when it starts.
        let status = self.status().await;
        for (logs, runs) in [
            (nginx, status.nginx.answers),
            (fpm, status.php_fpm.answers),
            (mariadb, status.mariadb.answers),
        ] {
            if runs {
                until(REOPEN, || logs.iter().all(|log| log.exists())).await;
            }
            done.extend(logs);
        }
        if self.serving()? == Serving::Php {
            for described in Described::readable(self)? {
                let log = super::php_server::log(self, &described.site.domain);
                if self.is_long(&log)? {
                    copy_and_empty(&log, self.config().log_keep)?;
                    done.push(log);
                }
            }
        }
        Ok(done)
    }

    fn set_aside(&self, logs: Vec<PathBuf>) -> Result<Vec<PathBuf>> {
        let mut done = Vec::new();
        for log in logs {
            if self.is_long(&log)? {
                shift(&log, self.config().log_keep)?;
                fs::rename(&log, numbered(&log, 1)).map_err(super::Error::io("rename", &log))?;
                done.push(log);
            }
        }
        Ok(done)
    }

    fn is_long(&self, log: &Path) -> Result<bool> {
        match fs::symlink_metadata(log) {
            Ok(data) => Ok(data.is_file() && data.len() > self.config().log_bytes),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(false),
            Err(error) => Err(super::Error::io("look at", log)(error)),
        }
    }
}

/// Removes a log and everything of it that was set aside.
pub fn remove(log: &Path) -> Result<()> {
    remove_if_there(log)?;
    let name = log.file_name().unwrap_or_default().to_string_lossy();
    let Some(dir) = log.parent() else {
        return Ok(());
    };
    for path in files(dir, "")? {
        let other = path.file_name().unwrap_or_default().to_string_lossy();
        let aside = other
            .strip_prefix(&*name)
            .and_then(|rest| rest.strip_prefix('.'))
            .is_some_and(|rest| rest.bytes().all(|byte| byte.is_ascii_digit()));
        if aside {
            remove_if_there(&path)?;
        }
    }
    Ok(())
}

/// PHP's own server keeps its log open; what it writes is appended, so that the file
/// may be emptied under it.
fn copy_and_empty(log: &Path, keep: u32) -> Result<()> {
    shift(log, keep)?;
    let aside = numbered(log, 1);
    fs::copy(log, &aside).map_err(super::Error::io("copy", log))?;
    fs::File::options()
        .write(true)
        .open(log)
        .and_then(|file| file.set_len(0))
        .map_err(super::Error::io("empty", log))
}

/// Makes room for `name.1`.
fn shift(log: &Path, keep: u32) -> Result<()> {
    remove_if_there(&numbered(log, keep.max(1)))?;
    for number in (1..keep.max(1)).rev() {
        let (from, to) = (numbered(log, number), numbered(log, number + 1));
        match fs::rename(&from, to) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => {
                return Err(super::Error::io("rename", from)(error));
            }
            _ => {}
        }
    }
    Ok(())
}

fn numbered(log: &Path, number: u32) -> PathBuf {
    let mut name = OsString::from(log);
    name.push(format!(".{number}"));
    PathBuf::from(name)
}

fn files(dir: &Path, ending: &str) -> Result<Vec<PathBuf>> {
    let entries = match fs::read_dir(dir) {
        Ok(entries) => entries,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
        Err(error) => return Err(super::Error::io("list", dir)(error)),
    };
    Ok(entries
        .flatten()
        .filter(|entry| entry.file_name().to_string_lossy().ends_with(ending))
        .map(|entry| entry.path())
        .collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn as_many_are_kept_as_wanted_and_all_go_at_the_end() {
        let temp = tempfile::tempdir().unwrap();
        let log = temp.path().join("a.example.log");
        for text in ["one", "two", "three", "four"] {
            fs::write(&log, text).unwrap();
            copy_and_empty(&log, 2).unwrap();
        }
        assert_eq!(fs::read_to_string(numbered(&log, 1)).unwrap(), "four");
        assert_eq!(fs::read_to_string(numbered(&log, 2)).unwrap(), "three");
        assert!(!numbered(&log, 3).exists());
        assert_eq!(fs::metadata(&log).unwrap().len(), 0);
        let other = temp.path().join("a.example.log.example.log");
        fs::write(&other, "x").unwrap();
        remove(&log).unwrap();
        assert_eq!(fs::read_dir(temp.path()).unwrap().count(), 1);
    }
}
