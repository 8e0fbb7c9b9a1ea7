//! What is updated by itself, said and taken back on the console.

use crate::world::{CSRF, Reply, Who, World};
use axum::http::{Method, StatusCode};
use pressroom_fleet::{
    Caller, Principal,
    policies::{PolicyTarget, SetPolicy},
};

fn of_site(world: &World) -> String {
    format!("/sites/{}/policy", world.own.environment.id)
}

fn of_account(world: &World) -> String {
    format!("/people/{}/policy", world.own.environment.account_id)
}

/// What the form of a page says that the page was made from.
fn seen(page: &Reply) -> String {
    let (_, rest) = page
        .text
        .split_once("name=\"seen\" value=\"")
        .unwrap_or_else(|| panic!("no form: {}", page.text));
    rest.split('"').next().expect("an end").to_owned()
}

async fn send(world: &World, path: &str, seen: &str, form: &str) -> Reply {
    let form = format!("csrf={CSRF}&seen={seen}&{form}");
    world.ask(Who::Operator, &Method::POST, path, &form).await
}

/// Opens the page and sends its form with this in it.
async fn save(world: &World, path: &str, form: &str) -> Reply {
    let seen = seen(&world.get(Who::Operator, path).await);
    send(world, path, &seen, form).await
}

#[tokio::test]
async fn a_site_leaves_to_its_account_what_it_does_not_say() {
    let world = World::new().await;
    let account = of_account(&world);
    let said = "automatic=on&hold_days=7&exclusions=core%0D%0A&windows=sat+22%3A00-04%3A00";
    let saved = save(&world, &account, said).await;
    assert_eq!(saved.status, StatusCode::SEE_OTHER, "{}", saved.text);
    assert_eq!(saved.header("location"), format!("{account}?saved=1"));
    let page = world.get(Who::Operator, saved.header("location")).await;
    assert!(page.text.contains("Saved: it holds"), "{}", page.text);
    assert!(page.text.contains("value=\"7\""), "{}", page.text);

    let site = of_site(&world);
    let page = world.get(Who::Operator, &site).await;
    for told in [
        "As the account says: yes",
        "the account excludes core",
        "When empty: sat 22:00-04:00",
        "When empty: that of the site's own clocks",
        "once the site has told its time zone",
    ] {
        let told = told.replace('\'', "&#39;");
        assert!(page.text.contains(&told), "no {told}: {}", page.text);
    }
    let said = "automatic=off&any_time=on&exclusions=plugin%3Awoo%2A";
    let saved = save(&world, &site, said).await;
    assert_eq!(saved.status, StatusCode::SEE_OTHER, "{}", saved.text);
    let page = world.get(Who::Operator, &site).await;
    assert!(page.text.contains("Nothing is updated by itself here"));
    assert!(page.text.contains("<option value=\"off\" selected>"));
    assert!(page.text.contains("value=\"on\" checked"), "{}", page.text);
    // What is excluded here is what is said here alone.
    assert!(
        page.text.contains(">plugin:woo*</textarea>"),
        "{}",
        page.text
    );

    // Empty again, it is as its account says.
    let saved = save(&world, &site, "time_zone=").await;
    assert_eq!(saved.status, StatusCode::SEE_OTHER, "{}", saved.text);
    let page = world.get(Who::Operator, &site).await;
    assert_eq!(seen(&page), "none");
    assert!(!page.text.contains(" selected>"), "{}", page.text);
    assert!(!page.text.contains(" checked"), "{}", page.text);
}

#[tokio::test]
async fn what_cannot_be_is_told_and_what_was_typed_stays() {
    let world = World::new().await;
    let site = of_site(&world);
    for (form, told) in [
        ("time_zone=Middle%2FEarth&hold_days=3", "is not known"),
        ("hold_days=400", "must be at most 365"),
        ("hold_days=soon", "number of whole days"),
        ("windows=at+night", "cannot be"),
        ("windows=sat+22%3A00-04%3A00&any_time=on", "not both"),
        ("automatic=perhaps", "Choose yes, no"),
        ("exclusions=%2F%2F", "cannot be"),
    ] {
        let refused = save(&world, &site, form).await;
        let status = StatusCode::UNPROCESSABLE_ENTITY;
        assert_eq!(refused.status, status, "{form}: {}", refused.text);
        assert!(refused.text.contains(told), "{form}: {}", refused.text);
    }
    let typed = "time_zone=Middle%2FEarth&hold_days=3&windows=at+night&exclusions=core\
                 &automatic=on&minor_only=off";
    let refused = save(&world, &site, typed).await;
    for kept in [
        "value=\"Middle/Earth\"",
        "value=\"3\"",
        ">at night</textarea>",
        ">core</textarea>",
        "<option value=\"on\" selected>",
        "<option value=\"off\" selected>",
    ] {
        assert!(refused.text.contains(kept), "no {kept}: {}", refused.text);
    }
    let page = world.get(Who::Operator, &site).await;
    assert_eq!(seen(&page), "none", "nothing was kept");
}

#[tokio::test]
async fn an_old_page_takes_nothing_back() {
    let world = World::new().await;
    let site = of_site(&world);
    let old = seen(&world.get(Who::Operator, &site).await);
    let console = Caller::new(Principal::console());
    let set = SetPolicy {
        exclusions: Some(vec!["core".into()]),
        ..SetPolicy::default()
    };
    let target = PolicyTarget::Site(world.own.environment.id);
    let set = world.test.fleet.set_update_policy(&console, target, set);
    set.await.expect("said");
    let refused = send(&world, &site, &old, "automatic=on").await;
    assert_eq!(refused.status, StatusCode::CONFLICT, "{}", refused.text);
    assert!(refused.text.contains("changed the policy meanwhile"));
    let page = world.get(Who::Operator, &site).await;
    assert!(page.text.contains(">core</textarea>"), "{}", page.text);
    let read = seen(&page);
    let cleared = world.test.fleet.clear_update_policy(&console, target).await;
    assert!(cleared.expect("cleared"));
    let refused = send(&world, &site, &read, "automatic=on").await;
    assert_eq!(refused.status, StatusCode::CONFLICT, "{}", refused.text);
    let unknown = send(&world, &site, "yesterday", "automatic=on").await;
    assert_eq!(unknown.status, StatusCode::UNPROCESSABLE_ENTITY);
}

#[tokio::test]
async fn who_may_not_approve_sees_and_does_not_change() {
    let world = World::new().await;
    for path in [of_site(&world), of_account(&world)] {
        let page = world.get(Who::Viewer, &path).await;
        assert_eq!(page.status, StatusCode::OK);
        assert!(page.text.contains(" disabled"), "{}", page.text);
        assert!(!page.text.contains(">Save<"), "{}", page.text);
        for form in ["seen=none&automatic=on", "automatic=perhaps"] {
            let form = format!("csrf={CSRF}&{form}");
            let refused = world.ask(Who::Viewer, &Method::POST, &path, &form).await;
            assert_eq!(refused.status, StatusCode::FORBIDDEN);
            let foreign = world.ask(Who::Foreigner, &Method::POST, &path, &form).await;
            assert_eq!(foreign.status, StatusCode::NOT_FOUND);
        }
    }
}
