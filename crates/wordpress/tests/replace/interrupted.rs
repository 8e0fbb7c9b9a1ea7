//! A run that is killed in the middle of writing.

use super::{options, reference, run};
use pressroom_base::Epoch;
use pressroom_lab::{Site, Wordpress};
use pressroom_wordpress::{
    Error, Home, Watch, config,
    database::replace::{ReplaceOptions, search_replace},
    fence,
};
use std::{
    io::{BufRead, BufReader, Write},
    path::Path,
    process::{ChildStdin, Command, Stdio},
};

/// The new text holds the old one: a row done twice is wrong.
const PAIRS: [(&str, &str); 1] = [("http://old.test", "http://old.test/blog")];
const CHILD: &str = "PRESSROOM_TEST_REPLACE_IN";

fn asked() -> ReplaceOptions {
    ReplaceOptions {
        run: "job-1".into(),
        connections: 1,
        tables: vec!["wp_rows".into(), "wp_postmeta".into()],
        ..options(&PAIRS)
    }
}

/// What the killed process does; nothing when it is run as a test.
#[test]
fn child() {
    let Some(home) = std::env::var_os(CHILD) else {
        return;
    };
    let home = Home::open(Path::new(&home)).expect("a home");
    let watch = Watch::unbounded();
    let settings = config::read(&home, "public_html").expect("settings");
    let _ = search_replace(&home, Some(Epoch::new(1)), &settings, &asked(), &watch);
}

/// A session of `root` that stays open.
pub struct Session {
    stdin: ChildStdin,
    stdout: BufReader<std::process::ChildStdout>,
    _child: std::process::Child,
}

impl Session {
    pub fn open(site: &Site) -> Self {
        let mut child = Command::new("mariadb")
            .args([
                "--no-defaults",
                "--user=root",
                "--batch",
                "--skip-column-names",
                "--unbuffered",
            ])
            .arg(format!("--socket={}", site.database.socket.display()))
            .arg(&site.database.name)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .expect("a client");
        Self {
            stdin: child.stdin.take().expect("a pipe"),
            stdout: BufReader::new(child.stdout.take().expect("a pipe")),
            _child: child,
        }
    }

    /// The first line of the answer.
    pub fn ask(&mut self, statement: &str) -> String {
        writeln!(self.stdin, "{statement};").expect("asked");
        let mut line = String::new();
        self.stdout.read_line(&mut line).expect("an answer");
        line.trim_end().to_owned()
    }
}

/// Kills a run while it writes row 900, and lets another finish.
fn killed(engine: &str) {
    let site = Site::new(Wordpress::V6_5).expect("a site");
    reference::fill(&site.database, "wp_");
    site.database
        .sql(&format!(
            "CREATE TABLE wp_rows (id INT PRIMARY KEY, v TEXT) ENGINE={engine}; \
             INSERT INTO wp_rows SELECT seq, CONCAT('http://old.test/', seq) FROM seq_1_to_3000;"
        ))
        .expect("a table");
    let (wanted, _) = reference::cells(&site.database, &PAIRS, "/^(?!wp_rows|wp_postmeta)/");
    // The lock is held by us: the server stops at that row for as long as we want.
    site.database
        .sql(
            "CREATE TRIGGER gate BEFORE UPDATE ON wp_rows FOR EACH ROW \
             SET @got = IF(NEW.id = 900, GET_LOCK('gate', 600) + RELEASE_LOCK('gate'), 0)",
        )
        .expect("a trigger");
    let mut session = Session::open(&site);
    assert_eq!(session.ask("SELECT GET_LOCK('gate', 10)"), "1");

    let home = Home::open(site.home()).expect("a home");
    fence::take(&home, Epoch::new(1), &Watch::unbounded()).expect("the fence");
    let mut child = Command::new(std::env::current_exe().expect("this program"))
        .args(["--exact", "interrupted::child"])
        .env(CHILD, site.home())
        .stdout(Stdio::null())
        .spawn()
        .expect("a child");
    let waiting =
        "SELECT IFNULL(MAX(ID), 0) FROM information_schema.PROCESSLIST WHERE STATE = 'User lock'";
    let mut thread = session.ask(waiting);
    while thread == "0" {
        assert!(
            child.try_wait().expect("a child").is_none(),
            "the child ended by itself"
        );
        thread = session.ask(waiting);
    }
    child.kill().expect("killed");
    child.wait().expect("its end");
    session.ask(&format!("KILL {thread}; SELECT 1"));
    let there = format!("SELECT COUNT(*) FROM information_schema.PROCESSLIST WHERE ID = {thread}");
    while session.ask(&there) != "0" {}
    assert_eq!(session.ask("SELECT RELEASE_LOCK('gate')"), "1");
    site.database.sql("DROP TRIGGER gate").expect("no trigger");
    let done = site
        .database
        .sql("SELECT SUM(v LIKE 'http://old.test/blog/%') FROM wp_rows")
        .expect("a count");
    let done: u64 = done.trim().parse().expect("a number");
    assert!((500..3000).contains(&done), "{done} rows were done");
    if engine == "MyISAM" {
        assert!(done > 500, "no half transaction to be judged");
    }

    // Another name is another run, which would not know; other options are refused.
    let other = ReplaceOptions {
        json: false,
        ..asked()
    };
    assert!(matches!(run(&site, &other), Err(Error::BadInput(_))));
    let report = run(&site, &asked()).expect("the run goes on");
    assert!(report.resumed);
    let (found, _) = reference::cells(&site.database, &[], "/^(?!wp_rows|wp_postmeta)/");
    reference::assert_same(&wanted, &found);
    assert_eq!(super::rows(&report, "wp_rows", "v"), 3000);
    assert_eq!(report.verified, Some(true));
    assert!(!site.home().join(".pressroom/replace").exists());
}

#[test]
fn goes_on_where_a_killed_one_was() {
    killed("InnoDB");
}

#[test]
fn goes_on_where_nothing_rolls_back() {
    killed("MyISAM");
}

#[test]
fn a_killed_run_of_pairs_that_settle_is_simply_repeated() {
    let site = Site::new(Wordpress::V6_5).expect("a site");
    reference::fill(&site.database, "wp_");
    let pairs = [("http://old.test", "https://new.example")];
    let (wanted, _) = reference::cells(&site.database, &pairs, reference::RULED);
    // Half of it was done.
    let mut half = options(&pairs);
    half.tables = vec!["wp_postmeta".into()];
    run(&site, &half).expect("half a run");
    run(&site, &options(&pairs)).expect("a run");
    let (found, _) = reference::cells(&site.database, &[], reference::RULED);
    reference::assert_same(&wanted, &found);
}
