//! Editing a `wp-config.php` that is there: parsed, written aside, checked, exchanged
//! by one rename, with the bytes from before kept in `.pressroom`.

mod lint;

use super::{
    ConfigValue,
    locate::{Located, locate},
};
use crate::{Error, Result, core, disk, fence, home::Home, package, watch::Watch};
use pressroom_base::Epoch;
use pressroom_phpdata::wp_config::{
    Value,
    edit::{self, Change},
};
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use std::{
    fs,
    os::unix::fs::{MetadataExt, PermissionsExt},
    path::Path,
};

/// One change to a configuration.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "edit", rename_all = "snake_case")]
pub enum Edit {
    /// A constant gets this value, defined anew where it is not.
    Set {
        /// Its name.
        name: String,
        /// Its value.
        value: ConfigValue,
    },
    /// A constant is no longer defined.
    Remove {
        /// Its name.
        name: String,
    },
    /// `$table_prefix`; the tables are not renamed.
    TablePrefix {
        /// `[A-Za-z0-9_]+`.
        prefix: String,
    },
    /// A block of PHP between marks with this name is there, once.
    Block {
        /// Letters, digits, blanks, `-` and `_`.
        name: String,
        /// Whole statements.
        code: String,
    },
    /// The block is not there.
    RemoveBlock {
        /// Its name.
        name: String,
    },
}

impl std::fmt::Debug for Edit {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        // Values may be passwords.
        let (act, name) = match self {
            Self::Set { name, .. } => ("Set", name.as_str()),
            Self::Remove { name } => ("Remove", name.as_str()),
            Self::TablePrefix { .. } => ("TablePrefix", ""),
            Self::Block { name, .. } => ("Block", name.as_str()),
            Self::RemoveBlock { name } => ("RemoveBlock", name.as_str()),
        };
        f.debug_tuple(act).field(&name).finish()
    }
}

/// What came of an edit.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Edited {
    /// The file, relative to the home.
    pub file: String,
    /// Whether anything had to be changed.
    pub changed: bool,
    /// SHA-256 of the file before, in hex.
    pub before: String,
    /// SHA-256 of the file as it lies there now, read back.
    pub after: String,
    /// Whether `php -l` agreed with the new file; `false` when there was no `php`.
    pub linted: bool,
    /// Where the bytes from before are, relative to the home, when something was
    /// changed. There is one per WordPress, overwritten by the next edit.
    pub backup: Option<String>,
}

/// Makes `edits` in the configuration of the WordPress in `root`, all or none.
///
/// What is defined under a condition, computed, or perhaps by an included file is
/// refused with a sentence. The new file must read back, by our own parser, with
/// exactly the wanted values and everything else as before, and pass `php -l` where
/// there is a `php`. A file that changed meanwhile is refused as [`Error::Changed`].
pub fn edit(
    home: &Home,
    epoch: Epoch,
    root: &str,
    edits: &[Edit],
    php: Option<&str>,
    watch: &Watch,
) -> Result<Edited> {
    fence::check(home, epoch, watch)?;
    let located = locate(home, root)?;
    let changes: Vec<Change> = edits.iter().map(Edit::change).collect();
    let wanted = edit::apply(&located.bytes, &located.place, &changes)
        .map_err(|why| Error::BadInput(format!("`{}`: {why}", located.path)))?;
    let before = hash(&located.bytes);
    if wanted == located.bytes {
        return Ok(Edited {
            file: located.path,
            changed: false,
            after: before.clone(),
            before,
            linted: false,
            backup: None,
        });
    }
    let path = home.resolve(&located.path)?;
    let found = fs::symlink_metadata(&path).map_err(|why| Error::io("look at", &path, why))?;
    // Not beside the file: the root is served, and this holds a password.
    let aside = package::aside(home, epoch)?;
    disk::write_aside(&aside, &wanted, 0o600)?;
    let checked = keep_owner(&aside, &found).and_then(|()| match php {
        Some(php) => lint::lint(home, php, &aside, watch).map(|()| true),
        None => Ok(false),
    });
    let placed = checked.and_then(|linted| {
        fence::critical(home, epoch, watch, || {
            place(home, root, &located, &before, &aside, &path)
        })
        .map(|backup| (linted, backup))
    });
    let (linted, backup) = match placed {
        Ok(placed) => placed,
        Err(why) => {
            disk::remove_file(&aside)?;
            return Err(why);
        }
    };
    let now = locate(home, root)?;
    Ok(Edited {
        file: located.path,
        changed: true,
        before,
        after: hash(&now.bytes),
        linted,
        backup: Some(backup),
    })
}

impl Edit {
    fn change(&self) -> Change {
        match self.clone() {
            Self::Set { name, value } => Change::Set {
                name,
                value: match value {
                    ConfigValue::Bool(truth) => Value::Bool(truth),
                    ConfigValue::Int(number) => Value::Int(number),
                    ConfigValue::Text(text) => Value::Text(text.into_bytes()),
                },
            },
            Self::Remove { name } => Change::Remove { name },
            Self::TablePrefix { prefix } => Change::TablePrefix { prefix },
            Self::Block { name, code } => Change::Block { name, code },
            Self::RemoveBlock { name } => Change::RemoveBlock { name },
        }
    }
}

/// Inside the fence: looks once more, keeps the old bytes, and renames.
fn place(
    home: &Home,
    root: &str,
    located: &Located,
    before: &str,
    aside: &Path,
    path: &Path,
) -> Result<String> {
    let now = locate(home, root)?;
    let found = hash(&now.bytes);
    if now.path != located.path || found != before {
        return Err(Error::Changed {
            path: located.path.clone(),
            expected: before.to_owned(),
            found,
        });
    }
    let kept = home
        .state_subdir("config")?
        .join(format!("{}.backup", core::root_key(root)));
    let new = kept.with_extension("new");
    disk::remove_file(&new)?;
    disk::write_aside(&new, &located.bytes, 0o600)?;
    disk::put_in_place(&new, &kept)?;
    disk::put_in_place(aside, path)?;
    Ok(home.shown(&kept))
}

/// Gives a new file the rights of the one it replaces.
fn keep_owner(aside: &Path, found: &fs::Metadata) -> Result<()> {
    let ours = fs::symlink_metadata(aside).map_err(|why| Error::io("look at", aside, why))?;
    if (ours.uid(), ours.gid()) != (found.uid(), found.gid()) {
        let owner = (ours.uid() != found.uid()).then(|| found.uid());
        let group = (ours.gid() != found.gid()).then(|| found.gid());
        std::os::unix::fs::chown(aside, owner, group)
            .map_err(|why| Error::io("keep the owner of the configuration on", aside, why))?;
    }
    let mode = fs::Permissions::from_mode(found.permissions().mode() & 0o7777);
    fs::set_permissions(aside, mode).map_err(|why| Error::io("change the mode of", aside, why))
}

fn hash(bytes: &[u8]) -> String {
    hex::encode(Sha256::digest(bytes))
}
