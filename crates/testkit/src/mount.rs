//! A small file system that can be filled.

use anyhow::{Context, Result, ensure};
use std::fs;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::Command;

/// A tmpfs of limited size; unmounted when dropped.
#[derive(Debug)]
pub struct SmallDisk {
    at: PathBuf,
}

impl SmallDisk {
    /// Mounts one of `megabytes` at a new directory. Needs root.
    pub fn mount(at: &Path, megabytes: u32) -> Result<Self> {
        fs::create_dir_all(at)?;
        let status = Command::new("mount")
            .args(["-t", "tmpfs", "-o"])
            .arg(format!("size={megabytes}m,mode=0711"))
            .arg("pressroom-test")
            .arg(at)
            .status()
            .context("cannot run `mount`")?;
        ensure!(
            status.success(),
            "a tmpfs cannot be mounted here; this test needs root"
        );
        Ok(Self {
            at: at.to_path_buf(),
        })
    }

    /// Takes all space that is left with one file; answers its path.
    pub fn fill(&self) -> Result<PathBuf> {
        let path = self.at.join("filler");
        let mut file = fs::File::create(&path)?;
        for size in [1 << 20, 1 << 12] {
            let block = vec![0; size];
            while file.write_all(&block).is_ok() {}
        }
        Ok(path)
    }
}

impl Drop for SmallDisk {
    fn drop(&mut self) {
        // Lazily, because a daemon may still hold a file on it.
        let done = Command::new("umount").arg("-l").arg(&self.at).status();
        if !done.is_ok_and(|status| status.success()) {
            eprintln!("warning: {} is still mounted", self.at.display());
        }
    }
}
