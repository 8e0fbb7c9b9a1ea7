//! Who starts the daemons: systemd where it is process 1, else we ourselves. This is
//! the only place that knows the difference; everything else looks at pid files and
//! sockets.

mod unit;

pub use unit::{Kind, Unit};

use super::{Error, InitChoice, Isolation, LocalHosting, Result, command, layout};
use sha2::{Digest, Sha256};
use std::{
    path::{Path, PathBuf},
    time::Duration,
};
use tokio::process::Child;

/// Longer than any daemon of ours takes to start or stop.
const LIMIT: Duration = Duration::from_secs(90);

/// Who starts the daemons.
pub enum Init {
    /// We do.
    Direct,
    /// systemd does, through this `systemctl`.
    Systemd(PathBuf),
}

impl Init {
    /// What was chosen, or what this machine has.
    pub fn of(hosting: &LocalHosting) -> Result<Self> {
        let config = hosting.config();
        let root = config.isolation == Isolation::UnixUsers;
        let systemd = match config.init {
            InitChoice::Direct => false,
            InitChoice::Systemd => true,
            InitChoice::Auto => root && Path::new("/run/systemd/system").is_dir(),
        };
        if !systemd {
            return Ok(Self::Direct);
        }
        if !root {
            return Err(Error::Isolation);
        }
        config.programs.find_systemctl().map(Self::Systemd)
    }

    /// Starts a daemon. The process is returned where it is a child of ours that can
    /// be seen ending early.
    pub async fn start(&self, hosting: &LocalHosting, unit: &Unit) -> Result<Option<Child>> {
        match (self, unit.kind) {
            (Self::Direct, Kind::Forking) => {
                command::succeed(&unit.program, &unit.args, LIMIT).await?;
                Ok(None)
            }
            (Self::Direct, Kind::Notify) => {
                command::spawn_daemon(&unit.program, &unit.args, &unit.log).map(Some)
            }
            (Self::Systemd(systemctl), _) => {
                let name = unit_name(hosting, unit.daemon);
                let path = hosting.config().unit_dir.join(&name);
                let text = unit::render(hosting, unit)?;
                if layout::read_if_there(&path)?.as_deref() != Some(text.as_bytes()) {
                    layout::write_atomically(&path, text.as_bytes(), 0o644)?;
                    ask(systemctl, &["daemon-reload"]).await?;
                    // A machine that starts again serves its sites before Pressroom runs.
                    ask(systemctl, &["enable", &name]).await?;
                }
                // Too many failures in the past are no reason not to try.
                let _may_be_unknown = ask(systemctl, &["reset-failed", &name]).await;
                ask(systemctl, &["start", &name]).await?;
                Ok(None)
            }
        }
    }

    /// Stops a daemon that systemd started; without systemd this is left to signals.
    pub async fn stop(&self, hosting: &LocalHosting, daemon: &str) -> Result<()> {
        let Self::Systemd(systemctl) = self else {
            return Ok(());
        };
        let name = unit_name(hosting, daemon);
        if hosting.config().unit_dir.join(&name).exists() {
            ask(systemctl, &["stop", &name]).await?;
        }
        Ok(())
    }

    /// Takes the units away, once their daemons are stopped.
    pub async fn forget(&self, hosting: &LocalHosting) -> Result<()> {
        let Self::Systemd(systemctl) = self else {
            return Ok(());
        };
        let mut changed = false;
        for daemon in ["nginx", "php-fpm", "mariadb"] {
            let name = unit_name(hosting, daemon);
            let path = hosting.config().unit_dir.join(&name);
            if path.exists() {
                ask(systemctl, &["disable", &name]).await?;
                changed |= layout::remove_if_there(&path)?;
            }
        }
        if changed {
            ask(systemctl, &["daemon-reload"]).await?;
        }
        Ok(())
    }
}

/// `pressroom-nginx.service`. A stack elsewhere than usual carries its place in the
/// name, so that two on one machine do not meet.
pub fn unit_name(hosting: &LocalHosting, daemon: &str) -> String {
    let dir = &hosting.config().dir;
    if dir == Path::new("/var/lib/pressroom/hosting") {
        return format!("pressroom-{daemon}.service");
    }
    let place = hex::encode(&Sha256::digest(dir.as_os_str().as_encoded_bytes())[..4]);
    format!("pressroom-{daemon}-{place}.service")
}

async fn ask(systemctl: &Path, args: &[&str]) -> Result<()> {
    command::succeed(systemctl, args, LIMIT).await
}
