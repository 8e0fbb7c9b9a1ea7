//! What SSH costs: an agent's answer, and the inventory of a site on another machine,
//! beside OpenSSH's own client over a connection that it keeps open.

use super::reading::components;
use crate::{
    rival::WpCli,
    site,
    table::{Row, Table},
    timing,
};
use anyhow::{Context, Result, ensure};
use pressroom_agent::protocol::SiteRef;
use pressroom_base::id::HostId;
use pressroom_carrier::{
    Place, Session, Way,
    ssh::{Address, Hosts, Key, KeyKind, Limits, Pin, Program, Remote, Route, RunAs, Stop},
};
use pressroom_lab::{Login, Sshd};
use pressroom_wordpress::inventory::Survey;
use std::{
    path::{Path, PathBuf},
    process::Command,
};
use tempfile::TempDir;
use tokio::runtime::Runtime;
use tokio_util::sync::CancellationToken;

const ROOT: &str = "public_html";

pub fn measure(table: &mut Table) -> Result<()> {
    if !rustix::process::geteuid().is_root() {
        table.push(Row::told(
            "an agent's answer over SSH",
            "not measured: only root starts an SSH server for others".to_owned(),
            None,
        ));
        return Ok(());
    }
    let sshd = Sshd::start()?;
    let login = sshd.login()?;
    let key = Key::generate(KeyKind::Ed25519, "bench")?;
    let client = Client::new(&sshd, &login, &key.public_line()?)?;
    let place = place(&sshd, &login, key)?;
    let runtime = Runtime::new()?;
    round_trip(table, &runtime, &place, &client)?;
    inventory(table, &runtime, &login, &place, &client)?;
    // Its tasks end with it, the server's processes after them.
    drop(runtime);
    client.close()
}

/// The smallest request, to an agent that is there and to one that is started for it.
fn round_trip(table: &mut Table, runtime: &Runtime, place: &Place, client: &Client) -> Result<()> {
    let session = runtime.block_on(open(place))?;
    let nothing = || client.run("true").map(drop);
    let answered = || Ok(runtime.block_on(session.ping())?);
    let (ours, other) = timing::side_by_side(51, answered, nothing)?;
    table.push(
        Row::faster(
            "smallest request over SSH, in an open session",
            ours,
            Some(("`ssh host true` over its open connection", other)),
            1.0,
        )
        .reported(),
    );
    runtime.block_on(session.close());
    let begun = || {
        runtime.block_on(async {
            let session = open(place).await?;
            session.ping().await?;
            session.close().await;
            Ok(())
        })
    };
    let (ours, other) = timing::side_by_side(51, begun, nothing)?;
    table.push(
        Row::faster(
            "the same with the agent's start and end",
            ours,
            Some(("`ssh host true` over its open connection", other)),
            1.0,
        )
        .reported(),
    );
    Ok(())
}

/// What is installed and what is active on another machine, over a connection that is
/// open on both sides.
fn inventory(
    table: &mut Table,
    runtime: &Runtime,
    login: &Login,
    place: &Place,
    client: &Client,
) -> Result<()> {
    let root = login.home().join(ROOT);
    let site = site::with_plugins()?;
    moved(&site.path(), &root, login)?;
    let read = || runtime.block_on(survey(place));
    let ours = components(&read()?)?;
    let what = format!(
        "inventory of a site with {} plugins, over SSH",
        site::PLUGINS
    );
    let Some(wp) = WpCli::find() else {
        let ours = timing::median(15, || read().map(drop))?;
        table.push(Row::faster(&what, ours, None, 1.0).reported());
        return Ok(());
    };
    let wp = wp.copied_to(login.home())?;
    let cache = login.home().join("opcache");
    std::fs::create_dir(&cache)?;
    owned(&cache, login)?;
    for (name, wp) in [
        ("`ssh host wp …` over its open connection", wp.clone()),
        (
            "the same with OPcache's file cache",
            wp.with_file_cache(&cache),
        ),
    ] {
        let plugins = words(&wp.command(&root, &["plugin", "list", "--format=json"]))?;
        let themes = words(&wp.command(&root, &["theme", "list", "--format=json"]))?;
        let core = words(&wp.command(&root, &["core", "version"]))?;
        ensure!(
            ours == super::reading::listed(&client.run(&plugins)?)?,
            "the two lists differ"
        );
        // One login for the three is what a careful script does.
        let all = format!("{plugins} && {themes} && {core}");
        let list = || client.run(&all).map(drop);
        let (our_time, other) = timing::side_by_side(5, || read().map(drop), list)?;
        table.push(Row::faster(&what, our_time, Some((name, other)), 1.0).reported());
    }
    Ok(())
}

async fn open(place: &Place) -> Result<Session> {
    Ok(Session::open(place, CancellationToken::new()).await?)
}

async fn survey(place: &Place) -> Result<Survey> {
    let session = open(place).await?;
    let site = SiteRef {
        root: ROOT.into(),
        php: None,
    };
    let survey = session.survey(site, &[]).await?;
    session.close().await;
    Ok(survey)
}

/// The home of the user, by a connection that is shared and stays.
fn place(sshd: &Sshd, login: &Login, key: Key) -> Result<Place> {
    let host = Stop {
        address: Address::new(login.name(), "127.0.0.1", sshd.port())?,
        key,
        pin: Pin::first_use(),
    };
    let remote = Remote {
        hosts: Hosts::new(Limits::default()),
        id: HostId::new(1),
        route: Route {
            via: Vec::new(),
            host,
            may_ask: |_| true,
        },
        run_as: RunAs::Login,
        agent: Program::read(&site::agent()?)?,
        php: None,
    };
    Ok(Place {
        home: login.home().to_owned(),
        way: Way::Ssh(Box::new(remote)),
    })
}

fn moved(from: &Path, to: &Path, login: &Login) -> Result<()> {
    let status = Command::new("mv").arg(from).arg(to).status()?;
    ensure!(status.success(), "the site cannot be moved");
    owned(to, login)
}

fn owned(path: &Path, login: &Login) -> Result<()> {
    let owner = format!("{}:{}", login.uid(), login.gid());
    let status = Command::new("chown")
        .args(["-R", &owner])
        .arg(path)
        .status()?;
    ensure!(status.success(), "the site cannot be given away");
    Ok(())
}

/// A command as one line; none of its words means anything to a shell.
fn words(command: &Command) -> Result<String> {
    let words: Option<Vec<&str>> = std::iter::once(command.get_program())
        .chain(command.get_args())
        .map(|word| word.to_str())
        .collect();
    let line = words.context("words that are no text")?.join(" ");
    ensure!(
        !line.contains(['\'', '"', '$', '\\', ';', '&']),
        "`{line}` cannot be given to a shell as it is"
    );
    Ok(line)
}

/// OpenSSH's client with a connection that stays open (`ControlMaster`).
struct Client {
    dir: TempDir,
    address: String,
    port: String,
}

impl Client {
    fn new(sshd: &Sshd, login: &Login, ours: &str) -> Result<Self> {
        let dir = tempfile::tempdir()?;
        let key = dir.path().join("key");
        let made = Command::new("ssh-keygen")
            .args(["-q", "-t", "ed25519", "-N", "", "-f"])
            .arg(&key)
            .status()
            .context("cannot run `ssh-keygen`")?;
        ensure!(made.success(), "no key was made");
        let theirs = std::fs::read_to_string(key.with_extension("pub"))?;
        sshd.authorize(login.name(), "", &format!("{}\n{theirs}", ours.trim()))?;
        let client = Self {
            dir,
            address: format!("{}@127.0.0.1", login.name()),
            port: sshd.port().to_string(),
        };
        let begun = client
            .command()
            .args(["-o", "ControlMaster=yes", "-o", "ControlPersist=yes"])
            .args([&client.address, "true"])
            .stdout(std::process::Stdio::null())
            .stderr(std::process::Stdio::null())
            .status()?;
        ensure!(begun.success(), "`ssh` cannot log in");
        Ok(client)
    }

    fn command(&self) -> Command {
        let mut command = Command::new("ssh");
        command
            .args(["-F", "none", "-o", "BatchMode=yes"])
            .args(["-o", "StrictHostKeyChecking=no"])
            .args(["-o", "UserKnownHostsFile=/dev/null"])
            .arg("-i")
            .arg(self.dir.path().join("key"))
            .arg("-S")
            .arg(self.socket())
            .args(["-p", &self.port]);
        command
    }

    fn socket(&self) -> PathBuf {
        self.dir.path().join("s")
    }

    /// Runs a command line there that must succeed; what it prints.
    fn run(&self, line: &str) -> Result<String> {
        ensure!(self.socket().exists(), "the connection is closed");
        let output = self.command().args([&self.address, line]).output()?;
        ensure!(
            output.status.success(),
            "`{line}` failed: {}",
            String::from_utf8_lossy(&output.stderr)
        );
        Ok(String::from_utf8_lossy(&output.stdout).into_owned())
    }

    fn close(self) -> Result<()> {
        self.command()
            .args(["-O", "exit", &self.address])
            .output()?;
        Ok(())
    }
}
