//! T10: search-replace.

use crate::{
    lookup::installation,
    wire::{ReplaceIn, ReplaceOut, ReplacedOut},
    work,
};
use pressroom_dialect_http::{Answer, Call, Fault};
use pressroom_fleet::{
    Error,
    authorize::Action,
    code,
    database::{Replaced, SearchReplace},
};

/// Replaces a text in the tables, after a backup of them, or counts where it is.
pub async fn run(call: Call) -> Result<Answer, Fault> {
    let input: ReplaceIn = call.body()?;
    let dry_run = input.dry_run.unwrap_or(false);
    let (id, replace) = wanted(input)?;
    let environment = installation(&call, id.as_deref(), Action::SiteDatabase).await?;
    if dry_run {
        let report = call
            .fleet
            .preview_search_replace(&call.caller, environment.id, &replace)
            .await?;
        return Answer::ok(&ReplaceOut::Done(ReplacedOut::new(report, None)));
    }
    let job = call
        .fleet
        .search_replace(&call.caller, environment.id, replace)
        .await?;
    let job = work::wait(&call, &job).await?;
    if !job.is_final() {
        let running = work::running(job, "The replacement is still running");
        return Answer::ok(&ReplaceOut::Running(running));
    }
    let done: Replaced = work::outcome(&job)?;
    let out = ReplacedOut::new(done.report, done.backup.as_deref());
    Answer::ok(&ReplaceOut::Done(out))
}

fn wanted(input: ReplaceIn) -> Result<(Option<String>, SearchReplace), Fault> {
    let missing = |text: &str| Fault::Malformed(text.to_owned());
    let old = input.search.filter(|text| !text.is_empty());
    let replace = SearchReplace {
        old: old.ok_or_else(|| missing("Search text is required"))?,
        new: input
            .replace
            .ok_or_else(|| missing("Replacement is required; it may be empty"))?,
        guid: input.include_guid.unwrap_or(false),
        tables: input.tables.unwrap_or_default(),
        backup: true,
        ..SearchReplace::default()
    };
    if input.regex == Some(true) {
        let text = "regular expressions are not supported: lengths inside serialized values \
                    and the check afterwards need a plain text";
        return Err(Error::invalid(text).with_code(code::UNPROCESSABLE).into());
    }
    Ok((input.id, replace))
}
