//! Unix users and homes.

use crate::stack::{Stack, users_of};
use pressroom_base::Kind;
use pressroom_providers::hosting::LocalHosting;
use std::{
    fs,
    os::unix::fs::{MetadataExt, symlink},
    process::Command,
};

#[tokio::test]
async fn a_user_is_made_once_and_removed_with_its_processes() {
    let stack = Stack::up().await;
    let home = stack.hosting.home_of("a.example").unwrap();
    let name = LocalHosting::new_user_name();
    let user = stack
        .hosting
        .create_user(&name, &home)
        .await
        .unwrap()
        .unwrap();
    assert_eq!(stack.hosting.user(&name).unwrap(), Some(user.clone()));
    assert!(user.uid > 0 && user.gid > 0);
    let passwd = fs::read_to_string("/etc/passwd").unwrap();
    let line = passwd
        .lines()
        .find(|line| line.starts_with(&format!("{name}:")))
        .unwrap();
    assert!(
        line.ends_with(&format!(":{}:/usr/sbin/nologin", home.display())),
        "{line}"
    );

    let error = stack.hosting.create_user(&name, &home).await.unwrap_err();
    assert_eq!(error.kind(), Kind::Conflict);

    let mut process = Command::new("setpriv")
        .args([
            &format!("--reuid={}", user.uid),
            &format!("--regid={}", user.gid),
            "--clear-groups",
            "sleep",
            "600",
        ])
        .spawn()
        .unwrap();
    let end = std::time::Instant::now() + std::time::Duration::from_secs(10);
    while fs::metadata(format!("/proc/{}", process.id()))
        .unwrap()
        .uid()
        != user.uid
    {
        assert!(std::time::Instant::now() < end);
        tokio::task::yield_now().await;
    }
    assert!(stack.hosting.remove_user(&name).await.unwrap());
    assert!(!process.wait().unwrap().success());
    assert!(!stack.hosting.remove_user(&name).await.unwrap());
    assert_eq!(stack.hosting.user(&name).unwrap(), None);
    assert!(
        !fs::read_to_string("/etc/group")
            .unwrap()
            .contains(&format!("{name}:"))
    );
}

/// As it looks where another Pressroom took the number at the same moment, and died.
#[tokio::test]
async fn a_left_group_goes_whoever_else_has_its_number() {
    let stack = Stack::up().await;
    let name = LocalHosting::new_user_name();
    let other = LocalHosting::new_user_name();
    // Far from the numbers that stacks beside this one give out.
    let number = (400_000 + std::process::id() % 90_000).to_string();
    let run = |program: &str, arguments: &[&str]| {
        let done = Command::new(program).args(arguments).output().unwrap();
        assert!(done.status.success(), "{program}: {done:?}");
    };
    run("groupadd", &["--gid", &number, &name]);
    let user = [
        "--uid",
        &number,
        "--gid",
        &number,
        "--no-create-home",
        &other,
    ];
    run("useradd", &user);
    let removed = stack.hosting.remove_user(&name).await;
    let stays = stack.hosting.user(&other).unwrap();
    run("userdel", &[&other]);
    assert!(!removed.unwrap(), "there was no such user");
    assert!(stays.is_some_and(|user| user.gid.to_string() == number));
    let groups = fs::read_to_string("/etc/group").unwrap();
    assert!(!groups.contains(&format!("{name}:")));
}

#[tokio::test]
async fn a_number_is_given_out_once() {
    let stack = Stack::up().await;
    let home = stack.hosting.home_of("a.example").unwrap();
    let mut last = 0;
    for _ in 0..3 {
        let name = LocalHosting::new_user_name();
        let user = stack.hosting.create_user(&name, &home).await.unwrap();
        let user = user.unwrap();
        assert_eq!(user.uid, user.gid);
        assert!(user.uid >= 20_000, "not the system's: {}", user.uid);
        assert!(user.uid > last, "{} after {last}", user.uid);
        last = user.uid;
        assert!(stack.hosting.remove_user(&name).await.unwrap());
    }

    // A user that was made in part, by one who died then.
    let name = LocalHosting::new_user_name();
    let gid = (last + 5_000).to_string();
    let made = Command::new("groupadd")
        .args(["--system", "--gid", &gid, "--", &name])
        .status();
    assert!(made.unwrap().success());
    assert!(!stack.hosting.remove_user(&name).await.unwrap());
    assert!(
        !fs::read_to_string("/etc/group")
            .unwrap()
            .contains(&format!("{name}:"))
    );
}

#[tokio::test]
async fn users_of_others_are_left_alone() {
    let (mine, theirs) = (Stack::up().await, Stack::up().await);
    let name = LocalHosting::new_user_name();
    theirs
        .hosting
        .create_user(&name, &theirs.hosting.home_of("a.example").unwrap())
        .await
        .unwrap();
    let error = mine.hosting.remove_user(&name).await.unwrap_err();
    assert_eq!(error.kind(), Kind::Conflict);
    assert_eq!(users_of(&theirs.hosting), std::slice::from_ref(&name));
    assert!(mine.hosting.inventory().await.unwrap().users.is_empty());
    assert_eq!(
        theirs.hosting.inventory().await.unwrap().users[0].name,
        name
    );
    for bad in ["root", "www-data", "pr_abc;defg", "--help", "pr_../../xx"] {
        assert_eq!(
            mine.hosting.remove_user(bad).await.unwrap_err().kind(),
            Kind::Invalid,
            "{bad}"
        );
        assert_eq!(
            mine.hosting
                .create_user(bad, &mine.hosting.home_of("a.b").unwrap())
                .await
                .unwrap_err()
                .kind(),
            Kind::Invalid
        );
    }
}

#[tokio::test]
async fn a_home_is_given_away_and_only_removed_empty() {
    let stack = Stack::up().await;
    let home = stack.hosting.home_of("a.example").unwrap();
    let name = LocalHosting::new_user_name();
    let user = stack.hosting.create_user(&name, &home).await.unwrap();
    stack
        .hosting
        .create_home(&home, user.as_ref())
        .await
        .unwrap();
    let data = fs::metadata(&home).unwrap();
    let web = fs::read_to_string("/etc/group").unwrap();
    let web = web
        .lines()
        .find(|line| line.starts_with("www-data:"))
        .unwrap()
        .split(':')
        .nth(2)
        .unwrap()
        .parse::<u32>();
    assert_eq!(
        (data.uid(), data.gid(), data.mode() & 0o7777),
        (user.unwrap().uid, web.unwrap(), 0o710)
    );

    assert_eq!(
        stack
            .hosting
            .create_home(&home, None)
            .await
            .unwrap_err()
            .kind(),
        Kind::Conflict
    );
    fs::write(home.join("file"), "x").unwrap();
    assert_eq!(
        stack.hosting.remove_home(&home).await.unwrap_err().kind(),
        Kind::Conflict
    );
    assert!(home.join("file").exists());
    fs::remove_file(home.join("file")).unwrap();
    assert!(stack.hosting.remove_home(&home).await.unwrap());
    assert!(!stack.hosting.remove_home(&home).await.unwrap());

    // A link in the place of a home is neither followed nor removed.
    let target = stack.temp.path().join("target");
    fs::create_dir(&target).unwrap();
    symlink(&target, &home).unwrap();
    assert!(stack.hosting.create_home(&home, None).await.is_err());
    assert!(stack.hosting.remove_home(&home).await.is_err());
    assert!(target.exists());
    fs::remove_file(&home).unwrap();
}
