//! What must be known of a source before a copy is begun.

use super::address::{Change, host};
use crate::{Error, Fleet, Result, code};
use pressroom_base::Kind;
use pressroom_carrier::Session;
use pressroom_store::{DomainRow, EnvironmentRow, EnvironmentState};
use pressroom_wordpress::config::ConfigValue;
use std::path::Path;
use tokio_util::sync::CancellationToken;

/// What a copy needs beside the source's own size.
const MARGIN: u64 = 64 * 1024 * 1024;

/// Refuses what the records show.
pub(super) fn refuse_recorded(source: &EnvironmentRow, target: &DomainRow) -> Result<()> {
    if target.account_id != source.account_id {
        return Err(unprocessable("the domain belongs to another account"));
    }
    if source.state != EnvironmentState::Active {
        return Err(Error::conflict(format!(
            "the source is {}, and only one that works can be copied",
            source.state.as_str()
        )));
    }
    Ok(())
}

/// Looks at the source: whether it can be copied as it is, and whether the disk can hold
/// the copy.
pub(super) async fn refuse_unfit(
    fleet: &Fleet,
    source: &EnvironmentRow,
    target: &DomainRow,
) -> Result<()> {
    let session = fleet
        .open_session(&fleet.ground(source).await?, CancellationToken::new())
        .await?;
    refuse_network(&session, source).await?;
    refuse_other_address(fleet, &session, source).await?;
    refuse_without_disk(fleet, &session, source, target).await?;
    session.close().await;
    Ok(())
}

/// Sites of a network that have names of their own would need new ones.
async fn refuse_network(session: &Session, source: &EnvironmentRow) -> Result<()> {
    let settings = session.inspect(&source.path).await?.settings;
    if settings.multisite != Some(true) {
        return Ok(());
    }
    let hint = "only networks whose sites are directories below one address can be copied";
    if settings.subdomain_install != Some(false) {
        let text = "this is a network whose sites have names of their own";
        return Err(unprocessable(text).with_hint(hint));
    }
    let facts = session.read_site(&source.path, &[]).await?;
    let network = facts
        .network
        .ok_or_else(|| Error::new(Kind::Remote, "the network's tables cannot be read"))?;
    let of_its_own = network.blogs.iter().find(|blog| {
        !host(&source.url).is_some_and(|host| host.eq_ignore_ascii_case(&blog.domain))
    });
    match of_its_own {
        None => Ok(()),
        Some(blog) => Err(unprocessable(format!(
            "site {} of the network has a domain of its own",
            blog.id
        ))
        .with_hint(hint)),
    }
}

/// A site that calls itself otherwise would be copied with that address.
async fn refuse_other_address(
    fleet: &Fleet,
    session: &Session,
    source: &EnvironmentRow,
) -> Result<()> {
    let constants = session.list_config(fleet.site_ref(source)).await?.constants;
    let fixed = constants
        .into_iter()
        .find(|constant| constant.name == "WP_HOME");
    let home = if let Some(ConfigValue::Text(home)) = fixed.and_then(|constant| constant.value) {
        Some(home)
    } else {
        let mut facts = session.read_site(&source.path, &[]).await?;
        facts.options.remove("home")
    };
    let home = home.unwrap_or_default();
    let itself = Change {
        url: (&source.url, &source.url),
        root: (&source.root, &source.root),
    };
    if itself.address(&home).is_some() {
        return Ok(());
    }
    Err(Error::conflict(format!(
        "the site calls itself `{home}`, and not {}",
        source.url
    ))
    .with_hint("put the site's address right first"))
}

/// Refuses a copy that the disk cannot hold: its files, its tables, and their dump on
/// the way.
async fn refuse_without_disk(
    fleet: &Fleet,
    session: &Session,
    source: &EnvironmentRow,
    target: &DomainRow,
) -> Result<()> {
    let files = session.disk_usage(&source.path).await?.bytes;
    let tables = session.database_size(fleet.site_ref(source)).await?;
    let needed = needed(
        files,
        tables
            .iter()
            .map(|table| table.data_bytes.saturating_add(table.index_bytes)),
    );
    // Below the home only its agent looks.
    let above = Path::new(&target.root).parent().unwrap_or(Path::new("/"));
    let free = match fleet.parts.hosting.free_bytes(above) {
        Some(free) if free < needed => free,
        // Not made yet: who makes it will say.
        _ => return Ok(()),
    };
    Err(Error::new(
        Kind::Limited,
        format!("a copy needs {needed} bytes, and the disk has {free} left"),
    )
    .with_code(code::NO_ROOM))
}

fn needed(files: u64, tables: impl Iterator<Item = u64>) -> u64 {
    tables
        .fold(files, |sum, table| {
            sum.saturating_add(table.saturating_mul(2))
        })
        .saturating_add(MARGIN)
}

fn unprocessable(text: impl Into<String>) -> Error {
    Error::invalid(text).with_code(code::UNPROCESSABLE)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tables_are_counted_twice() {
        assert_eq!(needed(100, [10, 5].into_iter()), 130 + MARGIN);
        assert_eq!(needed(1, [u64::MAX].into_iter()), u64::MAX);
    }
}
