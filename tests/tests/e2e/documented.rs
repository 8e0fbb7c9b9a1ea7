//! The calls that the documentation shows, pasted into a shell one after the other.

use anyhow::{Context, Result, ensure};
use pressroom_testkit::{
    Options, place,
    plugin::{Behaviour, PluginPackage},
};
use pressroom_tests::fixture::{EMAIL, Fixture};
use std::{fmt::Write as _, fs};
use tokio::process::Command;

const PAGE: &str = "docs/dialects/wispanel-calls.md";
/// Between the outputs of two lines; nothing prints it by itself.
const MARK: &str = "\u{1e}";

/// The page has about as many calls as a token may make in a minute: a machine fast
/// enough is told to wait, and this is how a client does.
const PATIENT: &str = r#"
set -o pipefail
curl() {
  local out code
  while :; do
    out=$(command curl "$@")
    code=$?
    [[ $out == *'"code":"RATE_LIMITED"'* ]] || break
    sleep 5
  done
  printf '%s' "$out"
  return $code
}
"#;

/// A line of a shell, and what the page says it prints; `…` stands for anything.
#[derive(Debug)]
struct Shown {
    line: String,
    prints: String,
}

/// All lines of the page's `console` blocks. An answer that is folded on the page goes
/// on in an indented line.
fn shown(page: &str) -> Vec<Shown> {
    let mut all: Vec<Shown> = Vec::new();
    let mut inside = false;
    let mut goes_on = false;
    for line in page.lines() {
        match (inside, line) {
            (false, "```console") => inside = true,
            (true, "```") => inside = false,
            (true, line) => {
                let text = line.trim_start_matches(' ');
                if let Some(line) = line.strip_prefix("$ ") {
                    all.push(Shown {
                        line: line.to_owned(),
                        prints: String::new(),
                    });
                    goes_on = line.ends_with('\\');
                } else if let Some(last) = all.last_mut() {
                    if goes_on {
                        last.line.push('\n');
                        last.line.push_str(text);
                        goes_on = text.ends_with('\\');
                    } else {
                        last.prints.push_str(text);
                    }
                }
            }
            _ => {}
        }
    }
    all
}

/// Whether `text` is what the page says.
fn is_as_shown(text: &str, prints: &str) -> bool {
    let mut parts = prints.split('…');
    let first = parts.next().unwrap_or_default();
    let Some(mut rest) = text.strip_prefix(first) else {
        return false;
    };
    let mut last = None;
    for part in parts {
        let Some(at) = rest.find(part) else {
            return false;
        };
        rest = &rest[at + part.len()..];
        last = Some(part);
    }
    match last {
        None => rest.is_empty(),
        Some(last) => text.ends_with(last),
    }
}

// Rows: ALL, S6
#[tokio::test]
async fn each_call_prints_what_the_page_shows() -> Result<()> {
    let page = fs::read_to_string(place::workspace().join(PAGE))?;
    let fixture = Fixture::start(Options::default()).await?;
    for domain in ["shop.localhost", "copy.localhost"] {
        fixture.add_domain(domain).await?;
    }
    let greeting = |version| PluginPackage::new("greeting").version(version);
    fixture.offer(&greeting("1.1.0"))?;
    fixture.offer(&greeting("1.2.0").behaviour(Behaviour::FatalEverywhere))?;
    let mut script = String::from(PATIENT);
    let all = shown(&page);
    ensure!(all.len() > 40, "only {} lines were found", all.len());
    for shown in &all {
        let line = if shown.line.starts_with("A=") {
            format!("A={}/api/v1/wordpress", fixture.server.url())
        } else if shown.line.starts_with("H=") {
            format!("H='Authorization: Bearer {}'", fixture.token)
        } else {
            shown.line.replace("you@press.localhost", EMAIL)
        };
        writeln!(script, "{line}\nprintf '{MARK}%s{MARK}' $?")?;
    }
    let out = Command::new("bash").args(["-c", &script]).output().await?;
    let told = String::from_utf8(out.stdout)?;
    let mut told = told.split(MARK);
    for shown in &all {
        let printed = told.next().context("the shell ended early")?.trim_end();
        let code = told.next().context("the shell ended early")?;
        ensure!(
            code == "0" && is_as_shown(printed, &shown.prints),
            "$ {}\nends with {code} and prints\n{printed}\nnot\n{}\n{}",
            shown.line,
            shown.prints,
            String::from_utf8_lossy(&out.stderr)
        );
    }
    Ok(())
}
