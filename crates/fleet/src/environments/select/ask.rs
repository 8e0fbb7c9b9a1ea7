//! Asking which environments a selector names.

use super::{super::view::Names, picture::PictureSize, plain::Plain};
use crate::{
    Caller, Fleet, Result, Selecting,
    authorize::{Action, authorize_list},
    selector::{Answer, Selector, closest},
    views::Environment,
};
use pressroom_base::{Timestamp, id::EnvironmentId};
use pressroom_store::{EnvironmentRow, Scope, environments, tags};
use std::collections::HashMap;

/// What a selector found, by id.
#[derive(Debug, Clone)]
pub struct Selection {
    /// The environments for which it holds, by domain, then path.
    pub ids: Vec<EnvironmentId>,
    /// How many others there are of which too little is known to tell.
    pub undecided: usize,
    /// What may be wrong with the selector although it is understood.
    pub hint: Option<String>,
}

/// What a selector found.
#[derive(Debug, Clone)]
pub struct Selected {
    /// Those of the environments for which it holds that were asked for, by domain, then
    /// path.
    pub environments: Vec<Environment>,
    /// How many there are for which it holds.
    pub total: usize,
    /// How many others there are of which too little is known to tell.
    pub undecided: usize,
    /// What may be wrong with the selector although it is understood.
    pub hint: Option<String>,
}

/// What was found, with the rows where they had to be read to find it.
struct Found {
    selection: Selection,
    rows: HashMap<EnvironmentId, EnvironmentRow>,
    names: Option<Names>,
}

impl Fleet {
    /// The environments of the caller's accounts that a selector names; `Invalid` when it
    /// is not understood. Facts are those recorded: all that was committed, by whatever
    /// process, before this was called.
    pub async fn select(&self, caller: &Caller, selector: &str) -> Result<Selection> {
        Ok(self.found(caller, selector).await?.selection)
    }

    /// The same, all of them in the shape and order of [`Fleet::list_environments`]; old
    /// facts are refreshed behind the answer.
    pub async fn select_sites(&self, caller: &Caller, selector: &str) -> Result<Selected> {
        self.select_page(caller, selector, 0, usize::MAX).await
    }

    /// The same, `limit` of them after the first `offset`.
    pub async fn select_page(
        &self,
        caller: &Caller,
        selector: &str,
        offset: usize,
        limit: usize,
    ) -> Result<Selected> {
        let Found {
            selection,
            mut rows,
            names,
        } = self.found(caller, selector).await?;
        let shown: Vec<EnvironmentId> = selection
            .ids
            .iter()
            .skip(offset)
            .take(limit)
            .copied()
            .collect();
        let scope = caller.principal.scope();
        let unread: Vec<EnvironmentId> = shown
            .iter()
            .filter(|id| !rows.contains_key(id))
            .copied()
            .collect();
        for ids in unread.chunks(500) {
            let read = environments::get_many(&self.parts.store, ids).await?;
            rows.extend(read.into_iter().map(|row| (row.id, row)));
        }
        // Removed or given away just now, it is not shown any more.
        let shown: Vec<EnvironmentRow> = shown
            .iter()
            .filter_map(|id| rows.remove(id))
            .filter(|row| scope.allows(Some(row.account_id)))
            .collect();
        self.refresh_stale_behind(&shown);
        let names = match names {
            Some(names) => names,
            None => self.names_of_many(&scope, &shown).await?,
        };
        Ok(Selected {
            environments: self.views(&names, shown).await?,
            total: selection.ids.len(),
            undecided: selection.undecided,
            hint: selection.hint,
        })
    }

    /// How much is kept of the fleet to answer from; nothing before the first question.
    pub async fn picture_size(&self) -> PictureSize {
        self.picture.size().await
    }

    async fn found(&self, caller: &Caller, selector: &str) -> Result<Found> {
        authorize_list(&caller.principal, Action::SiteRead)?;
        let selector: Selector = selector.parse()?;
        let scope = caller.principal.scope();
        let (answer, rows, names) = match self.parts.settings.selecting {
            Selecting::Directly => {
                let plain = Plain::read(self, &selector, &scope).await?;
                let (answer, rows, names) = plain.answer(&selector, Timestamp::now());
                (answer, rows, Some(names))
            }
            Selecting::FromPicture => {
                let store = &self.parts.store;
                let answer = self.picture.answer(store, selector, scope.clone()).await?;
                (answer, HashMap::new(), None)
            }
        };
        let hint = self.hint(&answer, &scope).await?;
        let selection = Selection {
            ids: answer.found,
            undecided: answer.undecided,
            hint,
        };
        Ok(Found {
            selection,
            rows,
            names,
        })
    }

    /// A tag that nobody has is no fault, but mostly a slip, and one that `-tag:` hides.
    async fn hint(&self, answer: &Answer, scope: &Scope) -> Result<Option<String>> {
        let Some(unknown) = answer.unknown_tags.first() else {
            return Ok(None);
        };
        let there = tags::names(&self.parts.store, scope).await?;
        let close = closest(unknown, there.iter().map(String::as_str));
        Ok(Some(match close {
            Some(close) => format!("no site has the tag `{unknown}`; did you mean `{close}`?"),
            None => format!("no site has the tag `{unknown}`"),
        }))
    }
}
