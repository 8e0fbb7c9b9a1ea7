//! Random fleets, random selectors: what is answered from a picture, what is answered
//! directly, and what plain SQL says are the same.
//!
//! SQL has the same three truths as selectors, so a selector becomes one expression of
//! it. What no database knows is PHP's order of versions: there the few versions that
//! occur are in a list, sorted by hand.

mod ask;
mod pool;

use crate::base::Base;
use ask::Ask;
use pool::World;
use pressroom_base::id::AccountId;
use pressroom_fleet::{Caller, principal::Role};
use pressroom_testkit::{chance::Chance, sql::Raw};

crate::on_both! { a_picture_answers_as_plain_sql_does }

const ENVIRONMENTS: usize = 250;
const ROUNDS: usize = 4;
const SELECTORS: usize = 60;
const CHANGES: usize = 60;

async fn a_picture_answers_as_plain_sql_does(base: Base) {
    let mut chance = Chance::new();
    let raw = Raw::open(base.url()).await.unwrap();
    let mut world = World::new(base.account.get());
    for sql in world.founding(&mut chance, ENVIRONMENTS) {
        raw.run(&sql).await.unwrap();
    }
    let member = base.person(Role::Viewer);
    let own = [base.account];
    let operator = Base::console();
    let mut found = 0;
    for _ in 0..ROUNDS {
        for _ in 0..SELECTORS {
            let ask = Ask::random(&mut chance, 3);
            found += check(&base, &raw, &ask, &operator, None).await;
            check(&base, &raw, &ask, &member, Some(&own)).await;
        }
        for _ in 0..CHANGES {
            let sql = world.change(&mut chance);
            raw.run(&sql).await.unwrap();
        }
    }
    assert!(
        found > ENVIRONMENTS,
        "selectors that find nothing say nothing"
    );
}

/// Asks all three; how many were found.
async fn check(
    base: &Base,
    raw: &Raw,
    ask: &Ask,
    caller: &Caller,
    scope: Option<&[AccountId]>,
) -> usize {
    let selector = ask.to_string();
    let expected = plain(raw, ask, scope).await;
    for fleet in [&base.lasting, &base.fleet] {
        let answer = fleet.select(caller, &selector).await;
        let answer = answer.unwrap_or_else(|error| panic!("{error:?}: {selector}"));
        let ids: Vec<i64> = answer.ids.iter().map(|id| id.get()).collect();
        assert_eq!(
            (ids, answer.undecided),
            expected,
            "{selector}\n{}",
            ask.sql()
        );
    }
    expected.0.len()
}

/// The ids for which it is true, by domain, then directory, and for how many it is null.
async fn plain(raw: &Raw, ask: &Ask, scope: Option<&[AccountId]>) -> (Vec<i64>, usize) {
    let own = scope.map_or_else(String::new, |own| {
        let own: Vec<String> = own.iter().map(ToString::to_string).collect();
        format!("AND e.account_id IN ({})", own.join(","))
    });
    let sql = format!(
        "SELECT e.id, d.name AS domain, e.url, e.root, \
         CASE WHEN ({sql}) IS NULL THEN 1 WHEN ({sql}) THEN 2 ELSE 0 END AS truth \
         FROM environments e \
         JOIN accounts a ON a.id = e.account_id JOIN sites s ON s.id = e.site_id \
         LEFT JOIN domains d ON d.id = e.domain_id LEFT JOIN hosts h ON h.id = e.host_id \
         WHERE e.state <> 'failed' {own}",
        sql = ask.sql()
    );
    let rows = raw.rows(&sql).await.unwrap();
    let mut found = Vec::new();
    let mut undecided = 0;
    for row in rows {
        match row.try_get::<i32>("", "truth").unwrap() {
            1 => undecided += 1,
            2 => {
                let domain: Option<String> = row.try_get("", "domain").unwrap();
                let url: String = row.try_get("", "url").unwrap();
                let root: String = row.try_get("", "root").unwrap();
                // Without a domain of ours, the host name in its address.
                let host = || url.split(['/', ':']).nth(3).unwrap_or_default().to_owned();
                found.push((
                    domain.unwrap_or_else(host),
                    root,
                    row.try_get::<i64>("", "id").unwrap(),
                ));
            }
            _ => {}
        }
    }
    found.sort();
    (found.into_iter().map(|(_, _, id)| id).collect(), undecided)
}
