use super::*;
use crate::{Error, Home, Watch, fence};
use pressroom_base::Epoch;
use proptest::prelude::*;
use std::{fs, os::unix::fs::PermissionsExt, path::Path};

fn home_with(files: &[(&str, &str)]) -> (tempfile::TempDir, Home) {
    let dir = tempfile::tempdir().unwrap();
    for (path, content) in files {
        put(dir.path(), path, content);
    }
    let home = Home::open(dir.path()).unwrap();
    (dir, home)
}

fn put(base: &Path, path: &str, content: &str) {
    let path = base.join(path);
    fs::create_dir_all(path.parent().unwrap()).unwrap();
    fs::write(path, content).unwrap();
}

fn inside(path: &str) -> Directory {
    Directory::Inside(path.into())
}

const PLAIN: &str = "<?php define('DB_NAME','n');define('DB_USER','u');define('DB_PASSWORD','p');\n\
    define('DB_HOST','h');$table_prefix='wp_';\n// more\nrequire_once ABSPATH . 'wp-settings.php';\n";

#[test]
fn tells_where_content_is() {
    let (dir, home) = home_with(&[("www/wp-config.php", PLAIN)]);
    let usual = Directories::usual("www");
    assert_eq!(usual.plugins, inside("www/wp-content/plugins"));
    let with = |line: &str| {
        put(
            dir.path(),
            "www/wp-config.php",
            &PLAIN.replace("// more", line),
        );
        read(&home, "www").unwrap().directories.unwrap()
    };
    assert_eq!(with(""), usual);
    let moved = with("define('WP_CONTENT_DIR', dirname(__DIR__) . '/content');");
    assert_eq!(moved.content, inside("content"));
    assert_eq!(moved.plugins, inside("content/plugins"));
    assert_eq!(moved.themes, inside("content/themes"));
    assert_eq!(moved.uploads, inside("content/uploads"));
    let moved =
        with("define('WP_PLUGIN_DIR', ABSPATH . 'x/../addons'); define('UPLOADS', '../media');");
    assert_eq!(moved.plugins, inside("www/addons"));
    assert_eq!(moved.uploads, inside("media"));
    assert_eq!(moved.must_use, usual.must_use);
    let literal = format!("define('WPMU_PLUGIN_DIR', '{}/mu');", dir.path().display());
    assert_eq!(with(&literal).must_use, inside("mu"));
    assert_eq!(
        with("define('WP_CONTENT_DIR', '/srv/shared');").plugins,
        Directory::Outside("/srv/shared/plugins".into())
    );
    assert_eq!(
        with("define('WP_CONTENT_DIR', getenv('C'));").plugins,
        Directory::Unknown
    );
}

#[test]
fn multisite_is_told_as_wordpress_tells_it() {
    for (line, expected) in [
        ("", Some(false)),
        ("define('MULTISITE', true);", Some(true)),
        (
            "define('MULTISITE', false); define('SUNRISE', true);",
            Some(false),
        ),
        ("define('SUBDOMAIN_INSTALL', false);", Some(true)),
        ("define('MULTISITE', getenv('M'));", None),
        ("define('SUNRISE', getenv('M'));", None),
        ("include 'x.php';", None),
    ] {
        let settings = Settings::from_file(PLAIN.replace("// more", line).as_bytes());
        assert_eq!(settings.multisite, expected, "with {line}");
    }
    let settings = Settings::from_file(
        PLAIN
            .replace(
                "// more",
                "define('DOMAIN_CURRENT_SITE', 'a.test'); define('CUSTOM_USER_TABLE', X);",
            )
            .as_bytes(),
    );
    assert_eq!(settings.domain_current_site, Defined::As("a.test".into()));
    assert_eq!(settings.custom_user_table, Defined::Unknown);
    assert_eq!(settings.custom_user_meta_table, Defined::No);
}

#[test]
fn what_only_php_can_tell_is_evaluated() {
    let (dir, home) = home_with(&[
        ("www/wp-load.php", ""),
        (
            "www/wp-settings.php",
            "<?php file_put_contents(__DIR__ . '/booted', 'x');",
        ),
        (
            "www/wp-config.php",
            "<?php require __DIR__ . '/../secret/local.php'; echo 'noise';\n\
             define('DB_PASSWORD', getenv('NOWHERE'));\n\
             define('WP_CONTENT_DIR', ABSPATH . '../content');\n\
             define('WP_HOME', 'http://' . $_SERVER['HTTP_HOST']);\n\
             define('ABSPATH', dirname(__FILE__) . '/');\n\
             require_once dirname(__FILE__) . '/wp-settings.php';\n\
             define('WP_DEBUG', true);",
        ),
        (
            "secret/local.php",
            "<?php foreach (array('DB_NAME' => 'n', 'DB_USER' => 'u', 'DB_HOST' => 'h') as $k => $v) define($k, $v . count(scandir(__DIR__)));\n\
             $table_prefix = trim(file_get_contents(__DIR__ . '/prefix'));\n",
        ),
        ("secret/prefix", "env_\n"),
    ]);
    let watch = Watch::unbounded();
    let unread = read_or_evaluate(&home, "www", None, &watch).unwrap();
    assert_eq!((unread.source, unread.db_name), (Source::Read, None));
    let told = read_or_evaluate(&home, "www", Some("php"), &watch).unwrap();
    assert_eq!(told.trouble, None);
    assert_eq!(told.source, Source::Evaluated);
    assert_eq!(told.db_name.as_deref(), Some("n4"));
    assert_eq!(told.table_prefix.as_deref(), Some("env_"));
    assert_eq!(
        told.db_password, None,
        "an empty environment has no password"
    );
    assert_eq!(told.wp_home, Defined::Unknown, "it depends on the host");
    assert_eq!(
        told.debug,
        Some(false),
        "defined after WordPress was loaded"
    );
    assert_eq!(told.directories.unwrap().plugins, inside("content/plugins"));
    assert!(!dir.path().join("www/booted").exists(), "WordPress was run");

    // What can be read is not run.
    put(dir.path(), "www/wp-config.php", PLAIN);
    let told = read_or_evaluate(&home, "www", Some("/bin/false"), &watch).unwrap();
    assert_eq!((told.source, told.trouble), (Source::Read, None));
    // What does not work is said.
    for (file, why) in [
        (
            "<?php include 'x';\nundefined_function();",
            "undefined function on line 2",
        ),
        ("<?php include 'x'; exit;", "does not load WordPress"),
        (
            "<?php include 'x';\ndefine( 'DB_PASSWORD' 'hunter2' );",
            "Parse error: syntax error on line 2",
        ),
        (
            "<?php include 'x'; define( 'DB_PASSWORD', hunter2 );",
            "Undefined constant",
        ),
        (
            "<?php include 'x'; throw new RuntimeException( 'hunter2' );",
            "uncaught RuntimeException",
        ),
        ("<?php include 'x'; die( 'no hunter2' );", "load WordPress"),
        ("define( 'DB_PASSWORD', 'hunter2' );", "load WordPress"),
    ] {
        put(dir.path(), "www/wp-config.php", file);
        let told = read_or_evaluate(&home, "www", Some("php"), &watch).unwrap();
        assert_eq!(told.source, Source::Read);
        assert!(
            told.trouble.as_deref().unwrap().contains(why),
            "{:?}",
            told.trouble
        );
        let listed = list(&home, "www", Some("php"), &watch).unwrap();
        for trouble in [told.trouble, listed.trouble].into_iter().flatten() {
            assert!(!trouble.contains("hunter2"), "{trouble}");
        }
    }
    let told = read_or_evaluate(&home, "www", Some("/no/php"), &watch).unwrap();
    assert!(told.trouble.unwrap().contains("did not start"));
}

#[test]
fn bedrock_is_evaluated() {
    let (_dir, home) = home_with(&[
        ("web/wp/wp-load.php", ""),
        ("web/wp/wp-settings.php", "<?php exit(9);"),
        (
            "web/wp-config.php",
            "<?php\nrequire_once dirname(__DIR__) . '/vendor/autoload.php';\n\
             require_once dirname(__DIR__) . '/config/application.php';\n\
             require_once ABSPATH . 'wp-settings.php';\n",
        ),
        (
            "vendor/autoload.php",
            "<?php spl_autoload_register(function ($class) { include_once __DIR__ . '/' . basename(str_replace('\\\\', '/', $class)) . '.php'; });",
        ),
        (
            "vendor/Config.php",
            "<?php namespace Roots\\WPConfig; class Config { private static $map = []; static function define($k, $v) { self::$map[$k] = $v; }\n\
             static function apply() { foreach (self::$map as $k => $v) { if (!defined($k)) define($k, $v); } } }",
        ),
        (
            "config/application.php",
            "<?php use Roots\\WPConfig\\Config;\n$root_dir = dirname(__DIR__); $webroot_dir = $root_dir . '/web';\n\
             foreach (file($root_dir . '/.env', FILE_IGNORE_NEW_LINES) as $line) { putenv($line); }\n\
             Config::define('DB_NAME', getenv('DB_NAME')); Config::define('DB_USER', getenv('DB_USER'));\n\
             Config::define('DB_PASSWORD', getenv('DB_PASSWORD')); Config::define('DB_HOST', getenv('DB_HOST') ?: 'localhost');\n\
             Config::define('WP_CONTENT_DIR', $webroot_dir . '/app'); Config::define('WP_DEBUG', false);\n\
             $table_prefix = getenv('DB_PREFIX') ?: 'wp_';\nConfig::apply();\n\
             if (!defined('ABSPATH')) { define('ABSPATH', $webroot_dir . '/wp/'); }\n",
        ),
        (".env", "DB_NAME=bedrock\nDB_USER=rock\nDB_PASSWORD=a'b c\n"),
    ]);
    let told = read_or_evaluate(&home, "web/wp", Some("php"), &Watch::unbounded()).unwrap();
    assert_eq!(told.trouble, None);
    assert_eq!(told.source, Source::Evaluated);
    assert!(told.above);
    assert_eq!(told.file.as_deref(), Some("web/wp-config.php"));
    assert_eq!(told.db_name.as_deref(), Some("bedrock"));
    assert_eq!(told.db_password.as_deref(), Some("a'b c"));
    assert_eq!(told.db_host.as_deref(), Some("localhost"));
    assert_eq!(told.table_prefix.as_deref(), Some("wp_"));
    assert_eq!(told.directories.unwrap().content, inside("web/app"));
}

#[test]
fn lists_constants_and_shows_no_secret() {
    let (_dir, home) = home_with(&[(
        "wp-config.php",
        "<?php define('AUTH_KEY', 'hidden'); define('N', 5); define('U', f()); $table_prefix = 'x_'; require 'wp-settings.php';",
    )]);
    let watch = Watch::unbounded();
    let listing = list(&home, "", None, &watch).unwrap();
    let named = |name: &str| listing.constants.iter().find(|it| it.name == name).unwrap();
    assert_eq!(
        named("AUTH_KEY").value,
        Some(ConfigValue::Text("hidden".into()))
    );
    assert!(named("AUTH_KEY").secret);
    assert!(!format!("{listing:?}").contains("hidden"));
    assert_eq!(named("N").value, Some(ConfigValue::Int(5)));
    assert_eq!(named("U").value, None);
    assert_eq!(listing.table_prefix.as_deref(), Some("x_"));
    assert!(!listing.may_be_more);
}

fn set(name: &str, value: &str) -> Edit {
    Edit::Set {
        name: name.into(),
        value: ConfigValue::Text(value.into()),
    }
}

#[test]
fn an_edit_is_one_rename_with_one_backup() {
    let (dir, home) = home_with(&[("www/wp-config.php", PLAIN)]);
    let watch = Watch::unbounded();
    let epoch = Epoch::new(3);
    fence::take(&home, epoch, &watch).unwrap();
    let path = dir.path().join("www/wp-config.php");
    fs::set_permissions(&path, fs::Permissions::from_mode(0o440)).unwrap();
    let done = edit(
        &home,
        epoch,
        "www",
        &[set("DB_NAME", "new")],
        Some("php"),
        &watch,
    )
    .unwrap();
    assert!(done.changed && done.linted);
    assert_eq!(
        fs::read_to_string(&path).unwrap(),
        PLAIN.replace("'DB_NAME','n'", "'DB_NAME','new'")
    );
    assert_eq!(
        fs::metadata(&path).unwrap().permissions().mode() & 0o7777,
        0o440
    );
    let backup = dir.path().join(done.backup.as_deref().unwrap());
    assert!(backup.starts_with(dir.path().join(".pressroom")));
    assert_eq!(fs::read_to_string(&backup).unwrap(), PLAIN);
    assert_eq!(
        fs::metadata(&backup).unwrap().permissions().mode() & 0o777,
        0o600
    );

    // The same again changes nothing, not even the backup.
    let again = edit(
        &home,
        epoch,
        "www",
        &[set("DB_NAME", "new")],
        Some("php"),
        &watch,
    )
    .unwrap();
    assert!(!again.changed);
    assert_eq!(again.after, done.after);
    assert_eq!(fs::read_to_string(&backup).unwrap(), PLAIN);

    // A second edit keeps one backup, beside nothing else.
    let block = Edit::Block {
        name: "limits".into(),
        code: "define( 'WP_MEMORY_LIMIT', '256M' );".into(),
    };
    edit(&home, epoch, "www", &[block, set("X", "y")], None, &watch).unwrap();
    assert_ne!(fs::read_to_string(&backup).unwrap(), PLAIN);
    assert_eq!(fs::read_dir(backup.parent().unwrap()).unwrap().count(), 1);
    assert_eq!(fs::read_dir(dir.path().join("www")).unwrap().count(), 1);
    assert_eq!(
        fs::read_dir(dir.path().join(".pressroom/staging"))
            .unwrap()
            .count(),
        0
    );
}

#[test]
fn an_edit_that_cannot_be_is_refused_and_leaves_all_as_it_was() {
    let (dir, home) = home_with(&[("wp-config.php", PLAIN)]);
    let watch = Watch::unbounded();
    let epoch = Epoch::new(3);
    fence::take(&home, epoch, &watch).unwrap();
    let path = dir.path().join("wp-config.php");
    let same = || {
        assert_eq!(fs::read_to_string(&path).unwrap(), PLAIN);
        assert!(!dir.path().join(".pressroom/config").exists());
        let staged = fs::read_dir(dir.path().join(".pressroom/staging"));
        assert!(staged.is_err() || staged.unwrap().count() == 0);
    };
    // Our tokens do not see that PHP cannot read it; PHP does.
    let bad = Edit::Block {
        name: "bad".into(),
        code: "this is 'hunter2';".into(),
    };
    let why = edit(
        &home,
        epoch,
        "",
        &[set("DB_NAME", "x"), bad],
        Some("php"),
        &watch,
    );
    assert!(
        matches!(&why, Err(Error::BadInput(why)) if why.contains("syntax error on line") && !why.contains("hunter2")),
        "{why:?}"
    );
    same();
    // A linter that is none is no permission.
    assert!(
        edit(
            &home,
            epoch,
            "",
            &[set("DB_NAME", "x")],
            Some("/bin/false"),
            &watch
        )
        .is_err()
    );
    same();
    fence::take(&home, Epoch::new(4), &watch).unwrap();
    assert!(matches!(
        edit(&home, epoch, "", &[set("DB_NAME", "x")], None, &watch),
        Err(Error::Fenced { .. })
    ));
    same();
    // Somebody writes while PHP lints.
    let slow = dir.path().join("slow-php");
    put(
        dir.path(),
        "slow-php",
        &format!(
            "#!/bin/sh\necho '// theirs' >> '{}'\nexit 0\n",
            path.display()
        ),
    );
    fs::set_permissions(&slow, fs::Permissions::from_mode(0o700)).unwrap();
    let changed = edit(
        &home,
        Epoch::new(4),
        "",
        &[set("DB_NAME", "x")],
        slow.to_str(),
        &watch,
    );
    assert!(matches!(changed, Err(Error::Changed { .. })), "{changed:?}");
    assert_eq!(
        fs::read_to_string(&path).unwrap(),
        format!("{PLAIN}// theirs\n")
    );
    assert!(!dir.path().join(".pressroom/config").exists());
}

#[test]
fn edits_do_not_show_their_values() {
    assert!(!format!("{:?}", set("DB_PASSWORD", "hidden")).contains("hidden"));
    let json = serde_json::to_string(&set("A", "b")).unwrap();
    assert_eq!(json, r#"{"edit":"set","name":"A","value":"b"}"#);
}

proptest! {
    #[test]
    fn no_path_of_a_site_leaves_its_home(path in "(/|\\.\\.|\\.|a|b|home){0,12}") {
        let (_dir, home) = home_with(&[]);
        if let Some(inside) = locate::inside(&home, &path) {
            prop_assert!(!inside.split('/').any(|part| part == ".."));
            prop_assert!(!inside.starts_with('/'));
        }
        let whole = format!("{}/{path}", home.path().display());
        if let Some(inside) = locate::inside(&home, &whole) {
            prop_assert!(!inside.split('/').any(|part| part == ".."));
        }
    }
}
