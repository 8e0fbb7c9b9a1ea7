//! Which components are in use, as the site's tables say.

use super::{FoundComponent, Inspection, Place, inspect_with};
use crate::{
    Error, Result,
    config::{self, Settings},
    database::{self, SiteFacts},
    home::Home,
    kind::ComponentKind,
    watch::Watch,
};
use serde::{Deserialize, Serialize};
use std::{panic::resume_unwind, thread};

/// Files and tables of a site, looked at together.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Survey {
    /// What is on disk, with what is in use.
    pub inspection: Inspection,
    /// What is in the tables; `None` when the database did not answer.
    pub facts: Option<SiteFacts>,
    /// Why it did not.
    pub trouble: Option<String>,
}

/// Inspects the WordPress in `root` and asks its database, `options` besides the
/// usual ones. With `php`, a configuration that cannot be read is evaluated. A
/// database that does not answer leaves what is in use unknown, and is no failure.
pub fn survey(
    home: &Home,
    root: &str,
    php: Option<&str>,
    options: &[String],
    watch: &Watch,
) -> Result<Survey> {
    let settings = match config::read_or_evaluate(home, root, php, watch) {
        Err(Error::Missing(_) | Error::BadPath(_)) => Settings::default(),
        other => other?,
    };
    // Neither waits for the other: one is the disk's time, one the server's.
    let (inspection, facts) = thread::scope(|scope| {
        let database = settings.clone();
        let facts = scope.spawn(move || database::read_facts(&database, options, watch));
        let inspection = inspect_with(home, root, settings, watch);
        let facts = facts.join().unwrap_or_else(|panic| resume_unwind(panic));
        (inspection, facts)
    });
    let mut inspection = inspection?;
    let (facts, trouble) = match facts {
        Ok(facts) => (Some(facts), None),
        Err(why @ (Error::Deadline | Error::Cancelled)) => return Err(why),
        Err(why) => (None, Some(why.to_string())),
    };
    if let Some(facts) = &facts {
        mark_active(&mut inspection, facts);
    }
    Ok(Survey {
        inspection,
        facts,
        trouble,
    })
}

/// Writes into an inspection what the tables say is in use. Must-use plugins and
/// drop-ins always are.
pub fn mark_active(inspection: &mut Inspection, facts: &SiteFacts) {
    for found in &mut inspection.components {
        match (found.place, found.kind) {
            (Place::MustUse | Place::DropIn, _) => found.active = Some(true),
            (Place::Normal, ComponentKind::Plugin) => plugin(found, facts),
            (Place::Normal, ComponentKind::Theme) => theme(found, facts),
        }
    }
}

fn plugin(found: &mut FoundComponent, facts: &SiteFacts) {
    let network_list = facts
        .network
        .as_ref()
        .and_then(|network| network.active_plugins.as_ref());
    found.network_active = network_list.map(|list| list.contains(&found.file));
    let active = |file: &String| -> Option<bool> {
        let here = facts
            .active_plugins
            .as_ref()
            .map(|list| list.contains(file));
        match (here, network_list, &facts.network) {
            (Some(true), ..) => Some(true),
            (_, Some(list), _) if list.contains(file) => Some(true),
            // Not asked, or not understood, on a network: it may be active there.
            (_, None, Some(_)) => None,
            (here, ..) => here,
        }
    };
    found.active = active(&found.file);
    for other in &mut found.others {
        other.active = active(&other.file);
    }
    found.active_on = facts
        .network
        .iter()
        .flat_map(|network| &network.blogs)
        .filter(|blog| {
            let list = blog.active_plugins.as_ref();
            list.is_some_and(|list| list.contains(&found.file))
        })
        .map(|blog| blog.id)
        .collect();
}

fn theme(found: &mut FoundComponent, facts: &SiteFacts) {
    found.active = facts
        .options
        .get("stylesheet")
        .map(|active| *active == found.slug);
    found.active_on = facts
        .network
        .iter()
        .flat_map(|network| &network.blogs)
        .filter(|blog| blog.stylesheet.as_ref() == Some(&found.slug))
        .map(|blog| blog.id)
        .collect();
}
