//! The same request many times: one effect, one answer, a kill in between or not.

use anyhow::{Result, ensure};
use pressroom_testkit::Options;
use pressroom_testkit::api::Api;
use pressroom_tests::fixture::{Fixture, SHORT_LEASES, install_request};
use serde_json::Value;
use std::collections::BTreeMap;
use std::time::Duration;

const INSTALL: &str = "/api/v1/wordpress/install";
const KEY: (&str, &str) = ("Idempotency-Key", "one-install-please");

#[tokio::test]
async fn a_hundred_equal_requests_and_a_kill_install_once() -> Result<()> {
    let mut fixture = Fixture::start(Options {
        config: SHORT_LEASES.to_owned(),
        ..Options::default()
    })
    .await?;
    let domain = "once.press.example";
    fixture.add_domain(domain).await?;
    let body = install_request(domain);

    // Fifty before the kill, fifty after it: a key may be used sixty times a minute.
    let first = many(&fixture.server.api(Some(&fixture.token))?, 50, &body);
    tokio::time::sleep(Duration::from_millis(120)).await;
    fixture.server.restart().await?;
    let mut answers = first.await?;
    let second = many(&fixture.server.api(Some(&fixture.token))?, 50, &body).await?;
    for (status, bodies) in second {
        answers.entry(status).or_default().extend(bodies);
    }

    let created = answers.remove(&201).unwrap_or_default();
    ensure!(!created.is_empty(), "nobody got an answer: {answers:?}");
    ensure!(
        created.iter().all(|body| *body == created[0]),
        "different answers: {created:?}"
    );
    // The rest ran into the limit or into the kill; nobody was told a conflict.
    let others: Vec<_> = answers
        .iter()
        .filter(|(status, _)| ![0, 429].contains(*status))
        .collect();
    ensure!(others.is_empty(), "{others:?}");

    let jobs = fixture.settled_jobs().await?;
    let installs: Vec<&Value> = jobs
        .iter()
        .filter(|job| job["kind"] == "site_install")
        .collect();
    assert_eq!(installs.len(), 1, "{installs:?}");

    // Another body under the same key is a mistake of the caller.
    let token = fixture.fresh_token().await?;
    let api = fixture.server.api(Some(&token))?;
    let key = [("Idempotency-Key", "another")];
    fixture.add_domain("twice.press.example").await?;
    let body = install_request("twice.press.example");
    api.post_with(INSTALL, &key, &body).await?.expect(201)?;
    let again = api.post_with(INSTALL, &key, &body).await?.expect(201)?;
    assert_eq!(again.header("idempotency-replayed"), Some("true"));
    let mut other = body.clone();
    other["title"] = "another".into();
    api.post_with(INSTALL, &key, &other).await?.expect(422)?;
    fixture.settled_jobs().await?;
    Ok(())
}

/// Sends the request `count` times at once; answers bodies by status, 0 for those
/// that got none.
fn many(
    api: &Api,
    count: usize,
    body: &Value,
) -> impl Future<Output = Result<BTreeMap<u16, Vec<String>>>> + use<> {
    let tasks: Vec<_> = (0..count)
        .map(|_| {
            let (api, body) = (api.clone(), body.clone());
            tokio::spawn(async move { api.post_with(INSTALL, &[KEY], &body).await })
        })
        .collect();
    async move {
        let mut answers: BTreeMap<u16, Vec<String>> = BTreeMap::new();
        for task in tasks {
            let (status, text) = match task.await? {
                Ok(reply) => (reply.status, reply.text),
                Err(error) => (0, format!("{error:#}")),
            };
            answers.entry(status).or_default().push(text);
        }
        Ok(answers)
    }
}
