//! The rules of the layout, read off the workspace itself.

mod coverage;
mod imports;

use cargo_metadata::{DependencyKind, Metadata, MetadataCommand, PackageId};
use pressroom_testkit::place;
use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};

/// Which crates of ours a crate may name; a crate that is missing here fails the
/// test, so that a new one gets its row.
const ARROWS: &[(&str, &[&str])] = &[
    ("pressroom-base", &[]),
    ("pressroom-phpdata", &[]),
    ("pressroom-wordpress", &["base", "phpdata"]),
    ("pressroom-agent", &["base", "phpdata", "wordpress"]),
    ("pressroom-carrier", &["base", "wordpress", "agent"]),
    ("pressroom-store", &["base"]),
    ("pressroom-jobs", &["base", "store"]),
    ("pressroom-archive", &["base"]),
    ("pressroom-providers", &["base", "phpdata"]),
    ("pressroom-visitor", &["base", "providers"]),
    (
        "pressroom-fleet",
        &[
            "base",
            "phpdata",
            "wordpress",
            "agent",
            "carrier",
            "store",
            "jobs",
            "archive",
            "providers",
            "visitor",
        ],
    ),
    ("pressroom-dialect-http", &["base", "fleet"]),
    (
        "pressroom-dialect-wispanel",
        &["base", "fleet", "dialect-http"],
    ),
    (
        "pressroom-dialect-wporchestrix",
        &["base", "fleet", "dialect-http"],
    ),
    ("pressroom-console", &["base", "fleet"]),
    ("pressroom-cli", &["base", "fleet"]),
    ("pressroom-lab", &[]),
    ("pressroom-testkit", &["base"]),
    ("pressroom-tests", &["base", "lab", "testkit"]),
    (
        "pressroom-benches",
        &[
            "base",
            "wordpress",
            "agent",
            "carrier",
            "store",
            "jobs",
            "phpdata",
            "archive",
            "providers",
            "fleet",
            "lab",
        ],
    ),
    ("pressroom-fuzz", &[]),
    (
        "pressroom",
        &[
            "base",
            "agent",
            "carrier",
            "store",
            "jobs",
            "archive",
            "providers",
            "fleet",
            "dialect-http",
            "dialect-wispanel",
            "dialect-wporchestrix",
            "console",
            "cli",
        ],
    ),
];

/// What must not come to a customer's host, at any depth.
const NOT_IN_THE_AGENT: &[&str] = &[
    "sea-orm",
    "sqlx-core",
    "libsqlite3-sys",
    "axum",
    "hyper",
    "reqwest",
    "russh",
    "tantivy",
    "clap",
    "pressroom-store",
    "pressroom-jobs",
    "pressroom-fleet",
    "pressroom-providers",
    "pressroom-carrier",
    "pressroom-archive",
    "object_store",
];

/// What must not be anywhere: a second SQLite, a second crypto provider, OpenSSL.
const NOT_ANYWHERE: &[&str] = &[
    "rusqlite",
    "aws-lc-rs",
    "aws-lc-sys",
    "openssl",
    "openssl-sys",
];

fn metadata() -> Metadata {
    MetadataCommand::new()
        .manifest_path(place::workspace().join("Cargo.toml"))
        .other_options(vec!["--offline".to_owned(), "--locked".to_owned()])
        .exec()
        .expect("`cargo metadata` reads the workspace")
}

/// Direct dependencies that ship, by package.
fn shipped(metadata: &Metadata) -> BTreeMap<PackageId, Vec<PackageId>> {
    let resolve = metadata.resolve.as_ref().expect("a resolved graph");
    resolve
        .nodes
        .iter()
        .map(|node| {
            let dependencies = node
                .deps
                .iter()
                .filter(|dependency| {
                    dependency
                        .dep_kinds
                        .iter()
                        .any(|kind| kind.kind == DependencyKind::Normal)
                })
                .map(|dependency| dependency.pkg.clone())
                .collect();
            (node.id.clone(), dependencies)
        })
        .collect()
}

fn names(metadata: &Metadata) -> BTreeMap<PackageId, String> {
    metadata
        .packages
        .iter()
        .map(|package| (package.id.clone(), package.name.to_string()))
        .collect()
}

/// Everything that ships with a package, by name.
fn reached(metadata: &Metadata, from: &str) -> BTreeSet<String> {
    let graph = shipped(metadata);
    let names = names(metadata);
    let mut waiting: Vec<&PackageId> = names
        .iter()
        .filter(|(_, name)| *name == from)
        .map(|(id, _)| id)
        .collect();
    assert!(!waiting.is_empty(), "no package `{from}`");
    let mut seen = BTreeSet::new();
    while let Some(id) = waiting.pop() {
        if seen.insert(names[id].clone()) {
            waiting.extend(&graph[id]);
        }
    }
    seen
}

#[test]
fn crates_point_one_way_down() {
    let metadata = metadata();
    let mut wrong = Vec::new();
    for package in metadata.workspace_packages() {
        let name = package.name.to_string();
        let Some((_, allowed)) = ARROWS.iter().find(|(from, _)| *from == name) else {
            wrong.push(format!("`{name}` has no row of allowed arrows"));
            continue;
        };
        for dependency in &package.dependencies {
            let Some(ours) = dependency.name.strip_prefix("pressroom-") else {
                continue;
            };
            let is_test_only = dependency.kind == DependencyKind::Development
                && (ours == "testkit" || ours == "tests" || name == "pressroom-tests");
            if !is_test_only
                && dependency.kind != DependencyKind::Development
                && !allowed.contains(&ours)
            {
                wrong.push(format!("`{name}` must not depend on `{ours}`"));
            }
            if dependency.kind == DependencyKind::Normal
                && ours == "testkit"
                && name != "pressroom-tests"
            {
                wrong.push(format!("`{name}` ships the testkit"));
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn the_agent_stays_small() {
    let metadata = metadata();
    for crate_name in [
        "pressroom-phpdata",
        "pressroom-wordpress",
        "pressroom-agent",
    ] {
        let reached = reached(&metadata, crate_name);
        let heavy: Vec<_> = NOT_IN_THE_AGENT
            .iter()
            .filter(|name| reached.contains(**name))
            .collect();
        assert!(heavy.is_empty(), "`{crate_name}` carries {heavy:?}");
    }
}

#[test]
fn use_cases_know_no_http_and_no_sql() {
    let metadata = metadata();
    let fleet = metadata
        .workspace_packages()
        .into_iter()
        .find(|package| package.name.as_str() == "pressroom-fleet")
        .expect("there is a fleet");
    for dependency in &fleet.dependencies {
        assert!(
            ![
                "axum",
                "hyper",
                "http",
                "tower-http",
                "sea-orm",
                "sqlx",
                "mysql_async"
            ]
            .contains(&dependency.name.as_str()),
            "`pressroom-fleet` depends on `{}`",
            dependency.name
        );
    }
}

#[test]
fn there_is_one_sqlite_and_one_crypto_provider() {
    let metadata = metadata();
    let reached = reached(&metadata, "pressroom");
    for name in NOT_ANYWHERE {
        assert!(!reached.contains(*name), "`{name}` is in the graph");
    }
}

/// Every file of ours below the directories that hold code.
fn sources() -> Vec<PathBuf> {
    fn walk(directory: &Path, found: &mut Vec<PathBuf>) {
        for entry in fs::read_dir(directory).expect("a directory of ours is readable") {
            let path = entry.expect("so are its entries").path();
            if path.is_dir() {
                walk(&path, found);
            } else {
                found.push(path);
            }
        }
    }
    let mut found = Vec::new();
    for directory in ["bin", "crates", "tests", "benches", "fuzz"] {
        let directory = place::workspace().join(directory);
        if directory.is_dir() {
            walk(&directory, &mut found);
        }
    }
    found
}

fn rust_sources() -> impl Iterator<Item = (PathBuf, String)> {
    sources()
        .into_iter()
        .filter(|path| path.extension().is_some_and(|extension| extension == "rs"))
        .map(|path| {
            let text = fs::read_to_string(&path).expect("source is UTF-8");
            (path, text)
        })
}

#[test]
fn files_of_a_crate_import_each_other_one_way() {
    let mut wrong = Vec::new();
    let mut read = 0;
    for package in metadata().workspace_packages() {
        for target in &package.targets {
            if target.is_test() || target.is_bench() || target.is_custom_build() {
                continue;
            }
            let root = target.src_path.as_std_path();
            let imports = imports::read(root);
            read += imports.len();
            for circle in imports::circles(&imports) {
                wrong.push(tied(&imports, &circle));
            }
        }
    }
    assert!(read > 500, "only {read} files were read");
    assert!(
        wrong.is_empty(),
        "{} circles\n{}",
        wrong.len(),
        wrong.join("\n")
    );
}

/// A circle for a person: who takes what from whom.
fn tied(imports: &imports::Imports, circle: &[PathBuf]) -> String {
    let short = |path: &Path| {
        let root = place::workspace();
        path.strip_prefix(&root)
            .unwrap_or(path)
            .display()
            .to_string()
    };
    let mut lines = Vec::new();
    for file in circle {
        for (other, names) in &imports[file] {
            if circle.contains(other) {
                let names: Vec<_> = names.iter().map(String::as_str).collect();
                let (taker, names, giver) = (short(file), names.join(", "), short(other));
                lines.push(format!("{taker} takes {names} from {giver}"));
            }
        }
    }
    lines.join("\n") + "\n"
}

#[test]
fn files_are_one_thought() {
    let mut wrong = Vec::new();
    for (path, text) in rust_sources() {
        let lines = text.lines().count();
        if lines > 600 {
            wrong.push(format!("{} has {lines} lines", path.display()));
        }
        let name = path
            .file_stem()
            .and_then(|stem| stem.to_str())
            .unwrap_or("");
        if [
            "mod", "utils", "util", "helpers", "helper", "common", "misc", "manager",
        ]
        .contains(&name)
        {
            wrong.push(format!("{} says nothing by its name", path.display()));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

/// Updates are made up to be judged by what knows nothing of them.
#[test]
fn nothing_that_judges_updates_knows_how_they_are_made_up() {
    let metadata = metadata();
    let depend = metadata.packages.iter().filter(|package| {
        let needs = &package.dependencies;
        needs.iter().any(|needed| needed.name == "pressroom-tests")
    });
    let depend: Vec<_> = depend.map(|package| package.name.to_string()).collect();
    assert!(depend.is_empty(), "{depend:?} depend on the suites");
    let crates = place::workspace().join("crates");
    let judges = ["visitor", "fleet", "wordpress"].map(|name| crates.join(name).join("src"));
    let knows: Vec<_> = rust_sources()
        .filter(|(path, _)| judges.iter().any(|judge| path.starts_with(judge)))
        .filter(|(_, text)| text.to_ascii_lowercase().contains("corpus"))
        .map(|(path, _)| path)
        .collect();
    assert!(knows.is_empty(), "{knows:?} name the corpus");
    let seen = rust_sources().any(|(path, _)| path.starts_with(&judges[0]));
    assert!(seen, "nothing was read");
}

#[test]
fn each_crate_opens_with_its_purpose() {
    let mut wrong = Vec::new();
    for (path, text) in rust_sources() {
        let is_crate_root = path.ends_with("src/lib.rs") || path.ends_with("src/main.rs");
        if is_crate_root && !text.starts_with("//!") {
            wrong.push(path.display().to_string());
        }
    }
    assert!(wrong.is_empty(), "without a first sentence: {wrong:?}");
}

#[test]
fn nothing_is_left_to_do_or_allowed_in_passing() {
    // Built up, so that this file does not contain what it looks for.
    let marks = [
        format!("{}!(", "todo"),
        format!("{}!(", "unimplemented"),
        format!("{}!(", "dbg"),
        format!("#[{}(", "allow"),
        format!("#![{}(", "allow"),
        format!("#[{}", "ignore"),
        format!("{} {{", "unsafe"),
    ];
    let mut wrong = Vec::new();
    for (path, text) in rust_sources() {
        for (number, line) in text.lines().enumerate() {
            for mark in &marks {
                if line.trim_start().contains(mark.as_str()) && !line.trim_start().starts_with("//")
                {
                    wrong.push(format!("{}:{} has `{mark}`", path.display(), number + 1));
                }
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn nothing_names_the_place_it_was_made_in() {
    let marks = [
        format!("/{}/main", "work"),
        format!("/{}/shared", "work"),
        format!("{}.crates.io", "static"),
        format!("{}.npmjs", "registry"),
    ];
    let mut wrong = Vec::new();
    let root = place::workspace();
    let mut files = sources();
    for directory in ["docs", "scripts", ".ci"] {
        if let Ok(entries) = fs::read_dir(root.join(directory)) {
            files.extend(entries.flatten().map(|entry| entry.path()));
        }
    }
    for name in [
        "README.md",
        "CHANGELOG.md",
        "Cargo.toml",
        "check",
        "quickstart",
    ] {
        files.push(root.join(name));
    }
    for path in files {
        let Ok(text) = fs::read_to_string(&path) else {
            continue;
        };
        for mark in &marks {
            if text.contains(mark.as_str()) {
                wrong.push(format!("{} names `{mark}`", path.display()));
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn every_crate_keeps_the_lints_of_the_workspace() {
    for package in metadata().workspace_packages() {
        let manifest = fs::read_to_string(&package.manifest_path).expect("a manifest is readable");
        assert!(
            manifest.contains("[lints]\nworkspace = true"),
            "`{}` has lints of its own",
            package.name
        );
    }
}
