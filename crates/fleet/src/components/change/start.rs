//! Asking for a change.

use crate::{Caller, Error, Fleet, Result, authorize::Action, code, jobs::Enqueue, views::Job};
use pressroom_base::{Secret, catalog::event, id::EnvironmentId};
use pressroom_providers::outgoing;
use pressroom_store::{ComponentRow, components};
use serde::{Deserialize, Serialize};

/// Components that one request may name.
const MOST: usize = 50;
/// Characters of a name.
const LONGEST: usize = 200;

/// What to do with which components.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct ChangeComponents {
    /// `plugin` or `theme`.
    pub kind: String,
    /// Slugs, or main files such as `akismet/akismet.php`; 1 to 50.
    pub names: Vec<String>,
    /// What to do.
    #[serde(flatten)]
    pub change: Change,
}

/// What to do with components.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "change", rename_all = "snake_case")]
pub enum Change {
    /// Put there what a package source has, or what lies at an address.
    Install {
        /// A certain version instead of the one that is offered.
        version: Option<String>,
        /// `https` address of a zip on a public host, for one component. What a job has stored
        /// of it may only be shown.
        source: Option<String>,
        /// And activate it; when that fails it is not installed either.
        activate: bool,
    },
    /// Put it to use. Of themes the last one named is active at the end.
    Activate,
    /// Put it out of use. In place of an active theme comes the newest installed default theme.
    Deactivate,
    /// Run its uninstall routine and remove its files.
    Delete {
        /// A plugin that is active is deactivated first.
        force: bool,
    },
}

impl ChangeComponents {
    /// Refuses what can be done nowhere.
    pub(crate) fn check(&self) -> Result<()> {
        let names = &self.names;
        if names.is_empty() || names.len() > MOST {
            return Err(Error::invalid(format!(
                "1 to {MOST} {}s must be named",
                self.kind
            )));
        }
        let bad = |name: &&String| {
            name.is_empty()
                || name.chars().count() > LONGEST
                || name.chars().any(char::is_control)
                || name.split('/').any(|part| matches!(part, "" | "." | ".."))
        };
        if let Some(name) = names.iter().find(bad) {
            return Err(Error::invalid(format!(
                "`{}` is not the name of a {}",
                name.chars().take(80).collect::<String>().escape_debug(),
                self.kind
            )));
        }
        let Change::Install {
            version, source, ..
        } = &self.change
        else {
            return Ok(());
        };
        if names.len() > 1 && (source.is_some() || version.is_some()) {
            return Err(Error::invalid(format!(
                "a version or a source is for one {}",
                self.kind
            )));
        }
        match source.as_deref().map(url::Url::parse) {
            Some(_) if version.is_some() => {
                Err(Error::invalid("give a version or a source, not both"))
            }
            Some(Ok(url)) if url.scheme() == "https" && url.has_host() => Ok(()),
            Some(_) => Err(
                Error::invalid("the source must be an `https` address of a zip")
                    .with_code(code::UNPROCESSABLE),
            ),
            None => Ok(()),
        }
    }
}

impl Change {
    /// What it is called in names of steps and in output.
    pub(crate) const fn verb(&self) -> &'static str {
        match self {
            Self::Install { .. } => "install",
            Self::Activate => "activate",
            Self::Deactivate => "deactivate",
            Self::Delete { .. } => "delete",
        }
    }

    /// The address of a package, which may hold a password or a signature: the job is given
    /// it in confidence, and in its payload only what may be shown of it.
    fn hide_source(&mut self) -> Option<Secret<String>> {
        let Self::Install { source, .. } = self else {
            return None;
        };
        let whole = source.take()?;
        *source = url::Url::parse(&whole)
            .ok()
            .map(|url| outgoing::shown(&url));
        Some(Secret::new(whole))
    }
}

impl Fleet {
    /// Starts the change as a job; wait for it with [`Fleet::wait_for_job`].
    ///
    /// Errors: `Invalid` (names, source), `Busy` with `OPERATION_RUNNING`, `Unreachable`. The
    /// job ends `completed` when every component is as asked, otherwise `failed` with the first
    /// failure; it has a [`super::ChangeReport`] either way. Failures of a component: `NotFound`
    /// (not installed; no source has it), `Invalid` with `UNPROCESSABLE` (a damaged package,
    /// a private address, a must-use plugin, requirements not met, an active one to delete),
    /// `Conflict` (something else is in its place; no default theme to switch to), `Remote`
    /// (the site does not live with it: then it is as before, with `TAKEN_BACK`).
    pub async fn change_components(
        &self,
        caller: &Caller,
        environment: EnvironmentId,
        change: ChangeComponents,
    ) -> Result<Job> {
        let row = self
            .environment_row(caller, Action::ComponentUpdate, environment)
            .await?;
        if let Some(id) = caller.earlier_job() {
            return self.job_by_id(caller, Action::ComponentUpdate, id).await;
        }
        change.check()?;
        // What is recorded may be older than the disk, and a site that cannot be reached is
        // told at once.
        self.refresh_row(&row.env).await?;
        let installed = components::list(&self.parts.store, environment).await?;
        let mut change = resolve(change, &installed);
        let source = change.change.hide_source();
        let mut job = Enqueue::writing("component_change", &row.env, &change)?
            .with_event(event::COMPONENT_CHANGE_STARTED);
        if let Some(source) = source {
            job = job.with_plain_secret(source);
        }
        self.start_job(caller, Action::ComponentUpdate, job).await
    }
}

/// Turns what was asked for into slugs, each once. What is not there stays as it was said: a
/// theme may be too broken to be listed, and what is to be installed is not there yet.
fn resolve(asked: ChangeComponents, installed: &[ComponentRow]) -> ChangeComponents {
    let mut names: Vec<String> = Vec::new();
    for name in &asked.names {
        let found = installed
            .iter()
            .filter(|row| row.kind == asked.kind && (row.slug == *name || row.file == *name))
            .min_by_key(|row| row.place != "normal");
        let slug = match (found, &asked.change) {
            (Some(row), _) => row.slug.as_str(),
            (None, Change::Install { .. }) => name.split('/').next().unwrap_or(name),
            (None, _) => name,
        };
        if !names.iter().any(|known| known == slug) {
            names.push(slug.to_owned());
        }
    }
    ChangeComponents { names, ..asked }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn install(names: &[&str], version: Option<&str>, source: Option<&str>) -> ChangeComponents {
        ChangeComponents {
            kind: "plugin".into(),
            names: names.iter().map(|name| (*name).to_owned()).collect(),
            change: Change::Install {
                version: version.map(str::to_owned),
                source: source.map(str::to_owned),
                activate: false,
            },
        }
    }

    #[test]
    fn what_may_be_asked_for() {
        let source = Some("https://example.com/a.zip");
        for good in [
            install(&["a", "b/b.php"], None, None),
            install(&["a"], Some("1.0"), None),
            install(&["a"], None, source),
        ] {
            assert!(check(&good).is_ok(), "{good:?}");
        }
        for bad in [
            install(&[], None, None),
            install(&[""], None, None),
            install(&["../x"], None, None),
            install(&["a/"], None, None),
            install(&["a\0"], None, None),
            install(&["a", "b"], Some("1.0"), None),
            install(&["a", "b"], None, source),
            install(&["a"], Some("1.0"), source),
            install(&["a"], None, Some("http://example.com/a.zip")),
            install(&["a"], None, Some("a.zip")),
        ] {
            assert!(check(&bad).is_err(), "{bad:?}");
        }
        let many = vec!["a"; MOST + 1];
        assert!(check(&install(&many, None, None)).is_err());
    }

    #[test]
    fn what_is_stored_says_what_to_do() {
        let stored = serde_json::to_value(install(&["a"], None, None)).expect("JSON");
        assert_eq!(stored["change"], "install");
        let read: ChangeComponents = serde_json::from_value(stored).expect("a change");
        assert_eq!(read.change.verb(), "install");
    }

    #[test]
    fn a_secret_of_an_address_is_not_stored() {
        let whole = "https://user:pass@example.com/a.zip?signature=x#y";
        let mut asked = install(&["a"], None, Some(whole));
        let secret = asked.change.hide_source().expect("an address");
        assert_eq!(secret.expose(), whole);
        let stored = serde_json::to_value(&asked).expect("JSON");
        assert_eq!(stored["source"], "https://example.com/a.zip");
        assert!(asked.change.hide_source().is_some());
        assert!(install(&["a"], None, None).change.hide_source().is_none());
    }

    #[test]
    fn names_become_slugs() {
        let resolved = resolve(install(&["b/b.php", "b", "a"], None, None), &[]);
        assert_eq!(resolved.names, ["b", "a"]);
    }
}
