//! Which port is whose. A domain keeps its port, since WordPress stores its own
//! address; a port is claimed by making a file, which only one can.

use crate::hosting::{
    Error, LocalHosting, Result,
    layout::{make_dir, read_if_there, remove_if_there},
};
use std::{
    fs,
    io::{ErrorKind, Write},
    net::{SocketAddr, TcpListener},
    os::unix::fs::OpenOptionsExt,
    path::{Path, PathBuf},
};

/// How many ports are tried.
const TRIED: u16 = 4000;

/// The domain's address; the first free one is its from now on.
pub fn reserve(hosting: &LocalHosting, domain: &str) -> Result<SocketAddr> {
    let base = hosting.config().http_addr;
    if let Some(port) = of(hosting, domain)? {
        return Ok(SocketAddr::new(base.ip(), port));
    }
    make_dir(&hosting.layout().php(), 0o700)?;
    make_dir(&ports(hosting), 0o700)?;
    make_dir(&domains(hosting), 0o700)?;
    for step in 1..=TRIED {
        // A system that chooses for us is asked again and again.
        let wanted = match base.port() {
            0 => 0,
            port => match port.checked_add(step) {
                Some(port) => port,
                None => break,
            },
        };
        let Ok(addr) = TcpListener::bind((base.ip(), wanted)).and_then(|free| free.local_addr())
        else {
            continue;
        };
        let claim = ports(hosting).join(addr.port().to_string());
        if !claimed(&claim, domain)? {
            continue;
        }
        if claimed(&domains(hosting).join(domain), &addr.port().to_string())? {
            return Ok(addr);
        }
        // Another process was faster with the same domain.
        remove_if_there(&claim)?;
        if let Some(port) = of(hosting, domain)? {
            return Ok(SocketAddr::new(base.ip(), port));
        }
    }
    Err(Error::Occupied {
        what: "address",
        name: base.to_string(),
    })
}

/// Gives the domain's port back.
pub fn release(hosting: &LocalHosting, domain: &str) -> Result<()> {
    if let Some(port) = of(hosting, domain)? {
        remove_if_there(&domains(hosting).join(domain))?;
        remove_if_there(&ports(hosting).join(port.to_string()))?;
    }
    Ok(())
}

fn of(hosting: &LocalHosting, domain: &str) -> Result<Option<u16>> {
    let bytes = read_if_there(&domains(hosting).join(domain))?;
    Ok(bytes.and_then(|bytes| String::from_utf8_lossy(&bytes).trim().parse().ok()))
}

/// Makes a file that must not exist; false when it does.
fn claimed(path: &Path, content: &str) -> Result<bool> {
    let file = fs::OpenOptions::new()
        .write(true)
        .create_new(true)
        .mode(0o600)
        .open(path);
    match file {
        Ok(mut file) => file
            .write_all(content.as_bytes())
            .map(|()| true)
            .map_err(Error::io("write", path)),
        Err(error) if error.kind() == ErrorKind::AlreadyExists => Ok(false),
        Err(error) => Err(Error::io("write", path)(error)),
    }
}

fn ports(hosting: &LocalHosting) -> PathBuf {
    hosting.layout().php().join("ports")
}

fn domains(hosting: &LocalHosting) -> PathBuf {
    hosting.layout().php().join("domains")
}
