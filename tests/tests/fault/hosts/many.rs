//! Fifty hosts, of which five hang.

use anyhow::{Context, Result, ensure};
use pressroom_lab::{Login, Sshd};
use pressroom_testkit::{Options, Pressroom};
use pressroom_tests::fixture::{ACCOUNT, EMAIL, add_owner};
use serde_json::Value;
use std::{
    net::{Ipv4Addr, SocketAddr, TcpListener},
    time::{Duration, Instant, SystemTime},
};

/// How long a host may take to be reached, recognised and opened.
const PATIENCE: Duration = Duration::from_secs(15);

/// Where the hosts are.
struct Hosts {
    good: Sshd,
    login: Login,
    /// Answers, and is stopped then.
    frozen: Sshd,
    /// Lets everybody in and never says a word: nobody takes what the kernel has accepted.
    silent: Vec<TcpListener>,
}

impl Hosts {
    fn start() -> Result<Self> {
        let good = Sshd::start_everywhere()?;
        let listen = || TcpListener::bind((Ipv4Addr::LOCALHOST, 0));
        Ok(Self {
            login: good.login()?,
            good,
            frozen: Sshd::start_everywhere()?,
            silent: vec![listen()?, listen()?, listen()?],
        })
    }

    /// Every tenth hangs: three of one kind, two of the other.
    fn addresses(&self) -> Result<Vec<SocketAddr>> {
        let mut silent = self.silent.iter();
        let mut all = Vec::new();
        for number in 0..50 {
            let own = |port| SocketAddr::from(([127, 0, 1, number + 1], port));
            all.push(match number {
                0 | 10 | 20 => silent.next().context("one more")?.local_addr()?,
                30 | 40 => own(self.frozen.port()),
                _ => own(self.good.port()),
            });
        }
        Ok(all)
    }
}

fn now_ms() -> Result<i64> {
    let now = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH)?;
    Ok(i64::try_from(now.as_millis())?)
}

#[tokio::test]
async fn hosts_that_hang_hold_up_no_other() -> Result<()> {
    let server = Pressroom::prepare(Options::default())?;
    add_owner(&server, EMAIL, ACCOUNT).await?;
    let key = ["key", "add", "--account", ACCOUNT];
    let line = server.cli(&key, "").await?.line()?;
    let hosts = Hosts::start()?;
    for sshd in [&hosts.good, &hosts.frozen] {
        sshd.authorize(hosts.login.name(), "", &line)?;
    }
    for (number, address) in hosts.addresses()?.into_iter().enumerate() {
        let address = format!("{}@{address}", hosts.login.name());
        let label = format!("host-{number:02}");
        let add = [
            "host",
            "add",
            &address,
            "--account",
            ACCOUNT,
            "--label",
            &label,
        ];
        server.cli(&add, "").await?.line()?;
    }
    // They share a home: one brings the agent for all.
    server.cli_json(&["host", "test", "host-01"]).await?;
    hosts.frozen.freeze();

    let begun = Instant::now();
    let done = server.cli(&["--json", "doctor"], "").await?;
    let (took, ended) = (begun.elapsed(), now_ms()?);
    ensure!(done.code == 1, "five hang: {done:?}");
    let checks: Vec<Value> = serde_json::from_str(&done.stdout)?;
    let of_hosts: Vec<&Value> = checks
        .iter()
        .filter(|check| {
            check["name"]
                .as_str()
                .is_some_and(|name| name.starts_with("host "))
        })
        .collect();
    for (number, check) in of_hosts.iter().enumerate() {
        ensure!(check["name"] == format!("host host-{number:02}"), "{check}");
        let said = check["message"].as_str().unwrap_or_default();
        if number % 10 == 0 {
            ensure!(check["status"] == "failed", "{check}");
            ensure!(said.contains("did not answer within 15 s"), "{check}");
        } else {
            ensure!(check["status"] == "ok", "{check}");
        }
    }
    ensure!(of_hosts.len() == 50, "{of_hosts:?}");

    // The others were done before the first that hangs was given up.
    let listed = server.cli_json(&["host", "list"]).await?;
    let listed = listed.as_array().context("hosts")?;
    let seen = listed
        .iter()
        .filter_map(|host| host["surveyed_at"].as_i64());
    let (count, last) = (seen.clone().count(), seen.max().unwrap_or_default());
    ensure!(count == 45, "{count} were reached");
    let ahead = Duration::from_millis(u64::try_from(ended - last)?);
    println!("{took:?}, {ahead:?} of it for those that hang");
    ensure!(took < PATIENCE * 2, "one waited for another: {took:?}");
    for host in listed.iter().step_by(10) {
        ensure!(host["status"] == "unreachable", "{host}");
    }
    Ok(())
}
