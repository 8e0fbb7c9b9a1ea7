//! Real OpenSSH servers, and Unix users who log in to them.

use crate::{
    Namespace,
    login::Login,
    place::{self, kill, signal},
};
use anyhow::{Context, Result, ensure};
use rustix::process::Signal;
use std::{
    fs::{self, File},
    io::Read,
    net::{Ipv4Addr, TcpListener, TcpStream},
    os::unix::fs::PermissionsExt,
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    thread,
    time::{Duration, Instant},
};
use tempfile::TempDir;

/// An OpenSSH server on a port of its own, with its own host key; it ends with this
/// value. It needs root, as every server does that logs in others than itself.
#[derive(Debug)]
pub struct Sshd {
    dir: TempDir,
    namespace: Option<Namespace>,
    everywhere: bool,
    port: u16,
    server: Option<Child>,
}

impl Sshd {
    /// Starts one, on this machine's own network.
    pub fn start() -> Result<Self> {
        Self::start_in(None, false)
    }

    /// Starts one that answers at every address of this machine, so also at all of
    /// 127.0.0.0/8: as many hosts as a test wants.
    pub fn start_everywhere() -> Result<Self> {
        Self::start_in(None, true)
    }

    /// Starts one on a network of its own, as another machine's.
    pub fn start_elsewhere() -> Result<Self> {
        Self::start_in(Some(Namespace::new()?), false)
    }

    fn start_in(namespace: Option<Namespace>, everywhere: bool) -> Result<Self> {
        ensure!(
            rustix::process::geteuid().is_root(),
            "an SSH server for several users needs root"
        );
        let dir = tempfile::Builder::new()
            .prefix("pressroom-sshd-")
            .tempdir()?;
        fs::set_permissions(dir.path(), fs::Permissions::from_mode(0o711))?;
        fs::create_dir(dir.path().join("keys"))?;
        fs::write(dir.path().join("banner"), "No trespassing.\n")?;
        // What the package's own start script makes.
        fs::create_dir_all("/run/sshd")?;
        let port = TcpListener::bind(("127.0.0.1", 0))?.local_addr()?.port();
        let mut sshd = Self {
            dir,
            namespace,
            everywhere,
            port,
            server: None,
        };
        sshd.renew_host_key()?;
        sshd.resume()?;
        Ok(sshd)
    }

    /// The address it listens at: 127.0.0.1, or that of its network.
    pub fn address(&self) -> Ipv4Addr {
        self.namespace
            .as_ref()
            .map_or(Ipv4Addr::LOCALHOST, Namespace::address)
    }

    /// The network it is on, when that is not this machine's own.
    pub fn namespace(&self) -> Option<&Namespace> {
        self.namespace.as_ref()
    }

    /// The port it listens at.
    pub fn port(&self) -> u16 {
        self.port
    }

    /// Its public host key, as a line of `known_hosts` has it behind the name.
    pub fn host_key(&self) -> Result<String> {
        let line = fs::read_to_string(self.dir.path().join("host_key.pub"))?;
        Ok(line.trim().to_owned())
    }

    /// Makes a Unix user who can log in; without options, a user with a plain home.
    pub fn login(&self) -> Result<Login> {
        Login::new()
    }

    /// Lets a key log in as a user of this machine, with the options of
    /// `authorized_keys` before it: for example `command="internal-sftp"`.
    pub fn authorize(&self, user: &str, options: &str, public_line: &str) -> Result<()> {
        let line = format!("{options} {}\n", public_line.trim());
        fs::write(self.dir.path().join("keys").join(user), line.trim_start())?;
        Ok(())
    }

    /// Takes another host key, as a host does that is installed anew.
    pub fn renew_host_key(&mut self) -> Result<()> {
        let file = self.dir.path().join("host_key");
        let _ = fs::remove_file(&file);
        place::run(
            Command::new("ssh-keygen")
                .args(["-q", "-t", "ed25519", "-N", "", "-f"])
                .arg(file),
        )?;
        Ok(())
    }

    /// Kills the server and every session of it, as a power cut would.
    pub fn kill(&mut self) {
        let Some(mut server) = self.server.take() else {
            return;
        };
        let sessions = sessions_of(server.id());
        let _ = server.kill();
        let _ = server.wait();
        for session in sessions {
            kill(session);
        }
    }

    /// Stops it and its sessions where they are: whoever connects is let in by the kernel
    /// and never hears a word.
    pub fn freeze(&self) {
        if let Some(server) = &self.server {
            signal(server.id(), Signal::STOP);
            for session in sessions_of(server.id()) {
                signal(session, Signal::STOP);
            }
        }
    }

    /// Kills its sessions; it goes on listening.
    pub fn cut(&self) {
        for session in self
            .server
            .iter()
            .flat_map(|server| sessions_of(server.id()))
        {
            kill(session);
        }
    }

    /// Starts it again where it was.
    pub fn resume(&mut self) -> Result<()> {
        self.kill();
        let log = File::create(self.log_path())?;
        let program = "/usr/sbin/sshd";
        let mut command = self.namespace.as_ref().map_or_else(
            || Command::new(program),
            |namespace| namespace.command(program),
        );
        let server = command
            .args(["-D", "-e", "-f"])
            .arg(self.write_config()?)
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(log)
            .spawn()
            .context("cannot run `sshd`; is the package `openssh-server` installed?")?;
        let (address, port) = (self.address(), self.port);
        let server = self.server.insert(server);
        let since = Instant::now();
        while !speaks(address, port) {
            let ended = server.try_wait()?;
            ensure!(
                ended.is_none() && since.elapsed() < Duration::from_secs(30),
                "the SSH server does not answer: {}",
                fs::read_to_string(self.dir.path().join("log")).unwrap_or_default()
            );
            thread::sleep(Duration::from_millis(20));
        }
        Ok(())
    }

    /// What it has logged since it was started last.
    pub fn log(&self) -> String {
        fs::read_to_string(self.log_path()).unwrap_or_default()
    }

    /// How many times somebody logged in since it was started last.
    pub fn logins(&self) -> usize {
        self.log().matches("Accepted publickey").count()
    }

    fn log_path(&self) -> PathBuf {
        self.dir.path().join("log")
    }

    fn write_config(&self) -> Result<PathBuf> {
        let dir = self.dir.path().display();
        let port = self.port;
        let address = if self.everywhere {
            Ipv4Addr::UNSPECIFIED
        } else {
            self.address()
        };
        let file = self.dir.path().join("config");
        fs::write(
            &file,
            format!(
                "ListenAddress {address}\nPort {port}\nHostKey {dir}/host_key\nPidFile none\n\
                 AuthorizedKeysFile {dir}/keys/%u\nStrictModes no\nUsePAM no\n\
                 PasswordAuthentication no\nKbdInteractiveAuthentication no\n\
                 PermitRootLogin prohibit-password\nPermitUserEnvironment yes\n\
                 Subsystem sftp internal-sftp\nBanner {dir}/banner\n\
                 MaxStartups 200\nLogLevel DEBUG1\n"
            ),
        )?;
        Ok(file)
    }
}

impl Drop for Sshd {
    fn drop(&mut self) {
        self.kill();
    }
}

fn speaks(address: Ipv4Addr, port: u16) -> bool {
    let Ok(mut stream) = TcpStream::connect((address, port)) else {
        return false;
    };
    let mut greeting = [0; 4];
    stream
        .set_read_timeout(Some(Duration::from_secs(5)))
        .is_ok()
        && stream.read_exact(&mut greeting).is_ok()
        && &greeting == b"SSH-"
}

/// The processes of a server below its first one, the later ones last.
fn sessions_of(server: u32) -> Vec<u32> {
    let mut found = vec![server];
    let mut looked = 0;
    while let Some(parent) = found.get(looked).copied() {
        looked += 1;
        found.extend(children_of(parent));
    }
    // What it has run ends by itself, or does not: that is the test's to see.
    found.retain(|process| *process != server && name_of(*process) == "sshd");
    found
}

fn children_of(parent: u32) -> Vec<u32> {
    let path = format!("/proc/{parent}/task/{parent}/children");
    let children = fs::read_to_string(path).unwrap_or_default();
    children
        .split_whitespace()
        .filter_map(|child| child.parse().ok())
        .collect()
}

fn name_of(process: u32) -> String {
    let name = fs::read_to_string(Path::new("/proc").join(process.to_string()).join("comm"));
    name.unwrap_or_default().trim().to_owned()
}
