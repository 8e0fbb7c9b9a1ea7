//! Real WordPress packages, fetched once and kept beside the build results.

use crate::place;
use anyhow::{Context, Result, ensure};
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

/// The version inside `wordpress-6.5.zip`.
pub const WORDPRESS: &str = "6.5.5";
/// The version inside `wordpress-6.4.zip`.
pub const OLDER_WORDPRESS: &str = "6.4.5";

/// The directory of `wordpress-6.5.zip` and `wordpress-6.4.zip`; fetches them the
/// first time with the script that `./quickstart` uses too.
pub fn wordpress() -> Result<PathBuf> {
    let directory = place::kept_dir().join("packages");
    let status = Command::new(place::workspace().join("scripts/fetch-wordpress"))
        .arg(&directory)
        .status()
        .context("cannot run `scripts/fetch-wordpress`")?;
    ensure!(status.success(), "`scripts/fetch-wordpress` failed");
    Ok(directory)
}

/// Makes a package directory for one test: WordPress as hard links (or copies),
/// and room for generated plugins.
pub fn directory(at: &Path) -> Result<()> {
    fs::create_dir_all(at)?;
    for name in ["wordpress-6.5.zip", "wordpress-6.4.zip"] {
        let source = wordpress()?.join(name);
        let target = at.join(name);
        if fs::hard_link(&source, &target).is_err() {
            fs::copy(&source, &target)
                .with_context(|| format!("cannot copy {}", source.display()))?;
        }
    }
    Ok(())
}
