//! What a Pressroom has made outside its own records: Unix users, databases,
//! grants, pools, server blocks, homes and temporary files, compared before and
//! after.

use crate::{Pressroom, scratch};
use anyhow::{Context, Result};
use mysql_async::prelude::Queryable;
use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

/// Names in homes that grow by being used, not by an installation.
const LIVING: &[&str] = &["logs", "sessions"];

/// In a home: what PHP compiled, kept by whoever ran it first. It grows by being used
/// and is bounded by whoever uses it.
const COMPILED: &str = ".pressroom/opcache";

/// What the names of tests' own directories begin with.
const OF_TESTS: [&str; 6] = [
    "pressroom-test-",
    "pressroom-postgres.",
    "pressroom-home-",
    "pressroom-lab-",
    "pressroom-mariadb.",
    "pressroom-sshd-",
];

/// One look at everything, as lines `kind name`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Ledger {
    lines: BTreeSet<String>,
}

impl Ledger {
    /// Looks at the machine around this server.
    pub async fn of(server: &Pressroom) -> Result<Self> {
        let mut lines = BTreeSet::new();
        for user in scratch::unix_users_below(server.scratch())? {
            lines.insert(format!("unix-user {user}"));
        }
        for group in left_groups().await? {
            lines.insert(format!("unix-group {group}"));
        }
        databases(server, &mut lines).await?;
        let hosting = server.data().join("hosting");
        configuration("pool", &hosting.join("fpm/pools"), &mut lines)?;
        configuration("server-block", &hosting.join("nginx/sites"), &mut lines)?;
        for home in homes(server)? {
            tree(&home, &home, &mut lines)?;
        }
        temporary(&mut lines)?;
        Ok(Self { lines })
    }

    /// What `after` has more (`+`) or fewer (`-`).
    pub fn difference(&self, after: &Self) -> Vec<String> {
        let gone = self.lines.difference(&after.lines);
        let new = after.lines.difference(&self.lines);
        gone.map(|line| format!("- {line}"))
            .chain(new.map(|line| format!("+ {line}")))
            .collect()
    }

    /// The names of one kind.
    pub fn names(&self, kind: &str) -> Vec<&str> {
        self.lines
            .iter()
            .filter_map(|line| line.strip_prefix(kind)?.strip_prefix(' '))
            .collect()
    }
}

/// Groups without a user that stay so: a test running beside this one makes a group
/// before its user, and removes it after. Each look waits once for what it finds.
async fn left_groups() -> Result<BTreeSet<String>> {
    static LEFT: Mutex<BTreeSet<String>> = Mutex::new(BTreeSet::new());
    let end = Instant::now() + MEANWHILE;
    let mut left = unix_groups()?;
    loop {
        let known = LEFT.lock().unwrap_or_else(PoisonError::into_inner).clone();
        if left.is_subset(&known) || Instant::now() > end {
            LEFT.lock()
                .unwrap_or_else(PoisonError::into_inner)
                .extend(left.clone());
            return Ok(left);
        }
        tokio::time::sleep(Duration::from_millis(200)).await;
        left = &left & &unix_groups()?;
    }
}

/// Longer than a user is in the making: others hold the lock on the files for a while.
const MEANWHILE: Duration = Duration::from_secs(30);

/// Groups that Pressroom names like its users; one of another test running beside
/// this one is no concern here, so only groups without a user of that name count.
fn unix_groups() -> Result<BTreeSet<String>> {
    let passwd = fs::read_to_string("/etc/passwd")?;
    let users: BTreeSet<&str> = passwd
        .lines()
        .filter_map(|line| line.split(':').next())
        .collect();
    let group = fs::read_to_string("/etc/group").context("cannot read /etc/group")?;
    Ok(group
        .lines()
        .filter_map(|line| line.split(':').next())
        .filter(|name| name.starts_with("pr_") && !users.contains(name))
        .map(str::to_owned)
        .collect())
}

/// The account that Pressroom administers its private MariaDB with.
const ADMINISTRATOR: &str = "pressroom_admin";

/// A connection to a server's private MariaDB as its administrator; `None` when
/// there is no MariaDB yet.
pub async fn database(server: &Pressroom) -> Result<Option<mysql_async::Conn>> {
    let hosting = server.data().join("hosting");
    let socket = hosting.join("run/mariadb/mysqld.sock");
    if !socket.exists() {
        return Ok(None);
    }
    let password = fs::read_to_string(hosting.join("mariadb/admin-password"))
        .context("MariaDB runs without a password of its administrator")?;
    let options = mysql_async::OptsBuilder::default()
        .socket(Some(socket.display().to_string()))
        .user(Some(ADMINISTRATOR))
        .pass(Some(password.trim().to_owned()));
    mysql_async::Conn::new(options)
        .await
        .map(Some)
        .with_context(|| format!("no MariaDB at {}", socket.display()))
}

async fn databases(server: &Pressroom, lines: &mut BTreeSet<String>) -> Result<()> {
    let Some(mut connection) = database(server).await? else {
        return Ok(());
    };
    let names: Vec<String> = connection
        .query(
            "SELECT schema_name FROM information_schema.schemata WHERE schema_name NOT IN \
             ('mysql', 'sys', 'performance_schema', 'information_schema')",
        )
        .await?;
    lines.extend(names.into_iter().map(|name| format!("database {name}")));
    let users: Vec<(String, String)> = connection
        .query("SELECT user, host FROM mysql.user")
        .await?;
    let is_builtin = |user: &str| ["root", "mysql", "mariadb.sys", ADMINISTRATOR].contains(&user);
    for (user, host) in users {
        if !is_builtin(&user) {
            lines.insert(format!("database-user {user}@{host}"));
        }
    }
    let grants: Vec<(String, String)> = connection.query("SELECT user, db FROM mysql.db").await?;
    for (user, name) in grants {
        if !is_builtin(&user) && !user.is_empty() {
            lines.insert(format!("grant {user} on {name}"));
        }
    }
    connection.disconnect().await?;
    Ok(())
}

/// Pools and server blocks are one file each; only their names count, because a
/// port inside may change.
fn configuration(kind: &str, directory: &Path, lines: &mut BTreeSet<String>) -> Result<()> {
    if !directory.is_dir() {
        return Ok(());
    }
    for entry in fs::read_dir(directory)? {
        lines.insert(format!("{kind} {}", entry?.file_name().to_string_lossy()));
    }
    Ok(())
}

/// The homes of all domains: directories below `sites`, and those that tests give
/// to a domain with `--root` (below `roots` in the test's own directory).
fn homes(server: &Pressroom) -> Result<Vec<PathBuf>> {
    let mut homes = Vec::new();
    for above in [server.data().join("sites"), server.scratch().join("roots")] {
        if !above.is_dir() {
            continue;
        }
        for entry in fs::read_dir(above)? {
            homes.push(entry?.path());
        }
    }
    Ok(homes)
}

fn tree(home: &Path, directory: &Path, lines: &mut BTreeSet<String>) -> Result<()> {
    lines.insert(format!("path {}", directory.display()));
    let Ok(entries) = fs::read_dir(directory) else {
        return Ok(());
    };
    for entry in entries {
        let entry = entry?;
        let path = entry.path();
        let is_living = directory == home
            && LIVING
                .iter()
                .any(|name| entry.file_name() == std::ffi::OsStr::new(name));
        if path == home.join(COMPILED) {
            continue;
        }
        if entry.file_type()?.is_dir() && !is_living {
            tree(home, &path, lines)?;
        } else {
            lines.insert(format!("path {}", path.display()));
        }
    }
    Ok(())
}

fn temporary(lines: &mut BTreeSet<String>) -> Result<()> {
    for directory in ["/tmp", "/var/tmp", "/dev/shm"] {
        if !Path::new(directory).is_dir() {
            continue;
        }
        for entry in fs::read_dir(directory)? {
            let name = entry?.file_name();
            let name = name.to_string_lossy();
            // Other tests running beside this one own their directories.
            let is_of_tests = OF_TESTS.iter().any(|prefix| name.starts_with(prefix));
            if name.contains("pressroom") && !is_of_tests {
                lines.insert(format!("temporary {directory}/{name}"));
            }
        }
    }
    Ok(())
}
