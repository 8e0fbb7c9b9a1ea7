//! T19: updating plugins.

use super::{KIND, find};
use crate::{
    lookup::{installation, named, required_id},
    wire::{BulkUpdateOut, UpdatePluginIn, UpdatePluginOut, UpdateResultOut, UpdatedOut},
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

/// Plugins that one request may name.
const BULK: usize = 50;
const ALL: &str = "all";

/// What was asked for.
#[derive(Debug, PartialEq, Eq)]
enum Wanted {
    One(String),
    Some(Vec<String>),
    All,
}

/// Updates one plugin, some, or all.
pub async fn update(call: Call) -> Result<Answer, Fault> {
    let input: UpdatePluginIn = call.body()?;
    let id = required_id(input.id.as_deref())?;
    let wanted = Wanted::of(&input)?;
    let environment = installation(&call, Some(id), Action::ComponentUpdate).await?;
    let out = match wanted {
        Wanted::One(plugin) => one(&call, &environment, plugin).await?,
        Wanted::Some(plugins) => some(&call, &environment, plugins).await?,
        Wanted::All => bulk(&call, &environment, Vec::new(), Vec::new()).await?,
    };
    Answer::ok(&out)
}

impl Wanted {
    fn of(input: &UpdatePluginIn) -> Result<Self, Fault> {
        let refuse = |text: &str| Err(Fault::Malformed(text.to_owned()));
        match (&input.plugin, &input.plugins) {
            (Some(_), Some(_)) => refuse("Give `plugin` or `plugins`, not both"),
            (None, Some(list)) if list.is_empty() || list.len() > BULK => Err(Fault::Malformed(
                format!("`plugins` must name 1 to {BULK} plugins"),
            )),
            (None, Some(list)) if list.iter().any(String::is_empty) => {
                refuse("`plugins` contains an empty name")
            }
            (None, Some(list)) => Ok(Self::Some(list.clone())),
            (Some(name), None) if name == ALL => Ok(Self::All),
            (Some(name), None) if !name.is_empty() => Ok(Self::One(name.clone())),
            (Some(_) | None, None) => refuse("Plugin is required"),
        }
    }
}

async fn one(
    call: &Call,
    environment: &Environment,
    plugin: String,
) -> Result<UpdatePluginOut, Fault> {
    let job = start(call, environment, vec![plugin.clone()])
        .await
        .map_err(|error| named(error, "Plugin"))?;
    if !job.is_final() {
        return Ok(running(job));
    }
    let item = report(&job)?.items.into_iter().next();
    let item = item.ok_or_else(|| work::failure(&job))?;
    if !succeeded(&item) {
        return Err(item_failure(&job, item).into());
    }
    let now = installation(call, Some(&environment.panel_id), Action::SiteRead).await?;
    let plugin = find(&now, &plugin).ok_or_else(|| Error::not_found("Plugin"))?;
    Ok(UpdatePluginOut::One(Box::new(UpdatedOut {
        success: true,
        message: item.message,
        plugin,
        old_version: item.old_version,
        new_version: item.new_version,
    })))
}

/// A plugin that is not installed does not keep the others from being updated. The
/// fleet looks at the disk before it says "not found", so the record is fresh then.
async fn some(
    call: &Call,
    environment: &Environment,
    plugins: Vec<String>,
) -> Result<UpdatePluginOut, Fault> {
    match bulk(call, environment, plugins.clone(), Vec::new()).await {
        Err(Fault::UseCase(error)) if error.kind() == Kind::NotFound => {}
        answered => return answered,
    }
    let now = installation(call, Some(&environment.panel_id), Action::ComponentUpdate).await?;
    let (known, unknown): (Vec<_>, Vec<_>) = plugins
        .into_iter()
        .partition(|plugin| find(&now, plugin).is_some());
    let unknown = unknown.into_iter().map(missing).collect();
    if known.is_empty() {
        return Ok(UpdatePluginOut::Bulk(summary(unknown)));
    }
    bulk(call, environment, known, unknown).await
}

/// `results` begins with what is known already.
async fn bulk(
    call: &Call,
    environment: &Environment,
    plugins: Vec<String>,
    mut results: Vec<UpdateResultOut>,
) -> Result<UpdatePluginOut, Fault> {
    let job = start(call, environment, plugins).await?;
    if !job.is_final() {
        return Ok(running(job));
    }
    results.extend(report(&job)?.items.into_iter().map(UpdateResultOut::from));
    Ok(UpdatePluginOut::Bulk(summary(results)))
}

async fn start(call: &Call, environment: &Environment, slugs: Vec<String>) -> Result<Job, Error> {
    let update = UpdateComponents {
        kind: KIND.into(),
        slugs,
    };
    let job = call
        .fleet
        .update_components(&call.caller, environment.id, update)
        .await?;
    work::wait(call, &job).await
}

fn running(job: Job) -> UpdatePluginOut {
    UpdatePluginOut::Running(work::running(job, "The update is still running"))
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

impl From<ItemOutcome> for UpdateResultOut {
    fn from(item: ItemOutcome) -> Self {
        Self {
            success: succeeded(&item),
            plugin: item.slug,
            message: item.message,
            old_version: Some(item.old_version),
            new_version: Some(item.new_version),
        }
    }
}

fn missing(plugin: String) -> UpdateResultOut {
    UpdateResultOut {
        plugin,
        success: false,
        message: "Plugin not found".into(),
        old_version: None,
        new_version: None,
    }
}

fn summary(results: Vec<UpdateResultOut>) -> BulkUpdateOut {
    let done = results.iter().filter(|result| result.success).count();
    let all = results.len();
    BulkUpdateOut {
        success: done == all,
        message: format!("{done} of {all} plugins are up to date"),
        results,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{ended, error};
    use serde_json::json;

    fn wanted(body: &str) -> Result<Wanted, Fault> {
        Wanted::of(&serde_json::from_str(body).expect("a body"))
    }

    #[test]
    fn one_some_or_all_plugins_may_be_named() {
        assert_eq!(
            wanted(r#"{"plugin":"a"}"#).expect("one"),
            Wanted::One("a".into())
        );
        assert_eq!(wanted(r#"{"plugin":"all"}"#).expect("all"), Wanted::All);
        assert_eq!(
            wanted(r#"{"plugins":["all","b/b.php"]}"#).expect("some"),
            Wanted::Some(vec!["all".into(), "b/b.php".into()])
        );
        let many = format!(r#"{{"plugins":[{}"x"]}}"#, r#""x","#.repeat(BULK));
        let bad = [
            "{}",
            r#"{"plugin":""}"#,
            r#"{"plugins":[]}"#,
            r#"{"plugins":[""]}"#,
            &many,
        ];
        for body in bad.into_iter().chain([r#"{"plugin":"a","plugins":["b"]}"#]) {
            assert!(matches!(wanted(body), Err(Fault::Malformed(_))), "{body}");
        }
    }

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
        assert!(summary(Vec::new()).success);
        assert!(!summary(vec![missing("x".into())]).success);
    }
}
