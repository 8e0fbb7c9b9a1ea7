//! Giving tags to a site, and taking them away.

use crate::{
    Caller, Error, Fleet, Result,
    authorize::Action,
    selector::{TAG_RULE, closest, tag_name},
};
use pressroom_base::{Kind, catalog::event, id::EnvironmentId};
use pressroom_store::{EnvironmentRow, Tx, tags};
use serde_json::json;
use std::collections::BTreeSet;

/// Tags of one environment.
pub const MAX_TAGS: usize = 50;

impl Fleet {
    /// Gives an environment tags; those it has already stay. Answers all that it has
    /// then, in the order of letters.
    ///
    /// Errors: `Invalid` (no tag can be called so, none named), `Conflict` (more than
    /// [`MAX_TAGS`] then; none is given), `NotFound`, `Forbidden`.
    pub async fn add_tags(
        &self,
        caller: &Caller,
        environment: EnvironmentId,
        names: &[String],
    ) -> Result<Vec<String>> {
        let row = self
            .environment_row(caller, Action::SiteTag, environment)
            .await?
            .env;
        let wanted = read(names)?;
        let tx = self.parts.store.begin().await?;
        tags::lock(&tx, row.id).await?;
        let mut added = Vec::new();
        for tag in wanted {
            if tags::add(&tx, row.id, &tag).await? {
                added.push(tag);
            }
        }
        let all = tags::list(&tx, row.id).await?;
        if all.len() > MAX_TAGS {
            return Err(Error::conflict(format!(
                "a site has at most {MAX_TAGS} tags, and this would be {}",
                all.len()
            ))
            .with_hint("take one away first with `pressroom site tag remove`"));
        }
        self.note_tags(&tx, caller, event::SITE_TAGGED, &row, &added)
            .await?;
        tx.commit().await?;
        Ok(all)
    }

    /// Takes tags from an environment. Answers those it has left, in the order of
    /// letters.
    ///
    /// Errors: `Invalid` (none named), `NotFound` (it has no such tag, and keeps them
    /// all; no such environment), `Forbidden`.
    pub async fn remove_tags(
        &self,
        caller: &Caller,
        environment: EnvironmentId,
        names: &[String],
    ) -> Result<Vec<String>> {
        let row = self
            .environment_row(caller, Action::SiteTag, environment)
            .await?
            .env;
        let unwanted = read(names)?;
        let tx = self.parts.store.begin().await?;
        tags::lock(&tx, row.id).await?;
        for tag in &unwanted {
            if !tags::remove(&tx, row.id, tag).await? {
                let left = tags::list(&tx, row.id).await?;
                return Err(no_such_tag(tag, &left));
            }
        }
        let left = tags::list(&tx, row.id).await?;
        self.note_tags(&tx, caller, event::SITE_UNTAGGED, &row, &unwanted)
            .await?;
        tx.commit().await?;
        Ok(left)
    }

    /// Says in the activity log what changed, if anything did.
    async fn note_tags(
        &self,
        tx: &Tx,
        caller: &Caller,
        event: &'static str,
        row: &EnvironmentRow,
        tags: impl IntoIterator<Item = &String>,
    ) -> Result<()> {
        let tags: Vec<&String> = tags.into_iter().collect();
        if tags.is_empty() {
            return Ok(());
        }
        let payload = json!({ "panel_id": row.panel_id, "url": row.url, "tags": tags });
        self.note(tx, caller, event, Some(row.account_id), payload)
            .await
    }
}

/// The tags that words mean, each once.
fn read(names: &[String]) -> Result<BTreeSet<String>> {
    if names.is_empty() {
        return Err(Error::invalid("no tag is named"));
    }
    // Before anything is folded or written of an endless list.
    if names.len() > MAX_TAGS {
        return Err(Error::invalid(format!(
            "at most {MAX_TAGS} tags can be named at once"
        )));
    }
    let read = |name: &String| {
        tag_name(name).ok_or_else(|| {
            let shown: String = name.chars().take(60).collect();
            Error::invalid(format!("`{}` can be no tag", shown.escape_debug())).with_hint(TAG_RULE)
        })
    };
    names.iter().map(read).collect()
}

fn no_such_tag(tag: &str, there: &[String]) -> Error {
    let refused = Error::new(Kind::NotFound, format!("the site has no tag `{tag}`"));
    let hint = match closest(tag, there.iter().map(String::as_str)) {
        Some(close) => format!("did you mean `{close}`?"),
        None if there.is_empty() => "it has none at all".to_owned(),
        None => format!("it has {}", there.join(", ")),
    };
    refused.with_hint(hint)
}
