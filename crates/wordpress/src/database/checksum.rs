//! A table's content as one value, to prove that it is what it was.
//!
//! `CHECKSUM TABLE` does not serve: its 32 bits depend on the row format and the
//! server's version. Here each row is written as a dump writes it (the stored bytes,
//! each value with its length), hashed with SHA-256, and the hashes are added modulo
//! 2²⁵⁶: the sum does not depend on the order of rows, on the engine, on indexes or on
//! the physical format, counts equal rows as often as they are there, and changes
//! with any bit of any row. Names and order of columns and the number of rows are
//! hashed in. Generated columns are not read: they follow from the others.

use super::{
    client::{Client, quoted},
    connection::Connection,
    dump::{RelationKind, columns, insertable, relations, select_list},
    share::Share,
    working,
};
use crate::{Error, Result, config::Settings, watch::Watch};
use mysql_async::{Row, Value};
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

/// What a table holds.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct TableChecksum {
    /// Its name.
    pub name: String,
    /// Its rows, counted.
    pub rows: u64,
    /// Of its rows, in hexadecimal; see the module.
    pub content: String,
    /// Of its definition without name, `AUTO_INCREMENT` and engine-made estimates: of
    /// what `SHOW CREATE TABLE` says. Equal only on servers of one version.
    pub structure: String,
}

/// Checksums of these tables, or of all the site's (`tables` empty),
/// by name, all of one snapshot where their engines know one.
///
/// # Errors
/// [`Error::Missing`] for a table that is not there.
pub fn checksums(
    settings: &Settings,
    tables: &[String],
    watch: &Watch,
) -> Result<Vec<TableChecksum>> {
    let connection = Connection::of(settings)?;
    let mut client = Client::open(&connection, watch)?;
    client.run("SET NAMES utf8mb4")?;
    client.run("SET SESSION sql_mode = '', character_set_results = binary")?;
    client.run("SET SESSION TRANSACTION ISOLATION LEVEL REPEATABLE READ")?;
    let relations = relations(&mut client)?;
    let names = relations.iter().map(|relation| relation.name.as_str());
    let share = Share::new(connection.prefix(), names);
    let there: Vec<String> = relations
        .into_iter()
        .filter(|relation| !matches!(relation.kind, RelationKind::View | RelationKind::Sequence))
        .map(|relation| relation.name)
        .collect();
    let wanted: Vec<String> = if tables.is_empty() {
        there
            .into_iter()
            .filter(|name| share.holds(name) && working::parse(name).is_none())
            .collect()
    } else {
        if let Some(absent) = tables.iter().find(|name| !there.contains(name)) {
            return Err(Error::Missing(absent.clone()));
        }
        let mut wanted = tables.to_vec();
        wanted.sort();
        wanted.dedup();
        wanted
    };
    client.run("START TRANSACTION WITH CONSISTENT SNAPSHOT")?;
    wanted.iter().map(|name| one(&mut client, name)).collect()
}

fn one(client: &mut Client, name: &str) -> Result<TableChecksum> {
    client.run("SAVEPOINT one_table")?;
    let create: Row = client
        .first(format!("SHOW CREATE TABLE {}", quoted(name)))?
        .ok_or_else(|| Error::Missing(name.to_owned()))?;
    let create: Vec<u8> = create.get(1).unwrap_or_default();
    let columns = insertable(columns(client, name)?);
    let mut sum = [0_u64; 4];
    let query = format!("SELECT {} FROM {}", select_list(&columns), quoted(name));
    let rows = client.each(query, |row| {
        let mut hash = Sha256::new();
        for at in 0..columns.len() {
            match row.as_ref(at) {
                Some(Value::Bytes(bytes)) => {
                    // One more than the length, so that `NULL` and empty differ.
                    hash.update((bytes.len() as u64 + 1).to_le_bytes());
                    hash.update(bytes);
                }
                _ => hash.update(0_u64.to_le_bytes()),
            }
        }
        add(&mut sum, &hash.finalize());
        Ok(())
    })?;
    client.run("ROLLBACK TO SAVEPOINT one_table")?;
    let mut whole = Sha256::new();
    for column in &columns {
        whole.update((column.name.len() as u64).to_le_bytes());
        whole.update(column.name.as_bytes());
    }
    whole.update(rows.to_le_bytes());
    for part in sum {
        whole.update(part.to_le_bytes());
    }
    Ok(TableChecksum {
        name: name.to_owned(),
        rows,
        content: hex::encode(whole.finalize()),
        structure: structure_of(&create),
    })
}

/// Adds a hash, read as a number, modulo 2²⁵⁶.
fn add(sum: &mut [u64; 4], hash: &[u8]) {
    let mut carry = false;
    for (part, bytes) in sum.iter_mut().zip(hash.chunks_exact(8)) {
        let mut number = [0; 8];
        number.copy_from_slice(bytes);
        let (once, first) = part.overflowing_add(u64::from_le_bytes(number));
        let (twice, second) = once.overflowing_add(u64::from(carry));
        *part = twice;
        carry = first || second;
    }
}

/// What [`TableChecksum::structure`] is of this definition.
pub(super) fn structure_of(create: &[u8]) -> String {
    hex::encode(Sha256::digest(structure(create)))
}

/// The definition from its first parenthesis on, without `AUTO_INCREMENT=n`.
fn structure(create: &[u8]) -> Vec<u8> {
    let from = memchr::memmem::find(create, b"` (\n").map_or(0, |at| at + 1);
    let text = &create[from..];
    // Among the options, after the last column: a comment may hold the same words.
    let options = memchr::memmem::rfind(text, b"\n)").unwrap_or(0);
    let mark = b" AUTO_INCREMENT=";
    match memchr::memmem::find(&text[options..], mark) {
        Some(at) => {
            let start = options + at;
            let digits = text[start + mark.len()..]
                .iter()
                .take_while(|byte| byte.is_ascii_digit())
                .count();
            [&text[..start], &text[start + mark.len() + digits..]].concat()
        }
        None => text.to_vec(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sums_carry_and_do_not_depend_on_order() {
        let (one, two) = ([0xff; 32], {
            let mut two = [0; 32];
            two[0] = 1;
            two
        });
        let (mut a, mut b) = ([0; 4], [0; 4]);
        add(&mut a, &one);
        add(&mut a, &two);
        add(&mut b, &two);
        add(&mut b, &one);
        assert_eq!(a, b);
        assert_eq!(a, [0; 4]);
    }

    #[test]
    fn the_next_number_is_no_structure() {
        let text = |rest: &str| {
            structure(
                format!(
                    "CREATE TABLE `x` (\n  `a` int\n) ENGINE=InnoDB{rest} DEFAULT CHARSET=utf8mb4"
                )
                .as_bytes(),
            )
        };
        assert_eq!(text(" AUTO_INCREMENT=17"), text(""));
        assert!(text("").starts_with(b" (\n"));
    }
}
