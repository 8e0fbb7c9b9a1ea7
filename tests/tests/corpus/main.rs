//! Updates that break a site and updates that only look so, through the pipelines of a real
//! server.
//!
//! `PRESSROOM_CORPUS=parse_error,font` runs these classes alone, `all` of them, `PRESSROOM_SEED` repeats a
//! run, `PRESSROOM_VARIANT` one variant of it, and `PRESSROOM_BLESS=1` writes the table of
//! `docs/corpus.md`.

use anyhow::{Context, Result, ensure};
use pressroom_testkit::{chance, site::Site, wordpress_org::WordPressOrg};
use pressroom_tests::{
    adopted::{Way, World},
    corpus::{self, Case, Class, Kind, Needs, run, run::Outcome, table},
    killed::rounds,
};
use std::{
    fs,
    io::Write,
    path::{Path, PathBuf},
    process::{Command, Stdio},
};

/// What the short form tries: a few of each way to be judged.
const SHORT: [&str; 8] = [
    "parse_error",
    "fatal_on_one_template",
    "cron_storm",
    "truncated_package",
    "dead_at_the_site_alone",
    "text_changed",
    "layout_shifted",
    "font",
];

/// Classes that are wanted, of those that need Chromium or of the others.
fn wanted(pictures: bool) -> Vec<Class> {
    let only = std::env::var("PRESSROOM_CORPUS").unwrap_or_default();
    let mut only: Vec<&str> = only.split(',').filter(|name| !name.is_empty()).collect();
    match only.as_slice() {
        [] if rounds(0, 1) == 0 => only.extend(SHORT),
        ["all"] => only.clear(),
        _ => {}
    }
    corpus::classes()
        .into_iter()
        .filter(|class| (class.needs == Needs::Pictures) == pictures)
        .filter(|class| only.is_empty() || only.contains(&class.name))
        .collect()
}

fn cases(classes: &[Class]) -> Result<Vec<Case>> {
    let seed = chance::seed();
    let only: Option<u64> = std::env::var("PRESSROOM_VARIANT")
        .ok()
        .and_then(|number| number.parse().ok());
    let mut cases = Vec::new();
    for number in 0..u64::from(rounds(1, 3)) {
        for class in classes {
            if only.is_none_or(|only| only == number) {
                cases.push(class.case(seed, number)?);
            }
        }
    }
    Ok(cases)
}

/// No bad one stays, no good one is stopped, and each is told by what it is.
fn is_right(outcomes: &[Outcome]) -> Result<()> {
    let wrong: Vec<String> = outcomes
        .iter()
        .filter(|outcome| !outcome.wrong.is_empty())
        .map(|outcome| {
            format!(
                "{} {}: {}",
                outcome.case.class.name,
                outcome.case.number,
                outcome.wrong.join("; ")
            )
        })
        .collect();
    let (bad, good) = (Kind::Bad, Kind::Good);
    let count = |kind: Kind| {
        outcomes
            .iter()
            .filter(|one| one.case.class.kind == kind)
            .count()
    };
    eprintln!(
        "{} bad, {} good, {} wrong",
        count(bad),
        count(good),
        wrong.len()
    );
    ensure!(wrong.is_empty(), "{}", wrong.join("\n"));
    Ok(())
}

/// Writes the rows into the table of this name, where that is wanted.
fn tell(name: &str, outcomes: &[Outcome]) -> Result<()> {
    let classes = corpus::classes();
    let rows = table::rows(&classes, outcomes);
    eprintln!("{rows}");
    if std::env::var("PRESSROOM_BLESS").is_ok_and(|value| value == "1") {
        let page = fs::read_to_string(page())?;
        let page = table::placed(&page, name, &classes, &rows).context("no such table")?;
        fs::write(self::page(), page)?;
    }
    Ok(())
}

fn page() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../docs/corpus.md")
}

#[tokio::test]
async fn what_is_bad_does_not_stay_and_what_is_good_does() -> Result<()> {
    let outcomes = run::hosted(cases(&wanted(false))?).await?;
    tell("table", &outcomes)?;
    is_right(&outcomes)
}

#[tokio::test]
async fn what_only_a_browser_shows_is_seen() -> Result<()> {
    let outcomes = run::hosted(cases(&wanted(true))?).await?;
    tell("table", &outcomes)?;
    is_right(&outcomes)
}

/// All of them in the long form, otherwise one that is stopped, one that is taken back and one
/// that is good.
#[tokio::test]
async fn on_another_machine_it_is_the_same() -> Result<()> {
    let few = ["parse_error", "dead_at_the_site_alone", "text_changed"];
    let all = rounds(0, 1) == 1 || std::env::var("PRESSROOM_CORPUS").is_ok();
    let classes: Vec<Class> = wanted(false)
        .into_iter()
        .filter(|class| class.needs == Needs::Nothing)
        .filter(|class| all || few.contains(&class.name))
        .collect();
    let org = WordPressOrg::start(Vec::new()).await?;
    let world = World::adopted_with(Way::Login, run::options(&org, false)).await?;
    let hosted = &world.hosted;
    let site = Site::at(&world.site, &hosted.root, &hosted.url, hosted.addr)?;
    // Its pages have addresses of their own, as nearly everywhere; what a site without them is
    // looked at by is tested elsewhere.
    site.php(
        "require 'wp-load.php'; update_option('permalink_structure', '/%postname%/'); \
         delete_option('rewrite_rules');",
    )?;
    let outcomes = run::adopted(&world.server, &org, &site, cases(&classes)?).await?;
    tell("table over SSH", &outcomes)?;
    is_right(&outcomes)
}

#[test]
fn the_page_tells_of_every_class() -> Result<()> {
    let page = fs::read_to_string(page())?;
    let missing = table::missing(&page, "table", &corpus::classes());
    ensure!(missing.is_empty(), "no row for {missing:?}");
    Ok(())
}

/// A run can be repeated, and variants are others.
#[test]
fn a_seed_makes_the_same_again() -> Result<()> {
    for class in corpus::classes() {
        let one = class.case(7, 0)?;
        let again = class.case(7, 0)?;
        ensure!(
            one.old == again.old && one.slug == again.slug,
            "{}",
            class.name
        );
        let others = [class.case(7, 1)?, class.case(8, 0)?];
        for other in others {
            ensure!(one.slug != other.slug, "{}", class.name);
        }
        ensure!(
            class.kind == Kind::Good || !class.named.is_empty(),
            "{} is named by nothing",
            class.name
        );
    }
    Ok(())
}

fn is_php(path: &str) -> bool {
    Path::new(path)
        .extension()
        .is_some_and(|extension| extension == "php")
}

/// What a site has before is good PHP, in each of many variants.
#[test]
fn old_versions_are_php() -> Result<()> {
    let seed = chance::seed();
    for class in corpus::classes() {
        for number in 0..2 {
            let case = class.case(seed, number)?;
            let files = case.old.iter();
            for (path, code) in files.filter(|(path, _)| is_php(path)) {
                let mut php = Command::new("php")
                    .args(["-n", "-l"])
                    .stdin(Stdio::piped())
                    .stdout(Stdio::piped())
                    .stderr(Stdio::null())
                    .spawn()?;
                php.stdin.take().context("a pipe")?.write_all(code)?;
                let told = php.wait_with_output()?;
                ensure!(
                    told.status.success(),
                    "{} {number}: {path}: {}\n{}",
                    class.name,
                    String::from_utf8_lossy(&told.stdout),
                    String::from_utf8_lossy(code)
                );
            }
        }
    }
    Ok(())
}
