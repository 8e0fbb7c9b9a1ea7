//! Updates that break a site and updates that only look so, through the pipelines of a real
//! server.
//!
//! `PRESSROOM_CORPUS=parse_error,font` runs these classes alone, `PRESSROOM_SEED` repeats a
//! run, `PRESSROOM_VARIANT` one variant of it, and `PRESSROOM_BLESS=1` writes the table of
//! `docs/corpus.md`.

use anyhow::{Result, ensure};
use pressroom_testkit::chance;
use pressroom_tests::{
    corpus::{self, Case, Class, Kind, Needs, run, run::Outcome, table},
    killed::rounds,
};

/// Classes that are wanted, of those that need Chromium or of the others.
fn wanted(pictures: bool) -> Vec<Class> {
    let only = std::env::var("PRESSROOM_CORPUS").unwrap_or_default();
    let only: Vec<&str> = only.split(',').filter(|name| !name.is_empty()).collect();
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

#[tokio::test]
async fn what_is_bad_does_not_stay_and_what_is_good_does() -> Result<()> {
    let classes = wanted(false);
    let outcomes = run::hosted(cases(&classes)?).await?;
    println!("{}", table::rows(&classes, &outcomes));
    is_right(&outcomes)
}

#[tokio::test]
async fn what_only_a_browser_shows_is_seen() -> Result<()> {
    let classes = wanted(true);
    let outcomes = run::hosted(cases(&classes)?).await?;
    println!("{}", table::rows(&classes, &outcomes));
    is_right(&outcomes)
}
