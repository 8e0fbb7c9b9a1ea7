//! A site of the lab with an agent of its own, its live web server, and what is left of
//! clones.

use crate::site::{local, place, soon};
use pressroom_agent::protocol::SiteRef;
use pressroom_base::Epoch;
use pressroom_carrier::{CancellationToken, Local, Place, Session, Visited, Way};
use pressroom_lab::{Site, SiteOptions, Wordpress};
use pressroom_wordpress::rehearsal::{Rehearsal, RehearsalOptions, Visit};
use std::{
    collections::BTreeMap,
    fs,
    io::{Read, Write},
    net::{TcpListener, TcpStream},
    os::unix::fs::PermissionsExt,
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    sync::LazyLock,
    thread,
    time::Duration,
};
use tempfile::TempDir;

pub const EPOCH: Epoch = Epoch::new(3);
pub const HOST: &str = "example.test";

/// A live site and a session with it.
pub struct Live {
    pub site: Site,
    pub place: Place,
    pub session: Session,
    pub home: PathBuf,
}

impl Live {
    pub async fn new() -> Self {
        Self::of(site("")).await
    }

    pub async fn of(site: Site) -> Self {
        let home = site.home().to_owned();
        Self::at(site, home).await
    }

    /// The site where its home was moved to.
    pub async fn at(site: Site, home: PathBuf) -> Self {
        let place = agent_of(&home);
        own(&place, &home);
        let session = open(&place).await;
        session.recover(EPOCH).await.unwrap();
        Self {
            site,
            place,
            session,
            home,
        }
    }

    pub fn site_ref(&self) -> SiteRef {
        SiteRef {
            root: self.site.root().into(),
            php: Some("php".into()),
        }
    }

    pub async fn make(&self) -> Rehearsal {
        self.make_with(RehearsalOptions::default()).await
    }

    pub async fn make_with(&self, options: RehearsalOptions) -> Rehearsal {
        soon(self.session.make_rehearsal(EPOCH, self.site_ref(), options))
            .await
            .unwrap_or_else(|why| panic!("{why}: {:?}", std::error::Error::source(&why)))
    }

    pub async fn get(&self, clone: &Rehearsal, path: &str) -> Visited {
        soon(self.session.visit(&clone.handle, Visit::get(path)))
            .await
            .unwrap()
    }

    /// Everything of the live site that a clone must not touch.
    pub async fn state(&self) -> State {
        let tree = soon(self.session.tree_hash(self.site.root()))
            .await
            .unwrap();
        let sums = soon(self.session.database_checksums(self.site_ref(), vec![])).await;
        State {
            tree: tree.unwrap().hash,
            tables: sums
                .unwrap()
                .into_iter()
                .map(|table| (table.name.clone(), format!("{table:?}")))
                .collect(),
        }
    }

    /// What is there of any clone: files, entries of the journal, tables, processes.
    pub fn left(&self) -> Vec<String> {
        let mut left = Vec::new();
        for dir in [".pressroom/rehearsal", ".pressroom/journal"] {
            for entry in fs::read_dir(self.home.join(dir)).into_iter().flatten() {
                left.push(entry.unwrap().path().display().to_string());
            }
        }
        let tables = self.site.database.sql("SHOW TABLES LIKE 'prr%'").unwrap();
        left.extend(tables.lines().map(str::to_owned));
        left.extend(processes(&self.home));
        left
    }
}

#[derive(Debug, PartialEq, Eq)]
pub struct State {
    pub tree: String,
    pub tables: BTreeMap<String, String>,
}

/// A site with readable addresses; `lines` go into its configuration.
pub fn site(lines: &str) -> Site {
    let site = Site::with(&SiteOptions {
        wordpress: Wordpress::V6_5,
        url: format!("http://{HOST}"),
        config: lines.to_owned(),
        ..SiteOptions::default()
    })
    .unwrap();
    site.php(
        "update_option('permalink_structure', '/%postname%/'); global $wp_rewrite; $wp_rewrite->init(); \
         flush_rewrite_rules(false); foreach (array('auth', 'secure_auth', 'logged_in', 'nonce') as $kind) { wp_salt($kind); }",
    )
    .unwrap();
    site
}

/// How the agent that is built is started for a home.
pub fn agent_of(home: &Path) -> Place {
    static AGENT: LazyLock<(TempDir, PathBuf)> = LazyLock::new(|| {
        let dir = tempfile::tempdir().unwrap();
        fs::set_permissions(dir.path(), fs::Permissions::from_mode(0o711)).unwrap();
        let copy = dir.path().join("pressroom-agent");
        fs::copy(pressroom_lab::binary("pressroom-agent").unwrap(), &copy).unwrap();
        (dir, copy)
    });
    let usual = place(home, &AGENT.1);
    Place {
        home: home.to_owned(),
        way: Way::Local(Local {
            run_as: local(&usual).run_as.clone(),
            agent: vec![AGENT.1.clone().into(), "serve".into()],
        }),
    }
}

/// Gives a tree to the user that the agent runs as.
pub fn own(place: &Place, home: &Path) {
    if let Some(user) = &local(place).run_as {
        let owner = format!("{}:{}", user.uid, user.gid);
        run(Command::new("chown").arg("-R").arg(owner).arg(home));
    }
}

pub async fn open(place: &Place) -> Session {
    soon(Session::open(place, CancellationToken::new()))
        .await
        .unwrap()
}

/// Processes whose command names something of a clone in this home.
pub fn processes(home: &Path) -> Vec<String> {
    let plain = home.join(".pressroom/rehearsal").display().to_string();
    let coded = hex(&plain);
    let mut found = Vec::new();
    for entry in fs::read_dir("/proc").unwrap().flatten() {
        let words = fs::read(entry.path().join("cmdline")).unwrap_or_default();
        let words = String::from_utf8_lossy(&words).replace('\0', " ");
        if words.contains(&plain) || words.contains(&coded) {
            found.push(words);
        }
    }
    found
}

fn hex(text: &str) -> String {
    hex::encode(text)
}

pub fn run(command: &mut Command) {
    let output = command.output().unwrap();
    assert!(output.status.success(), "{command:?}: {output:?}");
}

/// The live site's web server.
pub struct Server {
    child: Child,
    port: u16,
    // What it loads before each page.
    _dir: TempDir,
}

impl Server {
    pub fn of(live: &Live) -> Self {
        let port = TcpListener::bind(("127.0.0.1", 0))
            .unwrap()
            .local_addr()
            .unwrap()
            .port();
        let root = live.home.join(live.site.root());
        let mut command = match &local(&live.place).run_as {
            Some(user) => {
                let mut command = Command::new("setpriv");
                command
                    .arg(format!("--reuid={}", user.uid))
                    .arg(format!("--regid={}", user.gid))
                    .args(["--clear-groups", "php"]);
                command
            }
            None => Command::new("php"),
        };
        // What any other web server tells of itself.
        let dir = tempfile::tempdir().unwrap();
        fs::set_permissions(dir.path(), fs::Permissions::from_mode(0o755)).unwrap();
        let prepend = dir.path().join("prepend.php");
        let told =
            format!("<?php $_SERVER['SERVER_NAME'] = '{HOST}'; $_SERVER['SERVER_PORT'] = '80';");
        fs::write(&prepend, told).unwrap();
        let child = command
            .arg("-d")
            .arg(format!("auto_prepend_file={}", prepend.display()))
            .args(["-d", "opcache.enable=0", "-d", "display_errors=0", "-S"])
            .arg(format!("127.0.0.1:{port}"))
            .arg("-t")
            .arg(&root)
            .current_dir(&root)
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        // Dropped, it ends.
        let server = Self {
            child,
            port,
            _dir: dir,
        };
        for _ in 0..500 {
            if TcpStream::connect(("127.0.0.1", port)).is_ok() {
                return server;
            }
            thread::sleep(Duration::from_millis(20));
        }
        panic!("the live web server does not answer");
    }

    /// Status and body of a page.
    pub fn get(&self, path: &str) -> (u16, Vec<u8>) {
        let mut stream = TcpStream::connect(("127.0.0.1", self.port)).unwrap();
        let request = format!("GET {path} HTTP/1.0\r\nHost: {HOST}\r\nConnection: close\r\n\r\n");
        stream.write_all(request.as_bytes()).unwrap();
        let mut answer = Vec::new();
        stream.read_to_end(&mut answer).unwrap();
        let end = answer
            .windows(4)
            .position(|part| part == b"\r\n\r\n")
            .unwrap();
        let status = String::from_utf8_lossy(&answer[9..12]).parse().unwrap();
        (status, answer.split_off(end + 4))
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
