//! Somebody else's broken files: named, never loaded, and no reason to be down.

use crate::stack::{Stack, write};
use pressroom_providers::hosting::{Error, WebSite};
use std::fs;

async fn start() -> (Stack, WebSite) {
    let stack = Stack::up().await;
    let site = stack.site("good.example").await;
    write(&site, "public_html/index.php", "<?php echo 'good';");
    (stack, site)
}

#[tokio::test]
async fn a_strangers_file_is_named_and_never_loaded() {
    let (stack, site) = start().await;
    let dir = stack.hosting.config().dir.clone();
    let late = WebSite::new("late.example", site.home.clone(), site.user.clone());
    let before = stack.hosting.inventory().await.unwrap();
    let pid = stack.hosting.status().await.php_fpm.pid;
    let used = fs::read_to_string(dir.join("fpm/pools/good.example.conf")).unwrap();
    let socket = used
        .lines()
        .find_map(|line| line.strip_prefix("listen = "))
        .unwrap();
    for (file, content, reason) in [
        ("nginx/sites/zz.conf", "server { nonsense; }".to_owned(), "nonsense"),
        ("nginx/sites/zz.conf", "server {".to_owned(), "unexpected end of file"),
        ("fpm/pools/zz.conf", "[zz]\nnonsense = 1\n".to_owned(), "nonsense"),
        // These php-fpm's own test lets pass, and php-fpm does not survive them.
        ("fpm/pools/zz.conf", "[zz]\nuser = nobody_at_all\nlisten = /tmp/zz.sock\npm = ondemand\npm.max_children = 1\n".to_owned(), "nobody_at_all"),
        ("fpm/pools/zz.conf", format!("[zz]\nuser = nobody\nlisten = {socket}\npm = ondemand\npm.max_children = 1\n"), socket),
        ("fpm/pools/zz.conf", "[zz]\nuser = nobody\nlisten = /no/such/dir/zz.sock\npm = ondemand\npm.max_children = 1\n".to_owned(), "/no/such/dir"),
    ] {
        let file = dir.join(file);
        fs::write(&file, &content).unwrap();
        let error = stack.hosting.ensure_web(&late).await.unwrap_err();
        let text = error.to_string();
        assert!(matches!(&error, Error::Foreign { file: named, .. } if *named == file), "{error:?}");
        assert!(text.contains(reason) && text.contains("nothing was changed"), "{text}");
        assert_eq!(stack.get("good.example", "/").await, (200, "good".into()));
        assert_eq!(fs::read_to_string(&file).unwrap(), content, "it is not ours to mend");
        fs::remove_file(&file).unwrap();
        assert_eq!(stack.hosting.inventory().await.unwrap(), before);
    }
    assert_eq!(
        stack.hosting.status().await.php_fpm.pid,
        pid,
        "never restarted"
    );
    stack.hosting.ensure_web(&late).await.unwrap();
    assert_eq!(stack.hosting.status().await.php_fpm.pid, pid);
}

#[tokio::test]
async fn php_fpm_that_dies_of_a_strangers_file_is_back_without_it() {
    let (stack, site) = start().await;
    let file = stack.hosting.config().dir.join("fpm/pools/zz.conf");
    // A mistake of which nothing tells before php-fpm ends: an address that is not
    // this machine's.
    fs::write(
        &file,
        "[zz]\nuser = nobody\nlisten = 192.0.2.1:9000\npm = ondemand\npm.max_children = 1\n",
    )
    .unwrap();
    let late = WebSite::new("late.example", site.home.clone(), site.user.clone());
    stack.hosting.ensure_web(&late).await.unwrap_err();
    assert_eq!(stack.get("good.example", "/").await, (200, "good".into()));
    assert!(stack.hosting.status().await.is_up());
    let checks = stack.hosting.doctor().await;
    let left_out = checks
        .iter()
        .find(|check| check.name == "left out pools")
        .unwrap();
    assert!(
        !left_out.ok && left_out.message.contains("zz.conf"),
        "{left_out:?}"
    );
    // What is left out hinders nobody, and what was mended is loaded.
    stack.hosting.ensure_web(&late).await.unwrap();
    let socket = stack.temp.path().join("zz.sock");
    fs::write(
        &file,
        format!(
            "[zz]\nuser = nobody\nlisten = {}\npm = ondemand\npm.max_children = 1\n",
            socket.display()
        ),
    )
    .unwrap();
    stack.hosting.up().await.unwrap();
    assert!(std::os::unix::net::UnixStream::connect(&socket).is_ok());
    assert!(stack.hosting.remove_web("late.example").await.unwrap());
    fs::remove_file(&file).unwrap();
}

#[tokio::test]
async fn our_own_mistake_is_undone() {
    let (stack, site) = start().await;
    let before = stack.hosting.inventory().await.unwrap();
    let mut gone = site.user.clone().unwrap();
    gone.name = "pr_nosuchus".into();
    let late = WebSite::new("late.example", site.home.clone(), Some(gone.clone()));
    let error = stack.hosting.ensure_web(&late).await.unwrap_err();
    assert!(error.to_string().contains("pr_nosuchus"), "{error}");
    let changed = WebSite {
        user: Some(gone),
        ..site.clone()
    };
    assert!(stack.hosting.ensure_web(&changed).await.is_err());
    assert_eq!(stack.hosting.web("good.example").unwrap(), Some(site));
    assert_eq!(stack.hosting.inventory().await.unwrap(), before);
    assert_eq!(stack.get("good.example", "/").await, (200, "good".into()));
}
