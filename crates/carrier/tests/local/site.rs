//! A home with an empty WordPress in it, and packages for it.

use pressroom_base::Epoch;
use pressroom_carrier::{CancellationToken, Local, Place, Session, SiteUser, Way};
use pressroom_wordpress::component::{ComponentKind, Staged, Swap, Target};
use rustix::process::{Pid, Signal};
use std::{
    ffi::OsString,
    fs,
    future::Future,
    io::{self, Cursor, Write},
    os::unix::fs::{PermissionsExt, chown},
    path::{Path, PathBuf},
    time::{Duration, Instant},
};
use tempfile::TempDir;
use zip::{ZipWriter, write::SimpleFileOptions};

/// An id that no user of this machine has.
const UID: u32 = 54_321;
pub const ROOT: &str = "public_html";
pub const PLUGIN: &str = "public_html/wp-content/plugins/hello";

pub struct Site {
    dir: TempDir,
    pub place: Place,
}

impl Site {
    pub fn new() -> Self {
        let dir = tempfile::tempdir().unwrap();
        fs::set_permissions(dir.path(), fs::Permissions::from_mode(0o711)).unwrap();
        let home = dir.path().join("home");
        fs::create_dir_all(home.join(ROOT).join("wp-content/plugins")).unwrap();
        // Where the build keeps it, another user may not be able to read it.
        let program = dir.path().join("program");
        let ours = std::env::current_exe().unwrap();
        fs::hard_link(&ours, &program)
            .or_else(|_| fs::copy(&ours, &program).map(drop))
            .unwrap();
        let place = place(&home, &program);
        if let Some(user) = &local(&place).run_as {
            for part in [
                home.clone(),
                home.join(ROOT),
                home.join("public_html/wp-content"),
                home.join("public_html/wp-content/plugins"),
            ] {
                chown(part, Some(user.uid), Some(user.gid)).unwrap();
            }
            fs::set_permissions(&home, fs::Permissions::from_mode(0o700)).unwrap();
        }
        Self { dir, place }
    }

    /// How its agent is started.
    pub fn local(&self) -> &Local {
        local(&self.place)
    }

    /// Whom files must belong to.
    pub fn uid(&self) -> u32 {
        match &self.local().run_as {
            Some(user) => user.uid,
            None => rustix::process::geteuid().as_raw(),
        }
    }

    pub fn program(&self) -> PathBuf {
        self.dir.path().join("program")
    }

    pub fn path(&self, relative: &str) -> PathBuf {
        self.place.home.join(relative)
    }

    pub async fn session(&self) -> Session {
        soon(Session::open(&self.place, CancellationToken::new()))
            .await
            .unwrap()
    }

    /// One more session with it, with the agent in PHP.
    pub async fn php_session(&self) -> Session {
        self.php_session_of(pressroom_agent::php::program()).await
    }

    /// The same with a text that was changed.
    pub async fn php_session_of(&self, program: &str) -> Session {
        let text = self.dir.path().join("agent.php");
        fs::write(&text, program).unwrap();
        let place = in_php(&self.place, &text);
        soon(Session::open(&place, CancellationToken::new()))
            .await
            .unwrap()
    }

    /// What is left in the staging directory.
    pub fn staging(&self) -> Vec<OsString> {
        match fs::read_dir(self.path(".pressroom/staging")) {
            Ok(entries) => entries.map(|entry| entry.unwrap().file_name()).collect(),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Vec::new(),
            Err(error) => panic!("{error}"),
        }
    }

    /// The main file of the plugin, as it is on disk.
    pub fn plugin(&self) -> Option<String> {
        fs::read_to_string(self.path(PLUGIN).join("hello.php")).ok()
    }
}

/// The agent of a home: this test program, started so that it runs `agent_entry`.
pub fn place(home: &Path, program: &Path) -> Place {
    let root = rustix::process::geteuid().is_root();
    Place {
        home: home.into(),
        way: Way::Local(Local {
            run_as: root.then(|| SiteUser {
                name: "pr_test".into(),
                uid: UID,
                gid: UID,
            }),
            agent: entry(program, "agent_entry"),
        }),
    }
}

/// Starts the agent in PHP: its file, `--home` and the home follow. Elsewhere it comes over
/// standard input.
const IN_PHP: &str = r#"exec php -d display_errors=stderr -d memory_limit=512M -r 'eval("?>" . file_get_contents($argv[1]));' -- "$0" "$2""#;

/// The same place with the agent in PHP, whose text is in a file.
pub fn in_php(place: &Place, text: &Path) -> Place {
    let mut local = local(place).clone();
    local.agent = vec!["sh".into(), "-c".into(), IN_PHP.into(), text.into()];
    Place {
        home: place.home.clone(),
        way: Way::Local(local),
    }
}

/// How the agent of a place on this machine is started.
pub fn local(place: &Place) -> &Local {
    match &place.way {
        Way::Local(local) => local,
        Way::Ssh(_) => panic!("it is elsewhere"),
    }
}

/// The agent's process on this machine.
pub fn process_of(session: &Session) -> u32 {
    session.process_id().expect("it is on this machine")
}

/// The command that runs one test of this program and prints what it prints. What
/// follows it are further filters to the test harness, and arguments to the test.
pub fn entry(program: &Path, test: &str) -> Vec<OsString> {
    let words = ["--exact", test, "--nocapture", "--"].map(OsString::from);
    [program.into()].into_iter().chain(words).collect()
}

pub fn target() -> Target {
    Target {
        root: ROOT.into(),
        kind: ComponentKind::Plugin,
        slug: "hello".into(),
    }
}

pub fn swap(staged: &Staged, before: Option<&Staged>) -> Swap {
    Swap {
        target: target(),
        staged: staged.staged.clone(),
        before: before.map(|staged| staged.tree.hash.clone()),
        after: staged.tree.hash.clone(),
    }
}

pub const fn epoch(number: i64) -> Epoch {
    Epoch::new(number)
}

/// The main file of the plugin in a version.
pub fn source(version: &str) -> String {
    format!("<?php\n/*\nPlugin Name: Hello\nVersion: {version}\n*/\n")
}

/// The plugin as a package; large enough to need more than the initial credit.
pub fn package(version: &str) -> Vec<u8> {
    let mut zip = ZipWriter::new(Cursor::new(Vec::new()));
    let stored = SimpleFileOptions::default().compression_method(zip::CompressionMethod::Stored);
    zip.start_file("hello/hello.php", stored).unwrap();
    zip.write_all(source(version).as_bytes()).unwrap();
    zip.start_file("hello/big.bin", stored).unwrap();
    zip.write_all(&vec![b'x'; 3 * 1024 * 1024]).unwrap();
    zip.finish().unwrap().into_inner()
}

pub async fn stage(session: &Session, number: i64, version: &str) -> Staged {
    let package = package(version);
    soon(session.stage_component(epoch(number), target(), package.as_slice()))
        .await
        .unwrap()
}

pub fn signal(process: u32, signal: Signal) {
    let process = Pid::from_raw(i32::try_from(process).unwrap()).unwrap();
    rustix::process::kill_process(process, signal).unwrap();
}

/// Whether a process is there and not merely waiting to be collected.
pub fn is_running(process: u32) -> bool {
    match fs::read_to_string(format!("/proc/{process}/stat")) {
        Ok(stat) => !stat.rsplit(')').next().unwrap().starts_with(" Z"),
        Err(_) => false,
    }
}

pub async fn soon<T>(what: impl Future<Output = T>) -> T {
    tokio::time::timeout(Duration::from_mins(1), what)
        .await
        .expect("nothing happens")
}

pub fn wait_until(what: &str, mut condition: impl FnMut() -> bool) {
    let until = Instant::now() + Duration::from_secs(40);
    while !condition() {
        assert!(Instant::now() < until, "never: {what}");
        std::thread::yield_now();
    }
}
