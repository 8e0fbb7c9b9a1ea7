//! Which tests stand behind each row of a dialect's contract.
//!
//! A contract test begins with its rows (`t05_…`, `t37_to_t40_…`, `w13_…`). A test on real WordPress names its
//! rows in a comment before it: `// Rows: T05, T13`.

use pressroom_testkit::place;
use std::{
    collections::{BTreeMap, BTreeSet},
    env,
    fmt::Write as _,
    fs,
    path::Path,
};

/// A dialect's contract.
struct Contract {
    /// What the dialect is called.
    name: &'static str,
    /// What its rows begin with.
    letter: char,
    /// Its last row; the first is 1.
    rows: u32,
    /// What is tested as if it were one.
    more: &'static [&'static str],
    /// Whether all of it is served, and each row tested on real WordPress.
    whole: bool,
    report: &'static str,
    /// Where its rows stand with their routes, one a line.
    routes: &'static str,
    tests: &'static str,
    /// What its errors in common are tested by.
    common: &'static str,
}

const CONTRACTS: &[Contract] = &[
    Contract {
        name: "WisPanel",
        letter: 'T',
        rows: 40,
        more: &["S6"],
        whole: true,
        report: "docs/dialects/wispanel-coverage.md",
        routes: "crates/dialects/wispanel/tests/contract/snapshots/contract__document__coverage.snap",
        tests: "crates/dialects/wispanel/tests/contract",
        common: "(401, 403, 404 \
         for what is somebody else's, 405, 413, 429) is tested for all at once in `conventions`, `errors` and \
         `matrix`",
    },
    Contract {
        name: "WPOrchestrix",
        letter: 'W',
        rows: 34,
        more: &[],
        whole: false,
        report: "docs/dialects/wporchestrix-coverage.md",
        routes: "crates/dialects/wporchestrix/tests/contract/document.rs",
        tests: "crates/dialects/wporchestrix/tests/contract",
        common: "(400, 401, 405) is tested for all at once in `conventions` and `hard_days`; rows \
         without a route are not served yet",
    },
];

/// What was found for one row.
#[derive(Default)]
struct Row {
    routes: Vec<String>,
    contract: BTreeSet<String>,
    /// Statuses of errors that its contract tests speak of.
    errors: BTreeSet<u16>,
    real: BTreeSet<String>,
}

/// A test's name and all that belongs to it in its file.
fn tests(text: &str) -> Vec<(String, &str)> {
    let mut starts: Vec<usize> = text
        .match_indices("#[tokio::test")
        .map(|(at, _)| at)
        .collect();
    starts.push(text.len());
    starts
        .windows(2)
        .filter_map(|pair| {
            let body = &text[pair[0]..pair[1]];
            let name = body.split_once("fn ")?.1;
            let end = name.find(|c: char| !c.is_alphanumeric() && c != '_')?;
            Some((name[..end].to_owned(), body))
        })
        .collect()
}

/// The rows at the beginning of a test's name: `t16_t22_…`, or `t16_to_t26_…`.
fn rows_of(name: &str, letter: char) -> Vec<String> {
    let small = letter.to_ascii_lowercase();
    let number = |word: &str| word.strip_prefix(small)?.parse::<u32>().ok();
    let mut rows: Vec<String> = Vec::new();
    let mut words = name.split('_').peekable();
    while let Some(word) = words.next() {
        match number(word) {
            Some(from) if words.peek() == Some(&"to") => {
                words.next();
                let to = words.next().and_then(number).unwrap_or(from);
                rows.extend((from..=to).map(|n| format!("{letter}{n:02}")));
            }
            Some(n) => rows.push(format!("{letter}{n:02}")),
            None if word == "s6" => rows.push("S6".to_owned()),
            None => break,
        }
    }
    rows
}

/// Numbers of three digits that are statuses of errors.
fn errors(body: &str) -> BTreeSet<u16> {
    body.split(|c: char| !c.is_ascii_alphanumeric() && c != '_' && c != '.')
        .filter(|word| word.len() == 3)
        .filter_map(|word| word.parse().ok())
        .filter(|status| {
            (400..=405).contains(status)
                || [409, 411, 413, 415, 422, 429, 500, 502, 503].contains(status)
        })
        .collect()
}

/// The files below a directory, by their names.
fn files(directory: &Path) -> Vec<(String, String)> {
    let entries = fs::read_dir(directory).expect("the directory is there");
    let mut found = Vec::new();
    for path in entries.map(|entry| entry.expect("an entry").path()) {
        if path.is_dir() {
            found.extend(files(&path));
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            let stem = path.file_stem().expect("a name").to_string_lossy();
            let text = fs::read_to_string(&path).expect("source is UTF-8");
            found.push((stem.into_owned(), text));
        }
    }
    found
}

fn found(contract: &Contract) -> BTreeMap<String, Row> {
    let root = place::workspace();
    let letter = contract.letter;
    let mut rows: BTreeMap<String, Row> = (1..=contract.rows)
        .map(|n| (format!("{letter}{n:02}"), Row::default()))
        .collect();
    rows.extend(
        contract
            .more
            .iter()
            .map(|row| ((*row).to_owned(), Row::default())),
    );
    for line in fs::read_to_string(root.join(contract.routes))
        .expect("the list of routes")
        .lines()
        .map(str::trim)
    {
        if let Some((row, route)) = line.split_once(' ')
            && let Some(row) = rows.get_mut(row)
        {
            row.routes.push(route.replace("/api/v1", ""));
        }
    }
    for (file, text) in files(&root.join(contract.tests)) {
        for (name, body) in tests(&text) {
            for named in rows_of(&name, letter) {
                let Some(row) = rows.get_mut(&named) else {
                    continue;
                };
                row.contract.insert(format!("{file}::{name}"));
                row.errors.extend(errors(body));
            }
        }
    }
    for suite in ["e2e", "fault", "browser"] {
        for (file, text) in files(&root.join("tests/tests").join(suite)) {
            for (line, after) in text
                .match_indices("// Rows: ")
                .map(|(at, _)| text[at..].split_once('\n').unwrap_or_default())
            {
                let (name, _) = tests(after)
                    .into_iter()
                    .next()
                    .expect("a test follows its rows");
                for named in line["// Rows: ".len()..].split(", ") {
                    // All of the first contract; another's rows are its own business.
                    let all = named == "ALL";
                    let others = |contract: &Contract| {
                        contract.letter != letter
                            && (all && contract.whole
                                || named.starts_with(contract.letter)
                                || contract.more.contains(&named))
                    };
                    if CONTRACTS.iter().any(others) {
                        continue;
                    }
                    let walked = rows
                        .iter_mut()
                        .filter(|(row, _)| all && row.starts_with(letter) || *row == named);
                    let walked: Vec<_> = walked
                        .map(|(_, row)| row.real.insert(format!("{suite} {file}::{name}")))
                        .collect();
                    assert!(!walked.is_empty(), "no row `{named}`, in {suite} {file}");
                }
            }
        }
    }
    rows
}

fn report(contract: &Contract, rows: &BTreeMap<String, Row>) -> String {
    let mut text = format!(
        "# Tests behind the {} API\n\n\
         Made from the source by the structure suite; `PRESSROOM_BLESS=1 ./check structure` writes it anew. \
         *Errors* are the statuses that a row's contract tests expect; what is common to all routes {}.\n\n\
         | Row | Route | Contract tests | Errors | On real WordPress |\n|---|---|---|---|---|\n",
        contract.name, contract.common,
    );
    for (name, row) in rows {
        let list = |names: &BTreeSet<String>| {
            let names: Vec<String> = names.iter().map(|name| format!("`{name}`")).collect();
            names.join("<br>")
        };
        let errors: Vec<String> = row.errors.iter().map(u16::to_string).collect();
        let _ = writeln!(
            text,
            "| {name} | {} | {} | {} | {} |",
            row.routes.join("<br>"),
            list(&row.contract),
            errors.join(" "),
            list(&row.real)
        );
    }
    text
}

#[test]
fn every_row_is_served_and_tested() {
    for contract in CONTRACTS {
        check(contract);
    }
}

fn check(contract: &Contract) {
    let rows = found(contract);
    let report_at = contract.report;
    let path = place::workspace().join(report_at);
    let now = report(contract, &rows);
    if env::var("PRESSROOM_BLESS").is_ok_and(|value| value == "1") {
        fs::write(&path, &now).expect("the report is written");
    }
    let mut holes = Vec::new();
    for (name, row) in &rows {
        let is_served = !row.routes.is_empty();
        for (what, is_there) in [
            ("route", is_served || !contract.whole),
            (
                "contract test",
                !row.contract.is_empty() || !is_served && !contract.whole,
            ),
            (
                "test on real WordPress",
                !row.real.is_empty() || !contract.whole,
            ),
        ] {
            if !is_there {
                holes.push(format!("{name} has no {what}"));
            }
        }
    }
    assert!(holes.is_empty(), "{}", holes.join("\n"));
    let written = fs::read_to_string(&path).unwrap_or_default();
    assert!(
        written == now,
        "{report_at} is not what the source says: PRESSROOM_BLESS=1 writes it"
    );
}
