//! One list of requests, asked of nginx with php-fpm and of PHP's own server with the
//! router: what is refused and what is served is the same.

use crate::{
    ordinary_user::again_as_nobody,
    stack::{Answer, Stack, ask, write},
};
use pressroom_providers::hosting::{LocalHosting, Serving, WebChoice, WebSite};
use std::os::unix::fs::symlink;

const HOST: &str = "a.example";

/// Files of the site, each with something that must not be seen unless it is meant to.
const FILES: [(&str, &str); 33] = [
    ("index.php", SHOW),
    ("wp-login.php", SHOW),
    ("xmlrpc.php", SHOW),
    ("wp-admin/index.php", SHOW),
    ("wp-admin/includes/file.php", LEAK),
    ("wp-includes/version.php", LEAK),
    ("wp-includes/js/tinymce/wp-tinymce.php", SHOW),
    ("blog/index.php", SHOW),
    ("blog/wp-admin/index.php", SHOW),
    ("style.css", "body {}"),
    ("page.html", "page"),
    ("image.txt", "<?php echo 'LEAK';"),
    ("bare/file.txt", "bare"),
    ("html/index.html", "html index"),
    ("two words.txt", "two words"),
    (".well-known/x.txt", "known"),
    (".well-known/.git/config", LEAK),
    (".git/config", LEAK),
    (".env", LEAK),
    ("wp-config.php", LEAK),
    ("wp-config.php.bak", LEAK),
    ("wp-config.txt", LEAK),
    ("old-wp-config.php~", LEAK),
    ("dump.sql", LEAK),
    ("backup.sql.gz", LEAK),
    ("debug.log", LEAK),
    ("index.php.old", LEAK),
    ("php.ini", LEAK),
    ("shell.PHP", LEAK),
    ("class.inc", LEAK),
    ("old.php5", LEAK),
    ("wp-content/uploads/2024/shell.php", LEAK),
    ("wp-content/upgrade/new/plugin.php", LEAK),
];
const SHOW: &str = "<?php echo $_SERVER['SCRIPT_NAME'], ' ', $_SERVER['REQUEST_METHOD'], ' ', $_SERVER['QUERY_STRING'], ' ', isset($_SERVER['PATH_INFO']) ? 'info' : '-', ' ', isset($_SERVER['HTTP_PROXY']) && $_SERVER['HTTP_PROXY'] !== '' ? 'proxy' : '-', ' ', basename(getcwd()), ' ', $_SERVER['SERVER_NAME'];";
const LEAK: &str = "<?php echo 'LEAK';";

/// Method, path, status, and the page (for 200) or the address (for 301).
const REQUESTS: [(&str, &str, u16, &str); 67] = [
    ("GET", "/", 200, "/index.php GET  - - public_html a.example"),
    (
        "GET",
        "/index.php",
        200,
        "/index.php GET  - - public_html a.example",
    ),
    (
        "GET",
        "/pretty/page/?a=1&b=%20",
        200,
        "/index.php GET a=1&b=%20 - - public_html a.example",
    ),
    (
        "POST",
        "/pretty",
        200,
        "/index.php POST  - - public_html a.example",
    ),
    (
        "GET",
        "/index.php/almost/pretty",
        200,
        "/index.php GET  - - public_html a.example",
    ),
    (
        "GET",
        "/wp-login.php?x=1",
        200,
        "/wp-login.php GET x=1 - - public_html a.example",
    ),
    (
        "POST",
        "/xmlrpc.php",
        200,
        "/xmlrpc.php POST  - - public_html a.example",
    ),
    ("GET", "/wp-admin", 301, "/wp-admin/"),
    ("GET", "/wp-admin?a=1", 301, "/wp-admin/?a=1"),
    (
        "GET",
        "/wp-admin/",
        200,
        "/wp-admin/index.php GET  - - wp-admin a.example",
    ),
    (
        "GET",
        "/wp-admin/index.php",
        200,
        "/wp-admin/index.php GET  - - wp-admin a.example",
    ),
    ("GET", "/wp-admin/missing.php", 404, ""),
    ("GET", "/missing.php", 404, ""),
    ("GET", "/wp-admin/includes/file.php", 403, ""),
    ("GET", "/wp-includes/version.php", 403, ""),
    (
        "GET",
        "/wp-includes/js/tinymce/wp-tinymce.php",
        200,
        "/wp-includes/js/tinymce/wp-tinymce.php GET  - - tinymce a.example",
    ),
    ("GET", "/blog", 301, "/blog/"),
    (
        "GET",
        "/blog/",
        200,
        "/blog/index.php GET  - - blog a.example",
    ),
    (
        "GET",
        "/blog/hello/?p=1",
        200,
        "/blog/index.php GET p=1 - - blog a.example",
    ),
    (
        "GET",
        "/blogs/hello/",
        200,
        "/index.php GET  - - public_html a.example",
    ),
    (
        "GET",
        "/blog/wp-admin/",
        200,
        "/blog/wp-admin/index.php GET  - - wp-admin a.example",
    ),
    ("GET", "/style.css?ver=1", 200, "body {}"),
    ("HEAD", "/style.css", 200, ""),
    ("POST", "/style.css", 405, ""),
    (
        "GET",
        "/style.css/",
        200,
        "/index.php GET  - - public_html a.example",
    ),
    ("GET", "/page.html", 200, "page"),
    ("GET", "/two%20words.txt", 200, "two words"),
    ("GET", "/%70age.html", 200, "page"),
    ("GET", "//page.html", 200, "page"),
    ("GET", "/bare/../page.html", 200, "page"),
    ("GET", "/./page.html", 200, "page"),
    ("GET", "/bare", 301, "/bare/"),
    ("GET", "/bare/", 403, ""),
    ("GET", "/html/", 200, "html index"),
    ("GET", "/.well-known/x.txt", 200, "known"),
    ("GET", "/.well-known/.git/config", 403, ""),
    ("GET", "/.git/config", 403, ""),
    ("GET", "/%2egit/config", 403, ""),
    ("GET", "/.env", 403, ""),
    ("GET", "/.missing", 403, ""),
    ("GET", "/wp-config.php", 403, ""),
    ("GET", "/wp%2Dconfig.php", 403, ""),
    ("GET", "/WP-CONFIG.PHP", 403, ""),
    ("GET", "/wp-config.php.bak", 403, ""),
    ("GET", "/wp-config.txt", 403, ""),
    ("GET", "/old-wp-config.php~", 403, ""),
    (
        "GET",
        "/how-to-edit-wp-config/",
        200,
        "/index.php GET  - - public_html a.example",
    ),
    ("GET", "/dump.sql", 403, ""),
    ("GET", "/backup.sql.gz", 403, ""),
    ("GET", "/debug.log", 403, ""),
    ("GET", "/index.php.old", 403, ""),
    ("GET", "/php.ini", 403, ""),
    ("GET", "/shell.PHP", 403, ""),
    ("GET", "/class.inc", 403, ""),
    ("GET", "/old.php5", 403, ""),
    ("GET", "/wp-content/uploads/2024/shell.php", 403, ""),
    ("GET", "/wp-content/uploads/2024/shell.php/x", 403, ""),
    ("GET", "/wp-content/uploads/./2024//shell.php", 403, ""),
    ("GET", "/wp-content/upgrade/new/plugin.php", 403, ""),
    ("GET", "/image.txt/x.php", 404, ""),
    ("GET", "/../../etc/passwd", 400, ""),
    ("GET", "/..%2f..%2f..%2fetc/passwd", 400, ""),
    ("GET", "/x%00.php", 400, ""),
    ("GET", "/x%zz", 400, ""),
    ("GET", "/x%0d%0aX-Injected:%201/wp-admin", 403, ""),
    // A link to what is somebody else's is as good as absent.
    (
        "GET",
        "/hostname.txt",
        200,
        "/index.php GET  - - public_html a.example",
    ),
    ("GET", "/mine.txt", 200, "page"),
];

#[tokio::test]
async fn nginx_protects_as_the_list_says() {
    let stack = Stack::up().await;
    let site = stack.site(HOST).await;
    check(&stack, &site).await;
}

#[tokio::test]
async fn phps_own_server_protects_as_nginx_does() {
    if again_as_nobody("protection::phps_own_server_protects_as_nginx_does") {
        return;
    }
    for web in [WebChoice::Stack, WebChoice::Php] {
        let stack = Stack::up_with(|config| config.web = web).await;
        let serving = stack.hosting.serving().unwrap();
        assert_eq!(serving == Serving::Php, web == WebChoice::Php);
        let site = stack.site(HOST).await;
        check(&stack, &site).await;
        stack.hosting.remove_web(HOST).await.unwrap();
    }
}

#[tokio::test]
async fn development_servers_outlive_us_and_are_started_again() {
    if again_as_nobody("protection::development_servers_outlive_us_and_are_started_again") {
        return;
    }
    let stack = Stack::up_with(|config| config.web = WebChoice::Php).await;
    let site = stack.site(HOST).await;
    let other = stack.site("b.example").await;
    write(
        &site,
        "public_html/index.php",
        "<?php echo ini_get('memory_limit'), ' ', function_exists('exec') ? 'exec' : '-';",
    );
    write(
        &other,
        "public_html/index.php",
        "<?php var_dump(@file_get_contents('../../a.example/public_html/index.php'));",
    );
    let origin = stack.hosting.origin(HOST).unwrap();
    assert_ne!(origin.addr, stack.hosting.origin("b.example").unwrap().addr);
    assert_eq!(stack.get(HOST, "/").await, (200, "256M -".into()));
    assert_eq!(
        stack.get("b.example", "/").await,
        (200, "bool(false)\n".into())
    );
    for check in stack.hosting.doctor().await {
        assert!(check.ok, "{check:?}");
    }

    // A later Pressroom finds them as they are.
    let later = LocalHosting::new(stack.hosting.config().clone());
    let before = later.status().await;
    assert!(
        before.is_up() && before.php_servers.len() == 2,
        "{before:?}"
    );
    assert_eq!(later.up().await.unwrap(), before);
    assert_eq!(later.origin(HOST).unwrap(), origin);
    let pid = before.php_servers[0].daemon.pid.unwrap();
    crate::running::kill(pid);
    let after = later.up().await.unwrap();
    assert!(
        after.is_up() && after.php_servers[0].daemon.pid != Some(pid),
        "{after:?}"
    );
    assert_eq!(
        later.origin(HOST).unwrap(),
        origin,
        "a site keeps its address"
    );

    // Other limits are other settings; a released one goes on.
    let mut changed = site.clone();
    changed.limits.memory_mb = 100;
    later.ensure_web(&changed).await.unwrap();
    assert_eq!(stack.get(HOST, "/").await.1, "100M -");
    assert_eq!(later.release(&other, &[], &[]).await.unwrap().pool, None);
    assert_eq!(later.inventory().await.unwrap().server_blocks, [HOST]);
    later.down().await.unwrap();
    assert_eq!(stack.processes(), Vec::<String>::new());
    later.up().await.unwrap();
    assert_eq!(stack.get("b.example", "/").await.0, 200);
    assert!(later.take_back("b.example").await.unwrap());
    for domain in [HOST, "b.example"] {
        assert!(later.remove_web(domain).await.unwrap());
        assert!(!later.remove_web(domain).await.unwrap());
    }
    assert!(later.status().await.php_servers.is_empty());
}

async fn check(stack: &Stack, site: &WebSite) {
    for (path, content) in FILES {
        write(site, &format!("public_html/{path}"), content);
    }
    link(site, "/etc/hostname", "hostname.txt");
    let page = site.home.join("public_html/page.html");
    link(site, page.to_str().unwrap(), "mine.txt");
    let mut site = WebSite {
        subdirectories: vec!["blog".into()],
        aliases: vec!["www.a.example".into()],
        ..site.clone()
    };
    site.limits.upload_mb = 1;
    stack.hosting.ensure_web(&site).await.unwrap();
    for (method, path, status, shown) in REQUESTS {
        let answer = send(stack, HOST, method, path).await;
        assert_eq!(answer.status, status, "{method} {path}: {answer:?}");
        assert!(!answer.body.contains("LEAK"), "{path}: {answer:?}");
        assert_eq!(answer.header("X-Injected"), None, "{path}");
        match status {
            200 => assert_eq!(answer.body, shown, "{method} {path}"),
            301 => assert_eq!(answer.header("Location"), Some(shown), "{path}"),
            _ => {}
        }
        if status != 400 {
            let nosniff = answer.header("X-Content-Type-Options");
            assert_eq!(nosniff, Some("nosniff"), "{path}: {answer:?}");
        }
        for header in ["Server", "X-Powered-By"] {
            let told = answer.header(header).unwrap_or_default();
            assert!(
                !told.contains(|letter: char| letter.is_ascii_digit()),
                "{answer:?}"
            );
        }
    }
    let answer = send(stack, HOST, "GET", "/style.css").await;
    assert_eq!(answer.header("Content-Type"), Some("text/css"));
    assert_eq!(answer.header("Cache-Control"), Some("max-age=604800"));
    let answer = send(stack, HOST, "GET", "/page.html").await;
    assert_eq!(answer.header("Cache-Control"), None);
    assert_eq!(
        send(stack, "www.a.example", "GET", "/page.html")
            .await
            .status,
        200
    );
    assert_eq!(
        send(stack, "WWW.A.example", "GET", "/page.html")
            .await
            .status,
        200
    );
    for host in ["other.example", "localhost", "127.0.0.1"] {
        assert_eq!(
            send(stack, host, "GET", "/page.html").await.status,
            404,
            "{host}"
        );
    }
    // As large as a request may be, and a byte more.
    let addr = stack.hosting.origin(HOST).unwrap().addr;
    for (more, status) in [(0, 200), (1, 413)] {
        let len = (9 << 20) + more;
        let head = format!("POST / HTTP/1.0\r\nHost: {HOST}\r\nContent-Length: {len}\r\n\r\n");
        let answer = ask(addr, &(head + &"x".repeat(len))).await;
        assert_eq!(answer.status, status, "{len}");
    }
}

async fn send(stack: &Stack, host: &str, method: &str, path: &str) -> Answer {
    let addr = stack.hosting.origin(HOST).unwrap().addr;
    let request = format!(
        "{method} {path} HTTP/1.0\r\nHost: {host}:{}\r\nProxy: x\r\nContent-Length: 0\r\n\r\n",
        addr.port()
    );
    ask(addr, &request).await
}

fn link(site: &WebSite, target: &str, name: &str) {
    let link = site.home.join("public_html").join(name);
    symlink(target, &link).unwrap();
    if let Some(user) = &site.user {
        std::os::unix::fs::lchown(&link, Some(user.uid), Some(user.gid)).unwrap();
    }
}
