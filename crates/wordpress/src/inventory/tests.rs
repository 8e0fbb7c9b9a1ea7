use super::*;
use std::{fs, os::unix::fs::symlink, path::Path};

fn write(base: &Path, path: &str, content: &str) {
    let path = base.join(path);
    fs::create_dir_all(path.parent().unwrap()).unwrap();
    fs::write(path, content).unwrap();
}

#[test]
fn finds_what_wordpress_would_find() {
    let dir = tempfile::tempdir().unwrap();
    let home = Home::open(dir.path()).unwrap();
    let www = dir.path().join("www");
    let head = |name: &str, version: &str| {
        format!(
            "<?php\n/*\n * Plugin Name: {name}\n * Version: {version}\n * Author: <a href=\"x\">Ann</a>\n */"
        )
    };
    write(
        &www,
        "wp-includes/version.php",
        "<?php $wp_version='6.5.5';$wp_local_package='de_DE';",
    );
    let content = www.join("wp-content");
    // The main file is the one named like the directory, whatever comes first.
    write(&content, "plugins/foo/aaa.php", &head("Add-on", "0.1"));
    write(&content, "plugins/foo/foo.php", &head("Foo", "1.2"));
    write(&content, "plugins/odd/main.php", &head("Odd", ""));
    write(&content, "plugins/odd/sub/deep.php", &head("Deep", "9"));
    write(&content, "plugins/empty/readme.txt", "no plugin");
    write(&content, "plugins/hello.php", &head("Hello", "1.7"));
    write(&content, "plugins/index.php", "<?php // Silence is golden.");
    write(
        &content,
        "themes/child/style.css",
        "/*\nTheme Name: Child\nTemplate: parent\nRequires PHP: 7.4\n*/",
    );
    write(
        &content,
        "themes/parent/style.css",
        "/*\nTheme Name: Parent\n*/",
    );
    write(&content, "themes/parent/index.php", "<?php");
    write(
        &content,
        "themes/orphan/style.css",
        "/*\nTheme Name: O\nTemplate: gone\n*/",
    );
    write(&content, "themes/broken/style.css", "body {}");
    write(&content, "sunrise.php", "<?php // only on networks");
    write(&content, "mu-plugins/bare.php", "<?php // without a header");
    write(&content, "mu-plugins/.hidden.php", &head("Hidden", "3"));
    write(
        &content,
        "mu-plugins/index.php",
        "<?php // Silence is golden.",
    );
    write(&content, "mu-plugins/dir/not-loaded.php", &head("Not", "1"));
    write(&content, "object-cache.php", &head("Redis", "2.0"));
    symlink("/etc", content.join("plugins/linked")).unwrap();
    symlink("/etc/passwd", content.join("plugins/linked.php")).unwrap();
    rustix::fs::mkfifoat(
        rustix::fs::CWD,
        content.join("plugins/pipe.php"),
        rustix::fs::Mode::from_raw_mode(0o600),
    )
    .unwrap();

    let found = inspect(&home, "www", &Watch::unbounded()).unwrap();
    assert_eq!(found.version.as_deref(), Some("6.5.5"));
    assert_eq!(found.locale, "de_DE");
    assert_eq!(found.settings, Settings::default());
    let seen: Vec<_> = found
        .components
        .iter()
        .map(|c| {
            (
                c.place,
                c.slug.as_str(),
                c.file.as_str(),
                c.name.as_str(),
                c.version.as_str(),
            )
        })
        .collect();
    assert_eq!(
        seen,
        [
            (Place::Normal, "foo", "foo/foo.php", "Foo", "1.2"),
            (Place::Normal, "hello", "hello.php", "Hello", "1.7"),
            (Place::Normal, "odd", "odd/main.php", "Odd", ""),
            (Place::Normal, "child", "child/style.css", "Child", ""),
            (Place::Normal, "parent", "parent/style.css", "Parent", ""),
            (Place::MustUse, ".hidden", ".hidden.php", "Hidden", "3"),
            (Place::MustUse, "bare", "bare.php", "bare.php", ""),
            (
                Place::DropIn,
                "object-cache",
                "object-cache.php",
                "Redis",
                "2.0"
            ),
            // Whether this is a network is unknown without a configuration.
            (Place::DropIn, "sunrise", "sunrise.php", "sunrise.php", ""),
        ]
    );
    let others: Vec<_> = found.components[0].others.iter().collect();
    assert_eq!(others.len(), 1);
    assert_eq!(
        (others[0].file.as_str(), others[0].version.as_str()),
        ("foo/aaa.php", "0.1")
    );
    assert_eq!(
        found.broken_themes,
        [
            BrokenTheme {
                slug: "broken".into(),
                fault: ThemeFault::NoIndex
            },
            BrokenTheme {
                slug: "orphan".into(),
                fault: ThemeFault::NoParent {
                    parent: "gone".into()
                }
            },
        ]
    );
    assert_eq!(found.unread, Vec::<String>::new());
    assert_eq!(found.components[0].author, "Ann");
    let child = &found.components[3];
    assert_eq!(child.kind, ComponentKind::Theme);
    assert_eq!(child.parent.as_deref(), Some("parent"));
    assert_eq!(child.requires_php.as_deref(), Some("7.4"));
}

#[test]
fn nothing_there_is_told() {
    let dir = tempfile::tempdir().unwrap();
    let home = Home::open(dir.path()).unwrap();
    assert!(matches!(
        inspect(&home, "www", &Watch::unbounded()),
        Err(Error::Missing(_))
    ));
    fs::create_dir(dir.path().join("www")).unwrap();
    let found = inspect(&home, "www", &Watch::unbounded()).unwrap();
    assert_eq!(found.version, None);
    assert_eq!(found.components, []);
}

#[test]
fn content_is_read_where_the_configuration_has_moved_it() {
    let dir = tempfile::tempdir().unwrap();
    let home = Home::open(dir.path()).unwrap();
    let plugin = "<?php /* Plugin Name: Moved */";
    write(dir.path(), "content/plugins/moved.php", plugin);
    write(dir.path(), "www/wp-content/plugins/stale.php", plugin);
    write(
        dir.path(),
        "www/wp-config.php",
        "<?php define('WP_CONTENT_DIR', dirname(__DIR__) . '/content'); define('WPMU_PLUGIN_DIR', '/srv/mu');",
    );
    let found = inspect(&home, "www", &Watch::unbounded()).unwrap();
    let files: Vec<_> = found.components.iter().map(|it| it.file.as_str()).collect();
    assert_eq!(files, ["moved.php"]);
    assert_eq!(
        found.unread,
        ["must-use plugins are in `/srv/mu`, outside of the site's home"]
    );
    write(
        dir.path(),
        "www/wp-config.php",
        "<?php define('WP_CONTENT_DIR', getenv('C'));",
    );
    let found = inspect(&home, "www", &Watch::unbounded()).unwrap();
    assert_eq!(found.components, []);
    assert_eq!(found.unread.len(), 4);
}
