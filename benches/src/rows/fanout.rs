//! One command on 50 sites: what it costs beside the commands themselves.

use crate::{
    machine::{self, Server},
    table::{Row, Table},
    timing,
};
use anyhow::{Context, Result, ensure};
use pressroom_base::keyring::Keyring;
use pressroom_store::{
    EnvironmentKind, EnvironmentState, NewDomain, NewEnvironment, Store, accounts, domains,
    environments,
};
use std::{
    fs,
    os::unix::fs::{PermissionsExt, chown},
    path::{Path, PathBuf},
    process::{Command, Stdio},
};
use tokio::runtime::Runtime;

const SITES: usize = 50;
/// At the same time, on both sides.
const AT_ONCE: &str = "8";
/// Ours may take so much longer than the commands alone.
const MOST: f64 = 1.1;
/// A user of the form that sites have; there while this is measured.
const USER: &str = "pr_benchrun";

pub fn measure(table: &mut Table) -> Result<()> {
    if !rustix::process::geteuid().is_root() {
        table.push(Row::told(
            "one command on 50 sites",
            "not measured: only root becomes another user".to_owned(),
            None,
        ));
        return Ok(());
    }
    let user = User::add()?;
    let dir = tempfile::tempdir()?;
    fs::set_permissions(dir.path(), fs::Permissions::from_mode(0o711))?;
    let homes = homes(&dir.path().join("sites"), &user)?;
    let data = dir.path().join("data");
    fs::create_dir(&data)?;
    machine::cli(&data, &["hosting", "up"], "")?;
    machine::account(&data)?;
    Runtime::new()?.block_on(seed(&data, &homes))?;
    let (server, _) = Server::start(&data)?;
    let measured = compare(table, &data, &homes, &user);
    drop(server);
    machine::cli(&data, &["hosting", "down"], "")?;
    measured
}

fn compare(table: &mut Table, data: &Path, homes: &[PathBuf], user: &User) -> Result<()> {
    // About 100 ms each: one that waits, one that works.
    let works = "for ($i = 0, $h = ''; $i < 260000; $i++) { $h = md5($h . $i); }";
    for (name, words) in [
        ("a command that waits 100 ms", vec!["sleep", "0.1"]),
        (
            "a command that works 100 ms",
            vec!["php", "-n", "-r", works],
        ),
    ] {
        let ours = || {
            let mut line = vec![
                "run",
                "--on",
                "all",
                "--jobs",
                AT_ONCE,
                "--per-host",
                AT_ONCE,
                "--",
            ];
            line.extend(&words);
            machine::cli(data, &line, "").map(drop)
        };
        let raw = || by_xargs(homes, user, AT_ONCE, &words);
        let (ours, raw) = timing::side_by_side(5, ours, raw)?;
        let what = format!("{name}, on {SITES} sites, {AT_ONCE} at once");
        let other = format!("`xargs -P{AT_ONCE} setpriv`");
        let least = 1.0 / MOST;
        let mut row = Row::faster(&what, ours, Some((&other, raw)), least);
        row.budget = format!("≥ {least:.2} ×");
        table.push(row);
        let one_by_one = timing::median(1, || by_xargs(homes, user, "1", &words))?;
        let row = Row::faster(&what, ours, Some(("one after another", one_by_one)), 1.0);
        table.push(row.reported());
    }
    Ok(())
}

/// The same commands as the same user in the same directories, and nothing else.
fn by_xargs(homes: &[PathBuf], user: &User, at_once: &str, words: &[&str]) -> Result<()> {
    let mut command = Command::new("xargs");
    command
        .args(["-0", "-n1", "-P", at_once, "sh", "-c"])
        .arg(
            "cd \"$3\" && exec setpriv --reuid=\"$1\" --regid=\"$2\" --clear-groups \
             sh -c \"$COMMAND\"",
        )
        .arg("sh")
        .args([user.id.to_string(), user.group.to_string()])
        .env(
            "COMMAND",
            words
                .iter()
                .map(|word| format!("'{}'", word.replace('\'', "'\\''")))
                .collect::<Vec<_>>()
                .join(" "),
        )
        .stdin(Stdio::piped())
        .stdout(Stdio::null());
    let mut child = command.spawn().context("cannot run `xargs`")?;
    if let Some(mut input) = child.stdin.take() {
        for home in homes {
            let line = format!("{}\0", home.join("public_html").display());
            std::io::Write::write_all(&mut input, line.as_bytes())?;
        }
    }
    ensure!(child.wait()?.success(), "`xargs` failed");
    Ok(())
}

fn homes(below: &Path, user: &User) -> Result<Vec<PathBuf>> {
    let mut homes = Vec::new();
    for number in 0..SITES {
        let home = below.join(format!("site-{number}.test"));
        fs::create_dir_all(home.join("public_html"))?;
        for part in [home.clone(), home.join("public_html")] {
            chown(part, Some(user.id), Some(user.group))?;
        }
        homes.push(home);
    }
    Ok(homes)
}

/// Domains and environments, straight into the store.
async fn seed(data: &Path, homes: &[PathBuf]) -> Result<()> {
    let keyring = Keyring::parse(&fs::read_to_string(data.join("secret.key"))?)?;
    let url = format!("sqlite://{}", data.join("pressroom.db").display());
    let store = Store::open(&url, keyring).await?;
    let account = accounts::by_name(&store, "Bench").await?;
    let account = account.context("the account")?.id;
    let tx = store.begin().await?;
    for (number, home) in homes.iter().enumerate() {
        let name = format!("site-{number}.test");
        let domain = NewDomain {
            account_id: account,
            name: name.clone(),
            root: home.display().to_string(),
        };
        let domain = domains::create(&tx, domain).await?;
        domains::set_unix_user(&tx, domain.id, Some(USER)).await?;
        let site = environments::create_site(&tx, account, &name, "Bench").await?;
        let new = NewEnvironment {
            site_id: site.id,
            account_id: account,
            domain_id: Some(domain.id),
            host_id: None,
            kind: EnvironmentKind::Production,
            panel_id: format!("wp_{number:09x}"),
            root: home.join("public_html").display().to_string(),
            path: "public_html".into(),
            url: format!("http://{name}"),
            origin_addr: None,
            origin_host: None,
            unix_user: Some(USER.into()),
            state: EnvironmentState::Active,
            db_name: format!("db_{number}"),
            db_user: format!("u_{number}"),
            db_host: "localhost".into(),
            db_password: None,
            table_prefix: "wp_".into(),
            core_version: "6.5.5".into(),
            locale: "en_US".into(),
            title: name,
        };
        environments::create(&tx, new).await?;
    }
    tx.commit().await?;
    Ok(())
}

/// A user of this machine, removed when dropped.
struct User {
    id: u32,
    group: u32,
}

impl User {
    fn add() -> Result<Self> {
        let added = Command::new("useradd")
            .args(["--system", "--user-group", "--no-create-home", USER])
            .output()?;
        ensure!(
            added.status.success(),
            "`useradd {USER}` failed: {}",
            String::from_utf8_lossy(&added.stderr)
        );
        let number = |of: &str| -> Result<u32> {
            let output = Command::new("id").args([of, USER]).output()?;
            Ok(String::from_utf8_lossy(&output.stdout).trim().parse()?)
        };
        Ok(Self {
            id: number("-u")?,
            group: number("-g")?,
        })
    }
}

impl Drop for User {
    fn drop(&mut self) {
        let _ = Command::new("userdel").arg(USER).output();
    }
}
