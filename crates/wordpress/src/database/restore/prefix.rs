//! What WordPress writes its tables' prefix into: the list of roles, and what users
//! are and prefer on a site.

use super::reader::Reader;
use crate::{
    Error, Result,
    database::{
        client::{Client, literal, quoted},
        dump::relations,
    },
};

/// Refuses tables of another site where they, or those in whose place they are to come,
/// are a network's: a network is more than its tables' prefix.
pub(super) fn refuse_network(reader: &Reader, client: &mut Client) -> Result<()> {
    let prefix = reader.share.prefix();
    let (blogs, site) = (format!("{prefix}blogs"), format!("{prefix}site"));
    if reader.tables.contains_key(&blogs) && reader.tables.contains_key(&site) {
        return Err(Error::BadInput(
            "the dump is of a network, which cannot take another site's place".to_owned(),
        ));
    }
    let live = relations(client)?;
    let is_there = |name: &str| live.iter().any(|relation| relation.name == name);
    if is_there(&blogs) && is_there(&site) {
        return Err(Error::BadInput(
            "the site is a network, whose place another site cannot take".to_owned(),
        ));
    }
    Ok(())
}

/// Renames the keys of tables that were loaded from another prefix, while they have
/// their working names.
pub(super) fn rename_keys(reader: &Reader, client: &mut Client, from: &str) -> Result<()> {
    let to = reader.share.prefix();
    let loaded = |name: &str| reader.tables.get(&format!("{to}{name}"));
    if let Some(options) = loaded("options") {
        let table = quoted(&options.working);
        let (old, new) = (format!("{from}user_roles"), format!("{to}user_roles"));
        client.run(format!(
            "DELETE FROM {table} WHERE option_name = {}",
            literal(&new)
        ))?;
        client.run(format!(
            "UPDATE {table} SET option_name = {} WHERE option_name = {}",
            literal(&new),
            literal(&old)
        ))?;
    }
    if let Some(meta) = loaded("usermeta") {
        // A prefix is ASCII: as many characters as bytes.
        client.run(format!(
            "UPDATE {} SET meta_key = CONCAT({}, SUBSTRING(meta_key, {})) \
             WHERE BINARY LEFT(meta_key, {}) = BINARY {}",
            quoted(&meta.working),
            literal(to),
            from.len() + 1,
            from.len(),
            literal(from)
        ))?;
    }
    Ok(())
}
