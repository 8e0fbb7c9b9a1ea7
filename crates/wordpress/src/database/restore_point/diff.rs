//! SQL that joins and compares rows, as stored bytes.

use super::options::ChangedRows;
use super::{key::Keyed, work::Work};
use crate::{
    Result,
    database::{
        client::{Refused, quoted},
        dump::Column,
    },
};

/// The column that numbers the rows of a list of keys.
pub(super) const NUMBER: &str = "`pr_n`";

impl Keyed {
    /// The condition under which rows of two tables (by alias) have one key.
    pub fn on(&self, a: &str, b: &str) -> String {
        let list: Vec<String> = self
            .key
            .iter()
            .map(|name| format!("{a}.{name} = {b}.{name}", name = quoted(name)))
            .collect();
        list.join(" AND ")
    }

    /// The condition under which an outer join found nothing. Not `IS NULL`, which a zero
    /// date is too.
    pub fn absent(&self, alias: &str) -> String {
        let first = self
            .key
            .first()
            .map(|name| quoted(name))
            .unwrap_or_default();
        format!("{alias}.{first} <=> NULL")
    }

    pub fn present(&self, alias: &str) -> String {
        format!("NOT ({})", self.absent(alias))
    }

    /// The condition under which all that two rows store is the same.
    pub fn same(&self, a: &str, b: &str) -> String {
        let list: Vec<String> = self
            .columns
            .iter()
            .map(|column| equal(column, a, b))
            .collect();
        format!("({})", list.join(" AND "))
    }

    /// The key's columns of an alias.
    pub fn key_of(&self, alias: &str) -> String {
        list(self.key.iter(), alias)
    }

    /// All columns of an alias.
    pub fn all_of(&self, alias: &str) -> String {
        list(self.columns.iter().map(|column| &column.name), alias)
    }

    /// All columns, as a list of names.
    pub fn names(&self) -> String {
        let names: Vec<String> = self.columns.iter().map(|it| quoted(&it.name)).collect();
        names.join(",")
    }

    /// Whether another table has all of these columns, and the key.
    pub fn is_part_of(&self, other: &Self) -> bool {
        let has = |name: &str| other.columns.iter().any(|column| column.name == name);
        self.key == other.key && self.columns.iter().all(|column| has(&column.name))
    }

    /// What another table shares with this one: columns of the same name. `None` where
    /// rows of the two are not told apart by the same values.
    pub fn shared(&self, other: &Self) -> Option<Self> {
        let find = |name: &str| other.columns.iter().find(|column| column.name == name);
        let alike = self.key == other.key
            && self.columns.iter().all(|column| {
                !self.key.contains(&column.name)
                    || find(&column.name).is_some_and(|it| it.collation == column.collation)
            });
        let columns = self.columns.iter().filter(|it| find(&it.name).is_some());
        alike.then(|| Self {
            key: self.key.clone(),
            columns: columns.cloned().collect(),
        })
    }
}

fn list<'n>(names: impl Iterator<Item = &'n String>, alias: &str) -> String {
    let list: Vec<String> = names
        .map(|name| format!("{alias}.{}", quoted(name)))
        .collect();
    list.join(",")
}

/// Bytes are compared where text or a sign could hide a difference.
fn equal(column: &Column, a: &str, b: &str) -> String {
    let name = quoted(&column.name);
    let (a, b) = (format!("{a}.{name}"), format!("{b}.{name}"));
    match column.data_type.as_str() {
        "float" => format!("BINARY ({a} + 0e0) <=> BINARY ({b} + 0e0)"),
        "double" | "json" => format!("BINARY {a} <=> BINARY {b}"),
        _ if column.charset.is_some() => format!("BINARY {a} <=> BINARY {b}"),
        _ => format!("{a} <=> {b}"),
    }
}

impl Work<'_> {
    /// Lists the keys of all rows that differ between two tables of the same columns, in a
    /// table of ours under a recorded name; how many they are.
    pub fn list_difference(
        &mut self,
        list: &str,
        keyed: &Keyed,
        before: &str,
        after: &str,
    ) -> Result<u64> {
        self.make_list(list, keyed, before)?;
        let (p, u) = (quoted(before), quoted(after));
        let key: Vec<String> = keyed.key.iter().map(|name| quoted(name)).collect();
        let key = key.join(",");
        let on = keyed.on("p", "u");
        let changed = self.fill(&format!(
            "INSERT INTO {} ({key}) SELECT {} FROM {p} AS p LEFT JOIN {u} AS u ON {on} \
             WHERE {} OR NOT {}",
            quoted(list),
            keyed.key_of("p"),
            keyed.absent("u"),
            keyed.same("p", "u"),
        ))?;
        let added = self.fill(&format!(
            "INSERT INTO {} ({key}) SELECT {} FROM {u} AS u LEFT JOIN {p} AS p ON {on} WHERE {}",
            quoted(list),
            keyed.key_of("u"),
            keyed.absent("p"),
        ))?;
        Ok(changed + added)
    }

    /// Lists the keys of rows that the first table has and the second has not.
    pub fn list_missing(&mut self, list: &str, keyed: &Keyed, from: &str, to: &str) -> Result<u64> {
        self.make_list(list, keyed, from)?;
        let key: Vec<String> = keyed.key.iter().map(|name| quoted(name)).collect();
        Ok(self.fill(&format!(
            "INSERT INTO {} ({}) SELECT {} FROM {} AS c LEFT JOIN {} AS n ON {} WHERE {}",
            quoted(list),
            key.join(","),
            keyed.key_of("c"),
            quoted(from),
            quoted(to),
            keyed.on("n", "c"),
            keyed.absent("n"),
        ))?)
    }

    /// An empty list of keys like those of a table.
    fn make_list(&mut self, list: &str, keyed: &Keyed, table: &str) -> Result<()> {
        self.remove(format!("DROP TABLE IF EXISTS {}", quoted(list)))?;
        self.act(format!(
            "CREATE TABLE {} ({NUMBER} BIGINT UNSIGNED NOT NULL AUTO_INCREMENT PRIMARY KEY) \
             ENGINE=InnoDB SELECT {} FROM {} AS p WHERE 1 = 0",
            quoted(list),
            keyed.key_of("p"),
            quoted(table),
        ))?;
        Ok(())
    }

    /// Counts the rows that differ between two tables of the same columns.
    pub fn count_difference(
        &mut self,
        keyed: &Keyed,
        before: &str,
        after: &str,
    ) -> Result<ChangedRows, Refused> {
        let (p, u) = (quoted(before), quoted(after));
        let on = keyed.on("p", "u");
        let (absent_p, absent_u) = (keyed.absent("p"), keyed.absent("u"));
        Ok(ChangedRows {
            changed: self.number(&format!(
                "SELECT COUNT(*) FROM {p} AS p JOIN {u} AS u ON {on} WHERE NOT {}",
                keyed.same("p", "u")
            ))?,
            removed: self.number(&format!(
                "SELECT COUNT(*) FROM {p} AS p LEFT JOIN {u} AS u ON {on} WHERE {absent_u}"
            ))?,
            added: self.number(&format!(
                "SELECT COUNT(*) FROM {u} AS u LEFT JOIN {p} AS p ON {on} WHERE {absent_p}"
            ))?,
        })
    }
}
