//! T16–T18, T20 and T22–T24, T26: installing, activating, deactivating, deleting.

use super::{Noun, Wanted};
use crate::{
    lookup::{installation, required_id},
    wire::{BulkChangeOut, ChangeOut, ChangeResultOut, ChangedOut, NamesIn},
    work,
};
use pressroom_dialect_http::{Answer, Call, Fault};
use pressroom_fleet::{
    authorize::Action,
    components::{Change, ChangeComponents, ChangeOutcome, ChangeReport},
    views::{Environment, Job},
};

/// Does one thing with the components that a body names.
pub async fn change(
    call: Call,
    noun: &Noun,
    names: &impl NamesIn,
    change: Change,
) -> Result<Answer, Fault> {
    let id = required_id(names.id())?;
    let wanted = Wanted::of(noun, names)?;
    let environment = installation(&call, Some(id), Action::ComponentUpdate).await?;
    let is_bulk = matches!(wanted, Wanted::Some(_));
    let names = match wanted {
        Wanted::One(name) => vec![name],
        Wanted::Some(names) => names,
        // Nobody deletes all plugins by a word: a slug like any other.
        Wanted::All => vec!["all".to_owned()],
    };
    let asked = ChangeComponents {
        kind: noun.kind.into(),
        names: names.clone(),
        change: change.clone(),
    };
    let job = call
        .fleet
        .change_components(&call.caller, environment.id, asked)
        .await?;
    let job = work::wait(&call, &job).await?;
    if !job.is_final() {
        let out = ChangeOut::Running(work::running(job, "This is still running"));
        return Answer::ok(&out);
    }
    let report: ChangeReport = work::report(&job)?;
    if is_bulk {
        return Answer::ok(&ChangeOut::Bulk(bulk(noun, &job, names, report)?));
    }
    let item = report.items.into_iter().next();
    let item = item.ok_or_else(|| work::failure(&job))?;
    if let Some(failure) = item.failure() {
        return Err(failure.into());
    }
    let now = installation(&call, Some(id), Action::SiteRead).await?;
    let is_new = item.changed && matches!(change, Change::Install { .. });
    let out = ChangeOut::One(Box::new(changed(noun, &now, &change, item)));
    if is_new {
        Answer::created(&out)
    } else {
        Answer::ok(&out)
    }
}

fn changed(noun: &Noun, now: &Environment, change: &Change, item: ChangeOutcome) -> ChangedOut {
    let title = noun.title;
    let message = match (change, item.changed) {
        (Change::Install { .. }, true) => format!("{title} installed"),
        (Change::Install { .. }, false) => format!("{title} is already installed"),
        (Change::Delete { .. }, _) => format!("{title} deleted"),
        (Change::Activate | Change::Deactivate, _) => item.message,
    };
    let found = noun.find(now, &item.slug).cloned();
    let (plugin, theme) = found.map_or((None, None), |found| noun.members(found));
    ChangedOut {
        success: true,
        message,
        plugin,
        theme,
        active_theme: item.active_theme,
    }
}

/// One result for each component, those included that a job which broke off never came to.
fn bulk(
    noun: &Noun,
    job: &Job,
    names: Vec<String>,
    report: ChangeReport,
) -> Result<BulkChangeOut, Fault> {
    if report.items.is_empty() {
        return Err(work::failure(job).into());
    }
    let is_told = |name: &String| {
        let folder = name.split('/').next().unwrap_or(name);
        let file = folder.strip_suffix(".php").unwrap_or(folder);
        let mut items = report.items.iter();
        items.any(|item| [name.as_str(), folder, file].contains(&item.slug.as_str()))
    };
    let untold: Vec<String> = names.into_iter().filter(|name| !is_told(name)).collect();
    let result = |name: String, success, changed, message| {
        let (plugin, theme) = noun.named(name);
        ChangeResultOut {
            plugin,
            theme,
            success,
            changed,
            message,
        }
    };
    let mut results: Vec<ChangeResultOut> = report
        .items
        .into_iter()
        .map(|item| {
            result(
                item.slug.clone(),
                item.is_success(),
                item.changed,
                item.message,
            )
        })
        .collect();
    if job.state != "completed" {
        let untold = untold.into_iter();
        results.extend(untold.map(|name| result(name, false, false, "Not done".to_owned())));
    }
    let done = results.iter().filter(|result| result.success).count();
    let all = results.len();
    Ok(BulkChangeOut {
        success: done == all,
        message: format!("{done} of {all} {}s are as asked", noun.kind),
        results,
    })
}
