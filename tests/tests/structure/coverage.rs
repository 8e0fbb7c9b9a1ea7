//! Which tests stand behind each row of a dialect's contract.
//!
//! A contract test begins with its rows (`t05_…`, `t37_to_t40_…`). A test on real WordPress names its
//! rows in a comment before it: `// Rows: T05, T13`.

use pressroom_testkit::place;
use std::{
    collections::{BTreeMap, BTreeSet},
    env,
    fmt::Write as _,
    fs,
    path::Path,
};

const REPORT: &str = "docs/dialects/wispanel-coverage.md";
const ROUTES: &str =
    "crates/dialects/wispanel/tests/contract/snapshots/contract__document__coverage.snap";
const CONTRACT: &str = "crates/dialects/wispanel/tests/contract";
/// T01 to T40.
const ROWS: u32 = 40;

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
fn rows_of(name: &str) -> Vec<String> {
    let number = |word: &str| word.strip_prefix('t')?.parse::<u32>().ok();
    let mut rows: Vec<String> = Vec::new();
    let mut words = name.split('_').peekable();
    while let Some(word) = words.next() {
        match number(word) {
            Some(from) if words.peek() == Some(&"to") => {
                words.next();
                let to = words.next().and_then(number).unwrap_or(from);
                rows.extend((from..=to).map(|n| format!("T{n:02}")));
            }
            Some(n) => rows.push(format!("T{n:02}")),
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
            (400..=405).contains(status) || [409, 413, 422, 429, 500, 502, 503].contains(status)
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

fn found() -> BTreeMap<String, Row> {
    let root = place::workspace();
    let mut rows: BTreeMap<String, Row> = (1..=ROWS)
        .map(|n| (format!("T{n:02}"), Row::default()))
        .collect();
    rows.insert("S6".into(), Row::default());
    for line in fs::read_to_string(root.join(ROUTES))
        .expect("the list of routes")
        .lines()
    {
        if let Some((row, route)) = line.split_once(' ')
            && let Some(row) = rows.get_mut(row)
        {
            row.routes.push(route.replace("/api/v1", ""));
        }
    }
    for (file, text) in files(&root.join(CONTRACT)) {
        for (name, body) in tests(&text) {
            for named in rows_of(&name) {
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
                    let all = named == "ALL";
                    let walked = rows
                        .iter_mut()
                        .filter(|(row, _)| all && row.starts_with('T') || *row == named);
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

fn report(rows: &BTreeMap<String, Row>) -> String {
    let mut text = String::from(
        "# Tests behind the WisPanel API\n\n\
         Made from the source by the structure suite; `PRESSROOM_BLESS=1 ./check structure` writes it anew. \
         *Errors* are the statuses that a row's contract tests expect; what is common to all routes (401, 403, 404 \
         for what is somebody else's, 405, 413, 429) is tested for all at once in `conventions`, `errors` and \
         `matrix`.\n\n\
         | Row | Route | Contract tests | Errors | On real WordPress |\n|---|---|---|---|---|\n",
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
    let rows = found();
    let path = place::workspace().join(REPORT);
    let now = report(&rows);
    if env::var("PRESSROOM_BLESS").is_ok_and(|value| value == "1") {
        fs::write(&path, &now).expect("the report is written");
    }
    let mut holes = Vec::new();
    for (name, row) in &rows {
        for (what, is_there) in [
            ("route", !row.routes.is_empty()),
            ("contract test", !row.contract.is_empty()),
            ("test on real WordPress", !row.real.is_empty()),
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
        "{REPORT} is not what the source says: PRESSROOM_BLESS=1 writes it"
    );
}
