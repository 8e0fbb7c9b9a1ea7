//! Pools and server blocks, as visitors and neighbours meet them.

use crate::stack::{Stack, write};
use pressroom_base::Kind;
use pressroom_providers::{hosting::WebSite, probe::Prober};
use std::{
    fs,
    os::unix::fs::{PermissionsExt, lchown, symlink},
};

#[tokio::test]
async fn php_runs_as_the_sites_user_and_sees_no_neighbour() {
    let stack = Stack::up().await;
    let one = stack.site("one.example").await;
    let two = stack.site("two.example").await;
    write(
        &one,
        "public_html/index.php",
        "<?php echo posix_geteuid(), ' ', get_current_user(), ' ', $_SERVER['HTTP_HOST'], ' ', $_SERVER['REQUEST_URI'];",
    );
    let secret = write(&two, "public_html/secret.txt", "two's");
    let user = one.user.clone().unwrap();
    let origin = stack.hosting.origin("one.example").unwrap();
    let (status, body) = stack.get("one.example", "/pretty/path/?a=1").await;
    assert_eq!(
        (status, body),
        (
            200,
            format!(
                "{} {} {} /pretty/path/?a=1",
                user.uid, user.name, origin.host
            )
        )
    );

    // Neither through PHP …
    write(
        &one,
        "public_html/peek.php",
        &format!(
            "<?php var_dump(@file_get_contents('{0}'), @scandir('{1}'), @file_get_contents('/etc/passwd'));",
            secret.display(),
            two.home.display(),
        ),
    );
    let (_, body) = stack.get("one.example", "/peek.php").await;
    assert_eq!(body.matches("bool(false)").count(), 3, "{body}");
    // … nor as the Unix user itself.
    let peek = std::process::Command::new("setpriv")
        .args([
            &format!("--reuid={}", user.uid),
            &format!("--regid={}", user.gid),
            "--clear-groups",
            "cat",
        ])
        .arg(&secret)
        .output()
        .unwrap();
    assert!(!peek.status.success());
    // The owner's page is public to visitors.
    assert_eq!(
        stack.get("two.example", "/secret.txt").await,
        (200, "two's".into())
    );
}

#[tokio::test]
async fn what_must_not_be_served_is_not() {
    let stack = Stack::up().await;
    let site = stack.site("a.example").await;
    write(
        &site,
        "public_html/index.php",
        "<?php echo 'front ', $_SERVER['SCRIPT_NAME'];",
    );
    for path in [
        "public_html/wp-config.php",
        "public_html/.git/config",
        "public_html/.env",
        "public_html/dump.sql",
        "public_html/debug.log",
        "public_html/wp-config.php.bak",
        "public_html/wp-content/uploads/2024/shell.php",
        "public_html/wp-content/uploads/shell.PHP",
        "public_html/backup.sql.gz",
    ] {
        write(&site, path, "<?php echo 'LEAK';");
        let (status, body) = stack.get("a.example", &path["public_html".len()..]).await;
        assert!(
            status == 403 && !body.contains("LEAK"),
            "{path}: {status} {body}"
        );
    }
    write(&site, "public_html/.well-known/x.txt", "ok");
    assert_eq!(
        stack.get("a.example", "/.well-known/x.txt").await,
        (200, "ok".into())
    );
    // A file that is none cannot lend its bytes to PHP.
    write(&site, "public_html/image.txt", "<?php echo 'LEAK';");
    let (status, body) = stack.get("a.example", "/image.txt/x.php").await;
    assert!(status == 404 && !body.contains("LEAK"), "{status} {body}");
    // Links to what belongs to others are not followed.
    let link = site.home.join("public_html/hostname.txt");
    symlink("/etc/hostname", &link).unwrap();
    let user = site.user.as_ref().unwrap();
    lchown(&link, Some(user.uid), Some(user.gid)).unwrap();
    let (_, body) = stack.get("a.example", "/hostname.txt").await;
    assert!(
        !body.contains(fs::read_to_string("/etc/hostname").unwrap().trim()),
        "{body}"
    );
    assert_eq!(
        stack.get("a.example", "/no/such/page").await,
        (200, "front /index.php".into())
    );
}

#[tokio::test]
async fn a_home_that_nginx_cannot_enter_still_serves_php() {
    let stack = Stack::up().await;
    let site = stack.site("a.example").await;
    write(&site, "public_html/index.php", "<?php echo 'front';");
    write(&site, "public_html/wp-login.php", "<?php echo 'login';");
    write(
        &site,
        "public_html/wp-admin/index.php",
        "<?php echo 'admin';",
    );
    write(&site, "public_html/blog/index.php", "<?php echo 'blog';");
    let with_blog = WebSite {
        subdirectories: vec!["blog".into()],
        aliases: vec!["www.a.example".into()],
        ..site.clone()
    };
    stack.hosting.ensure_web(&with_blog).await.unwrap();
    for mode in [0o710, 0o700] {
        fs::set_permissions(&site.home, fs::Permissions::from_mode(mode)).unwrap();
        for (path, body) in [
            ("/", "front"),
            ("/page/", "front"),
            ("/wp-login.php", "login"),
            ("/wp-admin/", "admin"),
            ("/blog/", "blog"),
            ("/blog/hello-world/", "blog"),
        ] {
            assert_eq!(
                stack.get("a.example", path).await,
                (200, body.into()),
                "{path} at {mode:o}"
            );
        }
        assert_eq!(stack.get("www.a.example", "/").await.1, "front");
        assert_eq!(stack.get("a.example", "/wp-admin").await.0, 301);
    }
}

#[tokio::test]
async fn a_refused_configuration_changes_nothing() {
    let stack = Stack::up().await;
    let site = stack.site("good.example").await;
    write(&site, "public_html/index.php", "<?php echo 'good';");
    let before = stack.hosting.inventory().await.unwrap();

    // Somebody broke a neighbour's server block by hand.
    let broken = stack
        .hosting
        .config()
        .dir
        .join("nginx/sites/zz-broken.conf");
    fs::write(&broken, "server { nonsense; }").unwrap();
    let late = WebSite::new("late.example", site.home.clone(), site.user.clone());
    let error = stack.hosting.ensure_web(&late).await.unwrap_err();
    assert_eq!(error.kind(), Kind::Remote);
    assert!(error.to_string().contains("zz-broken.conf"), "{error}");
    fs::remove_file(&broken).unwrap();
    assert_eq!(stack.hosting.inventory().await.unwrap(), before);

    let broken = stack.hosting.config().dir.join("fpm/pools/zz-broken.conf");
    fs::write(&broken, "[zz]\nnonsense = 1\n").unwrap();
    let error = stack.hosting.ensure_web(&late).await.unwrap_err();
    assert!(
        error
            .to_string()
            .starts_with("php-fpm refuses the configuration"),
        "{error}"
    );
    fs::remove_file(&broken).unwrap();
    assert_eq!(stack.hosting.inventory().await.unwrap(), before);
    assert_eq!(stack.get("good.example", "/").await, (200, "good".into()));
    assert_eq!(stack.get("late.example", "/").await.0, 404);
    assert!(stack.hosting.status().await.is_up());

    // A previous version survives a refused new one.
    fs::write(&broken, "[zz]\nnonsense = 1\n").unwrap();
    let changed = WebSite {
        aliases: vec!["other.example".into()],
        user: None,
        ..site.clone()
    };
    assert!(stack.hosting.ensure_web(&changed).await.is_err());
    fs::remove_file(&broken).unwrap();
    assert_eq!(stack.hosting.inventory().await.unwrap(), before);
}

#[tokio::test]
async fn a_running_request_survives_a_neighbours_arrival_and_removal_is_complete() {
    let stack = Stack::up().await;
    let site = stack.site("slow.example").await;
    write(
        &site,
        "public_html/index.php",
        "<?php touch('../tmp/started'); while (!file_exists('../tmp/go')) { usleep(10000); clearstatcache(); } echo 'whole';",
    );
    let slow = stack.get("slow.example", "/");
    let arrival = async {
        let end = std::time::Instant::now() + std::time::Duration::from_secs(20);
        while !site.home.join("tmp/started").exists() {
            assert!(std::time::Instant::now() < end);
            tokio::time::sleep(std::time::Duration::from_millis(5)).await;
        }
        let arrive = stack.site("next.example");
        let log = stack.hosting.config().dir.join("logs/php-fpm.log");
        let reloads = || {
            fs::read_to_string(&log)
                .unwrap()
                .matches("Reloading")
                .count()
        };
        let before = reloads();
        let release = async {
            while reloads() == before {
                assert!(std::time::Instant::now() < end);
                tokio::time::sleep(std::time::Duration::from_millis(5)).await;
            }
            write(&site, "tmp/go", "");
        };
        tokio::join!(arrive, release).0
    };
    let (answer, next) = tokio::join!(slow, arrival);
    assert_eq!(answer, (200, "whole".into()));

    let user = next.user.clone().unwrap();
    assert!(stack.hosting.remove_web("next.example").await.unwrap());
    assert!(!stack.hosting.remove_web("next.example").await.unwrap());
    assert!(stack.hosting.remove_user(&user.name).await.unwrap());
    let inventory = stack.hosting.inventory().await.unwrap();
    assert_eq!(inventory.pools, ["slow.example"]);
    assert_eq!(inventory.server_blocks, ["slow.example"]);
    assert_eq!(inventory.pool_sockets.len(), 1);
}

#[tokio::test]
async fn a_pool_whose_user_is_gone_does_not_keep_the_others_down() {
    let stack = Stack::up().await;
    let stays = stack.site("stays.example").await;
    write(&stays, "public_html/index.php", "<?php echo 'here';");
    let gone = stack.site("gone.example").await;
    stack.hosting.down().await.unwrap();
    stack
        .hosting
        .remove_user(&gone.user.unwrap().name)
        .await
        .unwrap();
    stack.hosting.up().await.unwrap();
    assert_eq!(stack.get("stays.example", "/").await, (200, "here".into()));
    assert!(stack.hosting.remove_web("gone.example").await.unwrap());
}

#[tokio::test]
async fn several_processes_serve_domains_at_once() {
    let stack = Stack::up().await;
    let mut sites = Vec::new();
    for number in 0..4 {
        let domain = format!("s{number}.example");
        let home = stack.hosting.home_of(&domain).unwrap();
        let name = pressroom_providers::hosting::LocalHosting::new_user_name();
        let user = stack.hosting.create_user(&name, &home).await.unwrap();
        sites.push(WebSite::new(domain, home, user));
    }
    let tasks: Vec<_> = sites
        .iter()
        .cloned()
        .map(|site| {
            // Its own lock file handle, as another process would have.
            let hosting =
                pressroom_providers::hosting::LocalHosting::new(stack.hosting.config().clone());
            tokio::spawn(async move { hosting.ensure_web(&site).await })
        })
        .collect();
    for task in tasks {
        task.await.unwrap().unwrap();
    }
    assert_eq!(
        stack.hosting.inventory().await.unwrap().server_blocks.len(),
        4
    );
    assert_eq!(
        stack.hosting.inventory().await.unwrap().pool_sockets.len(),
        4
    );
}

#[tokio::test]
async fn probes_tell_a_living_site_from_a_dead_one() {
    let stack = Stack::up().await;
    let site = stack.site("p.example").await;
    let origin = stack.hosting.origin("p.example").unwrap();
    let prober = Prober::new();
    prober.register(origin.addr);
    write(
        &site,
        "public_html/index.php",
        "<?php echo '<title>Home of ', $_SERVER['HTTP_HOST'], '</title>';",
    );
    let probe = prober.probe_home(&origin, "/").await.unwrap();
    assert!(probe.is_healthy(), "{probe:?}");
    assert_eq!(probe.title, Some(format!("Home of {}", origin.host)));

    write(&site, "public_html/index.php", "<?php boom();");
    let probe = prober.probe_uncached(&origin, "/").await.unwrap();
    assert_eq!(probe.status, Some(500));
    assert!(!probe.is_healthy());
    write(&site, "public_html/index.php", "<?php ");
    assert_eq!(
        prober
            .probe_home(&origin, "/")
            .await
            .unwrap()
            .fatal
            .as_deref(),
        Some("empty page")
    );
    write(
        &site,
        "public_html/index.php",
        "<?php header('Location: http://elsewhere.example/', true, 302);",
    );
    let probe = prober.probe_home(&origin, "/").await.unwrap();
    assert_eq!(
        (probe.status, probe.location.as_deref()),
        (Some(302), Some("http://elsewhere.example/"))
    );
    // What PHP wrote of its death is in the site's own log.
    assert!(
        fs::read_to_string(site.home.join("logs/php-error.log"))
            .unwrap()
            .contains("boom")
    );
}
