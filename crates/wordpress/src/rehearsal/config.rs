//! The configuration of a clone: the site's own, with what it must say otherwise.

use crate::{
    Error, Result,
    cage::{gate, php, record::Record},
    config::{self, ConfigValue, Settings},
    disk,
    home::Home,
    watch::Watch,
};
use pressroom_phpdata::wp_config::{
    Place, Value,
    edit::{self, Change},
};
use std::{
    fs,
    os::unix::ffi::OsStrExt,
    path::{Path, PathBuf},
};

const FILE: &str = "wp-config.php";

/// Paths of the live site, and what takes their place, the longest first.
pub(super) fn paths(home: &Home, record: &Record) -> Result<Vec<(String, String)>> {
    let live = home.resolve(&record.root)?;
    let real = fs::canonicalize(&live).map_err(|why| Error::io("look at", &live, why))?;
    let to = php::real_dir(home, record).join("site");
    let mut paths: Vec<(String, String)> = Vec::new();
    for from in [live, real] {
        let pair = (from.display().to_string(), to.display().to_string());
        if !paths.contains(&pair) {
            paths.push(pair);
        }
    }
    Ok(paths)
}

/// Writes `wp-config.php`; what could not be taken over.
pub(super) fn write(
    home: &Home,
    record: &Record,
    settings: &Settings,
    watch: &Watch,
) -> Result<Vec<String>> {
    let located = config::locate(home, &record.root)?;
    let site = php::real_dir(home, record).join("site");
    let place = Place {
        file: site.join(FILE).as_os_str().as_bytes().to_vec(),
        abspath: [site.as_os_str().as_bytes(), b"/"].concat(),
    };
    let mut bytes = located.bytes.clone();
    for (from, to) in paths(home, record)? {
        bytes = exchange(&bytes, from.as_bytes(), to.as_bytes());
    }
    let changes = changes(home, record, settings);
    // One that lies above names other files by the same words.
    let edited = if located.above {
        None
    } else {
        edit::apply(&bytes, &place, &changes).ok()
    };
    let (bytes, dropped) = match edited {
        Some(bytes) => (bytes, Vec::new()),
        None => anew(home, record, &place, &changes, watch)?,
    };
    put(&site, &bytes)?;
    let now = config::read(home, &record.site_root())?;
    if now.table_prefix.as_deref() != Some(&record.prefix) {
        return Err(Error::BadInput(
            "the clone's configuration does not say its own table prefix".to_owned(),
        ));
    }
    Ok(dropped)
}

fn put(site: &Path, bytes: &[u8]) -> Result<()> {
    let path: PathBuf = site.join(FILE);
    // Copied with the rest, where it lies in the site.
    disk::remove_file(&path)?;
    disk::write_aside(&path, bytes, 0o600)
}

/// What the clone's must say.
fn changes(home: &Home, record: &Record, settings: &Settings) -> Vec<Change> {
    let dir = php::real_dir(home, record);
    let within = |path: &str| dir.join(path).display().to_string();
    let set = |name: &str, value: Value| Change::Set {
        name: name.to_owned(),
        value,
    };
    let text = |text: String| Value::Text(text.into_bytes());
    let host = format!("localhost:{}", gate::meeting_place(&dir, record).display());
    let mut changes = vec![
        Change::TablePrefix {
            prefix: record.prefix.clone(),
        },
        set("DB_HOST", text(host)),
        set("WP_HTTP_BLOCK_EXTERNAL", Value::Bool(true)),
        set("DISABLE_WP_CRON", Value::Bool(true)),
        set("AUTOMATIC_UPDATER_DISABLED", Value::Bool(true)),
        set("WP_CACHE", Value::Bool(false)),
        set("WP_DEBUG_LOG", text(within(php::ERROR_LOG))),
        set("WP_TEMP_DIR", text(within("tmp"))),
        set("FS_METHOD", text("direct".to_owned())),
    ];
    let tables = [
        ("CUSTOM_USER_TABLE", &settings.custom_user_table, "users"),
        (
            "CUSTOM_USER_META_TABLE",
            &settings.custom_user_meta_table,
            "usermeta",
        ),
    ];
    for (name, said, table) in tables {
        if said.value().is_some() {
            changes.push(set(name, text(format!("{}{table}", record.prefix))));
        }
    }
    for name in [
        "DISALLOW_FILE_MODS",
        "ALTERNATE_WP_CRON",
        "WP_ACCESSIBLE_HOSTS",
    ] {
        changes.push(Change::Remove {
            name: name.to_owned(),
        });
    }
    changes
}

/// A file that says all that the site's own says, where that cannot be edited.
fn anew(
    home: &Home,
    record: &Record,
    place: &Place,
    changes: &[Change],
    watch: &Watch,
) -> Result<(Vec<u8>, Vec<String>)> {
    let listing = config::list(home, &record.root, Some(&record.php), watch)?;
    if let Some(trouble) = listing.trouble {
        return Err(Error::BadInput(format!(
            "the site's configuration can be neither read nor run: {trouble}"
        )));
    }
    let mut dropped = Vec::new();
    let mut file =
        b"<?php\nif ( ! defined( 'ABSPATH' ) ) {\n\tdefine( 'ABSPATH', __DIR__ . '/' );\n}\n\
        $table_prefix = 'x_';\nrequire_once ABSPATH . 'wp-settings.php';\n"
            .to_vec();
    let paths = paths(home, record)?;
    let apply = |file: &[u8], change: &Change| {
        edit::apply(file, place, std::slice::from_ref(change))
            .map_err(|why| Error::BadInput(format!("the clone's configuration: {why}")))
    };
    for constant in listing.constants {
        let value = match constant.value {
            Some(ConfigValue::Bool(truth)) => Value::Bool(truth),
            Some(ConfigValue::Int(number)) => Value::Int(number),
            Some(ConfigValue::Text(text)) => {
                let mut bytes = text.into_bytes();
                for (from, to) in &paths {
                    bytes = exchange(&bytes, from.as_bytes(), to.as_bytes());
                }
                Value::Text(bytes)
            }
            None => {
                dropped.push(format!("constant {} (its value is unknown)", constant.name));
                continue;
            }
        };
        if constant.name == "ABSPATH" {
            continue;
        }
        let change = Change::Set {
            name: constant.name.clone(),
            value,
        };
        match apply(&file, &change) {
            Ok(bytes) => file = bytes,
            Err(_) => dropped.push(format!("constant {}", constant.name)),
        }
    }
    for change in changes {
        file = apply(&file, change)?;
    }
    Ok((file, dropped))
}

/// Replaces a path wherever it stands as a whole or as the beginning of one.
fn exchange(text: &[u8], from: &[u8], to: &[u8]) -> Vec<u8> {
    let mut out = Vec::with_capacity(text.len());
    let mut rest = text;
    while let Some(at) = memchr::memmem::find(rest, from) {
        let (before, found) = rest.split_at(at);
        let after = &found[from.len()..];
        let goes_on = after
            .first()
            .is_some_and(|byte| byte.is_ascii_alphanumeric() || b"_-.".contains(byte));
        out.extend_from_slice(before);
        out.extend_from_slice(if goes_on { from } else { to });
        rest = after;
    }
    out.extend_from_slice(rest);
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_path_itself_is_exchanged() {
        let text = b"'/home/a/www' '/home/a/www/x' '/home/a/www2' '/home/a/www.old'";
        assert_eq!(
            exchange(text, b"/home/a/www", b"/c"),
            b"'/c' '/c/x' '/home/a/www2' '/home/a/www.old'"
        );
        assert_eq!(exchange(b"", b"/a", b"/b"), b"");
    }
}
