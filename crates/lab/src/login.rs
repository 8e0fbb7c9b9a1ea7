//! Unix users of one test.

use crate::place::{self, kill};
use anyhow::{Context, Result, ensure};
use rustix::fs::FlockOperation;
use std::{
    fs::{self, File},
    os::unix::fs::{PermissionsExt, chown},
    path::{Path, PathBuf},
    process::Command,
    sync::{
        Once,
        atomic::{AtomicU32, Ordering},
    },
};
use tempfile::TempDir;

/// What the names of these users begin with; the process that made one follows.
const PREFIX: &str = "prlab";
/// Where `sudo` looks for what is allowed.
const SUDOERS: &str = "/etc/sudoers.d";

/// A Unix user of this machine with a home of its own; both go when it is dropped, and
/// whatever the user still runs.
#[derive(Debug)]
pub struct Login {
    name: String,
    uid: u32,
    gid: u32,
    home: PathBuf,
    is_mounted: bool,
    // Removed last, when the user is gone.
    _dir: TempDir,
}

impl Login {
    /// Makes a user with `bash` as shell. Needs root.
    pub(crate) fn new() -> Result<Self> {
        static SWEEP: Once = Once::new();
        static NEXT: AtomicU32 = AtomicU32::new(0);
        SWEEP.call_once(sweep);
        let number = NEXT.fetch_add(1, Ordering::Relaxed);
        let name = format!("{PREFIX}{}x{number}", std::process::id());
        let dir = tempfile::Builder::new()
            .prefix("pressroom-home-")
            .tempdir()?;
        fs::set_permissions(dir.path(), fs::Permissions::from_mode(0o711))?;
        let home = dir.path().join("home");
        fs::create_dir(&home)?;
        // A password that is none: the account would otherwise count as locked.
        let mut add = Command::new("useradd");
        add.args(["--no-create-home", "--user-group", "--shell", "/bin/bash"])
            .args(["--password", "*", "--home-dir"])
            .arg(&home)
            .arg(&name);
        accounts(&mut add)?;
        let id = |option| -> Result<u32> {
            let said = place::run(Command::new("id").arg(option).arg(&name))?;
            said.trim().parse().context("an id")
        };
        let login = Self {
            uid: id("-u")?,
            gid: id("-g")?,
            name,
            home,
            is_mounted: false,
            _dir: dir,
        };
        login.own(&login.home)?;
        fs::set_permissions(&login.home, fs::Permissions::from_mode(0o750))?;
        Ok(login)
    }

    /// The user's name.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The user's id.
    pub fn uid(&self) -> u32 {
        self.uid
    }

    /// The user's group.
    pub fn gid(&self) -> u32 {
        self.gid
    }

    /// The user's home.
    pub fn home(&self) -> &Path {
        &self.home
    }

    /// Writes a file of the user below the home, and the directories above it.
    pub fn write(&self, path: &str, bytes: impl AsRef<[u8]>) -> Result<()> {
        let mut above = self.home.clone();
        let path = Path::new(path);
        for part in path.parent().into_iter().flat_map(Path::components) {
            above.push(part);
            if !above.exists() {
                fs::create_dir(&above)?;
                self.own(&above)?;
            }
        }
        let file = self.home.join(path);
        fs::write(&file, bytes)?;
        self.own(&file)
    }

    /// Gives the user another shell.
    pub fn set_shell(&self, shell: &str) -> Result<()> {
        accounts(Command::new("usermod").args(["--shell", shell, &self.name]))
    }

    /// Makes the home a small file system of its own, mounted with these options, e.g.
    /// `noexec` or `size=2m`. What was in it is covered.
    pub fn mount_home(&mut self, options: &str) -> Result<()> {
        let (uid, gid) = (self.uid, self.gid);
        place::run(
            Command::new("mount")
                .args(["-t", "tmpfs", "-o"])
                .arg(format!("{options},mode=0750,uid={uid},gid={gid}"))
                .arg("pressroom-lab")
                .arg(&self.home),
        )?;
        self.is_mounted = true;
        Ok(())
    }

    /// Leaves not a byte free in a home that is mounted.
    pub fn fill_home(&self) -> Result<()> {
        let found = rustix::fs::statvfs(&self.home)?;
        let used = (found.f_blocks - found.f_bfree) * found.f_frsize;
        self.resize_home(&used.to_string())
    }

    /// Gives a home that is mounted another size, e.g. `2m`. No less than what is in it.
    pub fn resize_home(&self, size: &str) -> Result<()> {
        place::run(
            Command::new("mount")
                .args(["-o", &format!("remount,size={size}")])
                .arg(&self.home),
        )?;
        Ok(())
    }

    /// Lets the user run anything as another by `sudo`, without a password.
    pub fn may_become(&self, other: &str) -> Result<()> {
        let file = Path::new(SUDOERS).join(&self.name);
        fs::write(
            &file,
            format!("{} ALL=({other}) NOPASSWD: ALL\n", self.name),
        )?;
        fs::set_permissions(&file, fs::Permissions::from_mode(0o440))?;
        Ok(())
    }

    fn own(&self, path: &Path) -> Result<()> {
        Ok(chown(path, Some(self.uid), Some(self.gid))?)
    }
}

impl Drop for Login {
    fn drop(&mut self) {
        end_processes_of(self.uid);
        if self.is_mounted {
            let _ = Command::new("umount").arg("-l").arg(&self.home).status();
        }
        remove(&self.name);
    }
}

fn remove(user: &str) {
    let _ = fs::remove_file(Path::new(SUDOERS).join(user));
    if let Err(error) = accounts(Command::new("userdel").args(["--force", user])) {
        eprintln!("warning: the Unix user `{user}` of a test is still there: {error:#}");
    }
}

/// Runs what changes `/etc/passwd`, one after the other: these programs give up when
/// another holds the lock.
fn accounts(command: &mut Command) -> Result<()> {
    let lock = File::create(std::env::temp_dir().join("pressroom-lab-accounts.lock"))?;
    rustix::fs::flock(&lock, FlockOperation::LockExclusive)?;
    let output = command.output()?;
    ensure!(
        output.status.success(),
        "`{}` failed: {}",
        command.get_program().display(),
        String::from_utf8_lossy(&output.stderr)
    );
    Ok(())
}

fn end_processes_of(uid: u32) {
    let wanted = format!("Uid:\t{uid}\t");
    for entry in fs::read_dir("/proc").into_iter().flatten().flatten() {
        let status = fs::read_to_string(entry.path().join("status")).unwrap_or_default();
        let process = entry
            .file_name()
            .to_str()
            .and_then(|name| name.parse().ok());
        if let Some(process) = process
            && status.contains(&wanted)
        {
            kill(process);
        }
    }
}

/// Removes the users of runs that were killed before they could clean up.
fn sweep() {
    let passwd = fs::read_to_string("/etc/passwd").unwrap_or_default();
    for line in passwd.lines() {
        let name = line.split(':').next().unwrap_or_default();
        let owner = name
            .strip_prefix(PREFIX)
            .and_then(|rest| rest.split('x').next());
        if let Some(owner) = owner
            && !Path::new("/proc").join(owner).exists()
        {
            remove(name);
        }
    }
}
