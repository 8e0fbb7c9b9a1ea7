//! What pages, fragments and streams say.

use crate::world::{Who, World};
use axum::http::{Method, StatusCode};
use pressroom_store::jobs::{NewJob, queue, record};
use serde_json::json;

#[tokio::test]
async fn the_fleet_shows_ones_own_sites_and_filters() {
    let world = World::new().await;
    let page = world.get(Who::Member, "/fleet").await;
    assert!(page.text.contains("Title of blog.example"));
    assert!(page.text.contains("1 available"));
    assert!(!page.text.contains("foreign.example"));
    let all = world.get(Who::Operator, "/fleet").await;
    assert!(all.text.contains("blog.example") && all.text.contains("foreign.example"));

    let cookie = world.session(Who::Operator).await.expect("a session");
    let cookie = format!("pressroom_session={cookie}");
    let htmx = [("cookie", cookie.as_str()), ("hx-request", "true")];
    let fragment = world
        .send(&Method::GET, "/fleet?q=foreign", &htmx, "")
        .await;
    assert!(!fragment.text.contains("<html"), "{}", fragment.text);
    assert!(fragment.text.contains("foreign.example"));
    assert!(!fragment.text.contains("blog.example"));
    let none = world
        .send(&Method::GET, "/fleet?q=%3Cb%3E", &htmx, "")
        .await;
    assert!(none.text.contains("No site matches") && !none.text.contains("<b>"));
}

#[tokio::test]
async fn every_kind_of_job_has_words_of_its_own() {
    let world = World::new().await;
    let kinds = world.test.fleet.job_kinds().names();
    assert!(kinds.len() > 9, "{kinds:?}");
    for kind in kinds {
        let tx = world.test.store.begin().await.expect("a transaction");
        let new = NewJob {
            environment: Some(world.own.environment.id),
            account: Some(world.own.environment.account_id),
            ..NewJob::new(kind, json!({}))
        };
        let queued = queue::insert(&tx, new).await.expect("queued");
        tx.commit().await.expect("committed");
        // What a kind without words is called: its stored name, spelt out.
        let spelt = kind.replace('_', " ");
        let page = world
            .get(Who::Member, &format!("/jobs/{}", queued.public_id))
            .await;
        assert_eq!(page.status, StatusCode::OK);
        assert!(
            !page.text.to_lowercase().contains(&spelt) && !page.text.contains(kind),
            "`{kind}` needs words in `wording.rs`"
        );
    }
}

#[tokio::test]
async fn a_site_that_cannot_be_reached_has_no_verdict_on_its_files() {
    let world = World::new().await;
    let site = format!("/sites/{}", world.own.environment.id);
    let page = world.get(Who::Viewer, &site).await;
    assert!(page.text.contains("Check files"));
    let form = format!("csrf={}", crate::world::CSRF);
    let path = format!("{site}/files");
    let reply = world.ask(Who::Viewer, &Method::POST, &path, &form).await;
    assert_eq!(reply.status, StatusCode::BAD_GATEWAY, "{}", reply.text);
    assert!(!reply.text.contains("Intact"));
}

#[tokio::test]
async fn failures_are_pages_or_fragments() {
    let world = World::new().await;
    for path in ["/nothing", "/jobs/12x", "/sites/999", "/assets/none.css"] {
        let page = world.get(Who::Member, path).await;
        assert_eq!(page.status, StatusCode::NOT_FOUND, "{path}");
        assert!(page.text.contains("<html") && page.text.contains("There is nothing here"));
    }
    let cookie = world.session(Who::Member).await.expect("a session");
    let cookie = format!("pressroom_session={cookie}");
    let htmx = [("cookie", cookie.as_str()), ("hx-request", "true")];
    let fragment = world.send(&Method::GET, "/sites/999", &htmx, "").await;
    assert!(fragment.text.contains("role=\"alert\"") && !fragment.text.contains("<html"));
    let over = world
        .send(&Method::GET, "/fleet", &[("hx-request", "true")], "")
        .await;
    assert_eq!(over.status, StatusCode::UNAUTHORIZED);
    assert_eq!(over.header("hx-redirect"), "/sign-in?next=%2Ffleet");
    let wrong = world.ask(Who::Member, &Method::DELETE, "/fleet", "").await;
    assert_eq!(wrong.status, StatusCode::METHOD_NOT_ALLOWED);
    assert!(wrong.text.contains("<html"));
}

#[tokio::test]
async fn a_sites_page_may_lead_to_that_site_only() {
    let world = World::new().await;
    let page = world
        .get(Who::Member, &format!("/sites/{}", world.own.environment.id))
        .await;
    let policy = page.header("content-security-policy");
    assert!(policy.contains("form-action 'self' http://blog.example https://blog.example;"));
    assert!(page.text.contains("Watch the job"));
    assert!(!page.text.contains("database-password"));
}

#[tokio::test]
async fn a_sites_snapshots_are_listed_and_handed_out() {
    let world = World::new().await;
    let site = format!("/sites/{}", world.own.environment.id);
    let one = format!("{site}/snapshots/{}", world.own.snapshot);
    let page = world.get(Who::Viewer, &site).await;
    assert!(page.text.contains(&one), "{}", page.text);
    assert!(!page.text.contains("Take a snapshot"), "a viewer cannot");
    let page = world.get(Who::Member, &site).await;
    assert!(page.text.contains("Take a snapshot"));
    let page = world.get(Who::Member, &one).await;
    assert!(page.text.contains("read back whole") && page.text.contains("6 bytes"));

    let form = format!("csrf={}", crate::world::CSRF);
    let sent = world
        .ask(
            Who::Member,
            &Method::POST,
            &format!("{one}/download"),
            &form,
        )
        .await;
    assert_eq!(sent.status, StatusCode::SEE_OTHER);
    let link = sent.header("location").strip_prefix("/download/snapshots/");
    let link = link.expect("a link of our own");
    let (linked, _) = world
        .test
        .fleet
        .fetch_by_link(link, None)
        .await
        .expect("good");
    assert_eq!(linked.size, 6);
    let again = world.test.fleet.fetch_by_link(link, None).await;
    assert!(again.is_err(), "it is for one download");
    let sent = world
        .ask(Who::Member, &Method::POST, &format!("{one}/verify"), &form)
        .await;
    assert!(sent.header("location").starts_with("/jobs/job_"));

    // One's own site does not lead to another's snapshot.
    for path in [
        format!("{site}/snapshots/{}", world.foreign.snapshot),
        format!("{site}/snapshots/{}/restore", world.foreign.snapshot),
    ] {
        let missing = world.get(Who::Operator, &path).await;
        assert_eq!(missing.status, StatusCode::NOT_FOUND, "{path}");
    }
    let strange = format!("{form}&keep_days=soon");
    let refused = world
        .ask(
            Who::Member,
            &Method::POST,
            &format!("{site}/snapshots"),
            &strange,
        )
        .await;
    assert_eq!(refused.status, StatusCode::UNPROCESSABLE_ENTITY);
}

#[tokio::test]
async fn a_snapshot_is_restored_and_removed_only_after_a_question() {
    let world = World::new().await;
    let site = format!("/sites/{}", world.own.environment.id);
    let one = format!("{site}/snapshots/{}", world.own.snapshot);
    let asked = world.get(Who::Operator, &format!("{one}/restore")).await;
    assert!(
        asked
            .text
            .contains("Every file and every table of blog.example")
    );
    assert!(asked.text.contains(&format!("action=\"{one}/restore\"")));
    let asked = world.get(Who::Operator, &format!("{one}/remove")).await;
    assert!(asked.text.contains("deleted for good"));
    assert!(
        world.get(Who::Viewer, &one).await.text.contains("Verified"),
        "asking does nothing"
    );
    let form = format!("csrf={}", crate::world::CSRF);
    let done = world
        .ask(
            Who::Operator,
            &Method::POST,
            &format!("{one}/remove"),
            &form,
        )
        .await;
    assert_eq!(done.header("location"), format!("{site}#snapshots"));
    let page = world.get(Who::Member, &site).await;
    assert!(page.text.contains("There is no snapshot of this site yet"));
    let late = world.get(Who::Operator, &format!("{one}/restore")).await;
    assert_eq!(late.status, StatusCode::CONFLICT);
}

#[tokio::test]
async fn a_jobs_output_streams_resumes_and_ends() {
    let world = World::new().await;
    let site = &world.own;
    for text in ["first <line>\n", "second line\n"] {
        let tx = world.test.store.begin().await.expect("a transaction");
        let appended = record::append_output(&tx, site.job_id, site.epoch, text).await;
        appended.expect("appended");
        tx.commit().await.expect("committed");
    }
    // Without scripts too: what is there is in the page.
    let page = world.get(Who::Viewer, &format!("/jobs/{}", site.job)).await;
    assert!(
        page.text.contains("first &#60;line&#62;\nsecond line\n"),
        "{}",
        page.text
    );
    assert!(page.text.contains("http-equiv=\"refresh\""));
    assert!(!page.text.contains("Cancel job"), "a viewer cannot");
    let page = world.get(Who::Member, &format!("/jobs/{}", site.job)).await;
    assert!(page.text.contains("Cancel job"));

    let tx = world.test.store.begin().await.expect("a transaction");
    let ended = queue::complete(&tx, site.job_id, site.epoch, &json!({ "items": [] })).await;
    ended.expect("completed");
    tx.commit().await.expect("committed");
    let events = format!("/jobs/{}/events?whole", site.job);
    let whole = world.get(Who::Member, &events).await;
    assert_eq!(whole.header("content-type"), "text/event-stream");
    assert!(
        whole.text.contains("data: first <line>\n"),
        "{}",
        whole.text
    );
    assert!(whole.text.contains("event: state\n") && whole.text.contains("Completed"));
    assert!(
        whole.text.ends_with("event: end\ndata: final\n\n"),
        "{}",
        whole.text
    );

    let id = whole
        .text
        .lines()
        .find_map(|line| line.strip_prefix("id: "))
        .expect("an id");
    let cookie = world.session(Who::Member).await.expect("a session");
    let cookie = format!("pressroom_session={cookie}");
    let headers = [("cookie", cookie.as_str()), ("last-event-id", id)];
    let rest = world.send(&Method::GET, &events, &headers, "").await;
    assert!(
        !rest.text.contains("first") && rest.text.contains("second line"),
        "{}",
        rest.text
    );
    let page = world.get(Who::Member, &format!("/jobs/{}", site.job)).await;
    assert!(!page.text.contains("data-events") && !page.text.contains("http-equiv"));
}
