//! Unix users: one per domain, made and removed with the system's own programs.

use super::{
    Error, Isolation, LocalHosting, Result, SiteUser, command, lock, names, programs, unix_ids,
};
use pressroom_base::token;
use std::{
    collections::BTreeSet,
    fs,
    path::{Path, PathBuf},
    time::Duration,
};

const LIMIT: Duration = Duration::from_secs(20);
/// Numbers to try: another program may take one at the same moment.
const TRIES: usize = 20;

/// A line of `/etc/passwd`.
struct Account {
    user: SiteUser,
    comment: String,
    home: PathBuf,
}

impl LocalHosting {
    /// A fresh random name for [`LocalHosting::create_user`], so that the name can be
    /// recorded before the user exists.
    pub fn new_user_name() -> String {
        format!("{}{}", names::USER_PREFIX, token::name(8))
    }

    /// Makes a Unix user with its own group, no shell and no password; both have a number
    /// that nobody had before. `None` without isolation, and only then: sites run as our
    /// own user. An existing user is never adopted.
    pub async fn create_user(&self, name: &str, home: &Path) -> Result<Option<SiteUser>> {
        names::unix_user(name)?;
        let home = names::absolute_path(home)?;
        if self.config().isolation == Isolation::None {
            return Ok(None);
        }
        if account(name)?.is_some() {
            return Err(Error::Occupied {
                what: "Unix user",
                name: name.into(),
            });
        }
        let comment = self.user_comment()?;
        let _held = lock::hold(&self.ids_lock()).await?;
        for _ in 0..TRIES {
            let id = self.spend_id()?;
            if !make_group(name, id).await? {
                continue;
            }
            match make_user(name, id, home, &comment).await {
                Ok(true) => {
                    // `None` would say that the site runs as ourselves.
                    return self.user(name)?.map(Some).ok_or_else(|| Error::Command {
                        program: "useradd".into(),
                        status: "no user".into(),
                        stderr: format!("`/etc/passwd` has no `{name}`"),
                    });
                }
                Ok(false) => drop_group(name).await?,
                Err(error) => {
                    // It may have failed with its work half done.
                    let half_made = self.remove_user(name).await.inspect_err(|left| {
                        tracing::warn!(user = name, error = %left, "what was made of a user is still there");
                    });
                    if !half_made.unwrap_or(false) {
                        return Err(error);
                    }
                    tracing::warn!(user = name, %error, "a user was half made, and is made again");
                }
            }
        }
        Err(Error::Busy)
    }

    /// Removes a user that this Pressroom made, after ending its processes; false
    /// when there is none.
    pub async fn remove_user(&self, name: &str) -> Result<bool> {
        names::unix_user(name)?;
        let Some(account) = account(name)? else {
            // One that was half made or half removed.
            drop_left_group(name).await?;
            return Ok(false);
        };
        if account.comment != self.user_comment()? {
            return Err(Error::NotOurs {
                what: "Unix user",
                name: name.into(),
            });
        }
        self.refuse_released(
            "Unix user",
            |described, _| {
                let user = described.site.user.as_ref();
                user.is_some_and(|user| user.name == name)
            },
            name,
        )?;
        let userdel = programs::tool("userdel", "passwd")?;
        let end = std::time::Instant::now() + LIMIT;
        loop {
            end_processes_of(account.user.uid);
            let finished = retry_while_locked(&userdel, &["--", name]).await?;
            match finished.status.code() {
                Some(0) => {
                    // Whether it went with its user is the system's configuration.
                    drop_left_group(name).await?;
                    return Ok(true);
                }
                // 6: somebody else removed it. 8: a process of it still lives.
                Some(6) => return Ok(false),
                Some(8) if std::time::Instant::now() < end => {
                    tokio::time::sleep(Duration::from_millis(50)).await;
                }
                _ => return Err(finished.into_error(&userdel)),
            }
        }
    }

    /// Gives a user that this Pressroom made another home, after ending its processes.
    pub(super) async fn set_user_home(&self, name: &str, home: &Path) -> Result<()> {
        names::unix_user(name)?;
        let home = names::absolute_path(home)?;
        let account = account(name)?.filter(|account| {
            self.existing_user_comment()
                .is_ok_and(|ours| ours.as_ref() == Some(&account.comment))
        });
        let Some(account) = account else {
            return Err(Error::NotOurs {
                what: "Unix user",
                name: name.into(),
            });
        };
        if account.home == Path::new(home) {
            return Ok(());
        }
        let usermod = programs::tool("usermod", "passwd")?;
        let end = std::time::Instant::now() + LIMIT;
        loop {
            end_processes_of(account.user.uid);
            let args = ["--home", home, "--", name];
            let finished = retry_while_locked(&usermod, &args).await?;
            match finished.status.code() {
                Some(0) => return Ok(()),
                // 8: a process of it still lives.
                Some(8) if std::time::Instant::now() < end => {
                    tokio::time::sleep(Duration::from_millis(50)).await;
                }
                _ => return Err(finished.into_error(&usermod)),
            }
        }
    }

    /// The user of this name, whoever made it.
    pub fn user(&self, name: &str) -> Result<Option<SiteUser>> {
        names::unix_user(name)?;
        Ok(account(name)?.map(|account| account.user))
    }

    /// Any user of this machine, for sites that were there before.
    pub fn account(&self, name: &str) -> Result<Option<SiteUser>> {
        Ok(account(name)?.map(|account| account.user))
    }

    /// The user of this machine that has a number.
    pub fn account_of(&self, uid: u32) -> Result<Option<SiteUser>> {
        let mut accounts = accounts()?.into_iter();
        Ok(accounts
            .find(|account| account.user.uid == uid)
            .map(|account| account.user))
    }

    /// Users that this Pressroom made.
    pub(super) fn own_users(&self) -> Result<Vec<SiteUser>> {
        let Some(comment) = self.existing_user_comment()? else {
            return Ok(Vec::new());
        };
        Ok(accounts()?
            .into_iter()
            .filter(|account| account.comment == comment)
            .map(|account| account.user)
            .collect())
    }
}

/// Makes a group of this name and number; false when the number is somebody's by now.
async fn make_group(name: &str, id: u32) -> Result<bool> {
    let groupadd = programs::tool("groupadd", "passwd")?;
    let number = id.to_string();
    let args = ["--system", "--gid", &number, "--", name];
    let finished = retry_while_locked(&groupadd, &args).await?;
    match finished.status.code() {
        Some(0) => Ok(true),
        Some(4) => Ok(false),
        Some(9) => Err(occupied(name)),
        _ => Err(finished.into_error(&groupadd)),
    }
}

/// Makes a user of this name and number in the group of that number; false when the
/// number is somebody's by now.
async fn make_user(name: &str, id: u32, home: &str, comment: &str) -> Result<bool> {
    let useradd = programs::tool("useradd", "passwd")?;
    let number = id.to_string();
    let args = [
        // No range of subordinate numbers comes with it.
        "--system",
        "--uid",
        &number,
        "--gid",
        &number,
        "--no-create-home",
        "--home-dir",
        home,
        "--shell",
        "/usr/sbin/nologin",
        "--comment",
        comment,
        "--",
        name,
    ];
    let finished = retry_while_locked(&useradd, &args).await?;
    match finished.status.code() {
        Some(0) => Ok(true),
        Some(4) => Ok(false),
        Some(9) => Err(occupied(name)),
        _ => Err(finished.into_error(&useradd)),
    }
}

/// Removes a group that is there without its user.
async fn drop_group(name: &str) -> Result<()> {
    let groupdel = programs::tool("groupdel", "passwd")?;
    // By force: another Pressroom on this machine may have left a user behind that has this
    // number for a group. It keeps the number; the name is ours.
    let finished = retry_while_locked(&groupdel, &["--force", "--", name]).await?;
    match finished.status.code() {
        // 6: there is none.
        Some(0 | 6) => Ok(()),
        _ => Err(finished.into_error(&groupdel)),
    }
}

/// Removes the group of a user that is gone, if it is there and was made here.
async fn drop_left_group(name: &str) -> Result<()> {
    if group_id(name)?.is_some_and(unix_ids::is_ours) {
        drop_group(name).await?;
    }
    Ok(())
}

fn occupied(name: &str) -> Error {
    Error::Occupied {
        what: "Unix user or group",
        name: name.into(),
    }
}

fn group_id(name: &str) -> Result<Option<u32>> {
    let text = fs::read("/etc/group").map_err(Error::io("read", "/etc/group"))?;
    Ok(String::from_utf8_lossy(&text).lines().find_map(|line| {
        let mut fields = line.split(':');
        (fields.next()? == name)
            .then(|| fields.nth(1)?.parse().ok())
            .flatten()
    }))
}

/// The line of any account, e.g. of the web server.
pub fn system_account(name: &str) -> Result<Option<SiteUser>> {
    Ok(account(name)?.map(|account| account.user))
}

/// The home that the system knows of a user.
pub fn home_of(name: &str) -> Result<Option<PathBuf>> {
    Ok(account(name)?.map(|account| account.home))
}

/// Names of all users.
pub fn user_names() -> Result<BTreeSet<String>> {
    Ok(accounts()?
        .into_iter()
        .map(|account| account.user.name)
        .collect())
}

/// Names of all groups.
pub fn group_names() -> Result<BTreeSet<String>> {
    let text = fs::read("/etc/group").map_err(Error::io("read", "/etc/group"))?;
    Ok(String::from_utf8_lossy(&text)
        .lines()
        .filter_map(|line| line.split(':').next().map(str::to_owned))
        .collect())
}

fn account(name: &str) -> Result<Option<Account>> {
    Ok(accounts()?
        .into_iter()
        .find(|account| account.user.name == name))
}

fn accounts() -> Result<Vec<Account>> {
    let text = fs::read("/etc/passwd").map_err(Error::io("read", "/etc/passwd"))?;
    Ok(parse(&String::from_utf8_lossy(&text)))
}

fn parse(passwd: &str) -> Vec<Account> {
    passwd
        .lines()
        .filter_map(|line| {
            let mut fields = line.split(':');
            let name = fields.next()?.to_owned();
            let uid = fields.nth(1)?.parse().ok()?;
            let gid = fields.next()?.parse().ok()?;
            let comment = fields.next()?.to_owned();
            let home = fields.next().map(PathBuf::from).unwrap_or_default();
            Some(Account {
                user: SiteUser { name, uid, gid },
                comment,
                home,
            })
        })
        .collect()
}

/// `useradd` and its kin answer 1 or 10 while another process edits the files.
async fn retry_while_locked(program: &Path, args: &[&str]) -> Result<command::Finished> {
    let end = std::time::Instant::now() + LIMIT;
    loop {
        let finished = command::run(program, args, LIMIT).await?;
        let locked =
            matches!(finished.status.code(), Some(1 | 10)) && finished.output.contains("lock");
        if !locked || std::time::Instant::now() > end {
            return Ok(finished);
        }
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
}

/// Kills every process that runs as `uid`. Only called for users that we made.
fn end_processes_of(uid: u32) {
    use std::os::unix::fs::MetadataExt;
    if uid == 0 {
        return;
    }
    let Ok(entries) = fs::read_dir("/proc") else {
        return;
    };
    for entry in entries.flatten() {
        let pid = entry
            .file_name()
            .to_str()
            .and_then(|name| name.parse().ok());
        let owned = entry.metadata().is_ok_and(|data| data.uid() == uid);
        if let Some(pid) = pid
            .filter(|_| owned)
            .and_then(rustix::process::Pid::from_raw)
        {
            let _gone_meanwhile = rustix::process::kill_process(pid, rustix::process::Signal::KILL);
        }
    }
}

/// The user that nginx' workers run as when we are root.
pub fn web_account() -> Result<SiteUser> {
    for name in ["www-data", "nginx", "http"] {
        if let Some(account) = system_account(name)? {
            return Ok(account);
        }
    }
    Err(Error::Missing {
        program: "nginx (with its user `www-data`)",
        package: "nginx-light",
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_accounts_and_skips_damaged_lines() {
        let accounts = parse(
            "root:x:0:0:root:/root:/bin/bash\nbroken\npr_abcdefgh:x:998:997:Pressroom 1:/srv/a:/x\n+::::::\n",
        );
        assert_eq!(accounts.len(), 2);
        assert_eq!(
            accounts[1].user,
            SiteUser {
                name: "pr_abcdefgh".into(),
                uid: 998,
                gid: 997
            }
        );
        assert_eq!(accounts[1].comment, "Pressroom 1");
    }
}
