//! What is said of a site whose installation or removal was given up half-way: that it
//! is broken, what of it is still there, and how to get rid of that.

use pressroom_base::id::EnvironmentId;
use pressroom_store::{
    EnvironmentPatch, EnvironmentRow, EnvironmentState, Read, ResourceState, Result, Tx,
    environments, resources,
};

/// Nobody is at work on it any more: the site is `broken`. Gives what a person can do.
pub(super) async fn give_up(tx: &Tx, id: Option<EnvironmentId>) -> Result<Option<String>> {
    let Some(id) = id else { return Ok(None) };
    let Some(row) = environments::get(tx, id).await? else {
        return Ok(None);
    };
    if matches!(
        row.state,
        EnvironmentState::Installing | EnvironmentState::Deleting
    ) {
        let patch = EnvironmentPatch {
            state: Some(EnvironmentState::Broken),
            ..EnvironmentPatch::default()
        };
        environments::update(tx, id, patch).await?;
    }
    advice_on(tx, &row).await.map(Some)
}

/// What is left of a site by the records, and what takes it away.
pub(super) async fn advice(from: &impl Read, id: EnvironmentId) -> Result<Option<String>> {
    match environments::get(from, id).await? {
        Some(row) => advice_on(from, &row).await.map(Some),
        None => Ok(None),
    }
}

async fn advice_on(from: &impl Read, row: &EnvironmentRow) -> Result<String> {
    let mut left = resources::list_by_environment(from, row.id).await?;
    if let Some(domain) = row.domain_id {
        let others = environments::in_domain(from, domain).await?;
        // What other sites use as well stays for them.
        if others.iter().all(|other| *other == row.id) {
            left.extend(resources::list_by_domain(from, domain).await?);
        }
    }
    let mut named: Vec<String> = left
        .into_iter()
        .filter(|record| record.state != ResourceState::Released)
        .filter(|record| record.kind != crate::snapshots::ASIDE)
        .map(|record| format!("{} `{}`", word(&record.kind), record.name))
        .collect();
    named.sort();
    named.dedup();
    let left = if named.is_empty() {
        String::new()
    } else {
        format!("still recorded: {}; ", named.join(", "))
    };
    Ok(format!(
        "{left}run `pressroom site remove {} --yes` to take away what is left",
        row.panel_id
    ))
}

/// A record's kind as people call it.
fn word(kind: &str) -> &str {
    match kind {
        "db_user" => "database user",
        "home" => "directory",
        "unix_user" => "Unix user",
        "web" => "server block",
        other => other,
    }
}
