//! Where the name of a machine leads.
//!
//! The machine's own `getent` is asked. A program that was linked statically must not
//! ask its C library where files and DNS are not all that is configured: that would load
//! modules of whatever C library the machine has into this process.

use std::{
    io,
    net::{IpAddr, SocketAddr},
    process::Stdio,
};
use tokio::{net::lookup_host, process::Command};

/// The addresses of a machine, given by name or by number, in the order in which they are
/// to be tried; at least one.
pub(crate) async fn addresses(name: &str) -> io::Result<Vec<IpAddr>> {
    if let Ok(number) = name.parse() {
        return Ok(vec![number]);
    }
    // It would be an option.
    if name.is_empty() || name.starts_with('-') || name.contains('\0') {
        return Err(unknown(name));
    }
    let asked = Command::new("getent")
        .args(["ahosts", name])
        .stdin(Stdio::null())
        .stderr(Stdio::null())
        .kill_on_drop(true)
        .output()
        .await;
    let found = match asked {
        Ok(output) => listed(&String::from_utf8_lossy(&output.stdout)),
        // Small systems have none, and a C library that loads nothing.
        Err(why) if why.kind() == io::ErrorKind::NotFound => {
            let found = lookup_host((name, 0)).await?;
            distinct(found.map(|address: SocketAddr| address.ip()))
        }
        Err(why) => return Err(why),
    };
    if found.is_empty() {
        return Err(unknown(name));
    }
    Ok(found)
}

/// The first column of what `getent ahosts` prints: a line per kind of socket.
fn listed(printed: &str) -> Vec<IpAddr> {
    let first = |line: &str| line.split_whitespace().next()?.parse().ok();
    distinct(printed.lines().filter_map(first))
}

fn distinct(all: impl Iterator<Item = IpAddr>) -> Vec<IpAddr> {
    let mut found = Vec::new();
    for address in all {
        if !found.contains(&address) {
            found.push(address);
        }
    }
    found
}

fn unknown(name: &str) -> io::Error {
    let message = format!("nobody here knows the name `{}`", name.escape_debug());
    io::Error::new(io::ErrorKind::NotFound, message)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_what_getent_prints() {
        let printed = "2001:db8::7     STREAM db.example\n2001:db8::7     DGRAM  \n\
                       192.0.2.7       STREAM \nnoise\n\n192.0.2.7       RAW    \n";
        let found: Vec<String> = listed(printed).iter().map(ToString::to_string).collect();
        assert_eq!(found, ["2001:db8::7", "192.0.2.7"]);
    }

    #[tokio::test]
    async fn names_lead_where_the_machine_says() {
        let number = addresses("2001:db8::7").await.unwrap();
        assert_eq!(number, ["2001:db8::7".parse::<IpAddr>().unwrap()]);
        let here = addresses("localhost").await.unwrap();
        assert!(here.iter().all(IpAddr::is_loopback), "{here:?}");
        for nobody in ["", "-x", "--version", "a\0b", "no-such-host.invalid"] {
            let why = addresses(nobody).await.unwrap_err();
            assert_eq!(why.kind(), io::ErrorKind::NotFound, "{nobody:?}");
        }
    }
}
