//! Where values are looked for, and how a wrong one is refused.

use insta::assert_snapshot;
use pressroom_cli::{
    Exit, Failure,
    config::{Config, Cookies, Flag, Isolation, LogFormat, Sources, show, show_json},
};
use std::{path::Path, time::Duration};

struct Place {
    dir: tempfile::TempDir,
    sources: Sources,
}

impl Place {
    fn new() -> Self {
        let dir = tempfile::tempdir().expect("a directory");
        let sources = Sources {
            auto_data: dir.path().join("data"),
            ..Sources::default()
        };
        Self { dir, sources }
    }

    fn path(&self) -> &Path {
        self.dir.path()
    }

    fn file(mut self, text: &str) -> Self {
        let path = self.path().join("p.toml");
        std::fs::write(&path, text).expect("written");
        self.sources.file = Some(path);
        self
    }

    fn variable(mut self, name: &str, value: &str) -> Self {
        self.sources.variables.push((name.into(), value.into()));
        self
    }

    fn flag(mut self, key: &'static str, name: &'static str, value: &str) -> Self {
        self.sources.flags.push(Flag {
            key,
            name,
            value: value.into(),
        });
        self
    }

    fn load(&self) -> Config {
        self.sources.load().expect("a good configuration")
    }

    fn refusal(&self) -> String {
        let failure = Failure::from(self.sources.load().expect_err("a bad configuration"));
        assert_eq!(failure.exit(), Exit::Usage);
        failure
            .to_text()
            .replace(&self.path().display().to_string(), "[dir]")
    }
}

fn refused(toml: &str) -> String {
    Place::new().file(toml).refusal()
}

#[test]
fn defaults_are_whole_and_stand_on_the_data_directory() {
    let place = Place::new();
    let config = place.load();
    let data = place.path().join("data");
    assert_eq!(config.data, data);
    assert_eq!(config.listen.to_string(), "127.0.0.1:8480");
    assert_eq!(config.public_url, "http://127.0.0.1:8480");
    assert_eq!(config.sqlite_file(), Some(data.join("pressroom.db")));
    assert_eq!(config.hosting.sites, data.join("sites"));
    assert_eq!(config.hosting.isolation, Isolation::Auto);
    assert_eq!(config.packages.directory, None);
    assert_eq!(
        config.packages.distribution.as_deref(),
        Some(Path::new("/usr/share/wordpress"))
    );
    assert_eq!(
        config.packages.wordpress_org.as_deref(),
        Some("https://api.wordpress.org")
    );
    assert_eq!(config.jobs.lease, Duration::from_mins(1));
    assert_eq!(config.jobs.poll, Duration::from_secs(1));
    assert_eq!(config.secrets.key_file, data.join("secret.key"));
    assert_eq!(config.http.max_requests, 512);
    assert!(!config.is_said("log.filter"));
    assert_eq!(config.console.secure_cookies, Cookies::Auto);
    assert!(!config.secure_cookies());
}

#[test]
fn file_then_environment_then_flags() {
    let place = Place::new()
        .file("listen = '127.0.0.1:1'\n[jobs]\nworkers = 7\nlease_s = 30\nheartbeat_s = 9\n")
        .variable("PRESSROOM_LISTEN", "127.0.0.1:2")
        .variable("PRESSROOM_JOBS__LEASE_S", "40")
        .variable("PRESSROOM_HOSTING__PHP", "/usr/bin/php8.2")
        .variable("PRESSROOM_LOG", "debug")
        .variable("PRESSROOM_LOG__FORMAT", "json")
        .variable("PRESSROOM_PACKAGES__WORDPRESS_ORG", "false")
        .variable("UNRELATED__X", "y");
    let config = place.load();
    assert_eq!(config.listen.port(), 2);
    assert_eq!(config.jobs.workers, 7);
    assert_eq!(config.jobs.lease, Duration::from_secs(40));
    assert_eq!(config.hosting.php, Path::new("/usr/bin/php8.2"));
    assert_eq!(config.log.filter, "debug");
    assert_eq!(config.log.format, LogFormat::Json);
    assert_eq!(config.packages.wordpress_org, None);
    let config = place.flag("listen", "--listen", "127.0.0.1:3").load();
    assert_eq!(config.listen.port(), 3);
}

#[test]
fn the_data_directory_may_hold_the_file() {
    let place = Place::new();
    let data = place.path().join("elsewhere");
    std::fs::create_dir(&data).expect("made");
    std::fs::write(data.join("pressroom.toml"), "[jobs]\nworkers = 9\n").expect("written");
    let place = place.variable("PRESSROOM_DATA", &data.display().to_string());
    let config = place.load();
    assert_eq!(config.jobs.workers, 9);
    assert_eq!(config.data, data);
    std::fs::write(data.join("pressroom.toml"), "data = '/x'\n").expect("written");
    assert_snapshot!(place.refusal(), @r"
    error: `data` cannot be set by the file in the data directory itself (`[dir]/elsewhere/pressroom.toml`, line 1, column 8)

    hint: move the file elsewhere and name it with `--config` or `PRESSROOM_CONFIG`
    ");
}

#[test]
fn wrong_files_are_refused_with_the_place_and_the_nearest_thing() {
    assert_snapshot!(refused("[jobs]\nleas_s = 60\n"), @r"
    error: unknown key `jobs.leas_s` (`[dir]/p.toml`, line 2, column 1)

    hint: did you mean `jobs.lease_s`
    ");
    assert_snapshot!(refused("lease_s = 60\n"), @r"
    error: unknown key `lease_s` (`[dir]/p.toml`, line 1, column 1)

    hint: did you mean `jobs.lease_s`
    ");
    assert_snapshot!(refused("[job]\nlease_s = 60\n"), @r"
    error: unknown table `[job]` (`[dir]/p.toml`, line 1, column 2)

    hint: did you mean `jobs`
    ");
    assert_snapshot!(refused("[jobs]\n\n  lease_s = \"60\"\n"), @"error: `jobs.lease_s` must be a whole number from 3 to 3600 (`[dir]/p.toml`, line 3, column 13)");
    assert_snapshot!(refused("[jobs]\nworkers = 0\n"), @"error: `jobs.workers` must be a whole number from 1 to 256 (`[dir]/p.toml`, line 2, column 11)");
    assert_snapshot!(refused("listen = \"8480\"\n"), @"error: `listen` must be an address and a port, e.g. `127.0.0.1:8480` (`[dir]/p.toml`, line 1, column 10)");
    assert_snapshot!(refused("[hosting]\nisolation = \"yes\"\n"), @"error: `hosting.isolation` must be `auto`, `user` or `none` (`[dir]/p.toml`, line 2, column 13)");
    assert_snapshot!(refused("jobs = 3\n"), @"error: `jobs` must be a table, `[jobs]` (`[dir]/p.toml`, line 1, column 1)");
    assert_snapshot!(refused("[log]\nformat = [\"json\"]\n"), @"error: `log.format` must be `text` or `json` (`[dir]/p.toml`, line 2, column 10)");
    assert_snapshot!(refused("[log\nformat = 'json'\n"), @"error: this is not TOML: unclosed table, expected `]` (`[dir]/p.toml`, line 1, column 5)");
    assert_snapshot!(refused("public_url = \"https://p.example/\"\n"), @"error: `public_url` must be `auto`, or an `http(s)://` address without a trailing slash (`[dir]/p.toml`, line 1, column 14)");
    assert_snapshot!(refused("[jobs]\nlease_s = 30\nheartbeat_s = 15\n"), @r"
    error: `jobs.heartbeat_s` must be at most a third of `jobs.lease_s` (`[dir]/p.toml`, line 3, column 15)

    hint: one late sign of life must not cost a worker its job
    ");
    assert_snapshot!(refused("nothing_like_it = 1\n"), @"error: unknown key `nothing_like_it` (`[dir]/p.toml`, line 1, column 1)");
    assert_snapshot!(refused("[packages]\nwordpress_org = \"ftp://x\"\n"), @"error: `packages.wordpress_org` must be `true`, `false` or an `http(s)://` address without a trailing slash (`[dir]/p.toml`, line 2, column 17)");
}

#[test]
fn wrong_variables_and_flags_are_refused() {
    assert_snapshot!(Place::new().variable("PRESSROOM_JOBS__LEASE", "1").refusal(), @r"
    error: unknown environment variable `PRESSROOM_JOBS__LEASE`

    hint: did you mean `PRESSROOM_JOBS__LEASE_S`
    ");
    assert_snapshot!(Place::new().variable("PRESSROOM_JOBS__LEASE_S", "soon").refusal(), @"error: `jobs.lease_s` must be a whole number from 3 to 3600 (environment variable `PRESSROOM_JOBS__LEASE_S`)");
    assert_snapshot!(Place::new().variable("PRESSROOM_LISTEN", "8480").refusal(), @"error: `listen` must be an address and a port, e.g. `127.0.0.1:8480` (environment variable `PRESSROOM_LISTEN`)");
    assert_snapshot!(Place::new().flag("listen", "--listen", "x").refusal(), @"error: `listen` must be an address and a port, e.g. `127.0.0.1:8480` (flag `--listen`)");
    let place = Place::new().variable("PRESSROOM_CONFIG", "/nowhere/p.toml");
    assert_snapshot!(place.refusal(), @"error: the configuration file `/nowhere/p.toml` cannot be read: No such file or directory (os error 2)");
}

#[test]
fn what_holds_is_shown_without_passwords() {
    let place = Place::new()
        .file("database_url = 'postgres://me:hunter2@db/pressroom'\n")
        .variable("PRESSROOM_JOBS__WORKERS", "2");
    let config = place.load();
    let text = show(&config).replace(&place.path().display().to_string(), "[dir]");
    assert_snapshot!(text, @r#"
    data = "[dir]/data"
    listen = "127.0.0.1:8480"
    public_url = "http://127.0.0.1:8480"
    database_url = "postgres://me:***@db/pressroom"  # `[dir]/p.toml`, line 1, column 16

    [log]
    format = "text"
    filter = "info"
    file = ""
    rotate = "daily"
    keep = 14

    [jobs]
    lease_s = 60
    heartbeat_s = 15
    poll_ms = 1000
    workers = 2  # environment variable `PRESSROOM_JOBS__WORKERS`
    drain_s = 20

    [hosting]
    dir = "[dir]/data/hosting"
    sites = "[dir]/data/sites"
    http = "127.0.0.1:8081"
    php = "php"
    isolation = "auto"
    web = "auto"
    max_domains = 1000
    trusted_proxies = ""

    [archive]
    directory = "[dir]/data/archive"
    s3_bucket = ""
    s3_endpoint = ""
    s3_region = "us-east-1"
    s3_prefix = ""
    s3_access_key = ""
    s3_secret_file = ""
    quota_gb = 0
    upload_limit_gib = 10
    keep_aside_days = 30

    [cache]
    redis = ""
    redis_user = ""
    redis_password_file = ""
    redis_database = 0

    [health]
    light_s = 300
    full_s = 86400
    recheck_s = 30
    concurrency = 64
    per_host = 8
    slow_ms = 3000
    resolver = "machine"

    [updates]
    pictures = "auto"

    [packages]
    cache = "[dir]/data/packages"
    directory = ""
    distribution = true
    wordpress_org = true

    [secrets]
    key_file = "[dir]/data/secret.key"

    [http]
    max_requests = 512
    max_connections = 4096
    max_connections_per_address = 512
    idle_s = 75
    tls_certificate = ""
    tls_key = ""
    trusted_proxies = ""

    [outgoing]
    allow_private = ""

    [mail]
    smtp = ""
    security = "starttls"
    user = ""
    password_file = ""
    from = "Pressroom <pressroom@localhost>"

    [console]
    secure_cookies = "auto"
    "#);
    assert!(!show_json(&config).to_string().contains("hunter2"));
    assert_eq!(show_json(&config)["jobs"]["workers"], 2);
    assert!(
        !format!("{config:?}").contains("never"),
        "debug form is for us, and hides secrets"
    );
}
