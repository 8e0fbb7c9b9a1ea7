//! Themes, as WordPress finds and judges them.

use super::{
    BrokenTheme, FoundComponent, Place, ThemeFault, UpdateSource, head, kind_of, list, some,
};
use crate::{Result, home::Home, kind::ComponentKind, watch::Watch};
use pressroom_phpdata::headers::{self, ThemeHeaders};
use std::collections::BTreeMap;

/// What a directory of themes holds.
enum Theme {
    Read(Box<ThemeHeaders>),
    Unreadable,
    NoStylesheet,
}

/// Themes in `container`, one level deep, or two where the first has no `style.css`.
pub(super) fn themes(
    home: &Home,
    container: &str,
    watch: &Watch,
    found: &mut Vec<FoundComponent>,
    broken: &mut Vec<BrokenTheme>,
) -> Result<()> {
    let mut all: BTreeMap<String, Theme> = BTreeMap::new();
    for name in directories(home, container)? {
        watch.check()?;
        let path = format!("{container}/{name}");
        if let Some(theme) = read(home, &path)? {
            all.insert(name, theme);
            continue;
        }
        let mut inner = 0;
        for below in directories(home, &path)? {
            if let Some(theme) = read(home, &format!("{path}/{below}"))? {
                all.insert(format!("{name}/{below}"), theme);
                inner += 1;
            }
        }
        if inner == 0 {
            all.insert(name, Theme::NoStylesheet);
        }
    }
    for (slug, theme) in &all {
        let headers = match theme {
            Theme::Read(headers) => headers,
            Theme::Unreadable => {
                broken.push(fault(slug, ThemeFault::StylesheetUnreadable));
                continue;
            }
            Theme::NoStylesheet => {
                broken.push(fault(slug, ThemeFault::NoStylesheet));
                continue;
            }
        };
        match judge(home, container, slug, headers, &all)? {
            Some(why) => broken.push(fault(slug, why)),
            None => found.push(component(slug, headers)),
        }
    }
    Ok(())
}

fn fault(slug: &str, fault: ThemeFault) -> BrokenTheme {
    BrokenTheme {
        slug: slug.to_owned(),
        fault,
    }
}

/// Directories in which WordPress looks for themes.
fn directories(home: &Home, container: &str) -> Result<Vec<String>> {
    let mut names = Vec::new();
    for name in list(home, container)? {
        if name != "CVS" && kind_of(home, &format!("{container}/{name}"))? == Some(true) {
            names.push(name);
        }
    }
    Ok(names)
}

/// `None` without a `style.css`.
fn read(home: &Home, path: &str) -> Result<Option<Theme>> {
    let file = format!("{path}/style.css");
    if kind_of(home, &file)? != Some(false) {
        return Ok(None);
    }
    Ok(Some(match head(home, &file)? {
        Some(head) => Theme::Read(Box::new(headers::theme(&head))),
        None => Theme::Unreadable,
    }))
}

/// What WordPress would object to, in the order in which it looks.
fn judge(
    home: &Home,
    container: &str,
    slug: &str,
    headers: &ThemeHeaders,
    all: &BTreeMap<String, Theme>,
) -> Result<Option<ThemeFault>> {
    if headers.template == slug {
        return Ok(Some(ThemeFault::OwnParent));
    }
    if headers::is_nothing(&headers.template) {
        for index in [
            "templates/index.html",
            "block-templates/index.html",
            "index.php",
        ] {
            if kind_of(home, &format!("{container}/{slug}/{index}"))?.is_some() {
                return Ok(None);
            }
        }
        return Ok(Some(ThemeFault::NoIndex));
    }
    let Some(parent) = parent_of(home, container, slug, &headers.template, all)? else {
        return Ok(Some(ThemeFault::NoParent {
            parent: headers.template.clone(),
        }));
    };
    // A parent that has a parent is none; one that is broken otherwise is let pass.
    if let Some(Theme::Read(above)) = all.get(&parent)
        && !headers::is_nothing(&above.template)
        && above.template != parent
        && let Some(grandparent) = parent_of(home, container, &parent, &above.template, all)?
        && grandparent != parent
    {
        return Ok(Some(ThemeFault::ParentIsChild { parent }));
    }
    Ok(None)
}

/// The directory of a parent: by its name, or beside the child in a directory of
/// themes.
fn parent_of(
    home: &Home,
    container: &str,
    slug: &str,
    template: &str,
    all: &BTreeMap<String, Theme>,
) -> Result<Option<String>> {
    let has_index = |directory: &str| -> Result<bool> {
        Ok(kind_of(home, &format!("{container}/{directory}/index.php"))?.is_some())
    };
    if has_index(template)? {
        return Ok(Some(template.to_owned()));
    }
    if let Some((directory, _)) = slug.rsplit_once('/') {
        let beside = format!("{directory}/{template}");
        if has_index(&beside)? {
            return Ok(Some(beside));
        }
    }
    Ok(all.contains_key(template).then(|| template.to_owned()))
}

fn component(slug: &str, headers: &ThemeHeaders) -> FoundComponent {
    FoundComponent {
        kind: ComponentKind::Theme,
        place: Place::Normal,
        slug: slug.to_owned(),
        file: format!("{slug}/style.css"),
        name: if headers::is_nothing(&headers.name) {
            slug.to_owned()
        } else {
            headers.name.clone()
        },
        version: headers.version.clone(),
        author: headers::without_tags(&headers.author),
        description: headers::without_tags(&headers.description),
        parent: some(headers.template.clone()).filter(|it| !headers::is_nothing(it)),
        requires_php: some(headers.requires_php.clone()),
        requires_wordpress: some(headers.requires_wordpress.clone()),
        update_uri: some(headers.update_uri.clone()),
        text_domain: some(headers.text_domain.clone()),
        requires_plugins: Vec::new(),
        network_only: false,
        others: Vec::new(),
        update_source: UpdateSource::of(ComponentKind::Theme, slug, &headers.update_uri),
        active: None,
        network_active: None,
        active_on: Vec::new(),
    }
}
