//! `wp-config.php`, where it names the old address or the old home.

use super::underway::Move;
use crate::{Error, Result, readdress::Readdress};
use pressroom_carrier::Session;
use pressroom_store::StepState;
use pressroom_wordpress::config::{ConfigValue, Edit, Edited, ListedConstant};
use serde::{Deserialize, Serialize};

const STEP: &str = "configuration";

/// Constants that hold a bare host.
const HOSTS: [&str; 2] = ["DOMAIN_CURRENT_SITE", "COOKIE_DOMAIN"];

/// A constant that changes.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
struct Constant {
    name: String,
    old: String,
    new: String,
}

/// Puts the new address, and the new home, where the configuration spells out the old.
/// What it computes from where it lies has followed by itself.
pub(super) async fn readdress(work: &Move<'_>, session: &Session) -> Result<()> {
    let told = &work.told;
    let listing = session.list_config(work.fleet.site_ref(&work.row)).await?;
    let homes = told
        .renames()
        .then_some((told.old_home.as_str(), told.new_home.as_str()));
    let changes = changes(&listing.constants, &told.address, homes);
    if changes.is_empty() {
        return Ok(());
    }
    let intent = serde_json::to_value(&changes).map_err(Error::internal)?;
    let step = work.ctx.begin_step(STEP, intent).await?;
    let edited = set(
        work,
        session,
        changes.iter().map(|one| (&one.name, &one.new)),
    )
    .await?;
    let result = serde_json::to_value(&edited).map_err(Error::internal)?;
    work.ctx.finish_step(step, StepState::Done, result).await?;
    for change in changes {
        work.ctx.line(format!("{}: {}", change.name, change.new));
    }
    Ok(())
}

/// Puts the values from before back.
pub(super) async fn take_back(work: &Move<'_>, session: &Session) -> Result<()> {
    let Some(intent) = work.begun(STEP).await? else {
        return Ok(());
    };
    let changes: Vec<Constant> = serde_json::from_value(intent).map_err(Error::internal)?;
    let back = set(
        work,
        session,
        changes.iter().map(|one| (&one.name, &one.old)),
    )
    .await?;
    let done = work.ctx.done_step(STEP).await?.and_then(|step| step.result);
    let edited: Option<Edited> = done.and_then(|result| serde_json::from_value(result).ok());
    if edited.is_some_and(|edited| edited.before != back.after) {
        work.ctx.line(format!(
            "`{}` has its old values, but not every byte is as before",
            back.file
        ));
    }
    Ok(())
}

async fn set(
    work: &Move<'_>,
    session: &Session,
    values: impl Iterator<Item = (&String, &String)>,
) -> Result<Edited> {
    let edits = values
        .map(|(name, value)| Edit::Set {
            name: name.clone(),
            value: ConfigValue::Text(value.clone()),
        })
        .collect();
    let site = work.fleet.site_ref(&work.row);
    Ok(session.edit_config(work.ctx.epoch(), site, edits).await?)
}

fn changes(
    constants: &[ListedConstant],
    address: &Readdress,
    homes: Option<(&str, &str)>,
) -> Vec<Constant> {
    constants
        .iter()
        .filter(|constant| !constant.secret)
        .filter_map(|constant| {
            let Some(ConfigValue::Text(old)) = &constant.value else {
                return None;
            };
            let new = if HOSTS.contains(&constant.name.as_str()) {
                address.host(old)?
            } else {
                moved_path(&address.text(old), homes)
            };
            (new != *old).then(|| Constant {
                name: constant.name.clone(),
                old: old.clone(),
                new,
            })
        })
        .collect()
}

/// A path in the old home, which must end there or go on below it.
fn moved_path(text: &str, homes: Option<(&str, &str)>) -> String {
    let Some((old, new)) = homes else {
        return text.to_owned();
    };
    match text.strip_prefix(old) {
        Some(rest) if rest.is_empty() || rest.starts_with('/') => format!("{new}{rest}"),
        _ => text.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_hosts_and_paths_change_and_nothing_else() {
        let constant = |name: &str, value: &str, secret| ListedConstant {
            name: name.into(),
            value: Some(ConfigValue::Text(value.into())),
            secret,
        };
        let address = Readdress {
            old: "old.example".into(),
            new: "new.example".into(),
        };
        let found = changes(
            &[
                constant("WP_HOME", "https://old.example/blog", false),
                constant("DOMAIN_CURRENT_SITE", "old.example", false),
                constant("WPCACHEHOME", "/s/old.example/x/", false),
                constant("BESIDE", "/s/old.examples/x", false),
                constant("MAIL_FROM", "me@old.example", false),
                constant("AUTH_KEY", "//old.example", true),
                constant("DB_NAME", "old.example", false),
            ],
            &address,
            Some(("/s/old.example", "/s/new.example")),
        );
        let new: Vec<_> = found.iter().map(|one| one.new.as_str()).collect();
        assert_eq!(
            new,
            [
                "https://new.example/blog",
                "new.example",
                "/s/new.example/x/"
            ]
        );
    }
}
