//! Giving a domain up, and moving one.

use crate::{
    ordinary_user::again_as_nobody,
    stack::{Stack, write},
};
use pressroom_base::{Kind, Secret};
use pressroom_providers::hosting::{Error, LocalHosting, WebChoice, WebSite};
use std::{fs, os::unix::fs::MetadataExt};

#[tokio::test]
async fn what_was_released_goes_on_and_is_never_touched_again() {
    let stack = Stack::up().await;
    let hosting = &stack.hosting;
    let site = stack.site("a.example").await;
    let other = stack.site("b.example").await;
    write(&site, "public_html/index.php", "<?php echo 'a';");
    hosting.create_database("a_db").await.unwrap();
    hosting
        .create_database_user("a_user", &Secret::new("x".into()), "a_db")
        .await
        .unwrap();
    let dir = hosting.config().dir.clone();
    let pool = dir.join("fpm/pools/a.example.conf");
    let files = || {
        (
            fs::read(&pool).unwrap(),
            fs::read(dir.join("nginx/sites/a.example.conf")).unwrap(),
        )
    };
    let before = files();
    let (databases, users) = (vec!["a_db".to_owned()], vec!["a_user".to_owned()]);
    let released = hosting.release(&site, &databases, &users).await.unwrap();
    assert_eq!(
        hosting.release(&site, &[], &[]).await.unwrap(),
        released,
        "repeatable"
    );
    assert_eq!(
        (released.pool.as_ref(), &released.user),
        (Some(&pool), &site.user)
    );

    let inventory = hosting.inventory().await.unwrap();
    assert_eq!(inventory.released, std::slice::from_ref(&released));
    assert_eq!(inventory.homes, std::slice::from_ref(&other.home));
    assert_eq!(inventory.pools, ["b.example"]);
    assert_eq!(inventory.server_blocks, ["b.example"]);
    assert_eq!(inventory.pool_sockets.len(), 1);
    assert_eq!(inventory.users, [other.user.clone().unwrap()]);
    assert!(
        inventory.databases.is_empty()
            && inventory.database_users.is_empty()
            && inventory.grants.is_empty()
    );

    let refused = |error: Error| assert!(matches!(error, Error::Released { .. }), "{error}");
    let name = &site.user.as_ref().unwrap().name;
    refused(hosting.ensure_web(&site).await.unwrap_err());
    refused(hosting.remove_web("a.example").await.unwrap_err());
    refused(hosting.remove_user(name).await.unwrap_err());
    refused(hosting.remove_home(&site.home).await.unwrap_err());
    refused(
        hosting
            .rename_home(&site.home, &dir.join("x"), site.user.as_ref())
            .await
            .unwrap_err(),
    );
    refused(hosting.drop_database("a_db").await.unwrap_err());
    refused(hosting.drop_database_user("a_user").await.unwrap_err());
    let taker = WebSite {
        aliases: vec!["a.example".into()],
        ..other.clone()
    };
    assert_eq!(
        hosting.ensure_web(&taker).await.unwrap_err().kind(),
        Kind::Invalid
    );
    refused(
        hosting
            .destroy()
            .await
            .map_err(|error| match error {
                Error::Occupied { .. } => Error::Released {
                    what: "Unix user",
                    name: String::new(),
                },
                other => other,
            })
            .unwrap_err(),
    );

    // It is served on, also after everything was started anew.
    hosting.down().await.unwrap();
    hosting.up().await.unwrap();
    assert_eq!(stack.get("a.example", "/").await, (200, "a".into()));
    assert_eq!(files(), before);

    assert!(hosting.take_back("a.example").await.unwrap());
    assert!(!hosting.take_back("a.example").await.unwrap());
    assert_eq!(hosting.inventory().await.unwrap().pools.len(), 2);
    assert!(hosting.remove_web("a.example").await.unwrap());
}

#[tokio::test]
async fn a_domain_moves_to_another_name_and_home_and_back() {
    let stack = Stack::up().await;
    let hosting = &stack.hosting;
    let old = stack.site("old.example").await;
    write(
        &old,
        "public_html/index.php",
        "<?php echo getcwd(), ' ', posix_getuid();",
    );
    let user = old.user.clone().unwrap();
    // A process of the pool lives: it is in nobody's way.
    assert_eq!(stack.get("old.example", "/").await.0, 200);
    let home = hosting.home_of("new.example").unwrap();
    let new = WebSite::new("new.example", &home, Some(user.clone()));

    hosting.remove_web("old.example").await.unwrap();
    assert!(
        hosting
            .rename_home(&old.home, &home, Some(&user))
            .await
            .unwrap()
    );
    assert!(
        !hosting
            .rename_home(&old.home, &home, Some(&user))
            .await
            .unwrap(),
        "repeatable"
    );
    hosting.ensure_web(&new).await.unwrap();
    let (status, body) = stack.get("new.example", "/").await;
    assert_eq!(
        (status, body),
        (200, format!("{}/public_html {}", home.display(), user.uid))
    );
    assert_eq!(stack.get("old.example", "/").await.0, 404);
    assert!(!old.home.exists());
    let passwd = fs::read_to_string("/etc/passwd").unwrap();
    assert!(passwd.contains(&format!(":{}:/usr/sbin/nologin", home.display())));
    for check in hosting.doctor().await {
        assert!(check.ok, "{check:?}");
    }
    assert_eq!(hosting.inventory().await.unwrap().pool_sockets.len(), 1);

    // Nothing is ever replaced, and nobody else's directory is moved.
    let inode = fs::metadata(&home).unwrap().ino();
    let taken = hosting.home_of("taken.example").unwrap();
    fs::create_dir(&taken).unwrap();
    let error = hosting
        .rename_home(&home, &taken, Some(&user))
        .await
        .unwrap_err();
    assert_eq!(error.kind(), Kind::Conflict);
    let error = hosting
        .rename_home(&taken, &old.home, Some(&user))
        .await
        .unwrap_err();
    assert!(matches!(error, Error::NotOurs { .. }), "{error}");
    let elsewhere = std::path::Path::new("/dev/shm").join(LocalHosting::new_user_name());
    let error = hosting
        .rename_home(&home, &elsewhere, Some(&user))
        .await
        .unwrap_err();
    assert!(matches!(error, Error::OtherFileSystem { .. }), "{error}");
    assert_eq!(fs::metadata(&home).unwrap().ino(), inode);

    // And back, in the opposite order.
    hosting.remove_web("new.example").await.unwrap();
    assert!(
        hosting
            .rename_home(&home, &old.home, Some(&user))
            .await
            .unwrap()
    );
    hosting.ensure_web(&old).await.unwrap();
    assert_eq!(stack.get("old.example", "/").await.0, 200);
}

#[tokio::test]
async fn a_domain_that_pauses_keeps_its_address() {
    if again_as_nobody("moving::a_domain_that_pauses_keeps_its_address") {
        return;
    }
    for web in [WebChoice::Php, WebChoice::Stack] {
        let stack = Stack::up_with(|config| config.web = web).await;
        let hosting = &stack.hosting;
        let site = stack.site("a.example").await;
        write(&site, "public_html/index.php", "<?php echo 'a';");
        let origin = hosting.origin("a.example").unwrap();
        assert!(hosting.pause_web("a.example").await.unwrap());
        assert!(!hosting.pause_web("a.example").await.unwrap(), "repeatable");
        assert_eq!(hosting.web("a.example").unwrap(), None);
        // Nobody else is given its port meanwhile.
        let other = stack.site("b.example").await;
        assert_eq!(hosting.origin("a.example").unwrap(), origin);
        hosting.ensure_web(&site).await.unwrap();
        assert_eq!(stack.get("a.example", "/").await, (200, "a".into()));
        hosting.pause_web("a.example").await.unwrap();
        hosting.remove_web("a.example").await.unwrap();
        hosting.remove_web(&other.domain).await.unwrap();
    }
}
