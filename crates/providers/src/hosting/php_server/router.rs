//! The text of a site's router.

use crate::hosting::{
    Error, Result,
    web::{rules, site::WebSite},
};
use serde_json::json;
use std::collections::BTreeMap;

const TEXT: &str = include_str!("router.php");

/// The router with what it must know of the site.
pub fn render(site: &WebSite) -> Result<String> {
    let types: BTreeMap<&str, &str> = rules::TYPES
        .iter()
        .flat_map(|(endings, kind, _)| endings.split(' ').map(move |ending| (ending, *kind)))
        .collect();
    let about = json!({
        "names": site.names().collect::<Vec<_>>(),
        "home": site.home,
        "root": site.root(),
        "wildcard": site.wildcard().map(|name| name[1..].to_owned()),
        "subdirectories": site.subdirectories,
        "rewrites": site.rewrites(),
        "request_bytes": u64::from(site.limits.request_mb()) << 20,
        "refused": rules::REFUSED
            .map(str::to_owned)
            .into_iter()
            .chain(site.refused())
            .collect::<Vec<_>>(),
        "admin": rules::ADMIN,
        "admin_index": rules::ADMIN_INDEX,
        "php": rules::PHP,
        "types": types,
        "kept": rules::kept_endings().split('|').collect::<Vec<_>>(),
    });
    let text = serde_json::to_string(&about)
        .map_err(|error| Error::BadSite(format!("the site cannot be described: {error}")))?;
    Ok(TEXT.replace("@SITE@", &single_quoted(&text)))
}

/// What stands between single quotes in PHP.
fn single_quoted(text: &str) -> String {
    text.replace('\\', "\\\\").replace('\'', "\\'")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_description_cannot_leave_its_quotes() {
        assert_eq!(single_quoted(r"a'b\c"), r"a\'b\\c");
        let text = render(&WebSite::new("a.example", "/srv/a", None)).unwrap();
        assert!(!text.contains("@SITE@"));
    }
}
