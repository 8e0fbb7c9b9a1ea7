//! What is inside a zip: looked into, checked to the last byte, and brought into
//! the one shape that sites are given.

use super::{Error, PackageKind, Result};
use pressroom_phpdata::{
    headers,
    tokens::{Token, tokenize},
};
use std::{
    collections::BTreeSet,
    fs::File,
    io::{self, BufReader, Read},
    path::Path,
};
use zip::{ZipArchive, ZipWriter, write::SimpleFileOptions};

const MAX_ENTRIES: usize = 100_000;
const MAX_TOTAL: u64 = 2 << 30;
const MAX_PACK_ENTRIES: usize = 1000;
const MAX_PACK_TOTAL: u64 = 64 << 20;
/// `version.php` has 1 kB; minified trees too.
const VERSION_FILE_LIMIT: u64 = 64 << 10;

/// What a zip turned out to be.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Identity {
    pub kind: PackageKind,
    pub slug: String,
    pub version: String,
    pub requires_wordpress: Option<String>,
    pub requires_php: Option<String>,
    /// The folder that holds everything; `None` when the files lie at the top.
    pub top: Option<String>,
}

type Zip = ZipArchive<BufReader<File>>;

/// Looks what a zip is, without reading all of it.
pub fn identify(path: &Path) -> Result<Identity> {
    identify_zip(&mut open(path)?).map_err(|message| damaged(path, message))
}

/// Reads every byte of a zip, so that its check sums are compared, and makes sure
/// that it unpacks into one folder and nowhere else.
pub fn verify(path: &Path) -> Result<Identity> {
    let mut zip = open(path)?;
    let identity = identify_zip(&mut zip).map_err(|message| damaged(path, message))?;
    check_entries(&mut zip, identity.top.as_deref()).map_err(|message| damaged(path, message))?;
    Ok(identity)
}

/// Reads every byte of a language pack, and makes sure that it has no folders. Whether its
/// files are translations is told where they are used.
pub fn verify_flat(path: &Path) -> Result<()> {
    let blame = |message: String| damaged(path, message);
    let mut zip = open(path)?;
    if zip.len() > MAX_PACK_ENTRIES {
        return Err(blame(format!("it has more than {MAX_PACK_ENTRIES} files")));
    }
    let mut left = MAX_PACK_TOTAL;
    for index in 0..zip.len() {
        let entry = zip
            .by_index(index)
            .map_err(|error| blame(error.to_string()))?;
        let name = entry
            .name()
            .map_err(|error| blame(error.to_string()))?
            .into_owned();
        if name.contains(['/', '\\', '\0']) || name.starts_with('.') || entry.is_symlink() {
            let text = format!("`{}` does not belong into it", name.escape_debug());
            return Err(blame(text));
        }
        let read = io::copy(&mut entry.take(left + 1), &mut io::sink())
            .map_err(|error| blame(format!("`{name}`: {error}")))?;
        left = left
            .checked_sub(read)
            .ok_or_else(|| blame("it unpacks to more than 64 MiB".into()))?;
    }
    Ok(())
}

/// Whether a core zip must be rewritten before sites get it: WordPress' own folder
/// is `wordpress/`, and some builds ship a ready configuration.
pub fn needs_normalizing(path: &Path, identity: &Identity) -> Result<bool> {
    if identity.kind != PackageKind::Core {
        return Ok(false);
    }
    let zip = open(path)?;
    Ok(identity.top.as_deref() != Some(PackageKind::CORE_SLUG)
        || zip
            .file_names()
            .flatten()
            .any(|name| is_foreign(relative(&name, identity))))
}

/// Copies a core zip into WordPress' own shape; compressed data are copied as they are.
pub fn normalize(path: &Path, identity: &Identity, target: &Path) -> Result<()> {
    let mut zip = open(path)?;
    let mut write = || -> zip::result::ZipResult<()> {
        let mut writer = ZipWriter::new(File::create_new(target)?);
        for index in 0..zip.len() {
            let entry = zip.by_index_raw(index)?;
            let name = entry.name()?.into_owned();
            let name = relative(&name, identity);
            if !entry.is_dir() && !name.is_empty() && !is_foreign(name) {
                let name = format!("{}/{name}", PackageKind::CORE_SLUG);
                writer.raw_copy_file_rename(entry, name)?;
            }
        }
        writer.finish()?.sync_all()?;
        Ok(())
    };
    write().map_err(|error| damaged(path, error.to_string()))
}

/// Packs an unpacked WordPress. Links are followed: distributions replace libraries
/// by links out of the tree.
pub fn pack_core(tree: &Path, target: &Path) -> Result<()> {
    let mut writer = ZipWriter::new(File::create_new(target).map_err(Error::io("create", target))?);
    pack_dir(&mut writer, tree, "", 0)?;
    let file = writer
        .finish()
        .map_err(|error| damaged(target, error.to_string()))?;
    file.sync_all().map_err(Error::io("write", target))
}

fn pack_dir(writer: &mut ZipWriter<File>, dir: &Path, prefix: &str, depth: usize) -> Result<()> {
    if depth > 32 {
        return Err(damaged(
            dir,
            "its directories are nested too deep, or a link leads back".into(),
        ));
    }
    let mut names = BTreeSet::new();
    for entry in std::fs::read_dir(dir).map_err(Error::io("list", dir))? {
        let entry = entry.map_err(Error::io("list", dir))?;
        if let Ok(name) = entry.file_name().into_string() {
            names.insert(name);
        }
    }
    for name in names {
        let path = dir.join(&name);
        let inner = format!("{prefix}{name}");
        // The distribution's own configuration, and a link to its web server's.
        if is_foreign(&inner) || inner == ".htaccess" {
            continue;
        }
        let data = std::fs::metadata(&path).map_err(Error::io("read", &path))?;
        if data.is_dir() {
            pack_dir(writer, &path, &format!("{inner}/"), depth + 1)?;
            continue;
        }
        let full = format!("{}/{inner}", PackageKind::CORE_SLUG);
        let options = SimpleFileOptions::default().unix_permissions(0o644);
        writer
            .start_file(full, options)
            .map_err(|error| damaged(&path, error.to_string()))?;
        let mut file = File::open(&path).map_err(Error::io("open", &path))?;
        io::copy(&mut file, writer).map_err(Error::io("read", &path))?;
    }
    Ok(())
}

/// The version that a `version.php` assigns. Not read by line: some builds have all
/// of it on one.
pub fn core_version(version_php: &[u8]) -> Option<String> {
    tokenize(version_php)
        .windows(3)
        .find_map(|window| match window {
            [
                Token::Variable(name),
                Token::Sign(b'='),
                Token::Text(Some(value)),
            ] if name == b"wp_version" => String::from_utf8(value.clone()).ok(),
            _ => None,
        })
}

fn open(path: &Path) -> Result<Zip> {
    let file = File::open(path).map_err(Error::io("open", path))?;
    ZipArchive::new(BufReader::new(file)).map_err(|error| damaged(path, error.to_string()))
}

fn identify_zip(zip: &mut Zip) -> std::result::Result<Identity, String> {
    if zip.len() > MAX_ENTRIES {
        return Err(format!("it has more than {MAX_ENTRIES} files"));
    }
    let names: Vec<String> = zip
        .file_names()
        .flatten()
        .map(std::borrow::Cow::into_owned)
        .collect();
    for top in [Some(PackageKind::CORE_SLUG), None] {
        let prefix = top.map(|top| format!("{top}/")).unwrap_or_default();
        let version_file = format!("{prefix}wp-includes/version.php");
        if names.contains(&version_file) {
            let bytes = start_of(zip, &version_file, VERSION_FILE_LIMIT)?;
            let version = core_version(&bytes).ok_or("its `version.php` names no version")?;
            return Ok(Identity {
                kind: PackageKind::Core,
                slug: PackageKind::CORE_SLUG.into(),
                version,
                requires_wordpress: None,
                requires_php: None,
                top: top.map(str::to_owned),
            });
        }
    }
    let tops: BTreeSet<&str> = names
        .iter()
        .filter_map(|name| name.split('/').next())
        .collect();
    let mut tops = tops.into_iter();
    let (Some(top), None) = (tops.next(), tops.next()) else {
        return Err("it does not hold exactly one folder".into());
    };
    let style = format!("{top}/style.css");
    if names.contains(&style) {
        let bytes = start_of(zip, &style, headers::HEADER_BYTES)?;
        if headers::value(&bytes, "Theme Name").is_some() {
            return component(PackageKind::Theme, top, &bytes);
        }
    }
    let mains = names.iter().filter(|name| {
        name.strip_prefix(top)
            .and_then(|rest| rest.strip_prefix('/'))
            .is_some_and(|rest| !rest.contains('/') && rest.to_ascii_lowercase().ends_with(".php"))
    });
    for main in mains {
        let bytes = start_of(zip, main, headers::HEADER_BYTES)?;
        if headers::value(&bytes, "Plugin Name").is_some() {
            return component(PackageKind::Plugin, top, &bytes);
        }
    }
    Err("it is neither WordPress nor a plugin nor a theme".into())
}

fn component(kind: PackageKind, top: &str, header: &[u8]) -> std::result::Result<Identity, String> {
    Ok(Identity {
        kind,
        slug: top.to_owned(),
        version: headers::value(header, "Version").ok_or("its header names no version")?,
        requires_wordpress: headers::value(header, "Requires at least"),
        requires_php: headers::value(header, "Requires PHP"),
        top: Some(top.to_owned()),
    })
}

fn start_of(zip: &mut Zip, name: &str, limit: u64) -> std::result::Result<Vec<u8>, String> {
    let entry = zip.by_name(name).map_err(|error| error.to_string())?;
    let mut bytes = Vec::new();
    entry
        .take(limit)
        .read_to_end(&mut bytes)
        .map_err(|error| format!("`{name}`: {error}"))?;
    Ok(bytes)
}

fn check_entries(zip: &mut Zip, top: Option<&str>) -> std::result::Result<(), String> {
    let mut left = MAX_TOTAL;
    for index in 0..zip.len() {
        let entry = zip.by_index(index).map_err(|error| error.to_string())?;
        let name = entry
            .name()
            .map_err(|error| error.to_string())?
            .into_owned();
        let inside = top.is_none_or(|top| {
            name.strip_prefix(top)
                .is_some_and(|rest| rest.starts_with('/'))
        });
        let plain = !name.contains(['\\', '\0'])
            && name
                .trim_end_matches('/')
                .split('/')
                .all(|part| !matches!(part, "" | "." | ".."));
        if !inside || !plain {
            return Err(format!("`{}` does not belong into it", name.escape_debug()));
        }
        if entry.is_symlink() {
            return Err(format!("`{name}` is a link"));
        }
        let read = io::copy(&mut entry.take(left + 1), &mut io::sink())
            .map_err(|error| format!("`{name}`: {error}"))?;
        left = left
            .checked_sub(read)
            .ok_or("it unpacks to more than 2 GiB")?;
    }
    Ok(())
}

fn relative<'a>(name: &'a str, identity: &Identity) -> &'a str {
    match &identity.top {
        Some(top) => name
            .strip_prefix(top.as_str())
            .and_then(|rest| rest.strip_prefix('/'))
            .unwrap_or(name),
        None => name,
    }
}

/// What some builds ship although it belongs to one site.
fn is_foreign(name: &str) -> bool {
    name == "wp-config.php"
        || name.starts_with("wp-content/database/")
        || name == "wp-content/db.php"
}

fn damaged(path: &Path, message: String) -> Error {
    Error::Damaged {
        name: path.display().to_string(),
        message,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_the_version_on_one_line_or_many() {
        let table: [(&str, Option<&str>); 5] = [
            ("<?php\n/** x */\n$wp_version = '6.5.5';\n", Some("6.5.5")),
            (
                "<?php $wp_version = '6.6-RC3'; $wp_db_version = 57155;",
                Some("6.6-RC3"),
            ),
            (
                "<?php // $wp_version = '1';\n$wp_version=\"6.1.9\";",
                Some("6.1.9"),
            ),
            ("<?php $wp_version = $other;", None),
            ("$wp_version = '6.5';", None),
        ];
        for (file, version) in table {
            assert_eq!(core_version(file.as_bytes()).as_deref(), version, "{file}");
        }
    }
}
