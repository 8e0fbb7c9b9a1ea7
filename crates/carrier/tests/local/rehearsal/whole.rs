//! A clone is its site, and what happens to it happens to nothing else.

use super::lab::{EPOCH, HOST, Live, Server, agent_of, open, own, run, site};
use crate::site::soon;
use pressroom_carrier::Visited;
use pressroom_lab::{Multisite, Site, Wordpress};
use pressroom_wordpress::{
    bridge::Action,
    component::{ComponentKind, Swap, Target},
    rehearsal::RehearsalOptions,
    rehearsal::Visit,
};
use std::{
    fs,
    io::{Cursor, Write},
    path::Path,
    process::Command,
};
use tempfile::TempDir;
use zip::{ZipWriter, write::SimpleFileOptions};

fn text(visited: &Visited) -> String {
    String::from_utf8_lossy(&visited.body).into_owned()
}

/// Byte for byte; else the first line that differs is shown.
fn same(path: &str, visited: &Visited, body: &[u8]) {
    if visited.body == body {
        return;
    }
    let (there, here) = (text(visited), String::from_utf8_lossy(body).into_owned());
    let differs = there
        .lines()
        .zip(here.lines())
        .find(|(there, here)| there != here);
    panic!(
        "{path} differs ({} and {} bytes): {differs:?}",
        there.len(),
        here.len()
    );
}

#[tokio::test]
async fn a_clone_is_its_site_page_for_page() {
    let site = site("");
    site.plugin(
        "shown",
        "1.0",
        "add_action( 'wp_footer', function () { echo '<p>shown 1.0</p>'; } );",
    )
    .unwrap();
    site.php("activate_plugin('shown/shown.php'); update_option('a_path', array('dir' => ABSPATH . 'wp-content/x'));")
        .unwrap();
    site.write(
        "wp-content/uploads/2024/01/picture.jpg",
        b"\xff\xd8\xff not quite",
    )
    .unwrap();
    site.write("wp-content/uploads/2024/01/evil.php", "<?php echo 'ran';")
        .unwrap();
    site.write("wp-content/uploads/x/generated.css", "p{}")
        .unwrap();
    site.write("wp-content/object-cache.php", "<?php die('object cache');")
        .unwrap();
    site.write(".user.ini", "auto_prepend_file=/nowhere/waf.php\n")
        .unwrap();
    let live = Live::of(site).await;
    let clone = live.make().await;
    assert_eq!(
        clone.root,
        format!(".pressroom/rehearsal/{}/site", clone.handle)
    );
    assert!(clone.tables >= 12 && clone.files > 1000, "{clone:?}");
    assert_eq!(clone.unblocked, [""; 0], "{clone:?}");
    for name in [".user.ini", "object-cache.php"] {
        assert!(
            clone.dropped.iter().any(|dropped| dropped.contains(name)),
            "{clone:?}"
        );
    }
    // The live site has an object cache that dies.
    fs::remove_file(live.home.join("public_html/wp-content/object-cache.php")).unwrap();
    let server = Server::of(&live);
    for path in [
        "/",
        "/hello-world/",
        "/?p=1",
        "/wp-login.php",
        "/wp-json/wp/v2/posts",
        "/no/such/page/",
        "/wp-includes/css/dashicons.min.css",
        "/wp-content/uploads/2024/01/picture.jpg",
        "/wp-content/uploads/x/generated.css",
    ] {
        let (status, body) = server.get(path);
        let visited = live.get(&clone, path).await;
        assert_eq!(visited.status, status, "{path}: {}", text(&visited));
        same(path, &visited, &body);
    }
    drop(server);
    // Visitors of the live site had it write what it remembers for a while.
    let before = live.state().await;
    let front = live.get(&clone, "/").await;
    assert!(text(&front).contains("shown 1.0"));
    let robots = ("X-Robots-Tag".to_owned(), "noindex, nofollow".to_owned());
    assert!(front.headers.contains(&robots), "{:?}", front.headers);
    let admin = live.get(&clone, "/wp-admin/").await;
    assert_eq!(admin.status, 302);
    for hidden in [
        "/.htaccess",
        "/wp-content/uploads/../../wp-config.php",
        "/.user.ini",
    ] {
        assert!(
            !text(&live.get(&clone, hidden).await).contains("DB_"),
            "{hidden}"
        );
    }
    let cut = Visit {
        limit: 100,
        ..Visit::get("/")
    };
    let cut = soon(live.session.visit(&clone.handle, cut)).await.unwrap();
    assert_eq!(
        (cut.body.len(), cut.cut),
        (100, front.body.len() as u64 - 100)
    );

    signs_in(&live, &clone.handle).await;
    several_at_once(&live, &clone.handle).await;

    // Every other operation takes it for a site.
    let there = live.session.inspect(&clone.root).await.unwrap();
    let here = live.session.inspect("public_html").await.unwrap();
    assert_eq!(there.version, here.version);
    assert_eq!(there.components.len(), here.components.len());
    let site_ref = pressroom_agent::protocol::SiteRef {
        root: clone.root.clone(),
        php: Some("php".into()),
    };
    let survey = soon(live.session.survey(site_ref, &["a_path"]))
        .await
        .unwrap();
    let facts = format!("{:?}", survey.facts);
    assert!(
        facts.contains(&format!("{}/wp-content/x", clone.root)),
        "{facts}"
    );

    updates(&live, &clone).await;
    assert_eq!(live.state().await, before);
    // An exchange that nobody settled goes with the clone, and what it staged.
    assert_eq!(
        fs::read_dir(live.home.join(".pressroom/staging"))
            .unwrap()
            .count(),
        1
    );
    let plugin = live
        .home
        .join("public_html/wp-content/plugins/shown/shown.php");
    assert!(fs::read_to_string(plugin).unwrap().contains("1.0"));

    soon(live.session.drop_rehearsal(EPOCH, &clone.handle))
        .await
        .unwrap();
    assert_eq!(live.left(), [""; 0]);
    soon(live.session.drop_rehearsal(EPOCH, &clone.handle))
        .await
        .unwrap();
    let gone = live.session.visit(&clone.handle, Visit::get("/")).await;
    assert!(gone.unwrap_err().to_string().contains("does not exist"));
    assert!(live.session.drop_rehearsal(EPOCH, "../x").await.is_err());
}

async fn signs_in(live: &Live, handle: &str) {
    let visit = Visit {
        method: "POST".into(),
        headers: vec![
            (
                "Content-Type".into(),
                "application/x-www-form-urlencoded".into(),
            ),
            (
                "Cookie".into(),
                "wordpress_test_cookie=WP%20Cookie%20check".into(),
            ),
        ],
        body: b"log=admin&pwd=password&testcookie=1".to_vec(),
        ..Visit::get("/wp-login.php")
    };
    let answer = soon(live.session.visit(handle, visit)).await.unwrap();
    assert_eq!(answer.status, 302, "{}", text(&answer));
    let cookies: Vec<&str> = answer
        .headers
        .iter()
        .filter(|(name, _)| name.eq_ignore_ascii_case("set-cookie"))
        .filter_map(|(_, value)| value.split(';').next())
        .collect();
    let visit = Visit {
        headers: vec![("Cookie".into(), cookies.join("; "))],
        ..Visit::get("/wp-admin/plugins.php")
    };
    let page = soon(live.session.visit(handle, visit)).await.unwrap();
    // The roles' names are the clone's: without them nobody may look at this.
    assert_eq!(page.status, 200, "{}", text(&page));
    assert!(text(&page).contains("shown"), "{}", text(&page));
}

async fn several_at_once(live: &Live, handle: &str) {
    let mut visits = tokio::task::JoinSet::new();
    for number in 0..12 {
        let (session, handle) = (live.session.clone(), handle.to_owned());
        visits.spawn(async move {
            let path = format!("/?s=word{number}");
            let page = session.visit(&handle, Visit::get(&path)).await.unwrap();
            (number, page)
        });
    }
    for (number, page) in soon(visits.join_all()).await {
        assert_eq!(page.status, 200);
        assert!(text(&page).contains(&format!("word{number}")));
    }
}

/// A plugin is updated in the clone by the same operations as in a site.
async fn updates(live: &Live, clone: &pressroom_wordpress::rehearsal::Rehearsal) {
    let target = Target {
        root: clone.root.clone(),
        kind: ComponentKind::Plugin,
        slug: "shown".into(),
    };
    let staged = soon(
        live.session
            .stage_component(EPOCH, target.clone(), package().as_slice()),
    )
    .await
    .unwrap();
    let before = live.session.hash_component(target.clone()).await.unwrap();
    let swap = Swap {
        target,
        staged: staged.staged.clone(),
        before: before.map(|tree| tree.hash),
        after: staged.tree.hash.clone(),
    };
    soon(live.session.swap_component(EPOCH, swap))
        .await
        .unwrap();
    let page = live.get(clone, "/").await;
    assert!(text(&page).contains("shown 2.0"), "{}", text(&page));
    let report = soon(live.session.bridge(
        Some(EPOCH),
        &clone.root,
        "php",
        vec![Action::ReadActivePlugins],
    ))
    .await
    .unwrap();
    assert!(report.is_ok(), "{report:?}");
    // A table that the update makes is the clone's, and goes with it.
    let made = live.get(clone, "/?make_table=1").await;
    assert!(text(&made).contains("made 1"), "{}", text(&made));
    let refused = live
        .session
        .run_command(
            None,
            pressroom_wordpress::command::Command {
                root: clone.root.clone(),
                argv: vec!["true".into()],
                variables: std::collections::BTreeMap::new(),
                limit_ms: 1000,
                keep_bytes: 10,
            },
            |_, _| {},
        )
        .await;
    assert!(
        refused
            .unwrap_err()
            .to_string()
            .contains("not run in a rehearsal")
    );
}

fn package() -> Vec<u8> {
    let mut zip = ZipWriter::new(Cursor::new(Vec::new()));
    zip.start_file("shown/shown.php", SimpleFileOptions::default())
        .unwrap();
    zip.write_all(
        b"<?php\n/**\n * Plugin Name: shown\n * Version: 2.0\n */\n\
          add_action( 'wp_footer', function () { global $wpdb; echo '<p>shown 2.0</p>';\n\
          if ( isset( $_GET['make_table'] ) ) { $wpdb->query( \"CREATE TABLE {$wpdb->prefix}new_one (a int)\" );\n\
          $wpdb->query( \"INSERT INTO {$wpdb->prefix}new_one VALUES (1)\" );\n\
          echo 'made ', $wpdb->get_var( \"SELECT COUNT(*) FROM {$wpdb->prefix}new_one\" ); } } );\n",
    )
    .unwrap();
    zip.finish().unwrap().into_inner()
}

#[tokio::test]
async fn a_network_in_directories_is_cloned_with_its_sites() {
    let site = Site::network(Wordpress::V6_5, Multisite::Subdirectories).unwrap();
    let live = Live::of(site).await;
    let clone = live.make().await;
    let server = Server::of(&live);
    let (status, body) = server.get("/");
    drop(server);
    let before = live.state().await;
    let page = live.get(&clone, "/").await;
    assert_eq!(page.status, status, "{}", text(&page));
    same("/", &page, &body);
    let second = live.get(&clone, "/second/").await;
    assert_eq!(second.status, 200, "{}", text(&second));
    assert!(text(&second).contains("Second"), "{}", text(&second));
    let login = live.get(&clone, "/second/wp-login.php").await;
    assert_eq!(login.status, 200);
    assert!(text(&login).contains(&format!("http://{HOST}/second")));
    let style = live
        .get(&clone, "/second/wp-includes/css/dashicons.min.css")
        .await;
    assert_eq!(style.status, 200);
    let prefix = live
        .site
        .database
        .sql("SHOW TABLES LIKE 'prr%\\_2\\_options'")
        .unwrap();
    let prefix = prefix.trim().strip_suffix("2_options").unwrap().to_owned();
    let keys = live
        .site
        .database
        .sql(&format!(
            "SELECT option_name FROM {prefix}2_options WHERE option_name LIKE '%user_roles'; \
             SELECT COUNT(*) FROM {prefix}usermeta WHERE meta_key LIKE 'wp\\_%'"
        ))
        .unwrap();
    assert_eq!(keys, format!("{prefix}2_user_roles\n0\n"));
    soon(live.session.drop_rehearsal(EPOCH, &clone.handle))
        .await
        .unwrap();
    assert_eq!(live.left(), [""; 0]);
    assert_eq!(live.state().await, before);
}

/// A file system of its own at a directory, gone with this.
struct Mount {
    dir: TempDir,
}

impl Mount {
    /// XFS, which shares the bytes of files, in a file of its own.
    fn xfs() -> Self {
        let dir = tempfile::tempdir().unwrap();
        let image = dir.path().join("image");
        let file = fs::File::create(&image).unwrap();
        file.set_len(700 * 1024 * 1024).unwrap();
        run(Command::new("mkfs.xfs")
            .args(["-q", "-m", "reflink=1"])
            .arg(&image));
        fs::create_dir(dir.path().join("home")).unwrap();
        run(Command::new("mount")
            .args(["-o", "loop"])
            .arg(&image)
            .arg(dir.path().join("home")));
        Self { dir }
    }

    fn tmpfs(size: &str) -> Self {
        let dir = tempfile::tempdir().unwrap();
        fs::create_dir(dir.path().join("home")).unwrap();
        run(Command::new("mount")
            .args([
                "-t",
                "tmpfs",
                "-o",
                &format!("size={size},mode=0755"),
                "none",
            ])
            .arg(dir.path().join("home")));
        Self { dir }
    }

    /// The site moved there.
    async fn of(&self, site: Site) -> Live {
        use std::os::unix::fs::PermissionsExt;
        fs::set_permissions(self.dir.path(), fs::Permissions::from_mode(0o711)).unwrap();
        let home = self.home();
        run(Command::new("cp").arg("-a").arg(site.path()).arg(&home));
        Live::at(site, home).await
    }

    fn home(&self) -> std::path::PathBuf {
        self.dir.path().join("home")
    }
}

impl Drop for Mount {
    fn drop(&mut self) {
        let _ = Command::new("umount").arg("-l").arg(self.home()).status();
    }
}

#[tokio::test]
async fn files_are_shared_where_the_file_system_can() {
    let site = site("");
    let big: Vec<u8> = (0..3_000_000_u32)
        .map(|number| number.to_le_bytes()[0])
        .collect();
    site.write("wp-content/uploads/film.mp4", &big).unwrap();
    let mount = Mount::xfs();
    let live = mount.of(site).await;
    let used = |path: &Path| {
        let found = rustix::fs::statvfs(path).unwrap();
        (found.f_blocks - found.f_bfree) * found.f_frsize
    };
    let before = used(&live.home);
    let clone = live.make().await;
    rustix::fs::sync();
    let grown = used(&live.home).saturating_sub(before);
    assert!(clone.bytes_shared > 30_000_000, "{clone:?}");
    assert_eq!(
        (clone.bytes_copied, clone.files_read_through),
        (0, 0),
        "{clone:?}"
    );
    assert!(
        grown < clone.bytes_shared / 2,
        "{grown} bytes for {clone:?}"
    );
    // What is written in the clone is not written in the site.
    let film = format!("{}/wp-content/uploads/film.mp4", clone.root);
    fs::write(live.home.join(film), "other").unwrap();
    let there = fs::read(live.home.join("public_html/wp-content/uploads/film.mp4")).unwrap();
    assert!(there == big);
    soon(live.session.drop_rehearsal(EPOCH, &clone.handle))
        .await
        .unwrap();
    assert_eq!(live.left(), [""; 0]);
}

#[tokio::test]
async fn where_there_is_no_room_nothing_is_made() {
    let mount = Mount::tmpfs("130m");
    let live = mount.of(site("")).await;
    let refused = live
        .session
        .make_rehearsal(EPOCH, live.site_ref(), RehearsalOptions::default())
        .await
        .unwrap_err();
    let said = refused.to_string();
    assert!(said.contains("MB on the disk"), "{said}");
    assert_eq!(live.left(), [""; 0]);
}

#[tokio::test]
async fn what_cannot_be_cloned_is_refused_with_the_reason() {
    let site = site("");
    let live = Live::of(site).await;
    let refusal = async |change: &dyn Fn()| {
        change();
        let made = live
            .session
            .make_rehearsal(EPOCH, live.site_ref(), RehearsalOptions::default())
            .await;
        let said = made.unwrap_err().to_string();
        assert_eq!(live.left(), [""; 0], "{said}");
        said
    };
    let root = live.home.join("public_html");
    let said = refusal(&|| {
        fs::write(
            root.join("wp-content/db.php"),
            "<?php // SQLite integration",
        )
        .unwrap();
    })
    .await;
    assert!(said.contains("SQLite"), "{said}");
    fs::remove_file(root.join("wp-content/db.php")).unwrap();
    let config = fs::read_to_string(root.join("wp-config.php")).unwrap();
    let elsewhere = config.replace(
        "define( 'FS_METHOD'",
        "define( 'WP_CONTENT_DIR', '/srv/content' );\ndefine( 'FS_METHOD'",
    );
    let said = refusal(&|| fs::write(root.join("wp-config.php"), &elsewhere).unwrap()).await;
    assert!(said.contains("content are not below"), "{said}");
    fs::write(root.join("wp-config.php"), &config).unwrap();
    let said = refusal(&|| fs::rename(root.join("wp-load.php"), root.join("x")).unwrap()).await;
    assert!(said.contains("wp-load.php` does not exist"), "{said}");
    fs::rename(root.join("x"), root.join("wp-load.php")).unwrap();

    // One that only PHP can tell is written anew.
    let computed = config.replace("define( 'DB_NAME', '", "$n = 'DB_NAME';\ndefine( $n, '");
    assert_ne!(computed, config);
    fs::write(root.join("wp-config.php"), computed).unwrap();
    let place = agent_of(&live.home);
    own(&place, &root.join("wp-config.php"));
    let session = open(&place).await;
    let clone = soon(session.make_rehearsal(EPOCH, live.site_ref(), RehearsalOptions::default()))
        .await
        .unwrap();
    let page = soon(session.visit(&clone.handle, Visit::get("/")))
        .await
        .unwrap();
    assert_eq!(page.status, 200, "{}", text(&page));
    soon(session.drop_rehearsal(EPOCH, &clone.handle))
        .await
        .unwrap();
    assert_eq!(live.left(), [""; 0]);
}
