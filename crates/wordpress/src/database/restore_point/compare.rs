//! What tables the site has, and what is in them.

use super::{
    options::NotKept,
    record::{Image, Record},
    work::Work,
};
use crate::{
    Error, Result,
    database::{
        checksum::{checksums, structure_of},
        client::quoted,
        dump::{Program, Relation, RelationKind, relations, triggers_of},
        facts::user_tables,
        share::Share,
        working,
    },
};

/// Engines whose tables are copied and written as others are. The rest keeps rows
/// elsewhere, in memory, or lets nobody change them.
const ENGINES: [&str; 6] = ["InnoDB", "XtraDB", "RocksDB", "TokuDB", "MyISAM", "Aria"];

/// What of the database is the site's.
pub(super) struct Scope {
    /// By name.
    pub tables: Vec<Relation>,
    /// Their statements, by name.
    pub views: Vec<(String, String)>,
    /// What is not kept, and why.
    pub left_out: Vec<NotKept>,
}

/// How a table is defined.
pub(super) struct Definition {
    pub create: Vec<u8>,
    pub structure: String,
    pub triggers: Vec<Program>,
}

impl Work<'_> {
    /// What is the site's: all that has its prefix, also on a network, and its users where
    /// `wp-config.php` keeps them under another name.
    pub fn scope(&mut self, leave_out: &[String]) -> Result<Scope> {
        let relations = relations(&mut self.client)?;
        let share = Share::new(
            self.connection.prefix(),
            relations.iter().map(|relation| relation.name.as_str()),
        );
        let users = user_tables(self.settings, self.connection.prefix());
        let mut scope = Scope {
            tables: Vec::new(),
            views: Vec::new(),
            left_out: Vec::new(),
        };
        for relation in relations {
            let name = &relation.name;
            let is_users = users
                .as_ref()
                .is_some_and(|users| *name == users.users || *name == users.meta);
            if working::parse(name).is_some() || !(is_users || share.holds(name)) {
                continue;
            }
            let why = match relation.kind {
                RelationKind::View => {
                    let text = self.view(name)?;
                    scope.views.push((name.clone(), text));
                    continue;
                }
                RelationKind::Sequence => Some("it is a sequence".to_owned()),
                _ if chosen(leave_out, name) => Some("it was to be left out".to_owned()),
                _ if !ENGINES
                    .iter()
                    .any(|it| it.eq_ignore_ascii_case(&relation.engine)) =>
                {
                    Some(format!("its engine is `{}`", relation.engine))
                }
                _ => None,
            };
            match why {
                Some(why) => scope.left_out.push(NotKept {
                    name: relation.name,
                    why,
                }),
                None => scope.tables.push(relation),
            }
        }
        Ok(scope)
    }

    /// The tables that this point is about, now.
    pub fn scope_of(&mut self, record: &Record) -> Result<Scope> {
        self.scope(&record.leave_out)
    }

    /// The statement of a view; a name alone where it may not be read.
    fn view(&mut self, name: &str) -> Result<String> {
        let query = format!("SHOW CREATE VIEW {}", quoted(name));
        match self
            .client
            .first::<(String, Vec<u8>, Vec<u8>, Vec<u8>)>(query)
        {
            Ok(Some((_, text, ..))) => Ok(String::from_utf8_lossy(&text).into_owned()),
            Ok(None) => Ok(String::new()),
            Err(why) if why.is_denied() || why.is_absent() => Ok(String::new()),
            Err(why) => Err(why.into()),
        }
    }

    /// How a table is defined now.
    pub fn definition(&mut self, name: &str) -> Result<Definition> {
        let row: Option<(Vec<u8>, Vec<u8>)> = self
            .client
            .first(format!("SHOW CREATE TABLE {}", quoted(name)))?;
        let (_, create) = row.ok_or_else(|| Error::Missing(name.to_owned()))?;
        Ok(Definition {
            structure: structure_of(&create),
            triggers: triggers_of(&mut self.client, name)?,
            create,
        })
    }

    /// Tables as they are now, all of one instant; their copy is the table itself.
    pub fn look(&mut self, tables: &[Relation]) -> Result<Vec<Image>> {
        let names: Vec<String> = tables.iter().map(|table| table.name.clone()).collect();
        if names.is_empty() {
            return Ok(Vec::new());
        }
        let found = checksums(self.settings, &names, self.watch)?;
        let mut images = Vec::new();
        for (table, sum) in tables.iter().zip(found) {
            let definition = self.definition(&table.name)?;
            images.push(Image {
                name: table.name.clone(),
                copy: table.name.clone(),
                rows: sum.rows,
                content: sum.content,
                structure: definition.structure,
                create: definition.create,
                triggers: definition.triggers,
                transactional: table.transactional,
                reused: false,
            });
        }
        Ok(images)
    }
}

/// Whether a name is one of these, each exact or a start followed by `*`.
fn chosen(patterns: &[String], name: &str) -> bool {
    patterns
        .iter()
        .any(|pattern| match pattern.strip_suffix('*') {
            Some(start) => name.starts_with(start),
            None => name == pattern,
        })
}

/// The image of this name.
pub(super) fn find<'a>(images: &'a [Image], name: &str) -> Option<&'a Image> {
    images.iter().find(|image| image.name == name)
}
