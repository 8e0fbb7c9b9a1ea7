//! Which tables and columns are looked at, by what key, in which ranges.

use super::{
    charset,
    options::ReplaceOptions,
    table::{Column, KeyKind, KeyPart, Range, Raw, Table, Text, Unique},
};
use crate::{Result, database::share::Share};
use mysql_async::{Conn, prelude::Queryable};
use std::collections::BTreeSet;

/// The tables to look at.
pub(super) fn scope(
    all: &BTreeSet<String>,
    prefix: &str,
    options: &ReplaceOptions,
) -> BTreeSet<String> {
    let share = Share::new(prefix, all.iter().map(String::as_str));
    all.iter()
        .filter(|name| {
            (options.all_tables || share.holds(name))
                && (options.tables.is_empty() || options.tables.contains(name))
                && !options.skip_tables.contains(name)
        })
        .cloned()
        .collect()
}

/// The first unique index whose columns are whole, never null, and of kinds that
/// compare exactly.
pub(super) fn key(raw: &[Raw], indexes: &[Unique]) -> Vec<KeyPart> {
    indexes
        .iter()
        .find_map(|index| {
            index
                .parts
                .iter()
                .map(|(name, partial)| {
                    let column = raw.iter().find(|column| column.name == *name)?;
                    if *partial || column.nullable || column.generated {
                        return None;
                    }
                    let kind = match column.kind.as_str() {
                        "tinyint" | "smallint" | "mediumint" | "int" | "bigint" => KeyKind::Integer,
                        "char" | "varchar" => KeyKind::Text(column.charset.clone()),
                        "binary" | "varbinary" => KeyKind::Bytes,
                        "decimal" | "date" | "datetime" | "timestamp" | "time" | "year"
                        | "uuid" | "inet4" | "inet6" => KeyKind::Plain,
                        _ => return None,
                    };
                    Some(KeyPart {
                        name: column.name.clone(),
                        kind,
                    })
                })
                .collect::<Option<Vec<_>>>()
        })
        .unwrap_or_default()
}

/// What is to be done with a table of a site whose WordPress speaks this character set
/// with the server.
pub(super) fn describe(
    name: String,
    raw: &[Raw],
    key: Vec<KeyPart>,
    prefix: &str,
    spoken: &str,
    options: &ReplaceOptions,
) -> Table {
    let own = name.strip_prefix(prefix).unwrap_or_default();
    let digits = own.bytes().take_while(u8::is_ascii_digit).count();
    let is_posts = own == "posts" || (digits > 0 && &own[digits..] == "_posts");
    let listed = |list: &[String], column: &str| {
        list.iter()
            .any(|entry| entry == column || *entry == format!("{name}.{column}"))
    };
    let mut columns = Vec::new();
    let mut left = Vec::new();
    for column in raw {
        let text = matches!(
            column.kind.as_str(),
            "char" | "varchar" | "tinytext" | "text" | "mediumtext" | "longtext" | "json"
        );
        let bytes = matches!(
            column.kind.as_str(),
            "binary" | "varbinary" | "tinyblob" | "blob" | "mediumblob" | "longblob"
        );
        if !(text || (bytes && options.blobs)) {
            continue;
        }
        let skipped = if !options.columns.is_empty() && !listed(&options.columns, &column.name) {
            continue;
        } else if listed(&options.skip_columns, &column.name) {
            Some("asked to be left")
        } else if is_posts && column.name == "guid" && !options.guid {
            Some("an identity, not an address")
        } else if column.generated {
            Some("generated from other columns")
        } else if key.iter().any(|part| part.name == column.name) {
            Some("part of the key that names a row")
        } else {
            None
        };
        let found = Column {
            name: column.name.clone(),
            json: column.kind == "json",
            charset: charset::converted(column, spoken),
        };
        match skipped {
            Some(why) => left.push((found, why)),
            None => columns.push(found),
        }
    }
    let place = match own {
        "blogs" | "site" if options.domains => columns
            .iter()
            .position(|column| column.name == "domain")
            .zip(columns.iter().position(|column| column.name == "path")),
        _ => None,
    };
    let skipped = (key.is_empty() && !columns.is_empty()).then_some("no key names its rows");
    Table {
        stamps: raw
            .iter()
            .filter(|column| column.extra.contains("on update"))
            .map(|column| column.name.clone())
            .collect(),
        name,
        key,
        columns,
        left,
        transactional: false,
        skipped,
        size: 0,
        place,
    }
}

/// Divides the work: big tables into ranges of their key, biggest first.
pub(super) async fn ranges(conn: &mut Conn, tables: &[Table]) -> Result<Vec<Range>> {
    /// About this many bytes in a range.
    const SHARE: u64 = 16 * 1024 * 1024;
    const MOST: u64 = 256;
    let mut ranges: Vec<(u64, Range)> = Vec::new();
    for (at, table) in tables.iter().enumerate() {
        if table.columns.is_empty() || table.skipped.is_some() {
            continue;
        }
        let whole = Range {
            table: at,
            name: table.name.clone(),
            ..Range::default()
        };
        let shares = (table.size / SHARE).min(MOST);
        let single = table.key.len() == 1 && table.key[0].kind == KeyKind::Integer;
        let mut ends = None;
        if single && shares > 1 {
            let column = super::sql::name(&table.key[0].name);
            let row: Option<(Text, Text)> = conn
                .query_first(format!(
                    "SELECT CONCAT(MIN({column})), CONCAT(MAX({column})) FROM {}",
                    super::sql::name(&table.name)
                ))
                .await?;
            let number =
                |bytes: Option<Vec<u8>>| String::from_utf8(bytes?).ok()?.parse::<i128>().ok();
            ends = row.and_then(|(low, high)| number(low).zip(number(high)));
        }
        let Some((low, high)) = ends else {
            ranges.push((table.size, whole));
            continue;
        };
        let step = (high - low) / i128::from(shares) + 1;
        let mut from = low;
        while from <= high {
            // The ends are open: rows may come before the first and after the last.
            let next = from + step;
            ranges.push((
                table.size / shares,
                Range {
                    from: (from > low).then_some(from),
                    to: (next <= high).then_some(next - 1),
                    ..whole.clone()
                },
            ));
            from = next;
        }
    }
    ranges.sort_by_key(|(size, _)| std::cmp::Reverse(*size));
    Ok(ranges.into_iter().map(|(_, range)| range).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What is whose is [`Share`]'s to say, and tested there.
    #[test]
    fn others_are_looked_at_only_when_asked_for() {
        let names = ["wp_options", "wp_posts", "wp_x_options", "wp_x_posts"];
        let all = names.iter().map(|name| (*name).to_owned()).collect();
        let mut options = ReplaceOptions::default();
        let looked_at = |options: &ReplaceOptions| scope(&all, "wp_", options).len();
        assert_eq!(looked_at(&options), 2);
        options.all_tables = true;
        assert_eq!(looked_at(&options), 4);
        options.skip_tables = vec!["wp_x_posts".to_owned()];
        assert_eq!(looked_at(&options), 3);
        options.tables = vec!["wp_posts".to_owned()];
        assert_eq!(looked_at(&options), 1);
    }
}
