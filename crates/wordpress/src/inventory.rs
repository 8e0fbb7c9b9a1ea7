//! What is installed, read without running PHP.

use crate::{
    Error, Result,
    component::ComponentKind,
    config::{self, Settings},
    home::Home,
    watch::Watch,
};
use pressroom_phpdata::{
    headers::{self, HEADER_BYTES},
    tokens,
};
use serde::{Deserialize, Serialize};
use std::{
    fs::{self, File},
    io::{self, Read},
    path::Path,
};

/// One WordPress as found on disk.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Inspection {
    /// `$wp_version`, e.g. `6.5.5`; `None` when it cannot be read.
    pub version: Option<String>,
    /// `$wp_local_package`, or `en_US`.
    pub locale: String,
    /// What `wp-config.php` says.
    pub settings: Settings,
    /// Plugins, themes, must-use plugins and drop-ins.
    pub components: Vec<FoundComponent>,
}

/// One component as found on disk.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct FoundComponent {
    /// Plugin or theme.
    pub kind: ComponentKind,
    /// Where it lives.
    pub place: Place,
    /// Directory name, or file name without `.php` for a single-file plugin.
    pub slug: String,
    /// Main file relative to its container, e.g. `akismet/akismet.php`.
    pub file: String,
    /// `Plugin Name` or `Theme Name`.
    pub name: String,
    /// `Version`; empty when the header has none.
    pub version: String,
    /// `Author`, tags removed.
    pub author: String,
    /// `Description`, tags removed.
    pub description: String,
    /// A theme's parent (`Template`).
    pub parent: Option<String>,
    /// `Requires PHP`.
    pub requires_php: Option<String>,
    /// `Requires at least`.
    pub requires_wordpress: Option<String>,
    /// `Update URI`.
    pub update_uri: Option<String>,
}

/// Where a plugin lives.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Place {
    /// `plugins/` or `themes/`.
    Normal,
    /// `mu-plugins/`.
    MustUse,
    /// `wp-content/object-cache.php` and its like.
    DropIn,
}

/// Files directly in `wp-content` that WordPress loads by their name.
const DROP_INS: [&str; 12] = [
    "advanced-cache.php",
    "blog-deleted.php",
    "blog-inactive.php",
    "blog-suspended.php",
    "db-error.php",
    "db.php",
    "fatal-error-handler.php",
    "install.php",
    "maintenance.php",
    "object-cache.php",
    "php-error.php",
    "sunrise.php",
];

/// Reads what is installed in `root`. Links are passed over: what they point to is
/// not this site's.
pub fn inspect(home: &Home, root: &str, watch: &Watch) -> Result<Inspection> {
    let root = root.trim_end_matches('/');
    if !home.resolve(root)?.is_dir() {
        return Err(Error::Missing(root.to_owned()));
    }
    let version_file = home.read_start(&below(root, "wp-includes/version.php"), 64 * 1024)?;
    let from_version_file = |variable| {
        version_file
            .as_deref()
            .and_then(|file| tokens::assigned_text(file, variable))
    };
    let settings = match config::read(home, root) {
        Err(Error::Missing(_)) => Settings::default(),
        other => other?,
    };
    let mut components = Vec::new();
    let content = below(root, "wp-content");
    plugins(home, &content, watch, &mut components)?;
    themes(home, &content, watch, &mut components)?;
    must_use(home, &content, watch, &mut components)?;
    drop_ins(home, &content, &mut components)?;
    Ok(Inspection {
        version: from_version_file("wp_version"),
        locale: from_version_file("wp_local_package").unwrap_or_else(|| "en_US".to_owned()),
        settings,
        components,
    })
}

/// `$wp_version` of the core in `root`.
pub(crate) fn core_version(home: &Home, root: &str) -> Result<Option<String>> {
    let file = home.read_start(&below(root, "wp-includes/version.php"), 64 * 1024)?;
    Ok(file.and_then(|file| tokens::assigned_text(&file, "wp_version")))
}

/// The version in a freshly unpacked component's main file; refused when WordPress
/// would not see a component in it.
pub(crate) fn package_version(dir: &Path, kind: ComponentKind) -> Result<String> {
    let slug = dir.file_name().unwrap_or_default().to_string_lossy();
    let main = match kind {
        ComponentKind::Theme => read_head(&dir.join("style.css"))?
            .filter(|head| headers::value(head, "Theme Name").is_some())
            .ok_or_else(|| {
                Error::BadInput(format!(
                    "package `{slug}` is no theme, its `style.css` names none"
                ))
            })?,
        ComponentKind::Plugin => {
            let names = names_in(dir)?;
            main_file(&slug, names, |name| read_head(&dir.join(name)))?
                .ok_or_else(|| {
                    Error::BadInput(format!(
                        "package `{slug}` is no plugin, no file directly in it has a `Plugin Name`"
                    ))
                })?
                .1
        }
    };
    Ok(headers::find(&main, "Version").unwrap_or_default())
}

fn below(root: &str, path: &str) -> String {
    if root.is_empty() || root == "." {
        path.to_owned()
    } else {
        format!("{root}/{path}")
    }
}

/// The main file of a plugin's directory: `<slug>.php` if it has a plugin header,
/// else the first that has one.
fn main_file(
    slug: &str,
    names: Vec<String>,
    read: impl Fn(&str) -> Result<Option<Vec<u8>>>,
) -> Result<Option<(String, Vec<u8>)>> {
    let preferred = format!("{slug}.php");
    let mut names: Vec<String> = names.into_iter().filter(|name| is_php(name)).collect();
    names.sort_by_key(|name| (*name != preferred, name.clone()));
    for name in names {
        if let Some(head) = read(&name)?
            && headers::value(&head, "Plugin Name").is_some()
        {
            return Ok(Some((name, head)));
        }
    }
    Ok(None)
}

fn plugins(
    home: &Home,
    content: &str,
    watch: &Watch,
    found: &mut Vec<FoundComponent>,
) -> Result<()> {
    let container = format!("{content}/plugins");
    for name in list(home, &container)? {
        watch.check()?;
        let path = format!("{container}/{name}");
        let Some(is_dir) = kind_of(home, &path)? else {
            continue;
        };
        if is_dir {
            let main = main_file(&name, list(home, &path)?, |file| {
                head(home, &format!("{path}/{file}"))
            })?;
            if let Some((file, head)) = main {
                let file = format!("{name}/{file}");
                found.push(component(
                    ComponentKind::Plugin,
                    Place::Normal,
                    name,
                    file,
                    &head,
                ));
            }
        } else if is_php(&name)
            && let Some(head) = head(home, &path)?
            && headers::value(&head, "Plugin Name").is_some()
        {
            found.push(single(Place::Normal, name, &head));
        }
    }
    Ok(())
}

fn themes(
    home: &Home,
    content: &str,
    watch: &Watch,
    found: &mut Vec<FoundComponent>,
) -> Result<()> {
    let container = format!("{content}/themes");
    for name in list(home, &container)? {
        watch.check()?;
        let path = format!("{container}/{name}");
        if kind_of(home, &path)? != Some(true) {
            continue;
        }
        if let Some(head) = head(home, &format!("{path}/style.css"))?
            && headers::value(&head, "Theme Name").is_some()
        {
            let file = format!("{name}/style.css");
            found.push(component(
                ComponentKind::Theme,
                Place::Normal,
                name,
                file,
                &head,
            ));
        }
    }
    Ok(())
}

/// Every PHP file directly in `mu-plugins` runs, header or not.
fn must_use(
    home: &Home,
    content: &str,
    watch: &Watch,
    found: &mut Vec<FoundComponent>,
) -> Result<()> {
    let container = format!("{content}/mu-plugins");
    for name in list(home, &container)? {
        watch.check()?;
        let path = format!("{container}/{name}");
        if !is_php(&name) || kind_of(home, &path)? != Some(false) {
            continue;
        }
        if let Some(head) = head(home, &path)? {
            // "Silence is golden", as WordPress skips it.
            if name == "index.php" && head.len() <= 30 {
                continue;
            }
            found.push(single(Place::MustUse, name, &head));
        }
    }
    Ok(())
}

fn drop_ins(home: &Home, content: &str, found: &mut Vec<FoundComponent>) -> Result<()> {
    for name in DROP_INS {
        let path = format!("{content}/{name}");
        if kind_of(home, &path)? == Some(false)
            && let Some(head) = head(home, &path)?
        {
            found.push(single(Place::DropIn, name.to_owned(), &head));
        }
    }
    Ok(())
}

/// A plugin that is one file.
fn single(place: Place, file: String, head: &[u8]) -> FoundComponent {
    let slug = file.trim_end_matches(".php").to_owned();
    component(ComponentKind::Plugin, place, slug, file, head)
}

fn component(
    kind: ComponentKind,
    place: Place,
    slug: String,
    file: String,
    head: &[u8],
) -> FoundComponent {
    let text = |name| headers::find(head, name).unwrap_or_default();
    let name = headers::value(
        head,
        match kind {
            ComponentKind::Plugin => "Plugin Name",
            ComponentKind::Theme => "Theme Name",
        },
    );
    FoundComponent {
        kind,
        place,
        name: name.unwrap_or_else(|| slug.clone()),
        slug,
        file,
        version: text("Version"),
        author: headers::without_tags(&text("Author")),
        description: headers::without_tags(&text("Description")),
        parent: (kind == ComponentKind::Theme)
            .then(|| headers::value(head, "Template"))
            .flatten(),
        requires_php: headers::value(head, "Requires PHP"),
        requires_wordpress: headers::value(head, "Requires at least"),
        update_uri: headers::value(head, "Update URI"),
    }
}

fn is_php(name: &str) -> bool {
    name.len() > 4 && name.as_bytes().ends_with(b".php")
}

/// Names in a directory of the home in byte order, hidden ones left out; nothing
/// when it is not there.
fn list(home: &Home, path: &str) -> Result<Vec<String>> {
    match home.resolve(path) {
        Ok(path) => names_in(&path),
        Err(Error::BadPath(_)) => Ok(Vec::new()),
        Err(why) => Err(why),
    }
}

fn names_in(dir: &Path) -> Result<Vec<String>> {
    let entries = match fs::read_dir(dir) {
        Ok(entries) => entries,
        Err(why)
            if matches!(
                why.kind(),
                io::ErrorKind::NotFound | io::ErrorKind::NotADirectory
            ) =>
        {
            return Ok(Vec::new());
        }
        Err(why) => return Err(Error::io("list", dir, why)),
    };
    let mut names = Vec::new();
    for entry in entries {
        let entry = entry.map_err(|why| Error::io("list", dir, why))?;
        // Names that are not UTF-8 cannot be told over the wire; WordPress itself
        // cannot store them either.
        if let Ok(name) = entry.file_name().into_string()
            && !name.starts_with('.')
        {
            names.push(name);
        }
    }
    names.sort_unstable();
    Ok(names)
}

/// Whether a path is a directory (`true`) or a regular file (`false`).
fn kind_of(home: &Home, path: &str) -> Result<Option<bool>> {
    let path = match home.resolve(path) {
        Ok(path) => path,
        Err(Error::BadPath(_)) => return Ok(None),
        Err(why) => return Err(why),
    };
    match fs::symlink_metadata(&path) {
        Ok(found) if found.is_dir() => Ok(Some(true)),
        Ok(found) if found.is_file() => Ok(Some(false)),
        Ok(_) => Ok(None),
        Err(why) if why.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(why) => Err(Error::io("look at", path, why)),
    }
}

/// The part of a file that WordPress looks for headers in. A file that cannot be
/// read has none, for WordPress as for us.
fn head(home: &Home, path: &str) -> Result<Option<Vec<u8>>> {
    match home.read_start(path, HEADER_BYTES) {
        Err(Error::BadPath(_)) => Ok(None),
        Err(Error::Io { source, .. }) if source.kind() == io::ErrorKind::PermissionDenied => {
            Ok(None)
        }
        other => other,
    }
}

/// As [`head`], for a file of a package that was unpacked just now.
fn read_head(path: &Path) -> Result<Option<Vec<u8>>> {
    let mut bytes = Vec::new();
    match File::open(path) {
        Ok(file) => file
            .take(HEADER_BYTES)
            .read_to_end(&mut bytes)
            .map_err(|why| Error::io("read", path, why))?,
        Err(why) if why.kind() == io::ErrorKind::NotFound => return Ok(None),
        Err(why) => return Err(Error::io("open", path, why)),
    };
    Ok(Some(bytes))
}

#[cfg(test)]
mod tests;
