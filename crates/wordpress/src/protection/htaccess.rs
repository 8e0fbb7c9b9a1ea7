//! Our block in `.htaccess`, for a web server that reads it. It stands first, so that
//! no rule of somebody else answers before it.

use crate::{Error, Result, config::below, disk, fence, home::Home, package, watch::Watch};
use pressroom_base::Epoch;
use std::{fs, os::unix::fs::PermissionsExt};

const FILE: &str = ".htaccess";
const MAX_FILE: u64 = 1024 * 1024;
const BEGIN: &[u8] = b"# BEGIN Pressroom file protection\n";
const END: &[u8] = b"# END Pressroom file protection\n";
/// In the block of a file that was made for it: the file goes with the block.
const MADE: &[u8] = b"# This file was made for this block.\n";
const RULES: &[u8] = include_bytes!("htaccess.conf");

/// Whether the block is there.
pub(super) fn is_there(home: &Home, root: &str) -> Result<bool> {
    let found = match read(home, root) {
        // Somebody's link, a directory, or a file that no server would read: nothing of ours.
        Err(Error::BadPath(_) | Error::BadInput(_)) => return Ok(false),
        found => found?,
    };
    Ok(found.is_some_and(|bytes| block(&bytes).is_ok_and(|block| block.is_some())))
}

/// Has the block there, once, as this release has it.
pub(super) fn put(home: &Home, epoch: Epoch, root: &str, watch: &Watch) -> Result<()> {
    change(home, epoch, root, watch, |now| with_block(now).map(Some))
}

/// Takes the block away, and nothing else.
pub(super) fn remove(home: &Home, epoch: Epoch, root: &str, watch: &Watch) -> Result<()> {
    change(home, epoch, root, watch, |now| match now {
        Some(now) => without_block(now),
        None => Ok(None),
    })
}

fn change(
    home: &Home,
    epoch: Epoch,
    root: &str,
    watch: &Watch,
    to: impl Fn(Option<&[u8]>) -> Result<Option<Vec<u8>>>,
) -> Result<()> {
    let path = home.resolve(&below(root, FILE))?;
    let aside = package::aside(home, epoch)?;
    let changed = fence::critical(home, epoch, watch, || {
        let now = read(home, root)?;
        let wanted = to(now.as_deref())?;
        if wanted == now {
            return Ok(());
        }
        let Some(wanted) = wanted else {
            return disk::remove_file(&path);
        };
        let mode = match fs::symlink_metadata(&path) {
            Ok(found) => found.permissions().mode() & 0o7777,
            Err(_) => 0o644,
        };
        disk::write_aside(&aside, &wanted, mode)?;
        disk::put_in_place(&aside, &path)
    });
    if changed.is_err() {
        disk::remove_file(&aside)?;
    }
    changed
}

fn read(home: &Home, root: &str) -> Result<Option<Vec<u8>>> {
    let path = below(root, FILE);
    let Some(bytes) = home.read_start(&path, MAX_FILE + 1)? else {
        if disk::exists(&home.resolve(&path)?)? {
            return Err(Error::BadInput(format!("`{path}` is no file")));
        }
        return Ok(None);
    };
    if bytes.len() as u64 > MAX_FILE {
        return Err(Error::BadInput(format!("`{path}` is larger than 1 MB")));
    }
    Ok(Some(bytes))
}

fn with_block(now: Option<&[u8]>) -> Result<Vec<u8>> {
    let made = match now {
        None => true,
        Some(now) => match block(now)? {
            Some((start, end)) => find(&now[start..end], MADE).is_some(),
            None => false,
        },
    };
    let mark: &[u8] = if made { MADE } else { b"" };
    let mut wanted = [BEGIN, mark, RULES, END].concat();
    wanted.extend(match now {
        None => Vec::new(),
        Some(now) => outside(now)?,
    });
    Ok(wanted)
}

fn without_block(now: &[u8]) -> Result<Option<Vec<u8>>> {
    let Some((start, end)) = block(now)? else {
        return Ok(Some(now.to_vec()));
    };
    let rest = outside(now)?;
    let made = find(&now[start..end], MADE).is_some();
    Ok((!(made && rest.is_empty())).then_some(rest))
}

/// Everything but the block.
fn outside(now: &[u8]) -> Result<Vec<u8>> {
    Ok(match block(now)? {
        Some((start, end)) => [&now[..start], &now[end..]].concat(),
        None => now.to_vec(),
    })
}

/// Where the block begins and ends. One that does not end is refused: nobody can tell
/// what belongs to it.
fn block(now: &[u8]) -> Result<Option<(usize, usize)>> {
    let Some(start) = find(now, BEGIN).filter(|at| is_line(now, *at)) else {
        return Ok(None);
    };
    let behind = start + BEGIN.len();
    match find(&now[behind..], END) {
        Some(at) if is_line(now, behind + at) => Ok(Some((start, behind + at + END.len()))),
        _ => Err(Error::BadInput(format!(
            "the block of Pressroom in `{FILE}` has no end: remove what is left of it"
        ))),
    }
}

fn is_line(text: &[u8], at: usize) -> bool {
    at == 0 || text[at - 1] == b'\n'
}

fn find(text: &[u8], part: &[u8]) -> Option<usize> {
    text.windows(part.len()).position(|window| window == part)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::package::sample::{EPOCH, home, staged_names};

    #[test]
    fn foreign_bytes_stay_and_the_block_is_there_once() {
        let (dir, home) = home();
        let watch = Watch::unbounded();
        fs::create_dir(dir.path().join("www")).unwrap();
        let file = dir.path().join("www").join(FILE);
        let foreign: [&[u8]; 4] = [
            b"",
            b"# BEGIN WordPress\r\nRewriteEngine On\r\n# END WordPress",
            b"\xff\xfe no line end",
            b"# a word on # BEGIN Pressroom file protection\n",
        ];
        for bytes in foreign {
            fs::write(&file, bytes).unwrap();
            fs::set_permissions(&file, fs::Permissions::from_mode(0o604)).unwrap();
            assert!(!is_there(&home, "www").unwrap());
            for _ in 0..2 {
                put(&home, EPOCH, "www", &watch).unwrap();
                assert!(is_there(&home, "www").unwrap());
                let now = fs::read(&file).unwrap();
                assert!(now.ends_with(bytes));
                assert_eq!(
                    now.len(),
                    BEGIN.len() + RULES.len() + END.len() + bytes.len()
                );
            }
            for _ in 0..2 {
                remove(&home, EPOCH, "www", &watch).unwrap();
                assert_eq!(fs::read(&file).unwrap(), bytes);
            }
            let mode = fs::metadata(&file).unwrap().permissions().mode();
            assert_eq!(mode & 0o777, 0o604);
        }
        // An older release's block is written anew where it stood no longer.
        fs::write(&file, [b"one\n", BEGIN, b"old\n", END, b"two"].concat()).unwrap();
        put(&home, EPOCH, "www", &watch).unwrap();
        assert!(
            fs::read(&file)
                .unwrap()
                .ends_with(b"# END Pressroom file protection\none\ntwo")
        );
        remove(&home, EPOCH, "www", &watch).unwrap();
        assert_eq!(fs::read(&file).unwrap(), b"one\ntwo");
        assert_eq!(staged_names(&home), [""; 0]);
    }

    #[test]
    fn a_file_made_for_the_block_goes_with_it() {
        let (dir, home) = home();
        let watch = Watch::unbounded();
        fs::create_dir(dir.path().join("www")).unwrap();
        let file = dir.path().join("www").join(FILE);
        remove(&home, EPOCH, "www", &watch).unwrap();
        for _ in 0..2 {
            put(&home, EPOCH, "www", &watch).unwrap();
        }
        remove(&home, EPOCH, "www", &watch).unwrap();
        assert!(!file.exists());
        put(&home, EPOCH, "www", &watch).unwrap();
        let more = [fs::read(&file).unwrap(), b"mine".to_vec()].concat();
        fs::write(&file, more).unwrap();
        remove(&home, EPOCH, "www", &watch).unwrap();
        assert_eq!(fs::read(&file).unwrap(), b"mine");
    }

    #[test]
    fn a_block_without_an_end_is_not_guessed_at() {
        let (dir, home) = home();
        let watch = Watch::unbounded();
        fs::create_dir(dir.path().join("www")).unwrap();
        let file = dir.path().join("www").join(FILE);
        let torn = [BEGIN, b"deny\n"].concat();
        fs::write(&file, &torn).unwrap();
        assert!(put(&home, EPOCH, "www", &watch).is_err());
        assert!(remove(&home, EPOCH, "www", &watch).is_err());
        assert!(!is_there(&home, "www").unwrap());
        assert_eq!(fs::read(&file).unwrap(), torn);
        assert_eq!(staged_names(&home), [""; 0]);
    }
}
