//! A server with one user on it, and the ways to it.

use pressroom_base::id::HostId;
use pressroom_carrier::{
    CancellationToken, Error, Local, Place, Session, SiteUser, Way,
    ssh::{Address, Hosts, Key, KeyKind, Limits, Pin, Program, Remote, Route, RunAs, Stop},
};
use pressroom_lab::{Login, Sshd};
use std::{
    fs,
    future::Future,
    io,
    os::unix::fs::PermissionsExt,
    path::PathBuf,
    process::Command,
    sync::{
        LazyLock,
        atomic::{AtomicI64, Ordering},
    },
    time::{Duration, Instant},
};
use tempfile::TempDir;

pub const ROOT: &str = "public_html";

/// A server, a user whom a key opens, and a site in that user's home.
pub struct Host {
    pub sshd: Sshd,
    pub login: Login,
    pub key: Key,
    pub pin: Pin,
    pub hosts: Hosts,
    pub id: HostId,
}

impl Host {
    pub fn new() -> Self {
        Self::with(limits())
    }

    pub fn with(limits: Limits) -> Self {
        let sshd = Sshd::start().unwrap();
        let login = sshd.login().unwrap();
        let key = Key::generate(KeyKind::Ed25519, "pressroom").unwrap();
        let host = Self {
            pin: Pin::first_use(),
            hosts: Hosts::new(limits),
            id: new_id(),
            sshd,
            login,
            key,
        };
        host.open_with("");
        host.write_site();
        host
    }

    pub fn write_site(&self) {
        for (file, text) in [
            ("wp-includes/version.php", "<?php $wp_version = '6.5.5';"),
            ("wp-settings.php", "<?php"),
            (
                "wp-content/plugins/hello/hello.php",
                "<?php /* Plugin Name: Hello */",
            ),
        ] {
            self.login.write(&format!("{ROOT}/{file}"), text).unwrap();
        }
    }

    /// Opens the account for the key, with these options before it.
    pub fn open_with(&self, options: &str) {
        let line = self.key.public_line().unwrap();
        self.sshd
            .authorize(self.login.name(), options, &line)
            .unwrap();
    }

    pub fn address(&self) -> Address {
        self.address_of(self.login.name())
    }

    pub fn address_of(&self, user: &str) -> Address {
        Address::new(user, "127.0.0.1", self.sshd.port()).unwrap()
    }

    pub fn stop(&self) -> Stop {
        Stop {
            address: self.address(),
            key: self.key.clone(),
            pin: self.pin.clone(),
        }
    }

    pub fn route(&self) -> Route {
        Route {
            via: vec![],
            host: self.stop(),
            may_ask: |_| true,
        }
    }

    pub fn remote(&self) -> Remote {
        Remote {
            hosts: self.hosts.clone(),
            id: self.id,
            route: self.route(),
            run_as: RunAs::Login,
            agent: agent(),
            php: None,
        }
    }

    /// A place in the home of a user.
    pub fn place_of(owner: &Login, remote: Remote) -> Place {
        Place {
            home: owner.home().to_owned(),
            way: Way::Ssh(Box::new(remote)),
        }
    }

    pub fn place(&self) -> Place {
        Self::place_of(&self.login, self.remote())
    }

    pub async fn session(&self) -> Session {
        open(&self.place()).await.unwrap()
    }

    /// A session with the same site by an agent that was started here.
    pub async fn local_session(&self) -> Session {
        let user = SiteUser {
            name: self.login.name().to_owned(),
            uid: self.login.uid(),
            gid: self.login.gid(),
        };
        let place = Place {
            home: self.login.home().to_owned(),
            way: Way::Local(Local {
                run_as: Some(user),
                agent: vec![agent().path().into(), "serve".into()],
            }),
        };
        open(&place).await.unwrap()
    }

    /// The agents that lie in a user's home.
    pub fn agents(owner: &Login) -> Vec<PathBuf> {
        let dir = owner.home().join(".pressroom");
        let found = match fs::read_dir(dir) {
            Ok(entries) => entries.map(|entry| entry.unwrap().path()).collect(),
            Err(error) if error.kind() == io::ErrorKind::NotFound => vec![],
            Err(error) => panic!("{error}"),
        };
        let is_agent = |path: &PathBuf| {
            let name = path.file_name().unwrap().to_str().unwrap();
            name.starts_with("agent-") || name.starts_with("upload.")
        };
        found.into_iter().filter(is_agent).collect()
    }
}

/// A host that no other test names so.
pub fn new_id() -> HostId {
    static NEXT: AtomicI64 = AtomicI64::new(1);
    HostId::new(NEXT.fetch_add(1, Ordering::Relaxed))
}

/// Generous where a busy machine needs it, short where a test waits for it.
pub fn limits() -> Limits {
    Limits {
        connect: Duration::from_secs(20),
        rest: Duration::from_millis(1),
        longest_rest: Duration::from_millis(1),
        ..Limits::default()
    }
}

/// The agent that is built, without what debuggers need, where every user can read it.
pub fn agent() -> Program {
    static AGENT: LazyLock<(TempDir, Program)> = LazyLock::new(|| {
        let dir = tempfile::tempdir().unwrap();
        fs::set_permissions(dir.path(), fs::Permissions::from_mode(0o711)).unwrap();
        let copy = dir.path().join("pressroom-agent");
        let built = pressroom_lab::binary("pressroom-agent").unwrap();
        let done = Command::new("strip")
            .arg("-o")
            .arg(&copy)
            .arg(built)
            .status()
            .unwrap();
        assert!(done.success());
        let program = Program::read(&copy).unwrap();
        (dir, program)
    });
    AGENT.1.clone()
}

pub async fn open(place: &Place) -> Result<Session, Error> {
    soon(Session::open(place, CancellationToken::new())).await
}

/// What went wrong on the way to a host.
pub fn on_the_way<T>(outcome: Result<T, Error>) -> pressroom_carrier::ssh::Error {
    match outcome {
        Err(Error::Ssh(error)) => *error,
        Err(error) => panic!("{error:?}"),
        Ok(_) => panic!("it went well"),
    }
}

pub async fn soon<T>(what: impl Future<Output = T>) -> T {
    tokio::time::timeout(Duration::from_mins(2), what)
        .await
        .expect("nothing happens")
}

/// Waits for something that comes by itself.
pub async fn wait_until(what: &str, mut condition: impl FnMut() -> bool) {
    let until = Instant::now() + Duration::from_mins(1);
    while !condition() {
        assert!(Instant::now() < until, "never: {what}");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}
