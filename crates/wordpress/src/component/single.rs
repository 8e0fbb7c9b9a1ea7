//! The package of a plugin that is one PHP file.

use crate::{
    Error, Result,
    package::layout::{Item, Layout, TopFolder},
};
use pressroom_phpdata::headers::{self, HEADER_BYTES};
use std::{
    fs::File,
    io::{Read, Seek},
    path::Path,
};
use zip::ZipArchive;

/// What may lie beside the file in its package and is of no use to the site.
const TEXTS: [&[u8]; 3] = [b".txt", b".md", b".html"];

/// Reads a package that holds `name` directly or in one folder. Whatever else it
/// holds may only be texts: a plugin that needs more is no single file.
pub(super) fn read<R: Read + Seek>(zip: R, name: &str) -> Result<(Layout, ZipArchive<R>)> {
    let (mut layout, archive) = Layout::read(zip, TopFolder::None)?;
    let tops = layout.top_names();
    if let [folder] = tops.as_slice()
        && !matches!(
            layout.items.get(folder.as_slice()),
            Some(Item::File(_) | Item::Link(_))
        )
    {
        layout = layout.below(folder);
    }
    layout.leave_out(|path| {
        !path.contains(&b'/')
            && TEXTS
                .iter()
                .any(|end| path.to_ascii_lowercase().ends_with(end))
    });
    let other = layout.items.keys().find(|path| *path != name.as_bytes());
    if let Some(other) = other {
        return Err(Error::BadInput(format!(
            "package holds `{}`, a plugin of one file has nothing beside `{name}`",
            String::from_utf8_lossy(&other[..other.len().min(120)])
        )));
    }
    if !matches!(layout.items.get(name.as_bytes()), Some(Item::File(_))) {
        return Err(Error::BadInput(format!("package has no file `{name}`")));
    }
    Ok((layout, archive))
}

/// The version in a staged file's header; refused when it is no plugin.
pub(super) fn version(path: &Path) -> Result<String> {
    let mut head = Vec::new();
    File::open(path)
        .and_then(|file| file.take(HEADER_BYTES).read_to_end(&mut head))
        .map_err(|why| Error::io("read", path, why))?;
    if headers::value(&head, "Plugin Name").is_none() {
        return Err(Error::BadInput(format!(
            "package is no plugin, `{}` has no `Plugin Name`",
            path.file_name().unwrap_or_default().display()
        )));
    }
    Ok(headers::find(&head, "Version").unwrap_or_default())
}
