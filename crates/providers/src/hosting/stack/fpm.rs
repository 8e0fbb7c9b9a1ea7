//! The private php-fpm: one pool per domain, and one placeholder pool, because
//! php-fpm does not start without any.
//!
//! The placeholder's socket is named after a hash of every pool file. Whoever can
//! connect to it knows that exactly these files are loaded: reloads need no guess
//! and no waiting time.

use super::{DaemonStatus, describe, web_account};
use crate::hosting::{
    Error, Isolation, LocalHosting, Result, command,
    daemon::{Daemon, answers, end_orphans, until},
    layout::{read_if_there, remove_if_there, write_atomically},
    unix_user,
};
use rustix::process::Signal;
use sha2::{Digest, Sha256};
use std::{fs, path::PathBuf, time::Duration};

/// How long requests that run during a reload may take to end.
const GRACE_S: u64 = 20;
/// How its processes are called.
const NAME: &str = "php-fpm";
const LIMIT: Duration = Duration::from_secs(30);
const RELOAD: Duration = Duration::from_secs(GRACE_S + 30);

/// A pool file's new content, or its absence.
pub struct PoolFile<'a> {
    pub domain: &'a str,
    pub content: Option<String>,
}

/// The private php-fpm.
pub struct Fpm<'a> {
    hosting: &'a LocalHosting,
}

impl<'a> Fpm<'a> {
    pub fn of(hosting: &'a LocalHosting) -> Self {
        Self { hosting }
    }

    pub fn find(&self) -> Option<Daemon> {
        let layout = self.hosting.layout();
        Daemon::find(&layout.fpm_pid(), &layout.fpm_conf())
    }

    pub fn status(&self) -> DaemonStatus {
        let answers = self
            .generation_socket()
            .is_ok_and(|socket| answers(&socket));
        describe(self.find(), answers)
    }

    pub async fn start(&self) -> Result<()> {
        let layout = self.hosting.layout();
        if self.find().is_some() {
            return self.load().await;
        }
        end_orphans(&layout.fpm_pid(), NAME).await?;
        self.set_orphans_aside()?;
        self.write_conf()?;
        self.check().await?;
        let program = self.hosting.config().programs.find_php_fpm()?;
        let mut args = self.args();
        // Not as a daemon of its own making: that one changes its process at each reload.
        args.push("--nodaemonize".into());
        let log = layout.logs().join("php-fpm-start.log");
        let mut child = command::spawn_daemon(&program, args, &log)?;
        let socket = self.generation_socket()?;
        let mut ended = None;
        let done = until(LIMIT, || {
            ended = child.try_wait().ok().flatten();
            ended.is_some() || (answers(&socket) && self.find().is_some())
        })
        .await;
        match ended {
            Some(status) => Err(Error::Command {
                program: program.display().to_string(),
                status: status.to_string(),
                stderr: command::tail(&fs::read(layout.fpm_log()).unwrap_or_default()),
            }),
            None if done => Ok(()),
            None => Err(Error::Deadline {
                what: "php-fpm's answer".into(),
                after: LIMIT,
            }),
        }
    }

    pub async fn stop(&self) -> Result<()> {
        let layout = self.hosting.layout();
        if let Some(daemon) = self.find() {
            daemon.stop(&layout.fpm_conf(), Signal::TERM, LIMIT).await?;
        }
        end_orphans(&layout.fpm_pid(), NAME).await
    }

    /// Puts one pool file in place and loads it; on failure the previous state is
    /// back and loaded.
    pub async fn change(&self, pool: &PoolFile<'_>) -> Result<()> {
        let path = self.hosting.layout().pool(pool.domain);
        let before = read_if_there(&path)?;
        put(&path, pool.content.as_ref().map(String::as_bytes))?;
        let Err(error) = self.load().await else {
            return Ok(());
        };
        put(&path, before.as_deref())?;
        if let Err(again) = self.load().await {
            tracing::error!(error = %again, "php-fpm does not load the previous pools either");
        }
        Err(error)
    }

    /// What `php-fpm -t` says of the files on disk.
    pub async fn check(&self) -> Result<()> {
        let program = self.hosting.config().programs.find_php_fpm()?;
        let mut args = self.args();
        args.push("--test".into());
        let finished = command::run(&program, args, LIMIT).await?;
        if finished.status.success() {
            return Ok(());
        }
        Err(Error::Refused {
            daemon: "php-fpm",
            message: finished.output,
        })
    }

    /// Domains that have a pool on disk.
    pub fn domains(&self) -> Result<Vec<String>> {
        conf_names(&self.hosting.layout().pools())
    }

    /// File name of the placeholder's socket.
    pub fn placeholder(&self) -> Result<String> {
        let socket = self.generation_socket()?;
        Ok(socket
            .file_name()
            .unwrap_or_default()
            .to_string_lossy()
            .into_owned())
    }

    /// Pools whose Unix user is gone: with one of them, php-fpm starts no pool at all.
    pub fn orphans(&self) -> Result<Vec<String>> {
        let mut orphans = Vec::new();
        for (name, bytes) in self.pool_files()? {
            let text = String::from_utf8_lossy(&bytes);
            let user = text.lines().find_map(|line| line.strip_prefix("user = "));
            if let Some(user) =
                user.filter(|_| self.hosting.config().isolation == Isolation::UnixUsers)
                && unix_user::system_account(user.trim())?.is_none()
            {
                orphans.push(name);
            }
        }
        Ok(orphans)
    }

    /// Makes the running php-fpm have what the files say.
    async fn load(&self) -> Result<()> {
        let layout = self.hosting.layout();
        let Some(daemon) = self.find() else {
            return Err(Error::Down {
                daemon: "php-fpm",
                log: layout.fpm_log(),
                source: None,
            });
        };
        let previous = read_if_there(&layout.fpm_conf())?;
        self.write_conf()?;
        if answers(&self.generation_socket()?) {
            return Ok(());
        }
        if let Err(error) = self.check().await {
            put(&layout.fpm_conf(), previous.as_deref())?;
            return Err(error);
        }
        daemon.signal(Signal::USR2)?;
        self.wait(RELOAD).await
    }

    async fn wait(&self, limit: Duration) -> Result<()> {
        let socket = self.generation_socket()?;
        if until(limit, || answers(&socket) && self.find().is_some()).await {
            return Ok(());
        }
        Err(Error::Deadline {
            what: "php-fpm's answer with the new pools".into(),
            after: limit,
        })
    }

    fn args(&self) -> Vec<String> {
        let mut args = vec![
            "--fpm-config".to_owned(),
            self.hosting.layout().fpm_conf().display().to_string(),
        ];
        for setting in [
            // A path is the script nginx named, never a part of it.
            "cgi.fix_pathinfo=0",
            // All pools share one OPcache: a script is served from it only to users who may read it.
            "opcache.validate_permission=1",
            "expose_php=0",
        ] {
            args.extend(["-d".to_owned(), setting.to_owned()]);
        }
        args
    }

    fn write_conf(&self) -> Result<()> {
        let layout = self.hosting.layout();
        let mut text = format!(
            "[global]\n\
             pid = {pid}\n\
             error_log = {log}\n\
             process_control_timeout = {GRACE_S}s\n\
             include = {pools}/*.conf\n\n\
             [placeholder]\n\
             listen = {socket}\n\
             listen.mode = 0600\n\
             pm = ondemand\n\
             pm.max_children = 1\n\
             php_admin_value[open_basedir] = /nonexistent/\n",
            pid = layout.fpm_pid().display(),
            log = layout.fpm_log().display(),
            pools = layout.pools().display(),
            socket = self.generation_socket()?.display(),
        );
        if self.hosting.config().isolation == Isolation::UnixUsers {
            use std::fmt::Write;
            let web = web_account()?;
            let _infallible = write!(text, "user = {0}\ngroup = {0}\n", web.name);
        }
        if read_if_there(&layout.fpm_conf())?.as_deref() == Some(text.as_bytes()) {
            return Ok(());
        }
        write_atomically(&layout.fpm_conf(), text.as_bytes(), 0o600)
    }

    fn generation_socket(&self) -> Result<PathBuf> {
        let mut hash = Sha256::new();
        for (name, bytes) in self.pool_files()? {
            hash.update(name.as_bytes());
            hash.update([0]);
            hash.update(u64::try_from(bytes.len()).unwrap_or(u64::MAX).to_be_bytes());
            hash.update(&bytes);
        }
        let short = hex::encode(&hash.finalize()[..6]);
        self.hosting.layout().pool_socket(&short)
    }

    /// Domain and content, by name.
    fn pool_files(&self) -> Result<Vec<(String, Vec<u8>)>> {
        let mut files = Vec::new();
        for name in conf_names(&self.hosting.layout().pools())? {
            if let Some(bytes) = read_if_there(&self.hosting.layout().pool(&name))? {
                files.push((name, bytes));
            }
        }
        Ok(files)
    }

    fn set_orphans_aside(&self) -> Result<()> {
        for domain in self.orphans()? {
            let path = self.hosting.layout().pool(&domain);
            tracing::warn!(
                domain,
                "the pool's Unix user is gone, the pool is set aside"
            );
            fs::rename(&path, path.with_extension("orphan")).map_err(Error::io("rename", &path))?;
        }
        Ok(())
    }
}

/// Names of `*.conf` in a directory without the ending, sorted.
pub fn conf_names(dir: &std::path::Path) -> Result<Vec<String>> {
    let entries = match fs::read_dir(dir) {
        Ok(entries) => entries,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(Vec::new()),
        Err(error) => return Err(Error::io("list", dir)(error)),
    };
    let mut names: Vec<_> = entries
        .flatten()
        .filter_map(|entry| entry.file_name().into_string().ok())
        .filter(|name| !name.starts_with('.'))
        .filter_map(|name| name.strip_suffix(".conf").map(str::to_owned))
        .collect();
    names.sort();
    Ok(names)
}

/// Writes or removes a configuration file.
pub fn put(path: &std::path::Path, content: Option<&[u8]>) -> Result<()> {
    match content {
        Some(bytes) => write_atomically(path, bytes, 0o600),
        None => remove_if_there(path).map(drop),
    }
}
