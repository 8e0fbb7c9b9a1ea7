//! What of a dump is the site's, once all of it is read.

use super::{options::OtherTables, run::Work};
use crate::{
    Result,
    database::{
        client::{Client, quoted},
        dump::Relation,
        share::Share,
    },
};
use std::collections::BTreeSet;

impl Work<'_> {
    /// What is the site's, now that all of the dump is known. Only a network of the
    /// site's own owns `wp_2_posts`: where neither the database nor the dump has one,
    /// what the dump holds for such names is passed over after all.
    pub fn settle_share(&mut self, client: &mut Client, live: &[Relation]) -> Result<Share> {
        let network = format!("{}blogs", self.reader.share.prefix());
        let mut names: BTreeSet<&str> = live.iter().map(|one| one.name.as_str()).collect();
        if self.reader.tables.contains_key(&network) {
            names.insert(&network);
        }
        let share = Share::new(self.reader.share.prefix(), names);
        if self.options.others == OtherTables::Restore {
            return Ok(share);
        }
        let loaded = std::mem::take(&mut self.reader.tables);
        for (name, loading) in loaded {
            if share.stranger(&name).is_none() {
                self.reader.tables.insert(name, loading);
                continue;
            }
            let working = quoted(&loading.working);
            client.run(format!("DROP TABLE IF EXISTS {working}"))?;
            self.rows.remove(&name);
            self.later.retain(|(table, _)| *table != name);
            self.reader.passed_over.insert(format!("table {name}"));
        }
        let passed_over = &mut self.reader.passed_over;
        self.made.retain(|made| {
            let place = match made.kind {
                None => Some(&made.name),
                Some(_) => made.table.as_ref(),
            };
            let strange = place.is_some_and(|place| share.stranger(place).is_some());
            if strange && made.kind.is_none() {
                passed_over.insert(format!("view {}", made.name));
            }
            !strange
        });
        Ok(share)
    }
}
