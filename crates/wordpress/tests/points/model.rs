//! Any update and any others, against a model in memory.

use crate::place::Place;
use proptest::prelude::*;
use std::{collections::BTreeMap, fmt::Write as _};

/// By the number that is the key.
type Rows = BTreeMap<u8, (Option<u8>, u8)>;

/// Few keys and few values, so that many meet; many rows, since a case costs seconds.
fn rows() -> impl Strategy<Value = Rows> {
    prop::collection::btree_map(0..40_u8, (prop::option::of(0..3_u8), 0..3_u8), 0..30)
}

/// What somebody makes of rows: `None` removes.
type Edits = BTreeMap<u8, Option<(Option<u8>, u8)>>;

fn edits() -> impl Strategy<Value = Edits> {
    prop::collection::btree_map(
        0..44_u8,
        prop::option::of((prop::option::of(0..3_u8), 0..3_u8)),
        0..24,
    )
}

fn edited(rows: &Rows, edits: &Edits) -> Rows {
    let mut rows = rows.clone();
    for (key, value) in edits {
        match value {
            Some(value) => rows.insert(*key, *value),
            None => rows.remove(key),
        };
    }
    rows
}

/// The rule, as a person would say it.
fn merged(before: &Rows, after: &Rows, now: &Rows) -> Rows {
    let keys = before.keys().chain(after.keys()).chain(now.keys());
    let mut result = Rows::new();
    for key in keys {
        let (p, u, c) = (before.get(key), after.get(key), now.get(key));
        if let Some(row) = if c == u { p } else { c } {
            result.insert(*key, *row);
        }
    }
    result
}

/// The key is two columns of two types.
fn write(table: &str, rows: &Rows) -> String {
    let mut sql = format!("DELETE FROM {table};");
    for (key, (x, y)) in rows {
        let x = x.map_or("NULL".to_owned(), |x| x.to_string());
        let letter = char::from(b'a' + key % 5);
        write!(
            sql,
            "INSERT INTO {table} (k, l, x, y) VALUES ({key}, '{letter}', {x}, 'v{y}');"
        )
        .unwrap();
    }
    sql
}

fn read(place: &Place, table: &str) -> Rows {
    let text = place.sql(&format!("SELECT k, x, y FROM {table}"));
    text.lines()
        .map(|line| {
            let parts: Vec<&str> = line.split('\t').collect();
            let y = parts[2].strip_prefix('v').unwrap().parse().unwrap();
            (parts[0].parse().unwrap(), (parts[1].parse().ok(), y))
        })
        .collect()
}

const TABLES: [&str; 3] = ["wp_i", "wp_m", "wp_s"];

#[test]
fn any_edits_end_as_the_model_says() {
    let place = Place::with("");
    let mut runner = proptest::test_runner::TestRunner::new(ProptestConfig {
        cases: 12,
        max_shrink_iters: 12,
        failure_persistence: None,
        ..ProptestConfig::default()
    });
    let all = || prop::array::uniform3((rows(), edits(), edits()));
    runner
        .run(&all(), |tables| {
            let columns = "k INT NOT NULL, l VARCHAR(3) NOT NULL, x INT, y VARCHAR(9), PRIMARY KEY (k, l)";
            let mut sql = format!(
                "DROP TABLE IF EXISTS wp_i, wp_m, wp_s; CREATE TABLE wp_i ({columns}) ENGINE=InnoDB; CREATE TABLE wp_m ({columns}) ENGINE=MyISAM;
                 CREATE TABLE wp_s ({columns}, gone INT NOT NULL DEFAULT 5) ENGINE=InnoDB;"
            );
            let (mut after, mut now, mut wanted) = (Vec::new(), Vec::new(), Vec::new());
            for (name, (before, update, others)) in TABLES.iter().zip(&tables) {
                sql += &write(name, before);
                let left = edited(before, update);
                let is = edited(&left, others);
                wanted.push(merged(before, &left, &is));
                after.push(write(name, &left));
                now.push(write(name, &is));
            }
            place.sql(&sql);
            let point = place.take();
            // The update changes one table itself, too.
            place.sql(&format!("ALTER TABLE wp_s DROP COLUMN gone, ADD COLUMN came INT; {}", after.concat()));
            place.seal(&point);
            place.sql(&now.concat());
            for _ in 0..2 {
                place.merge(&point);
                for (name, wanted) in TABLES.iter().zip(&wanted) {
                    prop_assert_eq!(&read(&place, name), wanted, "{}", name);
                }
                prop_assert_eq!(place.sql("SELECT COUNT(*) FROM wp_s WHERE gone <> 5"), "0\n");
            }
            place.drop(&point);
            place.nothing_left();
            Ok(())
        })
        .unwrap();
}
