//! One change at a time.

use super::{
    hide_login, htaccess,
    look::{Protections, config_file, look},
};
use crate::{Error, Result, fence, home::Home, watch::Watch};
use pressroom_base::Epoch;
use serde::{Deserialize, Serialize};
use std::{fs, os::unix::fs::PermissionsExt};

/// What to change.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "measure", rename_all = "snake_case")]
pub enum Measure {
    /// The login page is served at this address and at no other.
    HideLogin {
        /// Lower-case letters, digits and `-`, 3 to 40.
        slug: String,
        /// Whether that is `/?slug`, because the web server leads nothing else to WordPress.
        #[serde(default)]
        by_query: bool,
    },
    /// The login page is where WordPress has it.
    ShowLogin,
    /// Our block is in `.htaccess`, or is not.
    ServerRules {
        /// Whether it is.
        wanted: bool,
    },
    /// The mode of `wp-config.php`.
    ConfigMode {
        /// Such as `0o640`; its owner keeps the right to read it.
        mode: u32,
    },
    /// There is a private directory for the log of errors.
    DebugLog,
}

/// Makes the change, which may have been made before, and tells what is there then.
///
/// Errors: [`Error::Occupied`] for somebody else's file, [`Error::BadInput`] for an
/// address or a file that cannot be, [`Error::BadPath`] for what is not in the home.
pub fn carry_out(
    home: &Home,
    epoch: Epoch,
    root: &str,
    measure: &Measure,
    watch: &Watch,
) -> Result<Protections> {
    fence::check(home, epoch, watch)?;
    match measure {
        Measure::HideLogin { slug, by_query } => {
            hide_login::put(home, epoch, root, slug, *by_query, watch)?;
        }
        Measure::ShowLogin => hide_login::remove(home, epoch, root, watch)?,
        Measure::ServerRules { wanted: true } => htaccess::put(home, epoch, root, watch)?,
        Measure::ServerRules { wanted: false } => htaccess::remove(home, epoch, root, watch)?,
        Measure::ConfigMode { mode } => set_mode(home, epoch, root, *mode, watch)?,
        Measure::DebugLog => home.prepare()?,
    }
    look(home, root)
}

fn set_mode(home: &Home, epoch: Epoch, root: &str, mode: u32, watch: &Watch) -> Result<()> {
    if mode & 0o400 == 0 || mode > 0o777 {
        return Err(Error::BadInput(format!("no mode for a file: {mode:o}")));
    }
    fence::critical(home, epoch, watch, || {
        let Some(file) = config_file(home, root)? else {
            return Err(Error::Missing(format!("{root}/wp-config.php")));
        };
        if file.mode == mode {
            return Ok(());
        }
        let path = home.resolve(&file.path)?;
        fs::set_permissions(&path, fs::Permissions::from_mode(mode))
            .map_err(|why| Error::io("change the mode of", &path, why))
    })
}
