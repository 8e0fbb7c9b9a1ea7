//! Networks of their own, as another machine has one.

use crate::place;
use anyhow::{Result, bail};
use std::{
    net::Ipv4Addr,
    process::{Command, id},
    sync::atomic::{AtomicU32, Ordering},
};

/// A network namespace, joined to this machine's by a cable of two ends; both go when it
/// is dropped. Needs root.
#[derive(Debug)]
pub struct Namespace {
    name: String,
    address: Ipv4Addr,
}

impl Namespace {
    /// Makes one.
    pub fn new() -> Result<Self> {
        static NEXT: AtomicU32 = AtomicU32::new(0);
        // A cable that somebody else has is another's network.
        for _ in 0..200 {
            let number = NEXT.fetch_add(1, Ordering::Relaxed);
            let octet = |shift: u32| {
                let mixed = id().wrapping_mul(2_654_435_761).wrapping_add(number * 97);
                u8::try_from((mixed >> shift) & 0xff).unwrap_or_default()
            };
            let block = octet(8) & 0b1111_1100;
            let ours = Ipv4Addr::new(10, 213, octet(16), block | 1);
            let theirs = Ipv4Addr::new(10, 213, octet(16), block | 2);
            let namespace = Self {
                name: format!("prlab{}x{number}", id()),
                address: theirs,
            };
            if owners(ours)? > 0 {
                continue;
            }
            namespace.connect(ours, number)?;
            // Another process may have looked at the same moment.
            if owners(ours)? == 1 {
                return Ok(namespace);
            }
        }
        bail!("no free network was found")
    }

    /// Its address, as this machine reaches it.
    pub fn address(&self) -> Ipv4Addr {
        self.address
    }

    /// A program that runs in it.
    pub fn command(&self, program: &str) -> Command {
        let mut command = Command::new("ip");
        command.args(["netns", "exec", &self.name, program]);
        command
    }

    fn connect(&self, ours: Ipv4Addr, number: u32) -> Result<()> {
        // Names of interfaces have at most 15 characters.
        let cable = format!("pl{}x{number}", id());
        let name = &self.name;
        for words in [
            format!("netns add {name}"),
            format!("link add {cable} type veth peer name eth0 netns {name}"),
            format!("address add {ours}/30 dev {cable}"),
            format!("link set {cable} up"),
            format!("-n {name} address add {}/30 dev eth0", self.address),
            format!("-n {name} link set eth0 up"),
            format!("-n {name} link set lo up"),
        ] {
            place::run(Command::new("ip").args(words.split(' ')))?;
        }
        Ok(())
    }
}

impl Drop for Namespace {
    fn drop(&mut self) {
        // The cable goes with one of its ends.
        let done = place::run(Command::new("ip").args(["netns", "delete", &self.name]));
        if let Err(error) = done {
            eprintln!("warning: a network of a test is still there: {error:#}");
        }
    }
}

/// How many of this machine's interfaces have an address.
fn owners(address: Ipv4Addr) -> Result<usize> {
    let all = place::run(Command::new("ip").args(["-o", "-4", "address", "show"]))?;
    Ok(all.matches(&format!(" {address}/")).count())
}
