//! What is dumped, and what of it may be read.

use super::{
    DumpOptions, Relation, RelationKind, Scope, columns, insertable, relations, select_list,
    work::{Plan, Planned, Work, named},
};
use crate::{
    Error, Result,
    database::{client::quoted, share::Share, working},
};

impl Work<'_> {
    /// Decides what is dumped, and finds out what may be read.
    pub fn plan(&mut self) -> Result<Plan> {
        let mut plan = Plan {
            whole: true,
            ..Plan::default()
        };
        let mut unreadable = Vec::new();
        let relations = relations(&mut self.client)?;
        let names = relations.iter().map(|relation| relation.name.as_str());
        self.share = Share::new(self.share.prefix(), names);
        for relation in relations {
            // What a restore works on belongs to no site.
            if working::parse(&relation.name).is_some() {
                continue;
            }
            if !self.in_scope(&relation.name) {
                plan.whole = false;
                self.tell_stranger(&relation);
                continue;
            }
            if !chosen(self.options, &relation.name) {
                continue;
            }
            match relation.kind {
                RelationKind::View => plan.views.push(relation.name),
                RelationKind::Sequence => plan.sequences.push(relation.name),
                RelationKind::Table | RelationKind::Versioned => {
                    let columns = columns(&mut self.client, &relation.name)?;
                    let structure_only = matches_any(&self.options.structure_only, &relation.name);
                    let columns = insertable(columns);
                    let probe = format!(
                        "SELECT {} FROM {} LIMIT 0",
                        select_list(&columns),
                        quoted(&relation.name)
                    );
                    // A table of which the user may see no column hides them.
                    let allowed = match self.client.run(probe) {
                        Ok(()) => !columns.is_empty(),
                        Err(why) if why.is_denied() => false,
                        Err(why) => return Err(named(&relation.name, why)),
                    };
                    if allowed || structure_only {
                        plan.tables.push(Planned {
                            relation,
                            columns,
                            structure_only,
                        });
                    } else {
                        self.missing("SELECT", &relation.name);
                        unreadable.push(relation.name);
                    }
                }
            }
        }
        if !unreadable.is_empty() && !self.options.skip_unreadable {
            let list: Vec<String> = unreadable
                .iter()
                .map(|table| format!("`SELECT` on `{table}`"))
                .collect();
            return Err(Error::Database(format!(
                "the database user lacks {}",
                list.join(", ")
            )));
        }
        for table in unreadable {
            self.leave_out("table", &table, "the user may not read it");
        }
        Ok(plan)
    }

    fn in_scope(&self, name: &str) -> bool {
        match self.options.scope {
            Scope::Database => true,
            Scope::Prefix => self.share.holds(name),
        }
    }

    /// Names what looks like the site's own and is another's.
    fn tell_stranger(&mut self, relation: &Relation) {
        let kind = match relation.kind {
            RelationKind::View => "view",
            RelationKind::Sequence => "sequence",
            RelationKind::Table | RelationKind::Versioned => "table",
        };
        if let Some(other) = self.share.stranger(&relation.name) {
            let why = format!("it belongs to another WordPress, with the prefix `{other}`");
            self.leave_out(kind, &relation.name, &why);
        }
    }
}

/// Whether a name is asked for.
pub(super) fn chosen(options: &DumpOptions, name: &str) -> bool {
    (options.include.is_empty() || matches_any(&options.include, name))
        && !matches_any(&options.exclude, name)
}

fn matches_any(patterns: &[String], name: &str) -> bool {
    patterns
        .iter()
        .any(|pattern| match pattern.strip_suffix('*') {
            Some(start) => name.starts_with(start),
            None => name == pattern,
        })
}
