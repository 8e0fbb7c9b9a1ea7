use super::{
    script::{BRIDGE_PHP, LOGIN_FILE, LOGIN_PHP},
    *,
};
use std::{
    fs,
    os::unix::fs::PermissionsExt,
    time::{Duration, Instant},
};

/// A stand-in for WordPress: enough functions for the bridge's own paths.
const STUB: &str = r"<?php
class WP_Error {
    private $code; private $message;
    function __construct($code, $message) { $this->code = $code; $this->message = $message; }
    function get_error_code() { return $this->code; }
    function get_error_message() { return $this->message; }
}
define('ABSPATH', __DIR__ . '/');
function wp_clean_plugins_cache() { if (is_file(ABSPATH . 'plugins.php')) { require ABSPATH . 'plugins.php'; } }
function wp_clean_themes_cache() {}
function wp_strip_all_tags($text) { return strip_tags($text); }
function is_multisite() { return false; }
function get_users() { return []; }
function wp_set_current_user() {}
";

struct Site {
    dir: tempfile::TempDir,
    home: Home,
}

const EPOCH: Epoch = Epoch::new(4);

fn site(boot: &str, in_action: &str) -> Site {
    let dir = tempfile::tempdir().unwrap();
    let root = dir.path().join("www");
    fs::create_dir_all(root.join("wp-admin/includes")).unwrap();
    fs::create_dir_all(root.join("wp-content/plugins/bad")).unwrap();
    fs::write(root.join("wp-load.php"), format!("{STUB}\n{boot}")).unwrap();
    fs::write(root.join("wp-admin/includes/plugin.php"), "<?php").unwrap();
    if !in_action.is_empty() {
        fs::write(root.join("plugins.php"), format!("<?php {in_action}")).unwrap();
    }
    let home = Home::open(dir.path()).unwrap();
    crate::recovery::recover(&home, EPOCH, &Watch::unbounded()).unwrap();
    Site { dir, home }
}

impl Site {
    fn run(&self, watch: &Watch) -> Result<Report> {
        let actions = [Action::CleanComponentCaches];
        run(&self.home, Some(EPOCH), "www", "php", &actions, watch)
    }
}

fn patient() -> Watch {
    Watch::lasting(Duration::from_mins(1))
}

#[test]
fn an_action_is_run_and_noise_counted() {
    let site = site(
        "echo str_repeat('noise ', 2000); ob_start();",
        "echo 'more';",
    );
    let report = site.run(&patient()).unwrap();
    assert_eq!(report.fatal, None, "{report:?}");
    assert_eq!(report.outcomes.len(), 1);
    assert!(report.outcomes[0].ok);
    assert_eq!(report.noise_bytes, 12_004);
    assert!(report.noise_tail.ends_with("noise more"));
    assert!(report.php_version.is_some());
}

#[test]
fn an_error_in_the_configuration_quotes_nothing_of_it() {
    for (config, why) in [
        (
            "<?php\ndefine( 'DB_PASSWORD' 'hunter2' );",
            "syntax error in ",
        ),
        (
            "<?php\ndefine( 'DB_PASSWORD', hunter2 );",
            "Undefined constant in ",
        ),
    ] {
        let site = site("require __DIR__ . '/wp-config.php';", "");
        fs::write(site.dir.path().join("www/wp-config.php"), config).unwrap();
        let report = site.run(&patient()).unwrap();
        assert!(!format!("{report:?}").contains("hunter2"), "{report:?}");
        let fatal = report.fatal.unwrap();
        assert!(
            fatal.contains(why) && fatal.ends_with("wp-config.php:2"),
            "{fatal}"
        );
    }
}

#[test]
fn a_fatal_error_names_its_component() {
    let site = site("require __DIR__ . '/wp-content/plugins/bad/bad.php';", "");
    fs::write(
        site.dir.path().join("www/wp-content/plugins/bad/bad.php"),
        "<?php undefined_function();",
    )
    .unwrap();
    let report = site.run(&patient()).unwrap();
    assert!(report.fatal.unwrap().contains("undefined_function"));
    assert_eq!(report.blamed.as_deref(), Some("bad"));
    assert_eq!(report.outcomes, []);
}

#[test]
fn memory_run_out_is_still_told() {
    let site = site(
        "ini_set('memory_limit', '32M'); $a = []; while (true) { $a[] = str_repeat('y', 100000); }",
        "",
    );
    let report = site.run(&patient()).unwrap();
    assert!(report.fatal.unwrap().contains("memory"));
}

#[test]
fn an_early_exit_is_no_success() {
    for boot in ["exit(0);", "die('bye');", "posix_kill(getmypid(), 9);"] {
        let report = site(boot, "").run(&patient()).unwrap();
        assert!(report.fatal.is_some(), "after {boot}");
        assert_eq!(report.outcomes, []);
    }
}

#[test]
fn an_exception_in_an_action_is_its_outcome() {
    let report = site("", "throw new Exception('no');")
        .run(&patient())
        .unwrap();
    assert!(!report.outcomes[0].ok);
    assert_eq!(report.outcomes[0].error.as_deref(), Some("Exception: no"));
    assert_eq!(report.fatal, None);
}

#[test]
fn a_forged_frame_with_a_guessed_nonce_is_noise() {
    let forged = "$j='{\"outcomes\":[],\"fatal\":null,\"blamed\":null,\"php_version\":\"1\"}'; \
         echo \"\\n<<<PRESSROOM 00000000000000000000000000000000 \" . strlen($j) . ' ' . hash('sha256', $j) . '>>>' . $j;";
    let report = site(forged, "").run(&patient()).unwrap();
    assert_eq!(report.outcomes.len(), 1);
    assert!(report.noise_bytes > 100);
}

#[test]
fn a_hanging_php_is_killed_with_its_children() {
    let site = site(
        "file_put_contents(__DIR__ . '/pid', getmypid()); \
         proc_open(['sleep', '600'], [], $pipes); sleep(600);",
        "",
    );
    let begun = Instant::now();
    let ended = site.run(&Watch::lasting(Duration::from_secs(2)));
    assert!(matches!(ended, Err(Error::Deadline)), "{ended:?}");
    assert!(begun.elapsed() < Duration::from_secs(20));
    let pid: i32 = fs::read_to_string(site.dir.path().join("www/pid"))
        .unwrap()
        .parse()
        .unwrap();
    let group = rustix::process::Pid::from_raw(pid).unwrap();
    let until = Instant::now() + Duration::from_secs(10);
    // A killed orphan may stay a zombie until the machine's first process reaps it.
    while rustix::process::test_kill_process_group(group).is_ok() && !only_zombies(pid) {
        assert!(Instant::now() < until, "a child of PHP lives on");
        std::thread::yield_now();
    }
}

fn only_zombies(group: i32) -> bool {
    fs::read_dir("/proc").unwrap().flatten().all(|entry| {
        let Ok(stat) = fs::read_to_string(entry.path().join("stat")) else {
            return true;
        };
        // pid (comm) state ppid pgrp …
        let Some((_, rest)) = stat.rsplit_once(") ") else {
            return true;
        };
        let fields: Vec<&str> = rest.split(' ').collect();
        fields.get(2) != Some(&group.to_string().as_str()) || fields[0] == "Z"
    })
}

#[test]
fn nothing_of_ours_leaks_into_php() {
    let site = site(
        "file_put_contents(__DIR__ . '/seen', json_encode([array_keys(getenv()), $argv]));",
        "",
    );
    site.run(&patient()).unwrap();
    let (mut names, argv): (Vec<String>, Vec<String>) =
        serde_json::from_slice(&fs::read(site.dir.path().join("www/seen")).unwrap()).unwrap();
    names.sort();
    assert_eq!(names, ["HOME", "PATH", "TMPDIR"]);
    assert_eq!(argv.len(), 1);
    let script = Path::new(&argv[0]);
    assert_eq!(
        fs::metadata(script).unwrap().permissions().mode() & 0o777,
        0o600
    );
}

#[test]
fn a_stale_worker_runs_nothing() {
    let site = site("touch(__DIR__ . '/ran');", "");
    fence::take(&site.home, Epoch::new(5), &patient()).unwrap();
    assert!(matches!(site.run(&patient()), Err(Error::Fenced { .. })));
    assert!(!site.dir.path().join("www/ran").exists());
}

#[test]
fn a_worker_overtaken_while_booting_does_not_act() {
    let site = site(
        "file_put_contents(dirname(__DIR__) . '/.pressroom/lock', sprintf(\"%020d\\n\", 9));",
        "touch(ABSPATH . 'acted');",
    );
    let report = site.run(&patient()).unwrap();
    assert_eq!(report.outcomes[0].code.as_deref(), Some("fenced"));
    assert!(!site.dir.path().join("www/acted").exists());
}

#[test]
fn no_php_is_told_plainly() {
    let site = site("", "");
    let report = run(
        &site.home,
        Some(EPOCH),
        "www",
        "/nowhere/php",
        &[],
        &patient(),
    );
    assert!(matches!(report, Err(Error::NoPhp(_))));
}

#[test]
fn both_scripts_are_sound_php() {
    let dir = tempfile::tempdir().unwrap();
    for (name, text) in [
        ("bridge.php", BRIDGE_PHP.as_str()),
        ("login.php", LOGIN_PHP),
    ] {
        let path = dir.path().join(name);
        fs::write(&path, text).unwrap();
        let output = std::process::Command::new("php")
            .args(["-n", "-l"])
            .arg(&path)
            .output()
            .expect("php is installed");
        assert!(output.status.success(), "{output:?}");
        assert!(text.contains(LOGIN_QUERY) || name == "bridge.php");
    }
}

#[test]
fn issuing_a_login_puts_the_file_that_redeems_it() {
    let site = site("", "");
    let actions = [Action::IssueLogin {
        user: None,
        token_hash: "0".repeat(64),
        lifetime_s: 60,
        redirect: "/".into(),
    }];
    let issue = |epoch| run(&site.home, epoch, "www", "php", &actions, &patient());
    let dir = site.dir.path().join("www/wp-content/mu-plugins");
    assert!(matches!(issue(None), Err(Error::BadInput(_))));
    assert!(!dir.exists());
    for _ in 0..2 {
        // The stand-in cannot look users up; the file is there all the same.
        assert!(!issue(Some(EPOCH)).unwrap().outcomes[0].ok);
        assert_eq!(
            fs::read(dir.join(LOGIN_FILE)).unwrap(),
            LOGIN_PHP.as_bytes()
        );
        assert_eq!(fs::read_dir(&dir).unwrap().count(), 1);
        fs::write(dir.join(LOGIN_FILE), "<?php // somebody's edit").unwrap();
    }
    fence::take(&site.home, Epoch::new(5), &patient()).unwrap();
    assert!(matches!(issue(Some(EPOCH)), Err(Error::Fenced { .. })));
    assert!(
        fs::read_dir(site.home.state_path("staging"))
            .unwrap()
            .next()
            .is_none()
    );
}
