//! A successor that takes over while a run writes.

use super::{interrupted::Session, options, run};
use pressroom_base::Epoch;
use pressroom_lab::{Site, Wordpress};
use pressroom_wordpress::{Error, Home, Watch, database::replace::ReplaceOptions, fence};
use std::{thread, time::Duration};

/// A site whose server stops at a row's update for as long as the session holds a lock.
fn gated(engine: &str) -> (Site, Session) {
    let site = Site::new(Wordpress::V6_5).expect("a site");
    site.database
        .sql(&format!(
            "CREATE TABLE wp_rows (id INT PRIMARY KEY, v TEXT) ENGINE={engine}; \
             INSERT INTO wp_rows SELECT seq, CONCAT('http://old.test/', seq) FROM seq_1_to_300; \
             CREATE TRIGGER gate BEFORE UPDATE ON wp_rows FOR EACH ROW \
             SET @got = IF(NEW.id = 250, GET_LOCK('gate', 600) + RELEASE_LOCK('gate'), 0)"
        ))
        .expect("a table");
    let mut session = Session::open(&site);
    assert_eq!(session.ask("SELECT GET_LOCK('gate', 10)"), "1");
    (site, session)
}

/// Waits until the run is at that row.
fn at_the_gate(session: &mut Session) {
    let waiting = "SELECT COUNT(*) FROM information_schema.PROCESSLIST WHERE STATE = 'User lock'";
    while session.ask(waiting) == "0" {
        thread::sleep(Duration::from_millis(10));
    }
}

fn asked() -> ReplaceOptions {
    ReplaceOptions {
        tables: vec!["wp_rows".into()],
        ..options(&[("http://old.test", "https://new.example")])
    }
}

fn done(site: &Site) -> String {
    site.database
        .sql("SELECT SUM(v LIKE 'https://new.example/%') FROM wp_rows")
        .expect("a count")
}

#[test]
fn what_was_not_committed_before_a_takeover_is_rolled_back() {
    let (site, mut session) = gated("InnoDB");
    let home = Home::open(site.home()).expect("a home");
    thread::scope(|scope| {
        let running = scope.spawn(|| run(&site, &asked()));
        at_the_gate(&mut session);
        // Between the statements and the commit nobody waits for us.
        let brief = Watch::lasting(Duration::from_secs(5));
        fence::take(&home, Epoch::new(2), &brief).expect("the fence");
        assert_eq!(session.ask("SELECT RELEASE_LOCK('gate')"), "1");
        let ended = running.join().expect("a run");
        assert!(matches!(ended, Err(Error::Fenced { .. })), "{ended:?}");
    });
    assert_eq!(done(&site), "0\n");
}

#[test]
fn where_nothing_rolls_back_a_takeover_waits_for_the_statements() {
    let (site, mut session) = gated("MyISAM");
    let home = Home::open(site.home()).expect("a home");
    thread::scope(|scope| {
        let running = scope.spawn(|| run(&site, &asked()));
        at_the_gate(&mut session);
        let brief = Watch::lasting(Duration::from_millis(100));
        let refused = fence::take(&home, Epoch::new(2), &brief);
        assert!(matches!(refused, Err(Error::Locked)), "{refused:?}");
        assert_eq!(session.ask("SELECT RELEASE_LOCK('gate')"), "1");
        running.join().expect("a run").expect("all is written");
    });
    assert_eq!(done(&site), "300\n");
}
