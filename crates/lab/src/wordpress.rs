//! Real WordPress trees, unpacked once and copied for each site.

use crate::place;
use anyhow::{Context, Result, ensure};
use std::{fs, path::Path, path::PathBuf, process::Command};

/// A WordPress to install.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Wordpress {
    /// 6.1, as Debian's package `wordpress` has it: with comments, complete.
    V6_1,
    /// 6.4.5; its PHP is on one line per file.
    V6_4,
    /// 6.5.5; its PHP is on one line per file.
    V6_5,
}

impl Wordpress {
    /// A tree of it that nobody may change; with `wp-content`, without a
    /// configuration.
    pub fn tree(self) -> Result<PathBuf> {
        match self {
            Self::V6_1 => place::kept("wordpress-6.1", from_debian),
            Self::V6_4 => place::kept("wordpress-6.4", |dir| from_zip("wordpress-6.4.zip", dir)),
            Self::V6_5 => place::kept("wordpress-6.5", |dir| from_zip("wordpress-6.5.zip", dir)),
        }
    }

    /// The zip as WordPress ships it, `wordpress/` on top.
    pub fn zip(self) -> Result<PathBuf> {
        match self {
            Self::V6_4 => Ok(packages()?.join("wordpress-6.4.zip")),
            Self::V6_5 => Ok(packages()?.join("wordpress-6.5.zip")),
            Self::V6_1 => {
                let tree = self.tree()?;
                let kept = place::kept("wordpress-6.1-zip", |dir| {
                    let top = dir.join("wordpress");
                    place::run(Command::new("cp").arg("-a").arg(&tree).arg(&top))?;
                    place::run(
                        Command::new("zip")
                            .args(["-qr", "wordpress-6.1.zip", "wordpress"])
                            .current_dir(dir),
                    )?;
                    Ok(fs::remove_dir_all(top)?)
                })?;
                Ok(kept.join("wordpress-6.1.zip"))
            }
        }
    }
}

fn packages() -> Result<PathBuf> {
    let directory = place::target_dir().join("pressroom-testkit/packages");
    place::run(Command::new(place::workspace().join("scripts/fetch-wordpress")).arg(&directory))?;
    Ok(directory)
}

fn from_zip(name: &str, dir: &Path) -> Result<()> {
    place::run(
        Command::new("unzip")
            .arg("-q")
            .arg(packages()?.join(name))
            .arg("-d")
            .arg(dir),
    )?;
    let top = dir.join("wordpress");
    for entry in fs::read_dir(&top)? {
        let entry = entry?;
        fs::rename(entry.path(), dir.join(entry.file_name()))?;
    }
    Ok(fs::remove_dir(top)?)
}

/// Debian's files point out of their tree by links, and its configuration serves
/// many sites from `/etc`; neither is WordPress.
fn from_debian(dir: &Path) -> Result<()> {
    let source = Path::new("/usr/share/wordpress");
    ensure!(
        source.join("wp-load.php").is_file(),
        "the package `wordpress` is not installed"
    );
    for entry in fs::read_dir(source).context("cannot list /usr/share/wordpress")? {
        let entry = entry?;
        let name = entry.file_name();
        if name == "wp-config.php" || name == ".htaccess" {
            continue;
        }
        place::run(Command::new("cp").arg("-rL").arg(entry.path()).arg(dir))?;
    }
    Ok(())
}
