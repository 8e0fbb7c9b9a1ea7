//! What a freshly unpacked package is.

use super::{
    files::{names_in, read_head},
    plugins::main_file,
};
use crate::{Error, Result, kind::ComponentKind};
use pressroom_phpdata::headers;
use std::path::Path;

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
