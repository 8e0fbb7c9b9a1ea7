//! What is there, without running PHP.

use super::{hide_login, hide_login::HiddenLogin, htaccess};
use crate::{
    Error, Result,
    config::{Directories, Directory, locate, plain_root},
    home::Home,
};
use serde::{Deserialize, Serialize};
use std::{fs, os::unix::fs::PermissionsExt};

/// What was found in a site's files.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Protections {
    /// Whether the login page has an address of its own.
    pub login: HiddenLogin,
    /// Whether our block is in `.htaccess`.
    pub server_rules: bool,
    /// The configuration; `None` when there is none.
    pub config: Option<ConfigFile>,
    /// Where errors are logged when they are: an absolute path that no address leads to.
    pub debug_log: String,
    /// The content directory below the site's own, such as `wp-content`; `None` when it
    /// is elsewhere.
    pub content: Option<String>,
    /// The same for uploads.
    pub uploads: Option<String>,
}

/// A configuration and who may read it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ConfigFile {
    /// Relative to the home.
    pub path: String,
    /// Its mode, such as `0o640`.
    pub mode: u32,
}

/// Looks at the WordPress in `root`.
pub fn look(home: &Home, root: &str) -> Result<Protections> {
    let directories = Directories::told(home, root);
    Ok(Protections {
        login: hide_login::look(home, root)?,
        server_rules: htaccess::is_there(home, root)?,
        config: config_file(home, root)?,
        debug_log: home
            .path()
            .join("logs")
            .join(log_name(root))
            .display()
            .to_string(),
        content: below(root, &directories.content),
        uploads: below(root, &directories.uploads),
    })
}

pub(super) fn config_file(home: &Home, root: &str) -> Result<Option<ConfigFile>> {
    let located = match locate(home, root) {
        Ok(located) => located,
        Err(Error::Missing(_)) => return Ok(None),
        Err(why) => return Err(why),
    };
    let path = home.resolve(&located.path)?;
    let found = fs::symlink_metadata(&path).map_err(|why| Error::io("look at", &path, why))?;
    Ok(Some(ConfigFile {
        path: located.path,
        mode: found.permissions().mode() & 0o7777,
    }))
}

/// One for each WordPress of a home.
fn log_name(root: &str) -> String {
    let name: Vec<&str> = plain_root(root).split('/').skip(1).collect();
    match name.join("-").as_str() {
        "" => "debug.log".to_owned(),
        name => format!("debug-{name}.log"),
    }
}

fn below(root: &str, directory: &Directory) -> Option<String> {
    let path = directory.path()?;
    let below = match plain_root(root) {
        "" => path,
        root => path.strip_prefix(root)?.strip_prefix('/')?,
    };
    Some(below.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::package::sample::home;

    #[test]
    fn a_site_without_anything_is_told_so() {
        let (dir, home) = home();
        fs::create_dir(dir.path().join("www")).unwrap();
        let found = look(&home, "www").unwrap();
        assert_eq!(found.login, HiddenLogin::Off);
        assert!(!found.server_rules);
        assert_eq!(found.config, None);
        assert_eq!(found.uploads.as_deref(), Some("wp-content/uploads"));
        assert!(found.debug_log.ends_with("/logs/debug.log"));
        assert_eq!(log_name("www/old/blog"), "debug-old-blog.log");
        let config = dir.path().join("www/wp-config.php");
        fs::write(&config, "<?php").unwrap();
        fs::set_permissions(&config, fs::Permissions::from_mode(0o604)).unwrap();
        let found = look(&home, "www").unwrap().config.unwrap();
        assert_eq!(
            (found.path.as_str(), found.mode),
            ("www/wp-config.php", 0o604)
        );
    }
}
