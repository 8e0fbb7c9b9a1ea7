//! WP-CLI, where it is.

use crate::site;
use anyhow::{Context, Result, ensure};
use std::{
    ffi::OsString,
    fs::{self, Permissions},
    os::unix::fs::PermissionsExt,
    path::{Path, PathBuf},
    process::Command,
};

/// WP-CLI on this machine, in one of two set-ups.
#[derive(Debug, Clone)]
pub struct WpCli {
    phar: PathBuf,
    /// Where OPcache keeps compiled files, for the faster set-up.
    file_cache: Option<PathBuf>,
}

impl WpCli {
    /// `PRESSROOM_BENCH_WP`, or `wp` on `PATH`; `None` where there is neither.
    pub fn find() -> Option<Self> {
        let phar = match std::env::var_os("PRESSROOM_BENCH_WP") {
            Some(path) => PathBuf::from(path),
            None => on_path("wp")?,
        };
        phar.is_file().then_some(Self {
            phar,
            file_cache: None,
        })
    }

    /// The same with OPcache's file cache on, about twice as fast.
    pub fn with_file_cache(&self, dir: &Path) -> Self {
        Self {
            phar: self.phar.clone(),
            file_cache: Some(dir.to_owned()),
        }
    }

    /// The same where others can read it, in this directory.
    pub fn copied_to(&self, dir: &Path) -> Result<Self> {
        let phar = dir.join("wp-cli.phar");
        fs::copy(&self.phar, &phar)?;
        fs::set_permissions(&phar, Permissions::from_mode(0o644))?;
        Ok(Self {
            phar,
            file_cache: self.file_cache.clone(),
        })
    }

    /// The command line for a site.
    pub fn command(&self, root: &Path, arguments: &[&str]) -> Command {
        let mut command = Command::new("php");
        if let Some(dir) = &self.file_cache {
            command
                .args([
                    "-d",
                    "opcache.enable_cli=1",
                    "-d",
                    "opcache.file_cache_only=1",
                    "-d",
                ])
                .arg({
                    let mut setting = OsString::from("opcache.file_cache=");
                    setting.push(dir);
                    setting
                });
        }
        command
            .args(["-d", "memory_limit=1G"])
            .arg(&self.phar)
            .arg(format!("--path={}", root.display()))
            .args(arguments)
            .env("WP_CLI_ALLOW_ROOT", "1")
            .env("WP_CLI_DISABLE_AUTO_CHECK_UPDATE", "1");
        command
    }

    /// Runs a command that must succeed; its standard output.
    pub fn run(&self, root: &Path, arguments: &[&str]) -> Result<String> {
        finished(self.command(root, arguments), arguments)
    }

    /// The same as the site's user, for commands that write files.
    pub fn run_as_owner(&self, root: &Path, arguments: &[&str]) -> Result<String> {
        let mut command = self.command(root, arguments);
        site::as_owner(&mut command);
        finished(command, arguments)
    }
}

fn finished(mut command: Command, arguments: &[&str]) -> Result<String> {
    let output = command.output().context("cannot run `php`")?;
    ensure!(
        output.status.success(),
        "`wp {}` failed: {}",
        arguments.join(" "),
        String::from_utf8_lossy(&output.stderr)
    );
    Ok(String::from_utf8_lossy(&output.stdout).into_owned())
}

fn on_path(name: &str) -> Option<PathBuf> {
    std::env::split_paths(&std::env::var_os("PATH")?)
        .map(|dir| dir.join(name))
        .find(|path| path.is_file())
}
