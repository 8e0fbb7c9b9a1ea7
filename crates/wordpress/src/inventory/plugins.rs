//! Plugins, must-use plugins and drop-ins, as WordPress lists them.

use super::{
    FoundComponent, OtherPlugin, Place, UpdateSource,
    files::{Dir, Kind, is_php},
    some,
};
use crate::{Result, home::Home, kind::ComponentKind, watch::Watch};
use pressroom_phpdata::headers::{self, PluginHeaders};

/// Files directly in the content directory that WordPress loads by their name.
const DROP_INS: [&str; 8] = [
    "advanced-cache.php",
    "db-error.php",
    "db.php",
    "fatal-error-handler.php",
    "install.php",
    "maintenance.php",
    "object-cache.php",
    "php-error.php",
];
/// Those it loads on a network only.
const NETWORK_DROP_INS: [&str; 4] = [
    "blog-deleted.php",
    "blog-inactive.php",
    "blog-suspended.php",
    "sunrise.php",
];

/// Plugins in `container`: files in it, and files in its directories, that have a
/// `Plugin Name`.
pub(super) fn normal(
    home: &Home,
    container: &str,
    watch: &Watch,
    found: &mut Vec<FoundComponent>,
) -> Result<()> {
    let Some(dir) = Dir::open(home, container)? else {
        return Ok(());
    };
    for (name, kind) in dir.entries()? {
        watch.check()?;
        if name.starts_with('.') {
            continue;
        }
        if kind == Kind::Directory {
            found.extend(in_directory(home, &format!("{container}/{name}"), &name)?);
        } else if kind == Kind::File
            && is_php(&name)
            && let Some(head) = dir.head(&name)?
        {
            let headers = headers::plugin(&head);
            if !headers::is_nothing(&headers.name) {
                found.push(single(Place::Normal, name, headers));
            }
        }
    }
    Ok(())
}

/// The plugin in a directory, with whatever others lie beside its main file.
fn in_directory(home: &Home, path: &str, slug: &str) -> Result<Option<FoundComponent>> {
    let Some(dir) = Dir::open(home, path)? else {
        return Ok(None);
    };
    let preferred = format!("{slug}.php");
    let mut names: Vec<String> = dir
        .entries()?
        .into_iter()
        .filter(|(name, kind)| *kind == Kind::File && is_php(name) && !name.starts_with('.'))
        .map(|(name, _)| name)
        .collect();
    names.sort_by_key(|name| *name != preferred);
    let mut main: Option<FoundComponent> = None;
    for name in names {
        let Some(head) = dir.head(&name)? else {
            continue;
        };
        let headers = headers::plugin(&head);
        if headers::is_nothing(&headers.name) {
            continue;
        }
        let file = format!("{slug}/{name}");
        match &mut main {
            None => main = Some(component(Place::Normal, slug.to_owned(), file, headers)),
            Some(main) => main.others.push(OtherPlugin {
                file,
                name: headers.name,
                version: headers.version,
                active: None,
            }),
        }
    }
    Ok(main)
}

/// The main file of a plugin's directory: `<slug>.php` if it has a plugin header,
/// else the first that has one.
pub(super) fn main_file(
    slug: &str,
    names: Vec<String>,
    read: impl Fn(&str) -> Result<Option<Vec<u8>>>,
) -> Result<Option<(String, Vec<u8>)>> {
    let preferred = format!("{slug}.php");
    let mut names: Vec<String> = names
        .into_iter()
        .filter(|name| is_php(name) && !name.starts_with('.'))
        .collect();
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

/// Every PHP file directly in `container` runs, header or not, hidden or not.
pub(super) fn must_use(
    home: &Home,
    container: &str,
    watch: &Watch,
    found: &mut Vec<FoundComponent>,
) -> Result<()> {
    let Some(dir) = Dir::open(home, container)? else {
        return Ok(());
    };
    for (name, kind) in dir.entries()? {
        watch.check()?;
        if kind != Kind::File || !name.as_bytes().ends_with(b".php") {
            continue;
        }
        if let Some(head) = dir.head(&name)? {
            // "Silence is golden", as WordPress skips it.
            if name == "index.php" && head.len() <= 30 {
                continue;
            }
            found.push(single(Place::MustUse, name, headers::plugin(&head)));
        }
    }
    Ok(())
}

/// The files in `content` that WordPress knows by name; those of networks are told
/// unless this is certainly none.
pub(super) fn drop_ins(
    home: &Home,
    content: &str,
    multisite: Option<bool>,
    found: &mut Vec<FoundComponent>,
) -> Result<()> {
    let Some(dir) = Dir::open(home, content)? else {
        return Ok(());
    };
    let of_networks = NETWORK_DROP_INS.iter().filter(|_| multisite != Some(false));
    for name in DROP_INS.iter().chain(of_networks) {
        if let Some(head) = dir.head(name)? {
            let headers = headers::plugin(&head);
            found.push(single(Place::DropIn, (*name).to_owned(), headers));
        }
    }
    Ok(())
}

/// A plugin that is one file.
fn single(place: Place, file: String, headers: PluginHeaders) -> FoundComponent {
    let slug = file.strip_suffix(".php").unwrap_or(&file).to_owned();
    let mut found = component(place, slug, file, headers);
    // Only a directory stands in for an absent text domain.
    if found.text_domain.as_deref() == Some("") {
        found.text_domain = None;
    }
    found
}

fn component(place: Place, slug: String, file: String, headers: PluginHeaders) -> FoundComponent {
    let directory = file.split_once('/').map(|(directory, _)| directory);
    let text_domain = if headers::is_nothing(&headers.text_domain) {
        directory.map(str::to_owned)
    } else {
        Some(headers.text_domain)
    };
    FoundComponent {
        kind: ComponentKind::Plugin,
        place,
        name: if headers::is_nothing(&headers.name) {
            file.clone()
        } else {
            headers.name
        },
        update_source: match place {
            Place::Normal => UpdateSource::of(ComponentKind::Plugin, &slug, &headers.update_uri),
            // WordPress updates neither.
            Place::MustUse | Place::DropIn => UpdateSource::Nobody,
        },
        slug,
        version: headers.version,
        author: headers::without_tags(&headers.author),
        description: headers::without_tags(&headers.description),
        parent: None,
        requires_php: some(headers.requires_php),
        requires_wordpress: some(headers.requires_wordpress),
        update_uri: some(headers.update_uri),
        text_domain,
        requires_plugins: headers
            .requires_plugins
            .split(',')
            .map(str::trim)
            .filter(|slug| !slug.is_empty())
            .map(str::to_owned)
            .collect(),
        network_only: headers.network,
        others: Vec::new(),
        active: None,
        network_active: None,
        active_on: Vec::new(),
        file,
    }
}
