//! Where the workspace, its build results and the binaries under test are.

use anyhow::{Result, ensure};
use std::net::TcpListener;
use std::path::{Path, PathBuf};

/// The root of the repository.
pub fn workspace() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .ancestors()
        .nth(2)
        .expect("this crate lies two levels below the root")
        .to_path_buf()
}

/// Where cargo puts what it builds.
pub fn target_dir() -> PathBuf {
    std::env::var_os("CARGO_TARGET_DIR").map_or_else(|| workspace().join("target"), PathBuf::from)
}

/// Where tests keep what outlives one run: packages, screenshots, logs of failures.
pub fn kept_dir() -> PathBuf {
    target_dir().join("pressroom-testkit")
}

/// The binary under test. It is built by `./check`, or by hand with
/// `cargo build -p pressroom -p pressroom-agent`.
pub fn binary(name: &str) -> Result<PathBuf> {
    let directory = std::env::var_os("PRESSROOM_TEST_BIN_DIR")
        .map_or_else(|| target_dir().join("debug"), PathBuf::from);
    let binary = directory.join(name);
    ensure!(
        binary.is_file(),
        "`{}` is not built: run `cargo build -p pressroom -p pressroom-agent` first",
        binary.display()
    );
    Ok(binary)
}

/// A port that nobody listens on right now. Servers under test bind it a moment
/// later; the range is the operating system's own, so a clash is rare and loud.
pub fn free_port() -> Result<u16> {
    Ok(TcpListener::bind(("127.0.0.1", 0))?.local_addr()?.port())
}

/// Whether this process may make Unix users and drop privileges.
pub fn is_root() -> bool {
    rustix::process::geteuid().is_root()
}
