//! Safe updates: who sees one, its pictures, and who says yes.

use crate::{
    fleet::TestFleet,
    world::{CSRF, Who, World},
};
use axum::http::{Method, StatusCode};
use pressroom_archive::{Key, Objects};
use pressroom_base::{Timestamp, id::ShortId};
use pressroom_store::{
    EnvironmentRow, NewFinding, NewPicture, NewPipeline, NewTarget, PictureMoment, PipelinePatch,
    PipelineState, TargetPatch, pipelines,
};
use serde_json::json;
use std::time::Duration;

/// The smallest picture there is.
const PNG: &[u8] = b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR\0\0\0\x01\0\0\0\x01\x08\x06\0\0\0\x1f\x15\xc4\
    \x89\0\0\0\rIDATx\x9cc\xf8\xcf\xc0\xf0\x1f\0\x05\0\x01\xff\x89\x99=\x1d\0\0\0\0IEND\xaeB`\x82";

/// A safe update that waits for a yes.
pub struct Update {
    /// As pages call it.
    pub id: String,
    /// A picture of it.
    pub picture: String,
}

/// Records one of a site, as if it had been tried.
pub async fn waiting(test: &TestFleet, environment: &EnvironmentRow) -> Update {
    let tx = test.store.begin().await.expect("a transaction");
    let new = NewPipeline {
        site_id: environment.site_id,
        account_id: environment.account_id,
        environment_id: environment.id,
        options: json!({ "strategy": "canary", "rollback": "auto", "snapshot": true,
            "paths": ["/"], "note": "monthly" }),
        stages: json!([{ "name": "rehearsal", "status": "passed", "started_at": 1_000,
            "finished_at": 61_000, "message": "1 tried, nothing is worse", "detail": null }]),
        requires_approval: true,
        scheduled_at: None,
        rollout: None,
        canary: false,
        created_by: None,
        actor: "test".into(),
    };
    let target = |slug: &str| NewTarget {
        kind: "plugin".into(),
        slug: slug.into(),
        wanted: None,
    };
    let wanted = vec![target("sample"), target("other")];
    let row = pipelines::create(&tx, new, wanted).await.expect("recorded");
    for target in pipelines::targets(&tx, row.id).await.expect("targets") {
        let frozen = TargetPatch {
            name: Some(format!("Plugin {}", target.slug)),
            from_version: Some("1.0".into()),
            to_version: Some("1.1".into()),
            active: Some(true),
            ..TargetPatch::default()
        };
        let set = pipelines::set_target(&tx, target.id, frozen).await;
        set.expect("frozen");
    }
    let found = (0..20).map(|at| finding("php_notice", "note", &format!("/page-{at}")));
    let found = found.chain([finding("looks_changed", "warning", "/")]);
    let added = pipelines::add_findings(&tx, row.id, found.collect()).await;
    added.expect("findings");
    let mut ids = Vec::new();
    for moment in [PictureMoment::Before, PictureMoment::After] {
        let new = NewPicture {
            pipeline_id: row.id,
            account_id: row.account_id,
            environment_id: row.environment_id,
            stage: "rehearsal".into(),
            target: None,
            page: "/".into(),
            screen: "desktop".into(),
            moment,
            shot: format!("1-desktop-{}", ids.len() + 1),
            width: 1280,
            height: 900,
            areas: json!([{ "x": 1, "y": 2, "width": 64, "height": 32 }]),
            changed: true,
            size: 67,
        };
        let picture = pipelines::add_picture(&tx, new).await.expect("added");
        let objects = Objects::directory(test.dir.path().join("archive")).expect("a directory");
        let (account, site, id) = (
            picture.account_id,
            picture.environment_id,
            &picture.short_id,
        );
        let key = Key::parse(&format!("pictures/{account}/{site}/{id}.png")).expect("a key");
        objects.put_new(&key, PNG).await.expect("stored");
        let kept = pipelines::keep_picture(&tx, picture.id).await;
        assert!(kept.expect("kept"));
        ids.push(picture.short_id.to_string());
    }
    let patch = PipelinePatch {
        status: Some(PipelineState::AwaitingApproval),
        approval_until: Some(Timestamp::now().plus(Duration::from_hours(24))),
        ..PipelinePatch::default()
    };
    let changed = pipelines::change(&tx, row.id, &[PipelineState::Pending], patch).await;
    changed.expect("changed").expect("still pending");
    tx.commit().await.expect("committed");
    Update {
        id: format!("pipe_{}", row.short_id),
        picture: ids.swap_remove(0),
    }
}

fn finding(what: &str, severity: &str, place: &str) -> NewFinding {
    NewFinding {
        stage: "rehearsal".into(),
        target: None,
        what: what.into(),
        severity: severity.into(),
        place: place.into(),
        was: "1-desktop-1".into(),
        now: "1-desktop-2".into(),
        message: format!("{place} <is> otherwise"),
    }
}

fn page(world: &World) -> String {
    format!("/pipelines/{}", world.own.update.id)
}

async fn state(world: &World) -> PipelineState {
    let bare = world.own.update.id.strip_prefix("pipe_").expect("a prefix");
    let id = ShortId::parse(bare).expect("an id");
    let scope = pressroom_store::Scope::All;
    let found = pipelines::by_short_id(&world.test.store, &scope, &id).await;
    found.expect("read").found().expect("a pipeline").status
}

#[tokio::test]
async fn lists_show_ones_own_and_what_waits() {
    let world = World::new().await;
    let (own, foreign) = (&world.own.update.id, &world.foreign.update.id);
    for path in [
        "/pipelines",
        "/pipelines?show=open",
        "/pipelines?show=waiting",
    ] {
        let list = world.get(Who::Member, path).await;
        assert!(list.text.contains(own.as_str()), "{path}: {}", list.text);
        assert!(!list.text.contains(foreign.as_str()), "{path}");
        let all = world.get(Who::Operator, path).await;
        assert!(all.text.contains(own.as_str()) && all.text.contains(foreign.as_str()));
    }
    assert!(
        world
            .get(Who::Member, "/pipelines")
            .await
            .text
            .contains("Plugin sample, Plugin other")
    );

    let fleet = world.get(Who::Viewer, "/fleet").await;
    assert!(
        fleet.text.contains("1 update waits for a yes"),
        "{}",
        fleet.text
    );
    assert!(fleet.text.contains(&format!("href=\"{}\"", page(&world))));
    let fleet = world.get(Who::Operator, "/fleet").await;
    assert!(fleet.text.contains("2 updates wait for a yes"));
    let site = format!("/sites/{}", world.own.environment.id);
    let site = world.get(Who::Member, &site).await;
    assert!(
        site.text
            .contains("An update was tried and waits for a yes")
    );
    assert!(!site.text.contains("Update safely"), "there is one already");
}

#[tokio::test]
async fn a_page_tells_what_was_found_and_who_may_say_yes() {
    let world = World::new().await;
    let viewed = world.get(Who::Viewer, &page(&world)).await;
    for said in [
        "Waits for a yes",
        "1 tried, nothing is worse",
        "1 min 0 s",
        "20 times",
        "17 more",
        "/page-0 &#60;is&#62; otherwise",
        "See the page before and after",
    ] {
        assert!(viewed.text.contains(said), "{said}: {}", viewed.text);
    }
    let version = "1.0 <span class=\"arrow\">→</span> <strong>1.1</strong>";
    assert_eq!(viewed.text.matches(version).count(), 2);
    // Live with scripts, and by reloading without.
    assert!(viewed.text.contains("data-events=") && viewed.text.contains("http-equiv=\"refresh\""));
    let forms = |text: &str| ["approve", "cancel"].map(|it| text.contains(&format!("/{it}\"")));
    assert_eq!(forms(&viewed.text), [false, false]);
    let member = world.get(Who::Member, &page(&world)).await;
    assert_eq!(forms(&member.text), [false, true], "an admin says yes");
    let operator = world.get(Who::Operator, &page(&world)).await;
    assert_eq!(forms(&operator.text), [true, true]);
}

#[tokio::test]
async fn a_picture_is_for_those_who_may_see_the_site() {
    let world = World::new().await;
    let path = |of: &Update, picture: &str| format!("/pipelines/{}/pictures/{picture}", of.id);
    let (own, foreign) = (&world.own.update, &world.foreign.update);
    let page = world.get(Who::Viewer, &page(&world)).await;
    let here = path(own, &own.picture);
    assert!(
        page.text.contains(&format!("<img src=\"{here}\"")),
        "{}",
        page.text
    );
    let picture = world.get(Who::Viewer, &here).await;
    assert_eq!(picture.status, StatusCode::OK);
    assert_eq!(picture.bytes, PNG);
    assert_eq!(picture.header("content-type"), "image/png");
    assert_eq!(picture.header("x-content-type-options"), "nosniff");
    assert!(picture.header("cache-control").starts_with("private"));
    for (who, path) in [
        (Who::Foreigner, here.clone()),
        (Who::Member, path(foreign, &foreign.picture)),
        // Neither one's own update nor an operator's reach leads to another's picture.
        (Who::Member, path(own, &foreign.picture)),
        (Who::Operator, path(own, &foreign.picture)),
        (Who::Operator, path(own, "../../x")),
    ] {
        let missing = world.get(who, &path).await;
        assert_eq!(missing.status, StatusCode::NOT_FOUND, "{who:?} {path}");
    }
    let nobody = world.get(Who::Nobody, &here).await;
    assert_eq!(nobody.status, StatusCode::SEE_OTHER);
}

#[tokio::test]
async fn a_yes_is_said_by_who_may_and_once() {
    let world = World::new().await;
    let approve = format!("{}/approve", page(&world));
    let form = format!("csrf={CSRF}&note=fine&choose=yes&target=sample");
    for who in [Who::Viewer, Who::Member] {
        let refused = world.ask(who, &Method::POST, &approve, &form).await;
        assert_eq!(refused.status, StatusCode::FORBIDDEN, "{who:?}");
    }
    let none = format!("csrf={CSRF}&choose=yes");
    let refused = world
        .ask(Who::Operator, &Method::POST, &approve, &none)
        .await;
    assert_eq!(refused.status, StatusCode::UNPROCESSABLE_ENTITY);
    assert_eq!(state(&world).await, PipelineState::AwaitingApproval);
    // A page from before it was tried again has another plan.
    let old = format!("{form}&read=1");
    let refused = world
        .ask(Who::Operator, &Method::POST, &approve, &old)
        .await;
    assert_eq!(refused.status, StatusCode::CONFLICT);
    assert!(refused.text.contains("read it anew"), "{}", refused.text);
    assert_eq!(state(&world).await, PipelineState::AwaitingApproval);

    let page_now = world.get(Who::Operator, &page(&world)).await;
    let (_, rest) = page_now.text.split_once("name=\"read\" value=\"").unwrap();
    let (read, _) = rest.split_once('"').unwrap();
    let form = format!("{form}&read={read}");
    let said = world
        .ask(Who::Operator, &Method::POST, &approve, &form)
        .await;
    assert_eq!(said.status, StatusCode::SEE_OTHER, "{}", said.text);
    assert_eq!(said.header("location"), page(&world));
    assert_eq!(state(&world).await, PipelineState::Approved);
    let after = world.get(Who::Operator, &page(&world)).await;
    assert!(after.text.contains("olga@example.com") && after.text.contains(": fine"));
    assert!(
        after.text.contains("it was not approved"),
        "the other one is left out"
    );
    assert!(!after.text.contains("/approve\""));
    let again = world
        .ask(Who::Operator, &Method::POST, &approve, &form)
        .await;
    assert_eq!(again.status, StatusCode::CONFLICT);
}

#[tokio::test]
async fn one_is_stopped_and_its_page_ends() {
    let world = World::new().await;
    let cancel = format!("{}/cancel", page(&world));
    let form = format!("csrf={CSRF}");
    let refused = world.ask(Who::Viewer, &Method::POST, &cancel, &form).await;
    assert_eq!(refused.status, StatusCode::FORBIDDEN);
    let done = world.ask(Who::Member, &Method::POST, &cancel, &form).await;
    assert_eq!(done.header("location"), page(&world), "{}", done.text);
    assert_eq!(state(&world).await, PipelineState::Cancelled);

    let events = format!("{}/events?whole", page(&world));
    let whole = world.get(Who::Viewer, &events).await;
    assert_eq!(whole.header("content-type"), "text/event-stream");
    assert!(whole.text.contains("event: state\n"), "{}", whole.text);
    assert!(
        whole
            .text
            .contains("cancelled in the console by mia@example.com")
    );
    assert!(whole.text.ends_with("event: end\ndata: final\n\n"));
    let over = world.get(Who::Viewer, &page(&world)).await;
    assert!(!over.text.contains("data-events") && !over.text.contains("http-equiv"));
}

#[tokio::test]
async fn one_is_begun_from_what_is_on_offer() {
    let world = World::new().await;
    let begin = format!("/sites/{}/pipeline", world.own.environment.id);
    let asked = world.get(Who::Viewer, &begin).await;
    assert_eq!(asked.status, StatusCode::FORBIDDEN);
    // What is on offer is asked of the site itself, and here is none.
    let asked = world.get(Who::Member, &begin).await;
    assert_eq!(asked.status, StatusCode::BAD_GATEWAY, "{}", asked.text);

    let form = |more: &str| format!("csrf={CSRF}&update=plugin%3Asample&note=new+one{more}");
    let all = form("&snapshot=yes&ask_first=yes&all_at_once=yes&scheduled_at=2126-01-01T04%3A30");
    let asked = world.ask(Who::Viewer, &Method::POST, &begin, &all).await;
    assert_eq!(asked.status, StatusCode::FORBIDDEN);
    for wrong in [
        all.as_str(),
        // Without a snapshot nothing is taken back by itself.
        &form("&ask_first=yes"),
        &form("&snapshot=yes&scheduled_at=soon"),
        &form("&snapshot=yes&paths=%2F%2Felsewhere.example"),
        &form("&snapshot=yes&update=plugin%3Anot-there"),
        &format!("csrf={CSRF}&snapshot=yes"),
    ] {
        let refused = world.ask(Who::Member, &Method::POST, &begin, wrong).await;
        let busy = refused.status == StatusCode::CONFLICT && wrong.contains("not-there");
        assert!(
            busy || refused.status == StatusCode::UNPROCESSABLE_ENTITY,
            "{wrong}: {}",
            refused.text
        );
    }
    let good = form("&snapshot=yes&ask_first=yes&all_at_once=yes&paths=%2F%0D%0A%2Fshop");
    let busy = world.ask(Who::Member, &Method::POST, &begin, &good).await;
    assert_eq!(busy.status, StatusCode::CONFLICT, "one is not over");
    let cancel = format!("{}/cancel", page(&world));
    let form = format!("csrf={CSRF}");
    world.ask(Who::Member, &Method::POST, &cancel, &form).await;
    let made = world.ask(Who::Member, &Method::POST, &begin, &good).await;
    assert_eq!(made.status, StatusCode::SEE_OTHER, "{}", made.text);
    let new = made.header("location").to_owned();
    assert!(
        new.starts_with("/pipelines/pipe_") && new != page(&world),
        "{new}"
    );
    let new = world.get(Who::Member, &new).await;
    for said in [
        "Not begun",
        "sample",
        "all at once",
        "/, /shop",
        "new one",
        "mia@example.com",
    ] {
        assert!(new.text.contains(said), "{said}: {}", new.text);
    }
}
