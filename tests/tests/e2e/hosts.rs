//! Keys and hosts on the command line, against a real sshd.

use anyhow::{Result, ensure};
use pressroom_lab::{Login, Sshd};
use pressroom_testkit::{Options, Pressroom};
use pressroom_tests::fixture::{ACCOUNT, EMAIL, add_owner};
use serde_json::Value;
use std::fs;

/// A server of ours that need not run, and one to log in to.
struct Lab {
    server: Pressroom,
    sshd: Sshd,
    login: Login,
    public_line: String,
}

impl Lab {
    async fn start() -> Result<Self> {
        let server = Pressroom::prepare(Options::default())?;
        add_owner(&server, EMAIL, ACCOUNT).await?;
        let sshd = Sshd::start()?;
        let login = sshd.login()?;
        for (path, text) in [
            (
                "www/wp-includes/version.php",
                "<?php $wp_version = '6.5.5';",
            ),
            ("www/wp-load.php", "<?php"),
            ("www/wp-config.php", "<?php $table_prefix = 'wp_';"),
            ("old/wp-includes/version.php", "<?php $wp_version = '6.1';"),
            ("old/wp-load.php", "<?php"),
        ] {
            login.write(path, text)?;
        }
        let public_line = server
            .cli(&["key", "add", "--account", ACCOUNT], "")
            .await?
            .line()?;
        let lab = Self {
            server,
            sshd,
            login,
            public_line,
        };
        lab.server
            .cli(
                &[
                    "host",
                    "add",
                    &format!("{}@127.0.0.1:{}", lab.login.name(), lab.sshd.port()),
                    "--account",
                    ACCOUNT,
                    "--label",
                    "web1",
                ],
                "",
            )
            .await?
            .line()?;
        Ok(lab)
    }

    fn open(&self) -> Result<()> {
        self.sshd
            .authorize(self.login.name(), "", &self.public_line)
    }

    async fn test(&self) -> Result<Value> {
        self.server.cli_json(&["host", "test", "web1"]).await
    }

    /// What a command that must fail says, with its exit code.
    async fn refused(&self, words: &[&str], code: i32) -> Result<String> {
        let done = self.server.cli(words, "").await?;
        ensure!(done.code == code, "{words:?}: {done:?}");
        Ok(done.stderr)
    }

    async fn status(&self) -> Result<Value> {
        let hosts = self.server.cli_json(&["host", "list"]).await?;
        Ok(hosts[0]["status"].clone())
    }
}

#[tokio::test]
async fn a_host_is_looked_at_over_ssh_and_forgotten_without_a_trace() -> Result<()> {
    let lab = Lab::start().await?;
    let said = lab.refused(&["host", "test", "web1"], 1).await?;
    ensure!(said.contains("authorized_keys"), "{said}");
    ensure!(lab.status().await? == "refused");

    lab.open()?;
    let found = lab.test().await?;
    ensure!(found["status"] == "reachable", "{found}");
    // It was reached before, and showed its key.
    ensure!(found["key_is_new"] == false, "{found}");
    let survey = &found["survey"];
    ensure!(survey["user"] == lab.login.name(), "{survey}");
    ensure!(survey["way"] == "agent", "{survey}");
    ensure!(survey["machine"] == "Linux x86_64", "{survey}");
    ensure!(survey["free_bytes"].is_u64(), "{survey}");
    let php = survey["php"][0]["version"].as_str().unwrap_or_default();
    ensure!(
        php.starts_with(|first: char| first.is_ascii_digit()),
        "{survey}"
    );

    let sites = lab.server.cli(&["host", "discover", "web1"], "").await?;
    let home = lab.login.home().display();
    let old = format!("6.1\twithout wp-config.php\t{home}/old\n");
    let www = format!("6.5.5\tconfigured\t{home}/www\n");
    ensure!(sites.stdout == old + &www, "{sites:?}");

    let ours = lab.login.home().join(".pressroom");
    ensure!(fs::read_dir(&ours)?.count() == 1, "the agent was brought");
    let done = lab.server.cli(&["host", "remove", "web1"], "").await?;
    ensure!(done.code == 0, "{done:?}");
    let left = fs::read_dir(&ours).map_or(0, Iterator::count);
    ensure!(left == 0, "{left} files of ours are left");
    let hosts = lab.server.cli_json(&["host", "list"]).await?;
    ensure!(hosts == serde_json::json!([]), "{hosts}");
    lab.server.cli(&["key", "remove", "1"], "").await?;
    let keys = lab.server.cli_json(&["key", "list"]).await?;
    ensure!(keys == serde_json::json!([]), "{keys}");
    Ok(())
}

#[tokio::test]
async fn another_host_key_is_refused_until_somebody_says_that_it_is_right() -> Result<()> {
    let mut lab = Lab::start().await?;
    lab.open()?;
    let first = lab.test().await?;
    ensure!(first["key_is_new"] == true, "{first}");
    let known = first["host_key"].clone();

    lab.sshd.kill();
    let said = lab.refused(&["host", "test", "web1"], 6).await?;
    ensure!(said.contains("nothing answers"), "{said}");
    ensure!(lab.status().await? == "unreachable");
    lab.sshd.renew_host_key()?;
    lab.sshd.resume()?;
    let said = lab.refused(&["host", "test", "web1"], 5).await?;
    ensure!(said.contains("HAS CHANGED"), "{said}");
    ensure!(
        said.contains(known.as_str().unwrap_or("a fingerprint")),
        "{said}"
    );
    ensure!(lab.status().await? == "key_changed");
    // Not even to be removed is it trusted; on somebody's word it is forgotten.
    lab.refused(&["host", "remove", "web1"], 5).await?;
    let done = lab.server.cli(&["host", "forget-key", "web1"], "").await?;
    ensure!(done.code == 0, "{done:?}");
    let now = lab.test().await?;
    ensure!(
        now["key_is_new"] == true && now["host_key"] != known,
        "{now}"
    );
    Ok(())
}

#[tokio::test]
async fn what_makes_no_sense_is_refused_and_nothing_is_kept() -> Result<()> {
    let lab = Lab::start().await?;
    let add = async |address: &str, code| {
        lab.refused(&["host", "add", address, "--account", ACCOUNT], code)
            .await
    };
    for bad in [
        "web2",
        "-oProxyCommand=id@web2",
        "a@web2:0",
        "a b@web2",
        "a@$(id)",
    ] {
        add(bad, 2).await?;
    }
    let again = format!("{}@127.0.0.1:{}", lab.login.name(), lab.sshd.port());
    add(&again, 5).await?;
    lab.refused(&["host", "add", "a@web2", "--account", "nobody"], 3)
        .await?;
    lab.refused(&["host", "test", "web2"], 3).await?;
    let said = lab.refused(&["key", "remove", "1"], 5).await?;
    ensure!(said.contains("a host is opened with that key"), "{said}");
    let account = ["key", "add", "--account", ACCOUNT, "--import", "-"];
    let done = lab.server.cli(&account, "no key at all").await?;
    ensure!(done.code == 2, "{done:?}");
    let hosts = lab.server.cli_json(&["host", "list"]).await?;
    ensure!(hosts.as_array().map(Vec::len) == Some(1), "{hosts}");

    // Where nothing but the machine's own surroundings answers, nobody asks.
    let done = lab
        .server
        .cli(
            &["host", "add", "a@169.254.169.254", "--account", ACCOUNT],
            "",
        )
        .await?;
    ensure!(done.code == 0, "{done:?}");
    let said = lab.refused(&["host", "test", "169.254.169.254"], 2).await?;
    ensure!(said.contains("does not connect"), "{said}");
    let done = lab
        .server
        .cli(&["host", "remove", "169.254.169.254"], "")
        .await?;
    ensure!(done.code == 0, "nothing was ever there: {done:?}");
    Ok(())
}
