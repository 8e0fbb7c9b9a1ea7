//! Actions that only WordPress itself can do, run through one embedded PHP file.
//!
//! The file boots WordPress once, runs a list of actions and prints one framed
//! answer marked with a nonce. Site code runs in the same process and can print
//! whatever it likes, the frame included: a [`Report`] is therefore *reported*, and
//! every caller verifies by looking at files or tables.

mod frame;
pub(crate) mod process;

use crate::{Error, Result, disk, fence, home::Home, package, watch::Watch};
use pressroom_base::Epoch;
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use std::{
    fs::{self, DirBuilder},
    io,
    os::unix::fs::DirBuilderExt,
    path::{Path, PathBuf},
};

/// Something to do inside WordPress.
#[derive(Clone, Serialize, Deserialize)]
#[serde(tag = "action", rename_all = "snake_case")]
pub enum Action {
    /// `wp_install()`: tables, first administrator, permalinks `/%postname%/`.
    Install {
        /// Home and site address, no trailing slash.
        url: String,
        /// Site title.
        title: String,
        /// First administrator's login.
        admin_user: String,
        /// First administrator's password.
        admin_password: String,
        /// First administrator's address.
        admin_email: String,
        /// Locale such as `de_DE`; falls back to `en_US` when its files are absent.
        locale: String,
        /// Permalink structure.
        permalinks: String,
    },
    /// Stores the hash of a one-time login for a user and makes sure that the
    /// must-use file which redeems it is in place.
    IssueLogin {
        /// Login name; `None` for the administrator with the lowest id.
        user: Option<String>,
        /// SHA-256 hex of the one-time token.
        token_hash: String,
        /// Seconds until it lapses.
        lifetime_s: u32,
        /// Path on the same site to go to.
        redirect: String,
    },
    /// Forgets what WordPress cached about its plugins and themes.
    CleanComponentCaches,
}

impl std::fmt::Debug for Action {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        // Actions carry passwords: only their names may reach a log.
        f.write_str(match self {
            Self::Install { .. } => "Install",
            Self::IssueLogin { .. } => "IssueLogin",
            Self::CleanComponentCaches => "CleanComponentCaches",
        })
    }
}

/// What the PHP process said.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Report {
    /// One outcome per action, in order; shorter than the actions when PHP died.
    pub outcomes: Vec<Outcome>,
    /// Set when PHP ended early: the fatal error as PHP words it, or what the
    /// process did (signal, exit code, time-out).
    pub fatal: Option<String>,
    /// Component slug whose file the fatal error names, when it names one.
    pub blamed: Option<String>,
    /// Bytes printed outside the frame.
    pub noise_bytes: u64,
    /// The last 2 kB of them, lossily decoded.
    pub noise_tail: String,
    /// PHP's version, when the frame arrived.
    pub php_version: Option<String>,
}

/// What became of one action, as reported from inside WordPress.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Outcome {
    /// Whether WordPress said it worked.
    pub ok: bool,
    /// The error as WordPress words it.
    pub error: Option<String>,
    /// The error's code (`WP_Error` code or ours), e.g. `user_missing`.
    pub code: Option<String>,
    /// What the action returns.
    pub data: serde_json::Value,
}

/// The query name that the must-use file redeems: `?wisp_login=<token>`.
pub const LOGIN_QUERY: &str = "wisp_login";

const BRIDGE_PHP: &str = include_str!("bridge.php");
const LOGIN_PHP: &str = include_str!("login.php");
const LOGIN_FILE: &str = "pressroom-login.php";

/// What the script is told.
#[derive(Serialize)]
struct Request<'a> {
    nonce: &'a str,
    root: &'a Path,
    mu_plugins: &'a Path,
    /// Read again before each action.
    lock: &'a Path,
    #[serde(skip_serializing_if = "Option::is_none")]
    epoch: Option<Epoch>,
    actions: &'a [Action],
}

/// What the script says.
#[derive(Deserialize)]
struct Answer {
    outcomes: Vec<Outcome>,
    fatal: Option<String>,
    blamed: Option<String>,
    php_version: Option<String>,
}

/// Boots the WordPress in `root` once with the command `php`, and runs `actions` in
/// it. A PHP that dies is a [`Report`] with `fatal` set; an error means that it did
/// not start, or that the watch ended it.
pub fn run(
    home: &Home,
    epoch: Option<Epoch>,
    root: &str,
    php: &str,
    actions: &[Action],
    watch: &Watch,
) -> Result<Report> {
    let dir = home.resolve(root)?;
    if !disk::exists(&dir.join("wp-load.php"))? {
        return Err(Error::Missing(format!("{root}/wp-load.php")));
    }
    if let Some(epoch) = epoch {
        fence::critical(home, epoch, watch, || Ok(()))?;
    }
    let mu_plugins = dir.join("wp-content/mu-plugins");
    if actions
        .iter()
        .any(|action| matches!(action, Action::IssueLogin { .. }))
    {
        put_login_file(home, epoch, root, watch)?;
    }
    let script = put_script(home)?;
    let nonce = nonce()?;
    let input = serde_json::to_vec(&Request {
        nonce: &nonce,
        root: &dir,
        mu_plugins: &mu_plugins,
        lock: &home.state_path("lock"),
        epoch,
        actions,
    })
    .map_err(|why| Error::Php(format!("the request cannot be written: {why}")))?;
    let ended = process::run(home, php, &script, &dir, input, &nonce, watch)?;
    let answer = ended
        .answer
        .as_deref()
        .and_then(|json| serde_json::from_slice::<Answer>(json).ok());
    let report = Report {
        noise_bytes: ended.noise.bytes,
        noise_tail: ended.noise.tail(),
        outcomes: Vec::new(),
        fatal: None,
        blamed: None,
        php_version: None,
    };
    Ok(match answer {
        Some(answer) => Report {
            outcomes: answer.outcomes,
            fatal: answer.fatal,
            blamed: answer.blamed,
            php_version: answer.php_version,
            ..report
        },
        None => Report {
            fatal: Some(match ended.trouble {
                Some(trouble) => format!("{trouble} and gave no answer"),
                None => "PHP ended without an answer".to_owned(),
            }),
            ..report
        },
    })
}

/// The script, in a file named for its content.
fn put_script(home: &Home) -> Result<PathBuf> {
    let name = format!(
        "bridge-{}.php",
        hex::encode(&Sha256::digest(BRIDGE_PHP)[..8])
    );
    let path = home.state_dir()?.join(name);
    if !holds(&path, BRIDGE_PHP)? {
        let mut aside = path.clone().into_os_string();
        aside.push(format!(".{}", nonce()?));
        let aside = PathBuf::from(aside);
        disk::write_aside(&aside, BRIDGE_PHP.as_bytes(), 0o600)?;
        disk::put_in_place(&aside, &path)?;
    }
    Ok(path)
}

/// Makes sure that the must-use file is in place, as this release has it.
fn put_login_file(home: &Home, epoch: Option<Epoch>, root: &str, watch: &Watch) -> Result<()> {
    let Some(epoch) = epoch else {
        return Err(Error::BadInput(
            "issuing a login writes to the site and needs an epoch".to_owned(),
        ));
    };
    let root = root.trim_end_matches('/');
    let dir = home.resolve(&format!("{root}/wp-content/mu-plugins"))?;
    let path = dir.join(LOGIN_FILE);
    if holds(&path, LOGIN_PHP)? {
        return Ok(());
    }
    let aside = package::aside(home, epoch)?;
    disk::write_aside(&aside, LOGIN_PHP.as_bytes(), 0o644)?;
    let placed = fence::critical(home, epoch, watch, || {
        match DirBuilder::new().mode(0o755).create(&dir) {
            Err(why) if why.kind() != io::ErrorKind::AlreadyExists => {
                Err(Error::io("create", &dir, why))
            }
            _ => disk::put_in_place(&aside, &path),
        }
    });
    if placed.is_err() {
        disk::remove_file(&aside)?;
    }
    placed
}

/// Whether a regular file holds exactly this.
fn holds(path: &Path, text: &str) -> Result<bool> {
    match fs::symlink_metadata(path) {
        Ok(found) if found.is_file() => fs::read(path)
            .map(|bytes| bytes == text.as_bytes())
            .map_err(|why| Error::io("read", path, why)),
        Ok(_) => Ok(false),
        Err(why) if why.kind() == io::ErrorKind::NotFound => Ok(false),
        Err(why) => Err(Error::io("look at", path, why)),
    }
}

fn nonce() -> Result<String> {
    let mut random = [0; 16];
    getrandom::fill(&mut random)
        .map_err(|why| Error::io("read", "random numbers", io::Error::other(why.to_string())))?;
    Ok(hex::encode(random))
}

#[cfg(test)]
mod tests;
