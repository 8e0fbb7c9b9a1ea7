//! What is updated by itself, said and taken back on the console.

use crate::world::{CSRF, Reply, Who, World};
use axum::http::{Method, StatusCode};

fn of_site(world: &World) -> String {
    format!("/sites/{}/policy", world.own.environment.id)
}

fn of_account(world: &World) -> String {
    format!("/people/{}/policy", world.own.environment.account_id)
}

async fn save(world: &World, path: &str, form: &str) -> Reply {
    let form = format!("csrf={CSRF}&{form}");
    world.ask(Who::Operator, &Method::POST, path, &form).await
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
    assert!(
        page.text.contains("As the account says: yes"),
        "{}",
        page.text
    );
    assert!(page.text.contains("the account excludes core"));
    assert!(page.text.contains("sat 22:00-04:00 when empty"));
    assert!(page.text.contains("The next window opens") || page.text.contains("and closes"));
    let said = "automatic=off&any_time=on&exclusions=plugin%3Awoo%2A";
    save(&world, &site, said).await;
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
    save(&world, &site, "automatic=").await;
    let page = world.get(Who::Operator, &site).await;
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
    let refused = save(&world, &site, "time_zone=Middle%2FEarth&hold_days=3").await;
    assert!(refused.text.contains("value=\"Middle/Earth\""));
    let page = world.get(Who::Operator, &site).await;
    assert!(!page.text.contains("value=\"3\""), "nothing was kept");
}

#[tokio::test]
async fn who_may_not_approve_sees_and_does_not_change() {
    let world = World::new().await;
    for path in [of_site(&world), of_account(&world)] {
        let page = world.get(Who::Viewer, &path).await;
        assert_eq!(page.status, StatusCode::OK);
        assert!(page.text.contains(" disabled"), "{}", page.text);
        assert!(!page.text.contains(">Save<"), "{}", page.text);
        let form = format!("csrf={CSRF}&automatic=on");
        let refused = world.ask(Who::Viewer, &Method::POST, &path, &form).await;
        assert_eq!(refused.status, StatusCode::FORBIDDEN);
        let typed_wrong = format!("csrf={CSRF}&automatic=perhaps");
        let foreign = world
            .ask(Who::Foreigner, &Method::POST, &path, &typed_wrong)
            .await;
        assert_eq!(foreign.status, StatusCode::NOT_FOUND);
    }
}
