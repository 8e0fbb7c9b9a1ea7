//! What is done with each table that the update changed, made or dropped.

use super::{
    super::{
        compare::find,
        options::{Made, TableMerge},
        record::{Image, Record},
        work::Work,
    },
    exchange::Rebuild,
    look::told,
    rows::RowPlan,
};
use crate::Result;

/// What is done with a table.
pub(super) enum Plan {
    /// Nothing: as said.
    Told(TableMerge),
    Rows(RowPlan),
    Rebuild(Box<Rebuild>),
}

impl Work<'_> {
    pub(super) fn plan(&mut self, record: &mut Record, now: &[Image]) -> Result<Vec<Plan>> {
        let mut plans = Vec::new();
        let exchanged = self.exchanged(&record.stem)?;
        for after in record.after.clone() {
            let before = find(&record.before, &after.name).cloned();
            let now = find(now, &after.name).cloned();
            let is_done = exchanged.iter().any(|one| one.name == after.name);
            plans.push(match (before, now) {
                // It was put in place before; who writes there since is nobody's business.
                (Some(before), Some(now)) if is_done => Plan::Told(self.already(&before, &now)?),
                (Some(before), Some(now)) => self.plan_one(record, before, after, now)?,
                (Some(_), None) => Plan::Told(told(
                    &after.name,
                    Made::Kept,
                    "somebody dropped it since the update; it stays dropped",
                )),
                (None, Some(_)) if is_done => Plan::Told(told(
                    &after.name,
                    Made::Kept,
                    "somebody made it again since the update was taken back",
                )),
                (None, Some(now)) => Plan::Rebuild(Box::new(Rebuild {
                    name: after.name.clone(),
                    before: None,
                    after: Some(after),
                    now: Some(now),
                    replay: None,
                    keep_added: false,
                    base: None,
                    aside: None,
                    unfit: Vec::new(),
                })),
                (None, None) => Plan::Told(told(&after.name, Made::Already, "")),
            });
        }
        for name in record.gone.clone() {
            let Some(before) = find(&record.before, &name).cloned() else {
                continue;
            };
            plans.push(match find(now, &name) {
                Some(now) if now.is_same(&before) || exchanged.iter().any(|it| it.name == name) => {
                    Plan::Told(self.already(&before, now)?)
                }
                Some(_) => Plan::Told(told(
                    &name,
                    Made::Kept,
                    "the update had dropped it, and somebody made it again; it stays as it is",
                )),
                None => Plan::Rebuild(Box::new(Rebuild {
                    name,
                    before: Some(before),
                    after: None,
                    now: None,
                    replay: None,
                    keep_added: false,
                    base: None,
                    aside: None,
                    unfit: Vec::new(),
                })),
            });
        }
        Ok(plans)
    }

    fn plan_one(
        &mut self,
        record: &mut Record,
        before: Image,
        after: Image,
        now: Image,
    ) -> Result<Plan> {
        if now.is_same(&before) {
            return Ok(Plan::Told(self.already(&before, &now)?));
        }
        let name = before.name.clone();
        let plain = |image: &Image| image.triggers.is_empty();
        let in_place = before.structure == after.structure
            && before.structure == now.structure
            && [&before, &after, &now].into_iter().all(plain);
        if in_place && let Some(keyed) = self.keyed(&name)? {
            return Ok(Plan::Rows(RowPlan {
                list: self.work_name(record, &name)?,
                rules: self.rules(&name),
                keyed,
                before: before.copy,
                after: after.copy,
                transactional: now.transactional,
                keep_added: record.late && record.open,
                name,
            }));
        }
        if !now.is_built_as(&after) {
            return Ok(Plan::Told(told(
                &name,
                Made::Kept,
                "somebody changed its structure since the update; it stays as it is",
            )));
        }
        Ok(Plan::Rebuild(Box::new(Rebuild {
            replay: self.replay_of(record, &name, &name)?,
            before: Some(before),
            after: Some(after),
            now: Some(now),
            keep_added: record.late && record.open,
            base: None,
            aside: None,
            unfit: Vec::new(),
            name,
        })))
    }
}
