//! Where the workspace and the lab's kept things are.

use anyhow::{Context, Result, ensure};
use rustix::{
    fs::FlockOperation,
    process::{Pid, Signal},
};
use std::{
    fs::{self, File},
    path::{Path, PathBuf},
    process::Command,
};

/// The root of the repository.
pub(crate) fn workspace() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .ancestors()
        .nth(2)
        .expect("this crate lies two levels below the root")
        .to_path_buf()
}

/// Where cargo puts what it builds.
pub(crate) fn target_dir() -> PathBuf {
    std::env::var_os("CARGO_TARGET_DIR").map_or_else(|| workspace().join("target"), PathBuf::from)
}

/// A program of ours that is built: by `./check`, or by hand with `cargo build -p`.
pub fn binary(name: &str) -> Result<PathBuf> {
    let directory = std::env::var_os("PRESSROOM_TEST_BIN_DIR")
        .map_or_else(|| target_dir().join("debug"), PathBuf::from);
    let binary = directory.join(name);
    ensure!(
        binary.is_file(),
        "`{}` is not built: run `cargo build -p {name}` first",
        binary.display()
    );
    Ok(binary)
}

/// A directory that is made once and kept beside the build results. `make` gets an
/// empty directory to fill; only a success is kept.
pub(crate) fn kept(name: &str, make: impl FnOnce(&Path) -> Result<()>) -> Result<PathBuf> {
    let dir = target_dir().join("pressroom-lab");
    fs::create_dir_all(&dir).with_context(|| format!("cannot make {}", dir.display()))?;
    let path = dir.join(name);
    if path.exists() {
        return Ok(path);
    }
    let lock = File::create(dir.join("lock"))?;
    rustix::fs::flock(&lock, FlockOperation::LockExclusive)?;
    if path.exists() {
        return Ok(path);
    }
    let fresh = dir.join(format!("{name}.new"));
    if fresh.exists() {
        fs::remove_dir_all(&fresh)?;
    }
    fs::create_dir(&fresh)?;
    make(&fresh)?;
    fs::rename(&fresh, &path)?;
    Ok(path)
}

/// Runs a program that must succeed; its standard output.
pub(crate) fn run(command: &mut Command) -> Result<String> {
    let shown = command.get_program().to_string_lossy().into_owned();
    let output = command
        .output()
        .with_context(|| format!("cannot run `{shown}`"))?;
    ensure!(
        output.status.success(),
        "`{shown}` failed ({}): {}{}",
        output.status,
        String::from_utf8_lossy(&output.stdout),
        String::from_utf8_lossy(&output.stderr)
    );
    Ok(String::from_utf8_lossy(&output.stdout).into_owned())
}

/// Kills a process, if it is still there.
pub(crate) fn kill(process: u32) {
    signal(process, Signal::KILL);
}

/// Sends a process a signal, if it is still there.
pub(crate) fn signal(process: u32, signal: Signal) {
    let process = i32::try_from(process).ok().and_then(Pid::from_raw);
    if let Some(process) = process {
        // It may have ended meanwhile.
        let _ = rustix::process::kill_process(process, signal);
    }
}
