//! Translations of WordPress itself, exchanged together with it.
//!
//! `wp-content/languages` is the site's. What an update exchanges of it are the files of a
//! language pack, as further items of the same [`CoreSwap`]: they change places in the same
//! hold of the fence, behind WordPress' own files, and come back with them.

use super::{
    CoreItem, CoreSwap, items,
    names::{LANGUAGES, is_word, translation},
};
use crate::{
    Error, Result, disk, fence,
    home::Home,
    journal,
    package::{
        self, Spool,
        layout::{Item, Layout, TopFolder},
    },
    tree,
    watch::Watch,
};
use pressroom_base::Epoch;
use pressroom_phpdata::tokens::{self, Token};
use serde::{Deserialize, Serialize};
use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
    io::{self, Read, Seek},
    path::Path,
};

/// A translation of WordPress that a site has.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct InstalledTranslation {
    /// Its language, e.g. `de_DE` or `de_DE_formal`.
    pub locale: String,
    /// `PO-Revision-Date` as its files state it, e.g. `2024-04-02 20:12:41+0000`; `None`
    /// when none does.
    pub revision: Option<String>,
}

/// What the files of a pack begin with, before the locale: WordPress exchanges these
/// (`Language_Pack_Upgrader::clear_destination()`, 6.5).
const PREFIXES: [&str; 4] = ["", "admin-", "admin-network-", "continents-cities-"];
/// More files than any pack has.
const MAX_FILES: usize = 1000;
/// More than all packs of a site have: the journal remembers each.
const MAX_ITEMS: usize = 2500;
/// The largest pack has 4 MiB.
const MAX_BYTES: u64 = 64 * 1024 * 1024;
/// A file of translations is no larger.
const MAX_FILE: u64 = 16 * 1024 * 1024;

/// The translations of WordPress in `wp-content/languages`, by locale. None where there is no
/// such directory.
pub fn installed(home: &Home, root: &str, watch: &Watch) -> Result<Vec<InstalledTranslation>> {
    let dir = items::below(root, LANGUAGES);
    let names = names_in(&home.resolve(&dir)?)?;
    let locales: BTreeSet<&str> = names
        .iter()
        .filter_map(|name| {
            let stem = name.strip_suffix(".mo");
            stem.or_else(|| name.strip_suffix(".l10n.php"))
        })
        .filter(|stem| is_locale(stem))
        .collect();
    locales
        .into_iter()
        .map(|locale| {
            let mut revision = None;
            for ending in [".po", ".mo", ".l10n.php"] {
                watch.check()?;
                let file = items::below(&dir, &format!("{locale}{ending}"));
                // What stands in place of a file and is none says nothing.
                let bytes = match home.read_start(&file, MAX_FILE) {
                    Ok(bytes) => bytes,
                    Err(Error::BadPath(_)) => None,
                    Err(why) => return Err(why),
                };
                revision = bytes.and_then(|bytes| stated_revision(&bytes));
                if revision.is_some() {
                    break;
                }
            }
            Ok(InstalledTranslation {
                locale: locale.to_owned(),
                revision,
            })
        })
        .collect()
}

/// Unpacks a language pack beside the site, to be exchanged with the core that is staged
/// there: the plan with these files. Files of that language which the pack has no more go,
/// as with WordPress' own updater. What is equal on both sides is left out of the plan.
/// Refused, with nothing of it kept, when the pack holds anything but translations of this
/// language, or once the exchange was begun.
pub fn stage_translation(
    home: &Home,
    epoch: Epoch,
    swap: &CoreSwap,
    locale: &str,
    pack: &Spool,
    watch: &Watch,
) -> Result<CoreSwap> {
    fence::check(home, epoch, watch)?;
    swap.check()?;
    let aside = swap.aside(home);
    if !aside.is_dir() {
        return Err(Error::Missing(home.shown(&aside)));
    }
    if journal::unfinished_core_swap(home, &swap.staged)?.is_some() {
        return Err(Error::BadInput(
            "the exchange was begun: nothing can be added to it".to_owned(),
        ));
    }
    let dir = home.resolve(&items::below(&swap.root, LANGUAGES))?;
    items::refuse_fixed(home, &items::below(&swap.root, LANGUAGES), &dir)?;
    let (layout, mut archive) = read_pack(pack.reader(), locale)?;
    let unpacked = aside.with_file_name(format!("pack-{locale}"));
    disk::remove_tree(&unpacked)?;
    let staged = package::unpack(&layout, &mut archive, &unpacked, watch)
        .and_then(|_| add(home, swap, locale, &dir, &unpacked, &aside, watch));
    let swept = disk::remove_tree(&unpacked);
    staged.and_then(|staged| swept.map(|()| staged))
}

/// The files of a language pack and the hash of each ([`tree::hash_file`]), checked as
/// [`stage_translation`] checks them; compare them with the plan's.
pub fn package_translation<R: Read + Seek>(
    zip: R,
    locale: &str,
    watch: &Watch,
) -> Result<BTreeMap<String, String>> {
    let (layout, mut archive) = read_pack(zip, locale)?;
    let mut hashes = BTreeMap::new();
    for path in layout.items.keys() {
        let name = String::from_utf8_lossy(path).into_owned();
        let hash = layout.only(path).hash(&mut archive, watch)?.hash;
        hashes.insert(name, hash);
    }
    Ok(hashes)
}

/// Whether a file is part of a language's pack.
fn belongs(name: &str, locale: &str) -> bool {
    PREFIXES.iter().any(|prefix| {
        let rest = name.strip_prefix(prefix);
        rest.and_then(|rest| rest.strip_prefix(locale))
            .is_some_and(|rest| match rest {
                ".mo" | ".po" | ".l10n.php" => true,
                // Of one script: `de_DE-<hash>.json`.
                _ => rest
                    .strip_prefix('-')
                    .and_then(|rest| rest.strip_suffix(".json"))
                    .is_some_and(is_word),
            })
    })
}

/// `de`, `de_DE`, `de_DE_formal`, `pt_PT_ao90`.
fn is_locale(text: &str) -> bool {
    let mut parts = text.split('_');
    let language = parts.next().unwrap_or_default();
    (2..=3).contains(&language.len())
        && language.bytes().all(|byte| byte.is_ascii_lowercase())
        && text.len() <= 40
        && parts
            .all(|part| !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_alphanumeric()))
}

/// Reads what a pack holds, which must be files of this language alone.
fn read_pack<R: Read + Seek>(zip: R, locale: &str) -> Result<(Layout, zip::ZipArchive<R>)> {
    if !is_locale(locale) {
        return Err(Error::BadInput(format!(
            "`{}` is no language",
            locale.escape_default()
        )));
    }
    let (layout, mut archive) = Layout::read(zip, TopFolder::None)?;
    if layout.items.len() > MAX_FILES {
        return Err(Error::BadInput(format!(
            "language pack has more than {MAX_FILES} files"
        )));
    }
    if layout.items.is_empty() {
        return Err(Error::BadInput("language pack is empty".to_owned()));
    }
    let mut declared = 0_u64;
    for (path, item) in &layout.items {
        let name = String::from_utf8_lossy(path);
        let Item::File(index) = item else {
            return Err(foreign(&name, locale));
        };
        if !belongs(&name, locale) {
            return Err(foreign(&name, locale));
        }
        let entry = archive
            .by_index_raw(*index)
            .map_err(|why| Error::BadInput(format!("language pack is damaged: {why}")))?;
        if entry.size() > MAX_FILE {
            return Err(Error::BadInput(format!(
                "`{name}` of the language pack is larger than {MAX_FILE} bytes"
            )));
        }
        declared = declared.saturating_add(entry.size());
    }
    if declared > MAX_BYTES {
        return Err(Error::BadInput(format!(
            "language pack unpacks to more than {MAX_BYTES} bytes"
        )));
    }
    Ok((layout, archive))
}

fn foreign(name: &str, locale: &str) -> Error {
    Error::BadInput(format!(
        "language pack has `{}`, which is no translation to `{locale}`",
        name.escape_debug()
    ))
}

/// Puts what was unpacked with what is staged, and into the plan.
fn add(
    home: &Home,
    swap: &CoreSwap,
    locale: &str,
    live: &Path,
    unpacked: &Path,
    aside: &Path,
    watch: &Watch,
) -> Result<CoreSwap> {
    let new = names_in(unpacked)?;
    for name in new
        .iter()
        .filter(|name| name.strip_suffix(".php").is_some())
    {
        let path = unpacked.join(name);
        let source = fs::read(&path).map_err(|why| Error::io("read", &path, why))?;
        if !is_table(&source) {
            return Err(Error::BadInput(format!(
                "`{name}` of the language pack is a program, not a table of texts"
            )));
        }
    }
    let old = names_in(live)?;
    let gone = old
        .iter()
        .filter(|name| belongs(name, locale) && !new.contains(*name));
    let kept = swap.items.iter();
    let mut items: Vec<CoreItem> = kept
        .filter(|item| translation(&item.name).is_none_or(|name| !belongs(name, locale)))
        .cloned()
        .collect();
    let mut places = Vec::new();
    for name in new.iter().chain(gone) {
        let before = tree::hash_file(&live.join(name), watch)?.map(|tree| tree.hash);
        let after = tree::hash_file(&unpacked.join(name), watch)?.map(|tree| tree.hash);
        if before == after {
            continue;
        }
        let name = format!("{LANGUAGES}/{name}");
        places.push((name.clone(), after.is_some()));
        items.push(CoreItem {
            name,
            before,
            after,
        });
    }
    let swap = swap.with_items(items);
    swap.check()?;
    if swap.translations().count() > MAX_ITEMS {
        return Err(Error::BadInput(format!(
            "the site has more than {MAX_ITEMS} files of translations"
        )));
    }
    swap.make_directories(home)?;
    for (name, is_new) in places {
        let (to, file) = (aside.join(&name), name.rsplit('/').next().unwrap_or(&name));
        disk::remove_file(&to)?;
        if is_new {
            disk::move_to(&unpacked.join(file), &to)?;
        }
    }
    Ok(swap)
}

/// Whether a PHP file returns texts and does nothing: WordPress runs it.
fn is_table(source: &[u8]) -> bool {
    if !source.starts_with(b"<?php") {
        return false;
    }
    let mut before = Token::Output;
    for lexeme in tokens::lex(source).tokens {
        let harmless = match &lexeme.token {
            Token::Name(name) => matches!(
                name.to_ascii_lowercase().as_slice(),
                b"return" | b"array" | b"null" | b"true" | b"false"
            ),
            Token::Text(Some(_)) | Token::Number(_) => true,
            // As `var_export()` writes the byte between singular and plural.
            Token::Text(None) => source.get(lexeme.span.clone()) == Some(br#""\0""#),
            // Texts can be called.
            Token::Sign(b'(') => {
                matches!(&before, Token::Name(name) if name.eq_ignore_ascii_case(b"array"))
            }
            Token::Sign(sign) => b")[],;.=>-".contains(sign),
            Token::Variable(_) | Token::Output => false,
        };
        if !harmless {
            return false;
        }
        before = lexeme.token;
    }
    true
}

/// The names in a directory; none where there is no such directory.
fn names_in(dir: &Path) -> Result<BTreeSet<String>> {
    let entries = match fs::read_dir(dir) {
        Ok(entries) => entries,
        Err(why) if why.kind() == io::ErrorKind::NotFound => return Ok(BTreeSet::new()),
        Err(why) => return Err(Error::io("list", dir, why)),
    };
    let mut names = BTreeSet::new();
    for entry in entries {
        let entry = entry.map_err(|why| Error::io("list", dir, why))?;
        // What is not UTF-8 is no translation.
        names.extend(entry.file_name().into_string());
    }
    Ok(names)
}

/// `PO-Revision-Date` of a file of translations of any kind.
fn stated_revision(bytes: &[u8]) -> Option<String> {
    const NAME: &[u8] = b"po-revision-date";
    let at = bytes
        .windows(NAME.len())
        .position(|window| window.eq_ignore_ascii_case(NAME))?;
    let text: String = bytes[at + NAME.len()..]
        .iter()
        .take(60)
        .map(|byte| char::from(*byte))
        // `: 2024-…` in a catalogue, `'=>'2024-…` in PHP.
        .skip_while(|c| !c.is_ascii_digit() && !matches!(c, '\n' | '\\'))
        .take_while(|c| c.is_ascii_digit() || matches!(c, '-' | ':' | ' ' | '+'))
        .collect();
    let text = text.trim();
    (text.len() >= "2024-04-02".len()).then(|| text.to_owned())
}

#[cfg(test)]
mod tests;
