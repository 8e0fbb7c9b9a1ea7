//! `DB_HOST` in every form WordPress takes, held against what PHP makes of it: the
//! engine must come to the same server, or to none where PHP comes to none.

use crate::place::settings;
use pressroom_lab::{Mariadb, Wordpress};
use pressroom_wordpress::{Watch, config::Settings, database::size};
use std::{net::TcpListener, process::Command};

/// Connects as `wpdb::db_connect` does, by its own `parse_db_host`; prints what the
/// table has, or nothing.
const PHP: &str = r#"
    function absint($n) { return abs((int) $n); }
    function apply_filters($name, $value) { return $value; }
    define('ABSPATH', dirname($argv[1]) . '/');
    define('WPINC', 'wp-includes');
    require $argv[1] . '/wp-includes/class-wpdb.php';
    $wpdb = (new ReflectionClass('wpdb'))->newInstanceWithoutConstructor();
    [, , $host, $user, $password, $name] = $argv;
    $port = $socket = null; $v6 = false;
    if ($parsed = $wpdb->parse_db_host($host)) {
        [$host, $port, $socket, $v6] = $parsed;
    }
    if ($v6 && extension_loaded('mysqlnd')) {
        $host = "[$host]";
    }
    mysqli_report(MYSQLI_REPORT_OFF);
    $db = mysqli_init();
    if (@mysqli_real_connect($db, $host, $user, $password, $name, $port, $socket)) {
        echo $db->query('SELECT a FROM wp_here')->fetch_row()[0];
    }
"#;

#[test]
fn every_form_leads_where_php_goes() {
    // One that listens on both loopbacks, and a socket.
    let port = TcpListener::bind(("::1", 0))
        .unwrap()
        .local_addr()
        .unwrap()
        .port();
    let server = Mariadb::start_with(
        "8M",
        "8M",
        &[
            "--skip-networking=0",
            "--bind-address=127.0.0.1,::1",
            &format!("--port={port}"),
        ],
    )
    .unwrap();
    let mut database = server.database().unwrap();
    // One who may come from anywhere.
    database.user.push_str("_far");
    database.password = "far away".into();
    database
        .sql(&format!(
            "CREATE TABLE wp_here (a INT); INSERT INTO wp_here VALUES (42); \
             CREATE USER {user}@'%' IDENTIFIED BY '{password}'; GRANT ALL ON {name}.* TO {user}@'%';",
            user = database.user,
            password = database.password,
            name = database.name,
        ))
        .unwrap();
    let tree = Wordpress::V6_5.tree().unwrap();
    let socket = server.socket().display();
    for (host, there) in [
        (format!("localhost:{socket}"), true),
        (format!(":{socket}"), true),
        (format!("localhost:9:{socket}"), true),
        (format!("127.0.0.1:{port}"), true),
        (format!("[::1]:{port}"), true),
        (format!("[::1]:{port}:{socket}"), true),
        (format!("127.0.0.1:{port}:{socket}"), true),
        (format!("127.0.0.1:{port}x"), true),
        // No socket but for `localhost`: nobody listens at the usual port here.
        (format!("127.0.0.2:9:{socket}"), false),
        ("[::1]:9".to_owned(), false),
        ("127.0.0.1:9".to_owned(), false),
        (format!("localhost:{socket}.gone"), false),
    ] {
        let php = Command::new("php")
            .args(["-d", "error_reporting=0", "-r", PHP, "--"])
            .arg(&tree)
            .args([&host, &database.user, &database.password, &database.name])
            .output()
            .unwrap();
        let said = String::from_utf8_lossy(&php.stdout);
        assert_eq!(said == "42", there, "PHP at {host}: {said} {php:?}");
        let site = Settings {
            db_host: Some(host.clone()),
            ..settings(&database, "wp_")
        };
        let ours = size(&site, &Watch::unbounded());
        assert_eq!(ours.is_ok(), there, "we at {host}: {ours:?}");
    }
}
