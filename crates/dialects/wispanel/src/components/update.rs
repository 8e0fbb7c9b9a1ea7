//! T19, T25: updating.

use super::{Noun, Wanted};
use crate::{
    lookup::{installation, named, required_id},
    wire::{BulkUpdateOut, NamesIn, UpdateOut, UpdateResultOut, UpdatedOut},
    work,
};
use pressroom_base::Kind;
use pressroom_dialect_http::{Answer, Call, Fault};
use pressroom_fleet::{
    Error,
    authorize::Action,
    code,
    components::{ItemOutcome, Outcome, UpdateComponents, UpdateReport},
    views::{Environment, Job},
};

/// Updates one component, some, or all of a kind.
pub async fn update(call: Call, noun: &Noun, names: &impl NamesIn) -> Result<Answer, Fault> {
    let id = required_id(names.id())?;
    let wanted = Wanted::of(noun, names)?;
    let environment = installation(&call, Some(id), Action::ComponentUpdate).await?;
    let out = match wanted {
        Wanted::One(name) => one(&call, noun, &environment, name).await?,
        Wanted::Some(names) => some(&call, noun, &environment, names).await?,
        Wanted::All => bulk(&call, noun, &environment, Vec::new(), Vec::new()).await?,
    };
    Answer::ok(&out)
}

async fn one(
    call: &Call,
    noun: &Noun,
    environment: &Environment,
    name: String,
) -> Result<UpdateOut, Fault> {
    let job = start(call, noun, environment, vec![name.clone()])
        .await
        .map_err(|error| named(error, noun.title))?;
    if !job.is_final() {
        return Ok(running(job));
    }
    let item = report(&job)?.items.into_iter().next();
    let item = item.ok_or_else(|| work::failure(&job))?;
    if !succeeded(&item) {
        return Err(item_failure(&job, item).into());
    }
    let now = installation(call, Some(&environment.panel_id), Action::SiteRead).await?;
    let found = noun.find(&now, &name).cloned();
    let found = found.ok_or_else(|| Error::not_found(noun.title))?;
    let (plugin, theme) = noun.members(found);
    Ok(UpdateOut::One(Box::new(UpdatedOut {
        success: true,
        message: item.message,
        plugin,
        theme,
        old_version: item.old_version,
        new_version: item.new_version,
    })))
}

/// A plugin that is not installed does not keep the others from being updated. The
/// fleet looks at the disk before it says "not found", so the record is fresh then.
async fn some(
    call: &Call,
    noun: &Noun,
    environment: &Environment,
    names: Vec<String>,
) -> Result<UpdateOut, Fault> {
    match bulk(call, noun, environment, names.clone(), Vec::new()).await {
        Err(Fault::UseCase(error)) if error.kind() == Kind::NotFound => {}
        answered => return answered,
    }
    let now = installation(call, Some(&environment.panel_id), Action::ComponentUpdate).await?;
    let (known, unknown): (Vec<_>, Vec<_>) = names
        .into_iter()
        .partition(|name| noun.find(&now, name).is_some());
    let unknown = unknown
        .into_iter()
        .map(|name| missing(noun, name))
        .collect();
    if known.is_empty() {
        return Ok(UpdateOut::Bulk(summary(noun, unknown)));
    }
    bulk(call, noun, environment, known, unknown).await
}

/// `results` begins with what is known already.
async fn bulk(
    call: &Call,
    noun: &Noun,
    environment: &Environment,
    names: Vec<String>,
    mut results: Vec<UpdateResultOut>,
) -> Result<UpdateOut, Fault> {
    let job = start(call, noun, environment, names).await?;
    if !job.is_final() {
        return Ok(running(job));
    }
    results.extend(
        report(&job)?
            .items
            .into_iter()
            .map(|item| result(noun, item)),
    );
    Ok(UpdateOut::Bulk(summary(noun, results)))
}

async fn start(
    call: &Call,
    noun: &Noun,
    environment: &Environment,
    slugs: Vec<String>,
) -> Result<Job, Error> {
    let update = UpdateComponents {
        kind: noun.kind.into(),
        slugs,
    };
    let job = call
        .fleet
        .update_components(&call.caller, environment.id, update)
        .await?;
    work::wait(call, &job).await
}

fn running(job: Job) -> UpdateOut {
    UpdateOut::Running(work::running(job, "The update is still running"))
}

fn report(job: &Job) -> Result<UpdateReport, Error> {
    work::report(job)
}

fn item_failure(job: &Job, item: ItemOutcome) -> Error {
    match item.outcome {
        Outcome::TakenBack => Error::new(Kind::Remote, item.message).with_code(code::TAKEN_BACK),
        _ => match &job.error {
            Some(error) => Error::new(error.kind, item.message),
            None => Error::new(Kind::Remote, item.message),
        },
    }
}

fn succeeded(item: &ItemOutcome) -> bool {
    matches!(item.outcome, Outcome::Updated | Outcome::Unchanged)
}

fn result(noun: &Noun, item: ItemOutcome) -> UpdateResultOut {
    let success = succeeded(&item);
    let (plugin, theme) = noun.named(item.slug);
    UpdateResultOut {
        plugin,
        theme,
        success,
        message: item.message,
        old_version: Some(item.old_version),
        new_version: Some(item.new_version),
    }
}

fn missing(noun: &Noun, name: String) -> UpdateResultOut {
    let (plugin, theme) = noun.named(name);
    UpdateResultOut {
        plugin,
        theme,
        success: false,
        message: format!("{} not found", noun.title),
        old_version: None,
        new_version: None,
    }
}

fn summary(noun: &Noun, results: Vec<UpdateResultOut>) -> BulkUpdateOut {
    let done = results.iter().filter(|result| result.success).count();
    let all = results.len();
    BulkUpdateOut {
        success: done == all,
        message: format!("{done} of {all} {}s are up to date", noun.kind),
        results,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::components::PLUGIN;
    use crate::testing::{ended, error};
    use serde_json::json;

    #[test]
    fn what_was_taken_back_is_the_sites_failure_in_its_own_words() {
        let result = json!({ "items": [{
            "slug": "wordfence", "outcome": "taken_back", "old_version": "8.0",
            "new_version": "8.0", "offered_version": "8.1", "tree_before": "a",
            "tree_now": "a", "message": "8.1 broke the home page; 8.0 is live again",
        }]});
        let failed = error(Kind::Remote, code::TAKEN_BACK, "something else");
        let job = ended("failed", Some(result), Some(failed));
        let item = report(&job).expect("a report").items.remove(0);
        assert!(!succeeded(&item));
        let failure = item_failure(&job, item);
        assert_eq!(
            (failure.kind(), failure.code()),
            (Kind::Remote, Some(code::TAKEN_BACK))
        );
        assert_eq!(
            failure.message(),
            "8.1 broke the home page; 8.0 is live again"
        );
    }

    #[test]
    fn the_worst_of_several_decides() {
        assert!(summary(&PLUGIN, Vec::new()).success);
        assert!(!summary(&PLUGIN, vec![missing(&PLUGIN, "x".into())]).success);
    }
}
