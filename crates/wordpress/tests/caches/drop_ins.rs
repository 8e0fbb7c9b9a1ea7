//! Our own drop-in for objects in a real PHP, with a real Redis server.

use super::{EPOCH, ROOT, bare, outcome, reason};
use crate::servers::Redis;
use pressroom_wordpress::{
    Watch,
    caches::{
        self, Cache, DropIn, FlushOptions, Outcome,
        acl::{self, SiteUser, Trouble},
        redis::RedisSettings,
        redis_site,
    },
};
use std::{fs, path::Path, process::Command};

fn operator(redis: &Redis) -> RedisSettings {
    RedisSettings {
        address: redis.socket(),
        password: Some("sesame".into()),
        ..RedisSettings::default()
    }
}

fn user(name: &str) -> SiteUser {
    SiteUser {
        name: format!("pressroom-{name}"),
        password: format!("password-of-{name}"),
        prefix: format!("pressroom:{name}:"),
    }
}

/// Runs one part of `objects.php` as a site's code.
fn php(address: &str, user: &SiteUser, what: &str, content: &Path) {
    let script = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/caches/objects.php");
    let output = Command::new("php")
        .args(["-d", "display_errors=stdout", script, address])
        .args([&user.name, &user.password, &user.prefix, what])
        .arg(content)
        .output()
        .expect("php is installed");
    let said = String::from_utf8_lossy(&output.stdout);
    assert_eq!(said, "so it is", "{what}");
}

#[test]
fn a_sites_user_reaches_its_own_keys_and_no_others() {
    let redis = Redis::start("requirepass sesame\n");
    let server = operator(&redis);
    let watch = Watch::unbounded();
    assert_eq!(acl::check(&server, &watch).unwrap(), Ok(()));
    let (one, two) = (user("one"), user("two"));
    for user in [&one, &two, &one] {
        assert_eq!(acl::permit(&server, user, &watch).unwrap(), Ok(()));
    }
    for key in [
        "pressroom:one:a",
        "pressroom:one:b",
        "pressroom:two:a",
        "pressroom:on",
    ] {
        redis.set(0, key, "x");
    }
    let values = |prefix: &str| acl::values(&server, prefix, ":a", &watch).unwrap().unwrap();
    assert_eq!(values("pressroom:one:"), [b"x"]);
    // Larger than what is read of any value.
    redis.cli("SETRANGE pressroom:one:w:options:alloptions 3000000 x");
    let holds = |prefix: &str, ending: &str| acl::holds(&server, prefix, ending, &watch);
    assert_eq!(holds("pressroom:one:", ":alloptions").unwrap(), Ok(true));
    assert_eq!(holds("pressroom:two:", ":alloptions").unwrap(), Ok(false));
    assert_eq!(holds("pressroom:one:", ":c").unwrap(), Ok(false));
    redis.cli("DEL pressroom:one:w:options:alloptions");
    assert_eq!(
        acl::withdraw(&server, &one.name, &one.prefix, &watch).unwrap(),
        Ok(2)
    );
    assert_eq!(
        acl::withdraw(&server, &one.name, &one.prefix, &watch).unwrap(),
        Ok(0)
    );
    assert_eq!(redis.keys(0), ["pressroom:on", "pressroom:two:a"]);
    let users = redis.cli("ACL USERS");
    assert!(
        users.contains("pressroom-two") && !users.contains("pressroom-one"),
        "{users}"
    );

    // Rules are words: none comes in by a name.
    for bad in [
        SiteUser {
            name: "x allkeys".into(),
            ..user("x")
        },
        SiteUser {
            prefix: "x* ~:".into(),
            ..user("x")
        },
        SiteUser {
            prefix: "pressroom:x".into(),
            ..user("x")
        },
        SiteUser {
            password: "a +@all".into(),
            ..user("x")
        },
    ] {
        acl::permit(&server, &bad, &watch).unwrap_err();
    }
    assert!(acl::remove_keys(&server, "pressroom", &watch).is_err());

    let gone = RedisSettings {
        address: "/nonexistent/redis.sock".into(),
        ..operator(&redis)
    };
    let why = acl::check(&gone, &watch).unwrap().unwrap_err();
    assert!(matches!(why, Trouble::Unreachable(_)), "{why}");
    let open = Redis::start("");
    let why = acl::check(
        &RedisSettings {
            password: None,
            ..operator(&open)
        },
        &watch,
    );
    let why = why.unwrap().unwrap_err();
    assert!(why.to_string().contains("lets everybody in"), "{why}");
}

#[test]
fn the_drop_in_answers_as_wordpress_own_cache_does() {
    let (dir, home, watch) = bare();
    let redis = Redis::start("requirepass sesame\n");
    let site = user("site");
    acl::permit(&operator(&redis), &site, &watch)
        .unwrap()
        .unwrap();
    let content = dir.path().join(ROOT).join("wp-content");
    fs::create_dir(&content).unwrap();
    let socket = redis.socket();
    for what in ["all", "flushed-meanwhile", "network"] {
        php(&socket, &site, what, &content);
    }

    // Flushed by its user, who sees no names of keys, and without PHP.
    php(&socket, &site, "set", &content);
    php(&socket, &site, "kept", &content);
    assert!(caches::put(&home, EPOCH, ROOT, DropIn::Object, &watch).unwrap());
    let config = |lines: &str| {
        let text = format!("<?php\n{lines}\n$table_prefix = 'wp_';");
        fs::write(dir.path().join(ROOT).join("wp-config.php"), text).unwrap();
    };
    let flush = || {
        let report = caches::flush(&home, EPOCH, ROOT, &FlushOptions::default(), &watch).unwrap();
        outcome(&report, Cache::Object).clone()
    };
    config("");
    assert_eq!(flush(), Outcome::NotPresent);
    let constants = format!(
        "define('DB_NAME', 'site'); define('PRESSROOM_REDIS_ADDRESS', '{socket}');\n\
         define('PRESSROOM_REDIS_USER', '{}'); define('PRESSROOM_REDIS_PASSWORD', '{}');\n\
         define('PRESSROOM_REDIS_PREFIX', '{}'); define('PRESSROOM_REDIS_SITE', '{}');",
        site.name,
        site.password,
        site.prefix,
        redis_site("site", "wp_")
    );
    config(&constants);
    let Outcome::Flushed { .. } = flush() else {
        panic!("{:?}", flush())
    };
    php(&socket, &site, "gone", &content);
    let status = caches::status(&home, ROOT, None, None, &watch).unwrap();
    assert!(status.object.is_ours() && status.redis_is_bound);
    assert!(status.redis_address.as_deref() == Some(&*socket));

    // Without the server the request keeps what it sets; what it could not tell makes
    // everything old that is there.
    php(&socket, &site, "set", &content);
    php("/nonexistent/redis.sock", &site, "down", &content);
    php(&socket, &site, "gone", &content);
    php(&socket, &site, "set", &content);
    php(&socket, &site, "kept", &content);
    let withdrawn = acl::withdraw(&operator(&redis), &site.name, &site.prefix, &watch);
    assert!(withdrawn.unwrap().is_ok());
    php(&socket, &site, "down", &content);
    assert!(reason(&flush()).contains("refused"), "{:?}", flush());
}
