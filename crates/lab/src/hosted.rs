//! A WordPress at home with somebody who can log in.

use crate::{Database, Login, Namespace, Site, SiteOptions, Wordpress, place};
use anyhow::{Context, Result, ensure};
use std::{
    fs::File,
    net::{Ipv4Addr, SocketAddr, TcpListener, TcpStream},
    os::unix::process::CommandExt,
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    thread,
    time::{Duration, Instant},
};

/// A WordPress in a directory of a user's home, served by PHP's own web server as that
/// user. Its administrator is `admin`, its title `Lab`.
#[derive(Debug)]
pub struct Hosted {
    /// Where it is, absolute.
    pub root: PathBuf,
    /// Its address, at which its web server answers.
    pub url: String,
    /// Where that listens.
    pub addr: SocketAddr,
    /// Its database.
    pub database: Database,
    server: Child,
    // The home it was made in.
    _site: Site,
}

impl Hosted {
    /// Installs a WordPress into `directory` of the user's home, under a name that nobody
    /// knows, and serves it, on the network given if there is one.
    pub fn new(
        wordpress: Wordpress,
        login: &Login,
        directory: &str,
        name: &str,
        namespace: Option<&Namespace>,
    ) -> Result<Self> {
        let port = TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?
            .local_addr()?
            .port();
        let address = namespace.map_or(Ipv4Addr::LOCALHOST, Namespace::address);
        let addr = SocketAddr::from((address, port));
        let url = format!("http://{name}:{port}");
        let site = Site::with(&SiteOptions {
            wordpress,
            url: url.clone(),
            ..SiteOptions::default()
        })?;
        let root = login.home().join(directory);
        place::run(Command::new("mv").arg(site.path()).arg(&root))?;
        place::run(
            Command::new("chown")
                .arg("-R")
                .arg(format!("{}:{}", login.uid(), login.gid()))
                .arg(&root),
        )?;
        let server = serve(login, &root, addr, namespace)?;
        Ok(Self {
            root,
            url,
            addr,
            database: site.database.clone(),
            server,
            _site: site,
        })
    }
}

impl Drop for Hosted {
    fn drop(&mut self) {
        place::kill(self.server.id());
        // Its workers end when they see that it is gone.
        let _ = self.server.wait();
    }
}

fn serve(
    login: &Login,
    root: &Path,
    addr: SocketAddr,
    namespace: Option<&Namespace>,
) -> Result<Child> {
    let log = root.with_extension("log");
    let mut command = namespace.map_or_else(
        || Command::new("setpriv"),
        |namespace| namespace.command("setpriv"),
    );
    let mut server = command
        .args([
            &format!("--reuid={}", login.uid()),
            &format!("--regid={}", login.gid()),
        ])
        .args(["--clear-groups", "php", "-d", "opcache.enable=0", "-S"])
        .arg(addr.to_string())
        .arg("-t")
        .arg(root)
        // One request of a site to itself must not wait for itself.
        .env("PHP_CLI_SERVER_WORKERS", "4")
        .env("HOME", login.home())
        .current_dir(root)
        .process_group(0)
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(File::create(log)?)
        .spawn()
        .context("cannot run `setpriv` with `php`")?;
    let since = Instant::now();
    while TcpStream::connect(addr).is_err() {
        let ended = server.try_wait()?;
        ensure!(
            ended.is_none() && since.elapsed() < Duration::from_secs(30),
            "the web server does not answer"
        );
        thread::sleep(Duration::from_millis(20));
    }
    Ok(server)
}
