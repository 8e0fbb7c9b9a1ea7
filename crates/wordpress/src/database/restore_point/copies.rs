//! Copies of tables, made by the server.

use super::{record::Image, work::Work};
use crate::{
    Error, Result,
    database::{
        checksums,
        client::{Refused, literal, quoted},
        dump::{Relation, columns, insertable, relations},
    },
};
use std::path::Path;

/// Copied tables take up to this much more than the server's estimate, in percent.
const MARGIN: u64 = 20;
/// A table of that name is there.
const EXISTS: u16 = 1050;
/// Free on the disk in any case, in bytes.
const RESERVE: u64 = 64 * 1024 * 1024;

impl Work<'_> {
    /// Makes an empty table like another one under a name that is recorded.
    pub fn make_like(&mut self, copy: &str, table: &str) -> Result<()> {
        let create = format!("CREATE TABLE {} LIKE {}", quoted(copy), quoted(table));
        match self.act(&create) {
            // A worker before us got that far.
            Err(why) if why.code == Some(EXISTS) => {
                self.remove(format!("DROP TABLE IF EXISTS {}", quoted(copy)))?;
                self.act(create).map_err(|why| no_right(why, table))
            }
            done => done.map_err(|why| no_right(why, table)),
        }
    }

    /// Fills it with the rows of another one that has the same columns.
    pub fn fill_from(&mut self, copy: &str, table: &str) -> Result<u64> {
        let list = self.column_list(table)?;
        let filled = self.fill(&format!(
            "INSERT INTO {} ({list}) SELECT {list} FROM {}",
            quoted(copy),
            quoted(table)
        ));
        filled.map_err(|why| of(table, why))
    }

    /// The columns that can be written, for a statement.
    pub fn column_list(&mut self, table: &str) -> Result<String> {
        let columns = insertable(columns(&mut self.client, table)?);
        let list: Vec<String> = columns.iter().map(|column| quoted(&column.name)).collect();
        Ok(list.join(","))
    }

    /// Copies what these say, and notes what is in the copies.
    pub fn copy_all(&mut self, images: &mut [Image]) -> Result<()> {
        for image in images.iter_mut().filter(|image| image.content.is_empty()) {
            let definition = self.definition(&image.name)?;
            self.make_like(&image.copy, &image.name)?;
            image.rows = self.fill_from(&image.copy, &image.name)?;
            image.create = definition.create;
            image.structure = definition.structure;
            image.triggers = definition.triggers;
        }
        let mut new: Vec<&mut Image> = images
            .iter_mut()
            .filter(|image| image.content.is_empty())
            .collect();
        new.sort_by(|a, b| a.copy.cmp(&b.copy));
        let names: Vec<String> = new.iter().map(|image| image.copy.clone()).collect();
        if names.is_empty() {
            return Ok(());
        }
        // Of what was stored, not of what was read.
        let sums = checksums(self.settings, &names, self.watch)?;
        for (image, sum) in new.into_iter().zip(sums) {
            if image.rows != sum.rows {
                return Err(Error::Database(format!(
                    "{} rows of `{}` were copied, and {} are in the copy",
                    image.rows, image.name, sum.rows
                )));
            }
            image.content = sum.content;
        }
        Ok(())
    }

    /// Drops tables of ours, those that are there.
    pub fn drop_copies<'n>(&mut self, names: impl IntoIterator<Item = &'n String>) -> Result<()> {
        let there = relations(&mut self.client)?;
        for name in names {
            if !there.iter().any(|relation| relation.name == *name) {
                continue;
            }
            self.remove(format!("DROP TABLE IF EXISTS {}", quoted(name)))?;
        }
        Ok(())
    }

    /// Bytes of these tables, as the server estimates them.
    pub fn bytes_of(&mut self, tables: &[Relation]) -> Result<u64> {
        if tables.is_empty() {
            return Ok(0);
        }
        let names: Vec<String> = tables.iter().map(|table| literal(&table.name)).collect();
        Ok(self.number(&format!(
            "SELECT CAST(COALESCE(SUM(DATA_LENGTH + INDEX_LENGTH), 0) AS UNSIGNED) \
             FROM information_schema.TABLES \
             WHERE TABLE_SCHEMA = DATABASE() AND TABLE_NAME IN ({})",
            names.join(",")
        ))?)
    }

    /// Refuses what would fill the server's disk, where that disk can be seen from here.
    pub fn check_room(&mut self, bytes: u64) -> Result<()> {
        if !self.connection.is_local() {
            return Ok(());
        }
        let Ok(Some(dir)) = self.client.first::<String>("SELECT @@datadir") else {
            return Ok(());
        };
        let Ok(found) = rustix::fs::statvfs(Path::new(&dir)) else {
            return Ok(());
        };
        let free = found.f_bavail.saturating_mul(found.f_frsize);
        let needed = bytes / 100 * (100 + MARGIN) + RESERVE;
        if needed > free {
            return Err(Error::NoSpace {
                act: "copy the tables in",
                path: dir.into(),
            });
        }
        Ok(())
    }
}

/// With the table in front, and what may be done.
fn no_right(why: Refused, table: &str) -> Error {
    if why.is_denied() {
        return Error::Database(format!(
            "no copy of `{table}` can be made: the database user lacks `CREATE`, `INSERT` or \
             `DROP` on the site's database"
        ));
    }
    of(table, why)
}

pub(super) fn of(table: &str, why: Refused) -> Error {
    crate::database::restore::exchange::of(table, why.error)
}
