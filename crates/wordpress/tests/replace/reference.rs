//! What PHP says every cell must become.

use super::options;
use pressroom_lab::Database;
use pressroom_phpdata::serialized::{Pair, Replacer};
use std::process::Command;

const WALK: &str = include_str!("../../../phpdata/tests/against_php/walk.php");
const REFERENCE: &str = include_str!("reference.php");

/// Columns that have rules of their own.
pub const RULED: &str = r"/^wp_(\d+_)?posts\.guid$|^wp_(blogs|site)\.(domain|path)$/";

/// Fills the tables of a prefix with hard values.
pub fn fill(database: &Database, prefix: &str) {
    php(&["fill", &socket(database), &database.name, prefix]);
}

/// Every cell and its hash as it must be after the pairs; for none as it is. And how
/// many broken values there are.
pub fn cells(database: &Database, pairs: &[(&str, &str)], skip: &str) -> (Vec<String>, u64) {
    let forms = if pairs.is_empty() {
        String::new()
    } else {
        let pairs: Vec<Pair> = options(pairs)
            .pairs
            .iter()
            .map(|pair| Pair::new(pair.old.as_str(), pair.new.as_str()))
            .collect();
        let replacer = Replacer::new(&pairs).expect("pairs");
        let forms: Vec<String> = replacer
            .forms()
            .iter()
            .map(|pair| format!("{}:{}", hex::encode(&pair.old), hex::encode(&pair.new)))
            .collect();
        forms.join(" ")
    };
    let (said, broken) = php(&["say", &socket(database), &database.name, &forms, skip]);
    let mut lines: Vec<String> = said.lines().map(str::to_owned).collect();
    lines.sort();
    (lines, broken.parse().unwrap_or_default())
}

/// Fails with the first cells that differ.
pub fn assert_same(wanted: &[String], found: &[String]) {
    assert_eq!(wanted.len(), found.len(), "cells");
    let split = |line: &str| {
        let (cell, hashes) = line.rsplit_once('\t').expect("a hash");
        (cell.to_owned(), hashes.to_owned())
    };
    let wrong: Vec<_> = wanted
        .iter()
        .zip(found)
        .map(|(wanted, found)| (split(wanted), split(found)))
        .filter(|((cell, wanted), (other, found))| {
            cell != other || !wanted.split(' ').any(|hash| found.contains(hash))
        })
        .collect();
    assert!(
        wrong.is_empty(),
        "{} of {} cells differ: {:?}",
        wrong.len(),
        found.len(),
        &wrong[..wrong.len().min(10)]
    );
}

fn socket(database: &Database) -> String {
    database.socket.display().to_string()
}

fn php(arguments: &[&str]) -> (String, String) {
    let output = Command::new("php")
        .args(["-d", "memory_limit=1G", "-r"])
        .arg(format!(
            "{}{}",
            WALK.trim_start_matches("<?php"),
            REFERENCE.trim_start_matches("<?php")
        ))
        .arg("--")
        .args(arguments)
        .output()
        .expect("php is installed");
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    let (said, errors) = (text(&output.stdout), text(&output.stderr));
    assert!(output.status.success(), "{errors}{said}");
    (said, errors)
}
