//! Reference pages, made from the code they describe.
//!
//! `docs/reference/` holds what these functions answer; a test fails when it does not.

use crate::{
    Cli, Exit,
    config::{DEFAULTS, KEYS, Key},
};
use clap::CommandFactory;
use pressroom_base::catalog;
use std::fmt::Write;

/// A page's file name, and what makes the page.
pub type Page = (&'static str, fn() -> String);

/// Every page: its file name in `docs/reference/`, and what makes it.
pub const PAGES: &[Page] = &[
    ("configuration.md", configuration),
    ("environment.md", environment),
    ("cli.md", cli),
    ("events.md", events),
    ("metrics.md", metrics),
];

const MADE: &str = "<!-- Made from the code. `PRESSROOM_BLESS=1 cargo test -p pressroom-cli --test reference` makes it again. -->\n";

fn page(title: &str, intro: &str) -> String {
    format!("{MADE}\n# {title}\n\n{intro}\n")
}

/// Every key with its type, default, variable and description.
fn configuration() -> String {
    let mut text = page(
        "Configuration",
        "A value is looked for in the compiled-in defaults, then in the configuration file (`--config FILE`, \
         `$PRESSROOM_CONFIG`, or `pressroom.toml` in the data directory), then in the environment, then in flags; \
         the last one found wins. An unknown key, table or variable and a value of the wrong form are refused, \
         with the place and the nearest thing there is. `{data}` in a value stands for the data directory. \
         `pressroom config show` prints what holds, and where it was said.",
    );
    let mut section = None;
    for key in KEYS {
        if section != Some(key.section) {
            section = Some(key.section);
            let title = match key.section {
                "" => "Top level".to_owned(),
                name => format!("`[{name}]`"),
            };
            let _ = write!(text, "\n## {title}\n");
        }
        let (description, default) = documented(key);
        let _ = write!(
            text,
            "\n### `{}`\n\n{description}\n\n- must be {}\n- default: `{default}`\n- environment: `{}`\n",
            key.path(),
            key.shape,
            key.variable(),
        );
    }
    let _ = write!(
        text,
        "\n## The defaults as a file\n\n```toml\n{DEFAULTS}```\n"
    );
    text
}

/// The comment above a key in the documented defaults, and its value there.
fn documented(key: &Key) -> (String, String) {
    let mut section = "";
    let mut comment = Vec::new();
    for line in DEFAULTS.lines() {
        if let Some(name) = line.strip_prefix('[') {
            section = name.trim_end_matches(']');
        } else if let Some(words) = line.strip_prefix("# ") {
            comment.push(words);
        } else if let Some((name, value)) = line.split_once(" = ") {
            if section == key.section && name == key.name {
                return (comment.join("\n"), value.to_owned());
            }
        } else {
            comment.clear();
        }
    }
    (String::new(), String::new())
}

/// Every environment variable.
fn environment() -> String {
    let mut text = page(
        "Environment",
        "Every key of the configuration can be set by a variable: `PRESSROOM_` and the key in capitals, with two \
         underscores between table and key. A variable of that form that names no key is refused.",
    );
    text.push_str("\n| variable | what it says |\n|---|---|\n");
    for (name, description) in catalog::env::ALL {
        let _ = writeln!(text, "| `{name}` | {description} |");
    }
    for key in KEYS {
        let variable = key.variable();
        if catalog::env::ALL.iter().all(|(name, _)| *name != variable) {
            let _ = writeln!(
                text,
                "| `{variable}` | sets `{}`: {} |",
                key.path(),
                key.shape
            );
        }
    }
    text
}

/// Every command's help.
fn cli() -> String {
    let mut text = page(
        "Command line",
        "Data goes to standard output, everything else to standard error. Lists are tables on a terminal and \
         tab-separated lines without a heading in a pipe; `--json` prints one JSON value per line instead, and \
         failures as `{\"error\":{\"kind\",\"message\",\"causes\",\"hint\"}}`.",
    );
    text.push_str("\n| exit code | meaning |\n|---|---|\n");
    for (exit, meaning) in Exit::ALL {
        let _ = writeln!(text, "| {} | {meaning} |", exit.code());
    }
    let mut root = Cli::command().term_width(100);
    root.build();
    help(&mut root, "pressroom", &mut text);
    text
}

fn help(command: &mut clap::Command, path: &str, text: &mut String) {
    if command.is_hide_set() {
        return;
    }
    let rendered = command.render_help().to_string();
    let _ = write!(
        text,
        "\n## `{path}`\n\n```text\n{}\n```\n",
        rendered.trim_end()
    );
    for child in command.get_subcommands_mut() {
        let path = format!("{path} {}", child.get_name());
        help(child, &path, text);
    }
}

/// Every event.
fn events() -> String {
    let mut text = page(
        "Events",
        "What can happen. An event is written in the transaction of the change it tells of.",
    );
    text.push_str("\n| event | what happened |\n|---|---|\n");
    for (name, description) in catalog::event::ALL {
        let _ = writeln!(text, "| `{name}` | {} |", description.trim());
    }
    text
}

/// Every metric.
fn metrics() -> String {
    let mut text = page(
        "Metrics",
        "Served at `GET /metrics` in the text format of Prometheus.",
    );
    text.push_str("\n| metric | what it counts |\n|---|---|\n");
    for (name, description) in catalog::metric::ALL {
        let _ = writeln!(text, "| `{name}` | {description} |");
    }
    text
}
