//! One change of the stack at a time, over tasks and over processes.

use super::{Error, Result};
use rustix::fs::{FlockOperation, flock};
use std::{
    fs::{File, OpenOptions},
    os::unix::fs::OpenOptionsExt,
    path::Path,
    time::{Duration, Instant},
};

/// Longer than any reload; a holder that takes longer hangs.
const PATIENCE: Duration = Duration::from_secs(90);

/// Held while the stack is changed; the kernel lets go when the process dies.
pub struct Held {
    _file: File,
}

/// Waits for the lock.
pub async fn hold(path: &Path) -> Result<Held> {
    let file = OpenOptions::new()
        .create(true)
        .truncate(false)
        .write(true)
        .mode(0o600)
        .open(path)
        .map_err(Error::io("open", path))?;
    let until = Instant::now() + PATIENCE;
    loop {
        match flock(&file, FlockOperation::NonBlockingLockExclusive) {
            Ok(()) => return Ok(Held { _file: file }),
            Err(rustix::io::Errno::WOULDBLOCK | rustix::io::Errno::INTR) => {}
            Err(error) => return Err(Error::io("lock", path)(error.into())),
        }
        if Instant::now() > until {
            return Err(Error::Busy);
        }
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}
