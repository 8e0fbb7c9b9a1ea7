//! Sockets by their path, however long it is.
//!
//! The kernel takes 107 bytes (`sun_path`, unix(7)); a site may lie deeper. Named below an
//! open directory, a socket has a short path.

use std::{
    fs::File,
    io,
    os::{
        fd::AsRawFd,
        unix::net::{UnixListener, UnixStream},
    },
    path::{Path, PathBuf},
};

/// The longest path that the kernel takes, in bytes.
pub const LONGEST: usize = 107;

/// Listens at a path.
pub fn bind(path: &Path) -> io::Result<UnixListener> {
    let (directory, short) = below(path)?;
    let listener = UnixListener::bind(short);
    drop(directory);
    listener
}

/// Connects to a path.
pub fn connect(path: &Path) -> io::Result<UnixStream> {
    let (directory, short) = below(path)?;
    let stream = UnixStream::connect(short);
    drop(directory);
    stream
}

/// The directory, which has to stay open, and the path by way of it.
fn below(path: &Path) -> io::Result<(File, PathBuf)> {
    let no_socket = || io::Error::from(io::ErrorKind::InvalidInput);
    let name = path.file_name().ok_or_else(no_socket)?;
    let directory = File::open(path.parent().ok_or_else(no_socket)?)?;
    let short = Path::new("/proc/self/fd")
        .join(directory.as_raw_fd().to_string())
        .join(name);
    Ok((directory, short))
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::{Read, Write};

    #[test]
    fn a_deep_one_is_reached() {
        let scratch = tempfile::tempdir().unwrap();
        let deep = scratch.path().join("d".repeat(100)).join("e".repeat(100));
        std::fs::create_dir_all(&deep).unwrap();
        let path = deep.join("a.sock");
        let listener = bind(&path).unwrap();
        let mut client = connect(&path).unwrap();
        client.write_all(b"x").unwrap();
        let mut byte = [0];
        listener.accept().unwrap().0.read_exact(&mut byte).unwrap();
        assert_eq!(&byte, b"x");
        assert!(connect(&deep.join("none")).is_err());
    }
}
