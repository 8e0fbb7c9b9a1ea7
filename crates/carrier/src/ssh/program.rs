//! The agent's own file, as it is brought to hosts.

use super::error::{Error, Result};
use sha2::{Digest, Sha256};
use std::{
    fs::File,
    io::{self, Read},
    path::{Path, PathBuf},
};

/// Where an ELF header says for which machine it is, and how long it is looked at.
const MACHINE: std::ops::Range<usize> = 18..20;
const HEADER: usize = 20;

/// The agent to bring: a static Linux binary that needs nothing of the host.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Program {
    path: PathBuf,
    hash: String,
    bytes: u64,
    machine: &'static str,
}

impl Program {
    /// Reads the whole file once, for its hash.
    pub fn read(path: &Path) -> Result<Self> {
        let failed = |source| Error::Program {
            path: path.to_owned(),
            source,
        };
        let mut file = File::open(path).map_err(failed)?;
        let mut hasher = Sha256::new();
        let mut header = Vec::new();
        let mut bytes = 0;
        let mut buffer = vec![0; 64 * 1024];
        loop {
            let read = file.read(&mut buffer).map_err(failed)?;
            let chunk = buffer.get(..read).unwrap_or_default();
            if chunk.is_empty() {
                break;
            }
            let wanted = HEADER.saturating_sub(header.len()).min(read);
            header.extend_from_slice(chunk.get(..wanted).unwrap_or_default());
            hasher.update(chunk);
            bytes += u64::try_from(read).unwrap_or_default();
        }
        let Some(machine) = machine(&header) else {
            return Err(failed(io::Error::new(
                io::ErrorKind::InvalidData,
                "it is no program for a known machine",
            )));
        };
        Ok(Self {
            path: path.to_owned(),
            hash: hex::encode(hasher.finalize()),
            bytes,
            machine,
        })
    }

    /// Where it is on this machine.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Its SHA-256, in lower-case hex digits.
    pub fn hash(&self) -> &str {
        &self.hash
    }

    /// Its size.
    pub const fn bytes(&self) -> u64 {
        self.bytes
    }

    /// What `uname -s -m` prints where it runs.
    pub fn machine(&self) -> String {
        format!("Linux {}", self.machine)
    }
}

/// The machine's name as `uname -m` has it.
fn machine(header: &[u8]) -> Option<&'static str> {
    if !header.starts_with(b"\x7fELF") {
        return None;
    }
    // All that follow are little-endian.
    let number = header
        .get(MACHINE)?
        .try_into()
        .ok()
        .map(u16::from_le_bytes)?;
    match number {
        62 => Some("x86_64"),
        183 => Some("aarch64"),
        243 => Some("riscv64"),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::Program;
    use std::process::Command;

    #[test]
    fn a_program_of_this_machine_is_recognised() {
        let program = Program::read(&std::env::current_exe().unwrap()).unwrap();
        let uname = Command::new("uname").arg("-sm").output().unwrap();
        assert_eq!(
            program.machine(),
            String::from_utf8(uname.stdout).unwrap().trim()
        );
        let sum = Command::new("sha256sum")
            .arg(program.path())
            .output()
            .unwrap();
        let sum = String::from_utf8(sum.stdout).unwrap();
        assert!(sum.starts_with(program.hash()), "{sum}");
        assert!(Program::read("/etc/passwd".as_ref()).is_err());
        assert!(Program::read("/nowhere".as_ref()).is_err());
    }
}
