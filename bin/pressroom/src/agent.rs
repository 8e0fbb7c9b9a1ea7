//! Which program serves a site's pipe on this machine.

use pressroom_cli::{Failure, config::Config};
use std::{
    env,
    ffi::OsString,
    fs::{self, Permissions},
    io,
    os::unix::fs::{MetadataExt, PermissionsExt},
    path::{Path, PathBuf},
};

/// The agent's command line up to `--home`: the small program beside this one where
/// it is installed, otherwise this one.
pub fn command(config: &Config) -> Result<Vec<OsString>, Failure> {
    let this = env::current_exe()
        .map_err(|error| Failure::local("this program does not know where it is", &error))?;
    let beside = this.with_file_name("pressroom-agent");
    let (program, words): (PathBuf, &[&str]) = if beside.is_file() {
        (beside, &["serve"])
    } else {
        (this, &["agent", "serve"])
    };
    let program = if crate::data::is_root() {
        reachable(&program, &config.data.join("agent"))?
    } else {
        program
    };
    Ok([program.into_os_string()]
        .into_iter()
        .chain(words.iter().map(OsString::from))
        .collect())
}

/// The program itself where every user can run it; otherwise a copy below the data
/// directory, since sites' users cannot enter, say, `/root`.
fn reachable(program: &Path, shelf: &Path) -> Result<PathBuf, Failure> {
    if everyone_may_run(program) {
        return Ok(program.to_owned());
    }
    let copied = || -> io::Result<PathBuf> {
        let found = fs::metadata(program)?;
        // A new build has another time; processes of the old one may still run theirs.
        let name = format!("pressroom-agent-{:x}-{:x}", found.len(), found.mtime());
        let copy = shelf.join(name);
        if copy.is_file() {
            return Ok(copy);
        }
        fs::create_dir_all(shelf)?;
        fs::set_permissions(shelf, Permissions::from_mode(0o711))?;
        let draft = copy.with_extension(std::process::id().to_string());
        fs::copy(program, &draft)?;
        fs::set_permissions(&draft, Permissions::from_mode(0o755))?;
        fs::rename(&draft, &copy)?;
        Ok(copy)
    };
    copied().map_err(|error| {
        let message = format!("cannot put the agent into `{}`", shelf.display());
        Failure::local(message, &error)
    })
}

fn everyone_may_run(program: &Path) -> bool {
    program
        .ancestors()
        .all(|part| fs::metadata(part).is_ok_and(|found| found.mode() & 0o001 != 0))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_program_behind_a_closed_door_is_copied_once() {
        let place = tempfile::tempdir().expect("a directory");
        fs::set_permissions(place.path(), Permissions::from_mode(0o711)).expect("ours");
        let room = place.path().join("room");
        fs::create_dir(&room).expect("made");
        let program = room.join("program");
        fs::write(&program, "#!/bin/sh\n").expect("written");
        fs::set_permissions(&program, Permissions::from_mode(0o755)).expect("ours");
        let shelf = place.path().join("agent");
        fs::set_permissions(&room, Permissions::from_mode(0o755)).expect("ours");
        assert_eq!(reachable(&program, &shelf).expect("there"), program);
        assert!(!shelf.exists());
        fs::set_permissions(&room, Permissions::from_mode(0o700)).expect("ours");
        let copy = reachable(&program, &shelf).expect("copied");
        assert!(everyone_may_run(&copy));
        assert_eq!(fs::read(&copy).expect("read"), b"#!/bin/sh\n");
        assert_eq!(reachable(&program, &shelf).expect("there"), copy);
        assert_eq!(fs::read_dir(&shelf).expect("listed").count(), 1);
    }
}
