//! Actions that only WordPress itself can do, run through one embedded PHP program.
//!
//! It boots WordPress once, runs a list of actions and tells of each in a frame
//! marked with a nonce. Site code runs in the same process and can print whatever
//! it likes, frames included: a [`Report`] is therefore *reported*, and every
//! caller verifies by looking at files or tables.
//!
//! [`run`] is one start of WordPress for one batch. An exception ends its action,
//! a fatal error the batch; [`run_each`] goes on behind it. [`activate`] and
//! [`switch_theme`] also look whether the site still starts, and undo if not.

mod action;
mod frame;
pub(crate) mod fuzzing;
mod opcache;
mod options;
pub mod outcomes;
pub(crate) mod process;
mod report;
mod script;
mod state;
mod whole;

pub use action::{Action, UpgradedKind, UserRef};
pub use options::BridgeOptions;
pub use report::{Blame, BlamedKind, Evidence, Generated, Outcome, Report};
pub use state::{PluginState, Row, ThemeState};
pub use whole::{
    Activation, Place, ThemeSwitch, activate, run_cron, run_each, switch_theme, upgrade_databases,
};

use crate::{Error, Result, cage, config::Directories, disk, fence, home::Home, watch::Watch};
use frame::Note;
use pressroom_base::Epoch;
use serde::{Deserialize, Serialize};
use std::{
    io,
    path::{Path, PathBuf},
    time::Duration,
};

pub(crate) use script::{LOGIN_PHP as LOGIN_PROGRAM, program};

/// The query name that the must-use file redeems: `?wisp_login=<token>`.
pub const LOGIN_QUERY: &str = "wisp_login";

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
    blog: Option<u64>,
    url: Option<&'a str>,
    skip: Skip<'a>,
    /// A directory that is never there.
    nowhere: &'a Path,
    user: Option<&'a str>,
    admin: bool,
    network: bool,
    actions: &'a [Action],
}

#[derive(Serialize)]
struct Skip<'a> {
    plugins: Option<&'a [String]>,
    themes: bool,
    mu_plugins: bool,
}

/// What the script says at its end; outcomes came before, one by one.
#[derive(Default, Deserialize)]
struct Answer {
    #[serde(default)]
    outcomes: Vec<Outcome>,
    fatal: Option<String>,
    #[serde(default)]
    blame: Option<Blame>,
    #[serde(default)]
    undone: Option<bool>,
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
    let options = BridgeOptions::default();
    run_with(home, epoch, root, php, actions, &options, watch)
}

/// As [`run`], starting WordPress in another way.
pub fn run_with(
    home: &Home,
    epoch: Option<Epoch>,
    root: &str,
    php: &str,
    actions: &[Action],
    options: &BridgeOptions,
    watch: &Watch,
) -> Result<Report> {
    let dir = home.resolve(root)?;
    if !disk::exists(&dir.join("wp-load.php"))? {
        return Err(Error::Missing(format!("{root}/wp-load.php")));
    }
    check(epoch, actions)?;
    if let Some(epoch) = epoch {
        fence::critical(home, epoch, watch, || Ok(()))?;
    }
    if actions.iter().any(Action::issues_login) {
        script::put_login_file(home, epoch, root, watch)?;
    }
    let script = script::put_script(home)?;
    let lock = home.state_path("lock");
    let clone = cage::enter(home, &dir)?;
    let is_clone = clone.is_some();
    let nowhere = clone.map_or_else(|| home.state_path("nowhere"), |clone| clone.nowhere());
    let nonce = nonce()?;
    let input = serde_json::to_vec(&Request {
        nonce: &nonce,
        root: &dir,
        mu_plugins: &must_use_plugins(home, root, &dir),
        lock: &lock,
        epoch,
        blog: options.blog,
        url: options.url.as_deref(),
        skip: Skip {
            plugins: options.skip_plugins.as_deref(),
            themes: options.skip_themes,
            mu_plugins: options.skip_mu_plugins,
        },
        nowhere: &nowhere,
        user: options.user.as_deref(),
        admin: options.admin,
        network: options.network,
        actions,
    })
    .map_err(|why| Error::Php(format!("the request cannot be written: {why}")))?;
    // What a clone compiles is the clone's, and it changes under its feet.
    let cache = (options.opcache && !is_clone)
        .then(|| opcache::Cache::open(home))
        .flatten();
    let run = |cache: Option<PathBuf>| {
        let call = process::Call {
            php,
            script: &script,
            dir: &dir,
            readable: &[&lock],
            input: &input,
            nonce: &nonce,
            memory_mb: options.memory_mb,
            limit: options
                .time_limit_s
                .map(|limit| Duration::from_secs(limit.into())),
            cache: cache.as_deref(),
        };
        process::run(home, &call, watch)
    };
    let mut ended = run(cache.as_ref().map(|cache| cache.dir().to_owned()))?;
    if let Some(cache) = cache {
        if ended.signalled || ended.overdue {
            // Whatever it was, what PHP compiled is not to be trusted any more.
            drop(cache);
            if ended.signalled && ended.notes.is_empty() && ended.answer.is_none() {
                // It may have been OPcache itself, and nothing was done yet.
                ended = run(None)?;
            }
        } else {
            cache.settle();
        }
    }
    Ok(report(ended, actions))
}

/// Refuses actions that nothing can make sense of, and those that write without an epoch.
pub fn check(epoch: Option<Epoch>, actions: &[Action]) -> Result<()> {
    if !actions.iter().all(Action::is_sound) {
        return Err(Error::BadInput(
            "an action can be taken to one other blog only".to_owned(),
        ));
    }
    if epoch.is_none()
        && let Some(action) = actions.iter().find(|action| action.writes())
    {
        return Err(Error::BadInput(format!(
            "`{}` writes to the site and needs an epoch",
            action.name()
        )));
    }
    Ok(())
}

fn report(ended: process::Ended, actions: &[Action]) -> Report {
    let mut booted = false;
    let mut outcomes = Vec::new();
    for note in &ended.notes {
        match serde_json::from_slice(note) {
            Ok(Note::Booted(_)) => booted = true,
            Ok(Note::Outcome(outcome)) => outcomes.push(*outcome),
            Err(_) => {}
        }
    }
    let answer = ended
        .answer
        .as_deref()
        .and_then(|json| serde_json::from_slice::<Answer>(json).ok());
    let answer = answer.unwrap_or_else(|| Answer {
        fatal: Some(match ended.trouble {
            Some(trouble) => format!("{trouble} and gave no answer"),
            None => "PHP ended without an answer".to_owned(),
        }),
        ..Answer::default()
    });
    outcomes.extend(answer.outcomes);
    let told_itself = outcomes
        .last()
        .is_some_and(|last| last.code.as_deref() == Some("fatal"));
    if booted && answer.fatal.is_some() && !told_itself && outcomes.len() < actions.len() {
        // Killed in the midst of an action, without a word about it.
        outcomes.push(Outcome {
            ok: false,
            error: answer.fatal.clone(),
            code: Some("fatal".to_owned()),
            data: serde_json::Value::Null,
            blame: answer.blame.clone(),
            secret: None,
        });
    }
    outcomes.truncate(actions.len());
    let blame = answer.blame.or_else(|| {
        let failed = outcomes.iter().find(|outcome| outcome.blame.is_some());
        failed.and_then(|outcome| outcome.blame.clone())
    });
    Report {
        outcomes,
        fatal: answer.fatal,
        blamed: blame.as_ref().map(|blame| blame.slug.clone()),
        blame,
        undone: answer.undone,
        noise_bytes: ended.noise.bytes,
        noise_tail: ended.noise.tail(),
        php_version: answer.php_version,
    }
}

/// Where the site's must-use plugins are: what a login is told to WordPress with goes
/// there. Elsewhere, the script finds that it is not so.
fn must_use_plugins(home: &Home, root: &str, dir: &Path) -> PathBuf {
    let directories = Directories::told(home, root);
    let told = directories.must_use.reachable();
    told.and_then(|path| home.resolve(path))
        .unwrap_or_else(|_| dir.join("wp-content/mu-plugins"))
}

fn nonce() -> Result<String> {
    let mut random = [0; 16];
    getrandom::fill(&mut random)
        .map_err(|why| Error::io("read", "random numbers", io::Error::other(why.to_string())))?;
    Ok(hex::encode(random))
}

#[cfg(test)]
mod tests;
