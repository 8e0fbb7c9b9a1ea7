//! How many domains a machine takes, and whose name is whose.

use crate::stack::Stack;
use pressroom_base::Kind;
use pressroom_providers::hosting::{Error, LocalHosting, WebSite};
use std::fs;

#[tokio::test]
async fn no_more_domains_than_allowed_are_served() {
    let stack = Stack::up_with(|config| config.max_domains = 2).await;
    let one = stack.site("one.example").await;
    let two = stack.site("two.example").await;
    let three = WebSite::new("three.example", two.home.clone(), two.user.clone());
    let error = stack.hosting.ensure_web(&three).await.unwrap_err();
    assert!(matches!(error, Error::Full(2)) && error.kind() == Kind::Conflict);
    assert!(
        error
            .to_string()
            .starts_with("this machine serves 2 domains"),
        "{error}"
    );
    // Those that are served may still change.
    stack.hosting.ensure_web(&one).await.unwrap();
    stack.hosting.remove_web("one.example").await.unwrap();
    stack.hosting.ensure_web(&three).await.unwrap();
}

#[tokio::test]
async fn a_name_belongs_to_one_domain() {
    let stack = Stack::up().await;
    let one = stack.site("one.example").await;
    let with_alias = WebSite {
        aliases: vec!["www.one.example".into()],
        ..one.clone()
    };
    stack.hosting.ensure_web(&with_alias).await.unwrap();
    let thief = |name: &str, alias: &str| WebSite {
        aliases: vec![alias.into()],
        ..WebSite::new(name, one.home.clone(), one.user.clone())
    };
    for (name, alias) in [
        ("two.example", "one.example"),
        ("two.example", "www.one.example"),
        ("www.one.example", "x.example"),
    ] {
        let error = stack
            .hosting
            .ensure_web(&thief(name, alias))
            .await
            .unwrap_err();
        assert!(
            error
                .to_string()
                .ends_with("is a name of `one.example` already"),
            "{error}"
        );
    }
    // Also one that an operator serves.
    let foreign = stack.hosting.config().dir.join("nginx/sites/mine.conf");
    let addr = stack.hosting.http_addr().unwrap();
    fs::write(
        &foreign,
        format!("server {{ listen {addr}; server_name mine.example; return 204; }}\n"),
    )
    .unwrap();
    let error = stack
        .hosting
        .ensure_web(&thief("two.example", "mine.example"))
        .await
        .unwrap_err();
    assert!(error.to_string().contains("`mine`"), "{error}");
    fs::remove_file(&foreign).unwrap();
    stack
        .hosting
        .ensure_web(&thief("two.example", "mine.example"))
        .await
        .unwrap();
}

#[tokio::test]
async fn changes_that_wait_share_a_reload_and_a_bad_one_fails_alone() {
    let stack = Stack::up().await;
    let first = stack.site("first.example").await;
    let log = stack.hosting.config().dir.join("logs/php-fpm.log");
    let reloads = || {
        fs::read_to_string(&log)
            .unwrap()
            .matches("Reloading")
            .count()
    };
    let before = reloads();
    let mut tasks = Vec::new();
    for number in 0..20 {
        let site = WebSite::new(
            format!("s{number}.example"),
            first.home.clone(),
            first.user.clone(),
        );
        let hosting = stack.hosting.clone();
        tasks.push(tokio::spawn(async move { hosting.ensure_web(&site).await }));
    }
    for task in tasks {
        task.await.unwrap().unwrap();
    }
    let shared = reloads() - before;
    assert!((1..=3).contains(&shared), "{shared} reloads for 20 domains");

    let mut tasks = Vec::new();
    for number in 0..6 {
        let mut site = WebSite::new(
            format!("t{number}.example"),
            first.home.clone(),
            first.user.clone(),
        );
        if number == 3 {
            site.user.as_mut().unwrap().name = "pr_nosuchus".into();
        }
        let hosting = stack.hosting.clone();
        tasks.push(tokio::spawn(async move {
            hosting.ensure_web(&site).await.is_ok()
        }));
    }
    let mut outcomes = Vec::new();
    for task in tasks {
        outcomes.push(task.await.unwrap());
    }
    assert_eq!(outcomes, [true, true, true, false, true, true]);
    let inventory = stack.hosting.inventory().await.unwrap();
    assert_eq!(
        (inventory.pools.len(), inventory.server_blocks.len()),
        (26, 26)
    );

    // Somebody who hangs up hinders nobody.
    let hosting: LocalHosting = stack.hosting.clone();
    let held = tokio::spawn(async move { hosting.remove_web("s0.example").await });
    held.abort();
    let removals = (1..20).map(|number| {
        let hosting = stack.hosting.clone();
        async move { hosting.remove_web(&format!("s{number}.example")).await }
    });
    for outcome in futures_util::future::join_all(removals).await {
        assert!(outcome.unwrap());
    }
}
