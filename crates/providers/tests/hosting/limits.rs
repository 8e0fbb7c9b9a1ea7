//! What a site's PHP may use, asked of PHP itself, and what visitors may ask for.

use crate::stack::{Stack, ask, write};
use pressroom_providers::hosting::{PoolLimits, WebSite};
use std::{fs, path::Path};

const INI: &str = "<?php foreach (['memory_limit', 'upload_max_filesize', 'post_max_size', 'open_basedir', 'session.save_path', 'upload_tmp_dir', 'sys_temp_dir', 'session.gc_probability', 'opcache.restrict_api'] as $name) { echo $name, '=', ini_get($name), \"\\n\"; }
ini_set('memory_limit', '4G'); echo 'raised=', ini_get('memory_limit'), \"\\n\";
echo 'exec=', var_export(function_exists('exec'), true), \"\\n\";
echo 'files=', posix_getrlimit()['soft openfiles'], \"\\n\";
echo 'tmp=', sys_get_temp_dir(), ' ', getenv('TMPDIR'), \"\\n\";
session_start(); $_SESSION['a'] = 1; echo 'session=', session_id(), \"\\n\";";

#[tokio::test]
async fn php_lives_within_its_limits() {
    let stack = Stack::up().await;
    let site = stack.site("a.example").await;
    write(&site, "public_html/index.php", INI);
    let site = WebSite {
        limits: PoolLimits {
            memory_mb: 96,
            upload_mb: 10,
            open_files: 200,
            ..PoolLimits::default()
        },
        ..site
    };
    stack.hosting.ensure_web(&site).await.unwrap();
    assert_eq!(stack.hosting.web("a.example").unwrap(), Some(site.clone()));
    let (status, body) = stack.get("a.example", "/").await;
    let home = site.home.display();
    for line in [
        "memory_limit=96M".to_owned(),
        "upload_max_filesize=10M".into(),
        "post_max_size=18M".into(),
        format!("open_basedir={home}/:/usr/share/php/"),
        format!("session.save_path={home}/sessions"),
        format!("upload_tmp_dir={home}/tmp"),
        format!("sys_temp_dir={home}/tmp"),
        "session.gc_probability=1".into(),
        format!("opcache.restrict_api={home}/.pressroom/"),
        "raised=96M".into(),
        "exec=false".into(),
        "files=200".into(),
        format!("tmp={home}/tmp {home}/tmp"),
    ] {
        assert!(
            body.lines().any(|found| found == line),
            "{line}\n{status} {body}"
        );
    }
    let session = body.lines().find_map(|line| line.strip_prefix("session="));
    let session = site
        .home
        .join("sessions")
        .join(format!("sess_{}", session.unwrap()));
    assert!(session.exists());

    // The site may be allowed what it is not by default.
    let open = WebSite {
        limits: PoolLimits {
            disabled_functions: Vec::new(),
            ..site.limits.clone()
        },
        ..site
    };
    stack.hosting.ensure_web(&open).await.unwrap();
    assert!(stack.get("a.example", "/").await.1.contains("exec=true"));
}

#[tokio::test]
async fn the_shared_opcache_is_closed_to_pages() {
    let stack = Stack::up().await;
    let site = stack.site("a.example").await;
    let probe = "<?php var_dump(@opcache_reset(), @opcache_get_status(false) !== false);";
    write(&site, "public_html/index.php", probe);
    write(&site, ".pressroom/flush.php", probe);
    let (status, body) = stack.get("a.example", "/").await;
    assert_eq!(
        (status, body.matches("bool(false)").count()),
        (200, 2),
        "{body}"
    );
    // The agent starts it from where only the site's user may write.
    let pool = stack.hosting.config().dir.join("fpm/pools/a.example.conf");
    let pool = fs::read_to_string(pool).unwrap();
    let socket = pool
        .lines()
        .find_map(|line| line.strip_prefix("listen = "))
        .unwrap();
    let socket = Path::new(socket);
    let flushed = fastcgi(socket, &site.home.join(".pressroom/flush.php"), &[]);
    assert_eq!(flushed.matches("bool(true)").count(), 2, "{flushed}");
    let page = fastcgi(socket, &site.home.join("public_html/index.php"), &[]);
    assert_eq!(page.matches("bool(false)").count(), 2, "{page}");
    // Including such a script does not make a page one.
    write(
        &site,
        "public_html/include.php",
        "<?php include '../.pressroom/flush.php';",
    );
    let (_, body) = stack.get("a.example", "/include.php").await;
    assert_eq!(body.matches("bool(false)").count(), 2, "{body}");
    for path in [
        "/.pressroom/flush.php",
        "/../.pressroom/flush.php",
        "/%2e%2e/.pressroom/flush.php",
    ] {
        assert!(stack.get("a.example", path).await.0 >= 400, "{path}");
    }
}

/// Speaks to a pool as the agent does, past nginx.
fn fastcgi(socket: &Path, script: &Path, more: &[(&str, &str)]) -> String {
    use std::io::{Read, Write};
    let script = script.to_str().unwrap();
    let mut params = Vec::new();
    let fixed = [("SCRIPT_FILENAME", script), ("REQUEST_METHOD", "GET")];
    for (name, value) in fixed.iter().chain(more) {
        params.push(u8::try_from(name.len()).unwrap());
        params.extend(u32::try_from(value.len()).unwrap().to_be_bytes());
        let len = params.len();
        params[len - 4] |= 0x80;
        params.extend(name.bytes().chain(value.bytes()));
    }
    let record = |kind: u8, content: &[u8]| {
        let [high, low] = u16::try_from(content.len()).unwrap().to_be_bytes();
        [&[1, kind, 0, 1, high, low, 0, 0], content].concat()
    };
    let request = [
        record(1, &[0, 1, 0, 0, 0, 0, 0, 0]),
        record(4, &params),
        record(4, &[]),
        record(5, &[]),
    ];
    let mut stream = std::os::unix::net::UnixStream::connect(socket).unwrap();
    stream.write_all(&request.concat()).unwrap();
    let mut answer = Vec::new();
    stream.read_to_end(&mut answer).unwrap();
    String::from_utf8_lossy(&answer).into_owned()
}

#[tokio::test]
async fn guessing_passwords_is_slowed_down_for_one_visitor_and_nobody_else() {
    let proxy = "127.0.0.1/32".parse().unwrap();
    let stack = Stack::up_with(|config| config.trusted_proxies = vec![proxy]).await;
    let site = stack.site("a.example").await;
    write(
        &site,
        "public_html/wp-login.php",
        "<?php echo $_SERVER['REMOTE_ADDR'], ' ', $_SERVER['HTTPS'] ?? 'off';",
    );
    let addr = stack.hosting.origin("a.example").unwrap().addr;
    let from = |method: &str, visitor: &str| {
        let request = format!(
            "{method} /wp-login.php HTTP/1.0\r\nHost: a.example\r\nX-Forwarded-For: {visitor}\r\nX-Forwarded-Proto: https\r\nContent-Length: 0\r\n\r\n"
        );
        async move { ask(addr, &request).await }
    };
    assert_eq!(from("POST", "203.0.113.5").await.body, "203.0.113.5 on");
    let mut answers = Vec::new();
    for _ in 0..60 {
        answers.push(from("POST", "203.0.113.5").await.status);
    }
    let refused = answers.iter().filter(|status| **status == 429).count();
    assert!(
        answers[..20].iter().all(|status| *status == 200) && refused > 10,
        "{answers:?}"
    );
    assert_eq!(from("GET", "203.0.113.5").await.status, 200);
    assert_eq!(from("POST", "203.0.113.6").await.status, 200);
}

#[tokio::test]
async fn logs_are_kept_without_queries_and_set_aside_when_long() {
    let stack = Stack::up_with(|config| {
        config.log_bytes = 500;
        config.log_keep = 2;
    })
    .await;
    let site = stack.site("a.example").await;
    write(
        &site,
        "public_html/index.php",
        "<?php echo str_repeat('compress me ', 500);",
    );
    let log = stack.hosting.config().dir.join("logs/access/a.example.log");
    stack.get("a.example", "/quiet").await;
    assert!(!log.exists());
    let site = WebSite {
        access_log: true,
        ..site
    };
    stack.hosting.ensure_web(&site).await.unwrap();
    let addr = stack.hosting.origin("a.example").unwrap().addr;
    let request = "GET /first?key=secret HTTP/1.1\r\nHost: a.example\r\nAccept-Encoding: gzip\r\nConnection: close\r\n\r\n";
    assert_eq!(
        ask(addr, request).await.header("Content-Encoding"),
        Some("gzip")
    );
    let text = fs::read_to_string(&log).unwrap();
    assert!(
        text.contains("\"GET /first HTTP/1.1\" 200") && !text.contains("secret"),
        "{text}"
    );

    for number in 0..3 {
        for _ in 0..10 {
            stack.get("a.example", &format!("/round-{number}")).await;
        }
        assert!(stack.hosting.rotate_logs().await.unwrap().contains(&log));
    }
    stack.get("a.example", "/last").await;
    let now = fs::read_to_string(&log).unwrap();
    assert!(now.contains("/last") && !now.contains("/round"), "{now}");
    let aside = |number| log.with_extension(format!("log.{number}"));
    assert!(fs::read_to_string(aside(1)).unwrap().contains("/round-2"));
    assert!(fs::read_to_string(aside(2)).unwrap().contains("/round-1"));
    assert!(!aside(3).exists());
    stack.hosting.remove_web("a.example").await.unwrap();
    assert!(!log.exists() && !aside(1).exists());
}

#[tokio::test]
async fn doctor_names_what_has_another_owner_or_mode() {
    use std::os::unix::fs::{PermissionsExt, chown};
    let stack = Stack::up().await;
    let site = stack.site("a.example").await;
    let owners = || async {
        let checks = stack.hosting.doctor().await;
        checks
            .into_iter()
            .find(|check| check.name == "owners and modes")
            .unwrap()
    };
    let check = owners().await;
    assert!(check.ok, "{check:?}");
    let pool = stack.hosting.config().dir.join("fpm/pools/a.example.conf");
    fs::set_permissions(&pool, fs::Permissions::from_mode(0o644)).unwrap();
    chown(&site.home, Some(0), Some(0)).unwrap();
    let check = owners().await;
    assert!(!check.ok);
    for part in [
        format!("`chmod 600 {}`", pool.display()),
        format!("`{}` belongs to 0:0", site.home.display()),
    ] {
        assert!(check.message.contains(&part), "{check:?}");
    }
    fs::set_permissions(&pool, fs::Permissions::from_mode(0o600)).unwrap();
    fs::remove_dir_all(&site.home).unwrap();
    assert!(owners().await.message.contains("is missing"));
}
