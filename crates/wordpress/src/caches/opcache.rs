//! OPcache of the site's php-fpm pool, through the pool's own socket.
//!
//! A small script of ours in `.pressroom/caches` is run by the pool as a web server
//! would have it run: no `php` program, no WordPress, nothing of the site. It makes
//! OPcache forget the scripts below the changed directories, one by one, and looks
//! again; it never empties the whole cache, which all pools of one php-fpm share.
//!
//! # What the pool must allow
//!
//! - The site's user may connect to the socket (`listen.group`, `listen.mode`).
//! - `opcache.restrict_api`, if it is set, must be a prefix of the script's path:
//!   `php_admin_value[opcache.restrict_api] = <home>/.pressroom/`.
//! - `open_basedir`, if it is set, must hold the home; `.php` must be among
//!   `security.limit_extensions`.
//!
//! # Why no `PHP_ADMIN_VALUE` is sent
//!
//! It could blank `auto_prepend_file`, but php-fpm keeps such a value for the rest of
//! the worker's life, locked: a firewall that the site prepends by its `.user.ini`
//! would silently be off for every later request of that worker (seen with PHP 8.2).
//! `.user.ini` does not reach the script anyway: PHP looks for it only between the
//! document root and the script, and both are our directory. What the pool itself or
//! `php.ini` prepends does run, and is told.

use super::{FlushOptions, Outcome, fastcgi, wire};
use crate::{Error, Result, disk, fence, home::Home, package, watch::Watch};
use pressroom_base::Epoch;
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use std::{
    collections::BTreeSet,
    fs, io,
    path::{Path, PathBuf},
};

const SCRIPT: &str = include_str!("opcache.php");
/// More would not fit into one act of an update.
const MAX_PATHS: usize = 1000;

#[derive(Serialize)]
struct Ask<'a> {
    nonce: &'a str,
    below: &'a BTreeSet<String>,
}

/// What the script saw.
#[derive(Debug, Deserialize)]
struct Seen {
    state: String,
    forgotten: u64,
    left: u64,
    timestamps: bool,
    every: u64,
    prepended: String,
}

pub(super) fn flush(
    home: &Home,
    epoch: Epoch,
    root: &str,
    options: &FlushOptions,
    watch: &Watch,
) -> Result<Outcome> {
    let Some(address) = &options.fpm_socket else {
        return Ok(Outcome::unknown(
            "where the site's PHP listens is not known",
        ));
    };
    let below = changed(home, root, &options.changed_paths)?;
    let script = place(home, epoch, watch)?;
    Ok(match ask(address, &script, &below, watch)? {
        Ok(seen) => judge(&seen),
        Err(reason) => Outcome::unknown(reason),
    })
}

/// Whether the pool keeps compiled code; `None` when it does not answer, or our script was
/// never put there. Nothing is forgotten by asking.
pub(super) fn is_on(home: &Home, root: &str, address: &str, watch: &Watch) -> Result<Option<bool>> {
    let script = home.state_path("caches").join(script_name());
    if !disk::exists(&script)? {
        return Ok(None);
    }
    // A name that no script has.
    let below = changed(home, &format!("{root}/.pressroom-none"), &[])?;
    Ok(match ask(address, &script, &below, watch)? {
        Ok(seen) => Some(seen.state != "absent"),
        Err(_) => None,
    })
}

/// What the script saw, or why it was not asked.
fn ask(
    address: &str,
    script: &Path,
    below: &BTreeSet<String>,
    watch: &Watch,
) -> Result<std::result::Result<Seen, String>> {
    let nonce = nonce()?;
    let body = serde_json::to_vec(&Ask {
        nonce: &nonce,
        below,
    })
    .map_err(|why| Error::io("write", script, io::Error::other(why)))?;
    let dir = script.parent().unwrap_or(script).display().to_string();
    let file = script.display().to_string();
    let length = body.len().to_string();
    let name = format!(
        "/{}",
        script.file_name().unwrap_or_default().to_string_lossy()
    );
    let params = [
        ("GATEWAY_INTERFACE", "CGI/1.1"),
        ("SERVER_PROTOCOL", "HTTP/1.1"),
        ("SERVER_SOFTWARE", "pressroom"),
        ("REMOTE_ADDR", "127.0.0.1"),
        ("REQUEST_METHOD", "POST"),
        ("CONTENT_TYPE", "application/json"),
        ("CONTENT_LENGTH", &length),
        ("DOCUMENT_ROOT", &dir),
        ("SCRIPT_FILENAME", &file),
        ("SCRIPT_NAME", &name),
        ("REQUEST_URI", &name),
    ];
    let answer = match wire::talk(watch, fastcgi::request(address, &params, &body))? {
        Ok(answer) => answer,
        Err(why) => {
            return Ok(Err(format!(
                "the pool at `{address}` did not answer: {why}"
            )));
        }
    };
    let (status, said) = answer.split();
    Ok(match seen(said, &nonce) {
        Some(seen) => Ok(seen),
        None => Err(format!(
            "the pool did not run the script (status {status}{})",
            complaint(&answer.stderr)
        )),
    })
}

fn judge(seen: &Seen) -> Outcome {
    let prepended = if seen.prepended.is_empty() {
        String::new()
    } else {
        format!(
            "; the pool's own `auto_prepend_file` {} ran before",
            shown(seen.prepended.as_bytes())
        )
    };
    match seen.state.as_str() {
        "absent" => Outcome::NotPresent,
        "flushed" if seen.left == 0 => Outcome::Flushed {
            entries: seen.forgotten,
            verified: format!("OPcache was asked again for each script{prepended}"),
        },
        "flushed" => Outcome::unknown(format!(
            "{} scripts stay compiled as they were, preloaded or refused",
            seen.left
        )),
        // Where the API is closed, the pool may look by itself.
        _ if seen.timestamps && seen.every == 0 => Outcome::Flushed {
            entries: 0,
            verified: format!("the pool compares each file's time on each request{prepended}"),
        },
        _ if seen.timestamps => Outcome::unknown(format!(
            "old code may be served for up to {} s, until the pool looks at the files again",
            seen.every
        )),
        "files" => Outcome::unknown("the pool compiles to files only, which cannot be listed"),
        _ => Outcome::unknown(
            "`opcache.restrict_api` of the pool does not allow the script, and the pool never \
             looks at files again",
        ),
    }
}

/// The script's line in an answer: whatever else was printed cannot pass for it.
fn seen(said: &[u8], nonce: &str) -> Option<Seen> {
    said.split(|byte| *byte == b'\n')
        .find_map(|line| serde_json::from_slice(line.strip_prefix(nonce.as_bytes())?).ok())
}

/// The changed directories, as named and as PHP resolves them.
fn changed(home: &Home, root: &str, paths: &[String]) -> Result<BTreeSet<String>> {
    if paths.len() > MAX_PATHS {
        return Err(Error::BadInput(format!(
            "more than {MAX_PATHS} changed paths"
        )));
    }
    let whole = [root.to_owned()];
    let paths = if paths.is_empty() { &whole } else { paths };
    // The home itself may be reached through links of the host's.
    let canonical =
        fs::canonicalize(home.path()).map_err(|why| Error::io("look at", home.path(), why))?;
    let mut below = BTreeSet::new();
    for path in paths {
        let named = home.resolve(path)?;
        let inside = named.strip_prefix(home.path()).unwrap_or(&named);
        below.insert(text(&canonical.join(inside))?);
        below.insert(text(&named)?);
    }
    Ok(below)
}

/// `/` at the end of a home that is joined with nothing would never match.
fn text(path: &Path) -> Result<String> {
    path.to_str()
        .map(|path| path.trim_end_matches('/').to_owned())
        .ok_or_else(|| Error::BadPath(path.display().to_string()))
}

/// Puts the script there. Its name follows its content: a pool that never looks at a
/// file again would go on running an older one of the same name.
fn place(home: &Home, epoch: Epoch, watch: &Watch) -> Result<PathBuf> {
    let dir = home.state_subdir("caches")?;
    let path = dir.join(script_name());
    let aside = package::aside(home, epoch)?;
    disk::write_aside(&aside, SCRIPT.as_bytes(), 0o644)?;
    let placed = fence::critical(home, epoch, watch, || {
        disk::remove_file(&dir.join(".user.ini"))?;
        disk::put_in_place(&aside, &path)
    });
    if placed.is_err() {
        disk::remove_file(&aside)?;
    }
    placed.map(|()| path)
}

fn script_name() -> String {
    let hash = hex::encode(&Sha256::digest(SCRIPT)[..8]);
    format!("opcache-{hash}.php")
}

fn nonce() -> Result<String> {
    let mut random = [0; 16];
    getrandom::fill(&mut random)
        .map_err(|why| Error::io("read", "random numbers", io::Error::other(why.to_string())))?;
    Ok(hex::encode(random))
}

fn complaint(stderr: &[u8]) -> String {
    if stderr.is_empty() {
        return String::new();
    }
    format!(", {}", shown(stderr))
}

/// Foreign text for a message: bounded, printable.
fn shown(text: &[u8]) -> String {
    let text: String = String::from_utf8_lossy(&text[..text.len().min(200)])
        .trim()
        .chars()
        .map(|c| if c.is_control() { ' ' } else { c })
        .collect();
    format!("`{text}`")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::package::sample::home;

    fn saw(state: &str, left: u64, timestamps: bool, every: u64) -> Outcome {
        judge(&Seen {
            state: state.into(),
            forgotten: 3,
            left,
            timestamps,
            every,
            prepended: String::new(),
        })
    }

    #[test]
    fn only_what_was_seen_counts_as_flushed() {
        let flushed = |outcome| matches!(outcome, Outcome::Flushed { .. });
        assert!(flushed(saw("flushed", 0, false, 0)));
        assert!(!flushed(saw("flushed", 1, true, 0)));
        assert!(flushed(saw("restricted", 0, true, 0)));
        assert!(!flushed(saw("restricted", 0, true, 2)));
        assert!(!flushed(saw("restricted", 0, false, 0)));
        assert!(!flushed(saw("files", 0, false, 0)));
        assert!(!flushed(saw("whatever", 0, false, 0)));
        assert_eq!(saw("absent", 0, false, 0), Outcome::NotPresent);
    }

    #[test]
    fn only_our_own_line_is_an_answer() {
        let json = r#"{"state":"flushed","forgotten":1,"left":0,"timestamps":false,"every":0,"prepended":""}"#;
        let said = format!("<b>noise</b>\nother{json}\nnonce{json}\nmore");
        assert_eq!(seen(said.as_bytes(), "nonce").unwrap().forgotten, 1);
        assert!(seen(format!("{json}\nnonce").as_bytes(), "nonce").is_none());
    }

    #[test]
    fn changed_paths_stay_inside() {
        let (_dir, home) = home();
        assert!(changed(&home, "www", &["../x".into()]).is_err());
        let whole = changed(&home, "", &[]).unwrap();
        assert!(whole.iter().all(|path| !path.ends_with('/')));
    }
}
