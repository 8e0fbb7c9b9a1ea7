//! Networks of WordPress sites, asked of nginx with php-fpm and of PHP's own server: the
//! addresses of every site are answered, and what is refused below the domain is refused
//! below each of its sites.

use crate::{
    ordinary_user::again_as_nobody,
    stack::{Answer, Stack, ask, write},
};
use pressroom_providers::hosting::{Network, WebChoice, WebSite};
use std::{fs, os::unix::fs::PermissionsExt};

const HOST: &str = "a.example";
const SHOW: &str = "<?php echo $_SERVER['SCRIPT_NAME'], ' ', $_SERVER['REQUEST_URI'], ' ', json_encode($_GET), ' ', $_SERVER['QUERY_STRING'];";
const LEAK: &str = "<?php echo 'LEAK';";

/// The files of a network, of another WordPress in `shop`, and of one more network in `old`.
const FILES: [(&str, &str); 30] = [
    ("index.php", SHOW),
    ("wp-login.php", SHOW),
    ("xmlrpc.php", SHOW),
    ("wp-admin/index.php", SHOW),
    ("wp-admin/network/index.php", SHOW),
    ("wp-admin/css/login.css", "login css"),
    ("wp-admin/includes/file.php", LEAK),
    ("wp-includes/version.php", LEAK),
    ("wp-includes/ms-files.php", SHOW),
    ("wp-content/plugins/p/ajax.php", SHOW),
    ("wp-content/uploads/sites/2/a.txt", "of two"),
    ("wp-content/uploads/sites/2/x.php", LEAK),
    ("wp-content/blogs.dir/2/files/x.php", LEAK),
    ("wp-content/debug.log", LEAK),
    ("wp-content/.git/config", LEAK),
    ("wp-content/upgrade/x.php", LEAK),
    ("wp-config.php", LEAK),
    ("wp-config.php.bak", LEAK),
    ("dump.sql", LEAK),
    (".git/config", LEAK),
    (".env", LEAK),
    ("tools/run.php", SHOW),
    ("shop/index.php", SHOW),
    ("shop/wp-login.php", SHOW),
    ("old/index.php", SHOW),
    ("old/wp-login.php", SHOW),
    ("old/wp-admin/index.php", SHOW),
    ("old/wp-content/style.css", "old css"),
    ("old/wp-includes/ms-files.php", SHOW),
    ("old/wp-config.php", LEAK),
];

/// Path, status, and the page (for 200) or the address (for 301).
const REQUESTS: [(&str, u16, &str); 54] = [
    ("/second/", 200, "/index.php /second/ [] "),
    (
        "/second/page/?a=1",
        200,
        r#"/index.php /second/page/?a=1 {"a":"1"} a=1"#,
    ),
    (
        "/second/wp-login.php?x=1",
        200,
        r#"/wp-login.php /second/wp-login.php?x=1 {"x":"1"} x=1"#,
    ),
    (
        "/second/xmlrpc.php",
        200,
        "/xmlrpc.php /second/xmlrpc.php [] ",
    ),
    ("/second/index.php", 200, "/index.php /second/index.php [] "),
    ("/second/wp-admin", 301, "/second/wp-admin/"),
    (
        "/second/wp-admin/",
        200,
        "/wp-admin/index.php /second/wp-admin/ [] ",
    ),
    (
        "/second/wp-admin/index.php",
        200,
        "/wp-admin/index.php /second/wp-admin/index.php [] ",
    ),
    (
        "/wp-admin/network/",
        200,
        "/wp-admin/network/index.php /wp-admin/network/ [] ",
    ),
    ("/wp-admin/network", 301, "/wp-admin/network/"),
    ("/second/wp-admin/css/login.css?ver=1", 200, "login css"),
    ("/second/wp-content/uploads/sites/2/a.txt", 200, "of two"),
    ("/wp-content/uploads/sites/2/a.txt", 200, "of two"),
    (
        "/second/wp-content/plugins/p/ajax.php?q=%20",
        200,
        r#"/wp-content/plugins/p/ajax.php /second/wp-content/plugins/p/ajax.php?q=%20 {"q":" "} q=%20"#,
    ),
    // What is not there is nobody's, however deep; a page is WordPress' to miss.
    ("/second/missing.php", 404, ""),
    ("/missing.php", 404, ""),
    ("/a/b/c/d/e/f/g/h/i/j/k/l/wp-login.php", 404, ""),
    ("/second/third/wp-login.php", 404, ""),
    ("/wp-content/wp-login.php", 404, ""),
    (
        "/wp-content/wp-content/uploads/sites/2/a.txt",
        200,
        "/index.php /wp-content/wp-content/uploads/sites/2/a.txt [] ",
    ),
    (
        "/second/wp-content/missing.css",
        200,
        "/index.php /second/wp-content/missing.css [] ",
    ),
    // What is there is there, whatever it is called.
    ("/tools/run.php", 200, "/tools/run.php /tools/run.php [] "),
    // Another WordPress below the domain is none of the network's sites.
    ("/shop/", 200, "/shop/index.php /shop/ [] "),
    ("/shop/page/", 200, "/shop/index.php /shop/page/ [] "),
    (
        "/shop/wp-login.php",
        200,
        "/shop/wp-login.php /shop/wp-login.php [] ",
    ),
    ("/shop/xmlrpc.php", 404, ""),
    (
        "/shop/wp-admin/css/login.css",
        200,
        "/shop/index.php /shop/wp-admin/css/login.css [] ",
    ),
    (
        "/shop/files/a.jpg",
        200,
        "/shop/index.php /shop/files/a.jpg [] ",
    ),
    // A network in a directory has its sites below it, and uploads WordPress answers.
    ("/old/", 200, "/old/index.php /old/ [] "),
    ("/old/blog/page/", 200, "/old/index.php /old/blog/page/ [] "),
    (
        "/old/blog/wp-login.php",
        200,
        "/old/wp-login.php /old/blog/wp-login.php [] ",
    ),
    (
        "/old/blog/wp-admin/",
        200,
        "/old/wp-admin/index.php /old/blog/wp-admin/ [] ",
    ),
    ("/old/blog/wp-content/style.css", 200, "old css"),
    (
        "/old/blog/files/2010/a%20b.jpg?w=9",
        200,
        r#"/old/wp-includes/ms-files.php /old/blog/files/2010/a%20b.jpg?w=9 {"file":"2010\/a b.jpg","w":"9"} file=2010/a%20b.jpg&w=9"#,
    ),
    (
        "/old/files/a%26w.jpg",
        200,
        r#"/old/wp-includes/ms-files.php /old/files/a%26w.jpg {"file":"a&w.jpg"} file=a%26w.jpg"#,
    ),
    (
        "/second/files/a.jpg",
        200,
        "/index.php /second/files/a.jpg [] ",
    ),
    // And nothing of what is refused comes out by another way.
    ("/second/wp-config.php", 403, ""),
    ("/old/blog/wp-config.php", 403, ""),
    ("/second/wp-config.php.bak", 403, ""),
    ("/second/WP-CONFIG.php", 403, ""),
    ("/second/dump.sql", 403, ""),
    ("/second/.git/config", 403, ""),
    ("/second/.env", 403, ""),
    ("/second/wp-content/.git/config", 403, ""),
    ("/second/wp-content/debug.log", 403, ""),
    ("/second/wp-content/uploads/x.php", 403, ""),
    ("/second/wp-content/uploads/sites/2/x.php", 403, ""),
    ("/second/wp-content/uploads/sites/2/x.php/a", 403, ""),
    ("/wp-content/blogs.dir/2/files/x.php", 403, ""),
    ("/old/blog/files/x.php", 403, ""),
    ("/second/wp-content/upgrade/x.php", 403, ""),
    ("/second/wp-includes/version.php", 403, ""),
    ("/second/wp-admin/includes/file.php", 403, ""),
    ("/second/%2e%2e/%2e%2e/etc/passwd", 400, ""),
];

#[tokio::test]
async fn every_site_of_a_network_is_served_and_protected() {
    let stack = Stack::up().await;
    let site = stack.site(HOST).await;
    check(&stack, &site).await;

    let network = Network {
        directory: String::new(),
        subdomains: false,
        files: false,
    };
    let again = stack.hosting.serve_network(HOST, "", Some(network));
    assert!(again.await.unwrap());
    // Where nginx sees no files, PHP is served all the same.
    fs::set_permissions(&site.home, fs::Permissions::from_mode(0o700)).unwrap();
    for (path, script) in [
        ("/", "/index.php"),
        ("/second/", "/index.php"),
        ("/wp-login.php", "/wp-login.php"),
        ("/second/wp-login.php", "/wp-login.php"),
        ("/second/wp-admin/", "/wp-admin/index.php"),
        ("/wp-admin/network/", "/wp-admin/network/index.php"),
        ("/shop/page/", "/shop/index.php"),
        ("/shop/wp-login.php", "/shop/wp-login.php"),
        ("/old/blog/", "/old/index.php"),
        ("/old/blog/wp-login.php", "/old/wp-login.php"),
    ] {
        let answer = send(&stack, HOST, path).await;
        let expected = format!("{script} {path} [] ");
        assert_eq!((answer.status, answer.body), (200, expected), "{path}");
    }
}

#[tokio::test]
async fn phps_own_server_serves_networks_as_nginx_does() {
    if again_as_nobody("network::phps_own_server_serves_networks_as_nginx_does") {
        return;
    }
    let stack = Stack::up_with(|config| config.web = WebChoice::Php).await;
    let site = stack.site(HOST).await;
    check(&stack, &site).await;
    stack.hosting.remove_web(HOST).await.unwrap();
}

async fn check(stack: &Stack, site: &WebSite) {
    for (path, content) in FILES {
        write(site, &format!("public_html/{path}"), content);
    }
    let hosting = &stack.hosting;
    let site = WebSite {
        subdirectories: vec!["shop".into(), "old".into()],
        ..site.clone()
    };
    hosting.ensure_web(&site).await.unwrap();
    // A single site has none of this.
    assert_eq!(send(stack, HOST, "/second/wp-login.php").await.status, 404);
    let page = send(stack, HOST, "/second/wp-content/uploads/sites/2/a.txt").await;
    assert!(page.body.starts_with("/index.php "), "{page:?}");
    let network = |files| Network {
        directory: String::new(),
        subdomains: false,
        files,
    };
    for (directory, files) in [("", false), ("old", true)] {
        let again = || hosting.serve_network(HOST, directory, Some(network(files)));
        assert!(again().await.unwrap());
        assert!(!again().await.unwrap(), "nothing is left to change");
    }
    let served = hosting.web(HOST).unwrap().unwrap();
    assert_eq!(served.subdirectories, site.subdirectories);
    assert_eq!(served.networks.len(), 2);

    for (path, status, shown) in REQUESTS {
        let answer = send(stack, HOST, path).await;
        assert_eq!(answer.status, status, "{path}: {answer:?}");
        assert!(!answer.body.contains("LEAK"), "{path}: {answer:?}");
        match status {
            200 => assert_eq!(answer.body, shown, "{path}"),
            301 => assert_eq!(answer.header("Location"), Some(shown), "{path}"),
            _ => {}
        }
    }
    assert_eq!(send(stack, "second.a.example", "/").await.status, 404);

    // The same network with names of its own for each site.
    let subdomains = Network {
        subdomains: true,
        ..network(true)
    };
    assert!(
        hosting
            .serve_network(HOST, "", Some(subdomains))
            .await
            .unwrap()
    );
    for (host, path, status) in [
        (HOST, "/", 200),
        ("second.a.example", "/", 200),
        ("second.a.example", "/wp-login.php", 200),
        ("SECOND.a.example", "/wp-admin/", 200),
        ("second.a.example", "/files/a.jpg", 200),
        ("second.a.example", "/wp-config.php", 403),
        ("second.a.example", "/wp-content/uploads/sites/2/x.php", 403),
        ("second.a.example", "/second/wp-login.php", 404),
        ("second.a.example", "/files/x.php", 403),
        ("second-a.example", "/", 404),
        ("seconda.example", "/", 404),
    ] {
        let answer = send(stack, host, path).await;
        // nginx says of some names that they are none.
        let refused = status == 404 && answer.status == 400;
        assert!(
            answer.status == status || refused,
            "{host}{path}: {answer:?}"
        );
    }
    // A domain of its own goes before a network that answers to every name.
    let other = stack.site("second.a.example").await;
    write(&other, "public_html/index.php", "<?php echo 'its own';");
    assert_eq!(stack.get("second.a.example", "/").await.1, "its own");
    hosting.remove_web("second.a.example").await.unwrap();

    // As a single site again, and what is not served never comes back by this.
    assert!(hosting.serve_network(HOST, "", None).await.unwrap());
    assert_eq!(send(stack, "second.a.example", "/").await.status, 404);
    assert_eq!(send(stack, HOST, "/second/wp-login.php").await.status, 404);
    let gone = hosting.serve_network("gone.example", "", Some(network(false)));
    assert!(!gone.await.unwrap());
    assert_eq!(hosting.web("gone.example").unwrap(), None);
}

async fn send(stack: &Stack, host: &str, path: &str) -> Answer {
    let addr = stack.hosting.origin(HOST).unwrap().addr;
    let request = format!(
        "GET {path} HTTP/1.0\r\nHost: {host}:{}\r\n\r\n",
        addr.port()
    );
    ask(addr, &request).await
}
