//! The private php-fpm: one pool per domain, and one placeholder pool, because
//! php-fpm does not start without any.
//!
//! The placeholder's socket is named after a hash of every pool file. Whoever can
//! connect to it knows that exactly these files are loaded: reloads need no guess
//! and no waiting time.

mod pools;

use super::blame;
use crate::hosting::{
    Error, Isolation, LocalHosting, Result, command,
    daemon::{Daemon, DaemonStatus, answers, end_orphans, open_files, until},
    init::{Init, Kind, Unit},
    layout::{conf_names, put, read_if_there, write_atomically},
    unix_user::web_account,
};
use pools::PoolFiles;
use rustix::process::Signal;
use std::{
    fmt::Write,
    fs,
    path::{Path, PathBuf},
    time::Duration,
};

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
            .pools()
            .and_then(|pools| self.generation_socket(&pools))
            .is_ok_and(|socket| answers(&socket));
        DaemonStatus::of(self.find(), answers)
    }

    pub async fn start(&self) -> Result<()> {
        if self.find().is_some() {
            return self.load(&[]).await;
        }
        let Err(error) = self.start_with(&self.pools()?).await else {
            return Ok(());
        };
        // One file of somebody else's must not keep every site of the machine down.
        let pools = self.pools()?;
        if !pools.has_foreign() {
            return Err(error);
        }
        tracing::error!(%error, "php-fpm does not start, it is started without the pool files that Pressroom did not write");
        pools.exclude_foreign(self.hosting)?;
        self.start_with(&self.pools()?).await
    }

    async fn start_with(&self, pools: &PoolFiles) -> Result<()> {
        let layout = self.hosting.layout();
        end_orphans(&layout.fpm_pid(), NAME).await?;
        let pools = pools.set_orphans_aside(self.hosting)?;
        pools.refuse_unfit()?;
        self.write_conf(&pools)?;
        self.check(&[]).await?;
        let program = self.hosting.config().programs.find_php_fpm()?;
        let init = Init::of(self.hosting)?;
        let socket = self.generation_socket(&pools)?;
        let mut child = init.start(self.hosting, &self.unit(&program)).await?;
        let mut ended = None;
        let done = until(LIMIT, || {
            ended = child
                .as_mut()
                .and_then(|child| child.try_wait().ok().flatten());
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

    /// How php-fpm is started. Not as a daemon of its own making: that one changes
    /// its process at each reload.
    pub fn unit(&self, program: &Path) -> Unit {
        let layout = self.hosting.layout();
        let mut args = self.args();
        args.push("--nodaemonize".into());
        Unit {
            daemon: "php-fpm",
            program: program.to_path_buf(),
            args,
            kind: Kind::Notify,
            pid_file: layout.fpm_pid(),
            account: None,
            log: layout.logs().join("php-fpm-start.log"),
        }
    }

    pub async fn stop(&self) -> Result<()> {
        let layout = self.hosting.layout();
        Init::of(self.hosting)?
            .stop(self.hosting, "php-fpm")
            .await?;
        if let Some(daemon) = self.find() {
            daemon.stop(&layout.fpm_conf(), Signal::TERM, LIMIT).await?;
        }
        end_orphans(&layout.fpm_pid(), NAME).await
    }

    /// Puts pool files in place and loads them; on failure the previous state is back
    /// and loaded.
    pub async fn change(&self, changed: &[PoolFile<'_>]) -> Result<()> {
        let layout = self.hosting.layout();
        let mut before = Vec::new();
        for pool in changed {
            before.push(read_if_there(&layout.pool(pool.domain))?);
        }
        let mut placed = Ok(());
        for pool in changed {
            placed = placed.and_then(|()| {
                put(
                    &layout.pool(pool.domain),
                    pool.content.as_ref().map(String::as_bytes),
                )
            });
        }
        let domains: Vec<&str> = changed.iter().map(|pool| pool.domain).collect();
        let loaded = match placed {
            Ok(()) => self.load(&domains).await,
            Err(error) => Err(error),
        };
        let Err(error) = loaded else {
            return Ok(());
        };
        for (pool, before) in changed.iter().zip(before) {
            put(&layout.pool(pool.domain), before.as_deref())?;
        }
        // php-fpm does not survive every mistake that its own check lets pass.
        let again = match self.find() {
            Some(_) => self.load(&[]).await,
            None if matches!(error, Error::Down { .. }) => Ok(()),
            None => self.start().await,
        };
        if let Err(again) = again {
            tracing::error!(error = %again, "php-fpm does not load the previous pools either");
        }
        Err(error)
    }

    /// What `php-fpm -t` says of the files on disk, of which those of `changing` are
    /// being put there now.
    pub async fn check(&self, changing: &[&str]) -> Result<()> {
        let program = self.hosting.config().programs.find_php_fpm()?;
        let mut args = self.args();
        args.push("--test".into());
        let finished = command::run(&program, args, LIMIT).await?;
        if finished.status.success() {
            return Ok(());
        }
        let pools = self.hosting.layout().pools();
        Err(blame(
            self.hosting,
            "php-fpm",
            &pools,
            changing,
            finished.output,
        ))
    }

    /// Domains that have a pool on disk.
    pub fn domains(&self) -> Result<Vec<String>> {
        conf_names(&self.hosting.layout().pools())
    }

    /// File name of the placeholder's socket.
    pub fn placeholder(&self) -> Result<String> {
        let socket = self.generation_socket(&self.pools()?)?;
        Ok(socket
            .file_name()
            .unwrap_or_default()
            .to_string_lossy()
            .into_owned())
    }

    /// Pools whose Unix user is gone: with one of them, php-fpm starts no pool at all.
    pub fn orphans(&self) -> Result<Vec<String>> {
        self.pools()?.orphans()
    }

    /// Foreign pool files that php-fpm did not survive and that are left out.
    pub fn excluded(&self) -> Result<Vec<PathBuf>> {
        Ok(self.pools()?.excluded)
    }

    /// Opens the log again, after it was set aside.
    pub fn reopen_logs(&self) -> Result<()> {
        match self.find() {
            Some(daemon) => daemon.signal(Signal::USR1),
            None => Ok(()),
        }
    }

    fn pools(&self) -> Result<PoolFiles> {
        PoolFiles::read(self.hosting)
    }

    /// Makes the running php-fpm have what the files say.
    async fn load(&self, changing: &[&str]) -> Result<()> {
        let layout = self.hosting.layout();
        let Some(daemon) = self.find() else {
            return Err(Error::Down {
                daemon: "php-fpm",
                log: layout.fpm_log(),
                source: None,
            });
        };
        let pools = self.pools()?.set_orphans_aside(self.hosting)?;
        let previous = read_if_there(&layout.fpm_conf())?;
        let socket = self.generation_socket(&pools)?;
        let written = self.write_conf(&pools)?;
        if !written && answers(&socket) {
            return Ok(());
        }
        let fit = match pools.refuse_unfit() {
            Ok(()) => self.check(changing).await,
            Err(error) => Err(error),
        };
        if let Err(error) = fit {
            put(&layout.fpm_conf(), previous.as_deref())?;
            return Err(error);
        }
        daemon.signal(Signal::USR2)?;
        let mut live = false;
        until(RELOAD, || {
            live = answers(&socket) && self.find().is_some();
            live || !daemon.lives()
        })
        .await;
        if live {
            return Ok(());
        }
        if !daemon.lives() {
            return Err(Error::Refused {
                daemon: "php-fpm",
                message: command::tail(&fs::read(layout.fpm_log()).unwrap_or_default()),
            });
        }
        Err(Error::Deadline {
            what: "php-fpm's answer with the new pools".into(),
            after: RELOAD,
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
            // Calling C from PHP would leave every confinement of PHP's own.
            "ffi.enable=0",
        ] {
            args.extend(["-d".to_owned(), setting.to_owned()]);
        }
        args
    }

    /// Writes the main file; tells whether it changed.
    fn write_conf(&self, pools: &PoolFiles) -> Result<bool> {
        let layout = self.hosting.layout();
        let mut text = format!(
            "[global]\n\
             pid = {pid}\n\
             error_log = {log}\n\
             process_control_timeout = {GRACE_S}s\n\
             process.max = {max}\n\
             emergency_restart_threshold = 10\n\
             emergency_restart_interval = 60s\n",
            pid = layout.fpm_pid().display(),
            log = layout.fpm_log().display(),
            max = self.hosting.config().max_php_processes,
        );
        let _infallible = writeln!(text, "rlimit_files = {}", open_files());
        // Each by its name, so that nothing is loaded that was not looked at.
        for path in pools.paths() {
            let _infallible = writeln!(text, "include = {}", path.display());
        }
        let _infallible = write!(
            text,
            "\n[placeholder]\n\
             listen = {socket}\n\
             listen.mode = 0600\n\
             pm = ondemand\n\
             pm.max_children = 1\n\
             php_admin_value[open_basedir] = /nonexistent/\n",
            socket = self.generation_socket(pools)?.display(),
        );
        if self.hosting.config().isolation == Isolation::UnixUsers {
            let web = web_account()?;
            let _infallible = write!(text, "user = {0}\ngroup = {0}\n", web.name);
        }
        if read_if_there(&layout.fpm_conf())?.as_deref() == Some(text.as_bytes()) {
            return Ok(false);
        }
        write_atomically(&layout.fpm_conf(), text.as_bytes(), 0o600)?;
        Ok(true)
    }

    fn generation_socket(&self, pools: &PoolFiles) -> Result<PathBuf> {
        self.hosting.layout().pool_socket(&pools.hash())
    }
}
