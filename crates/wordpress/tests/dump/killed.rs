//! A restore that is killed, at every step of it, and its ways back that are.

use crate::place::{EPOCH, Place, same};
use pressroom_base::Epoch;
use pressroom_wordpress::{
    Error, Home, Watch,
    database::restore::{Aside, RestoreOptions, recover, restore, take_back},
    fence,
};
use std::{
    fs::{self, File},
    path::Path,
    process::{Command, Stdio},
};

const OLD: &str = "
CREATE TABLE wp_p (id INT PRIMARY KEY); CREATE TABLE wp_c (id INT, KEY f (id), CONSTRAINT k FOREIGN KEY (id) REFERENCES wp_p (id));
INSERT INTO wp_p VALUES (1); CREATE TRIGGER wp_t BEFORE INSERT ON wp_c FOR EACH ROW SET NEW.id = 1;
CREATE TABLE outside (id INT, KEY (id), CONSTRAINT o FOREIGN KEY (id) REFERENCES wp_p (id));
CREATE VIEW wp_v AS SELECT id FROM wp_p; CREATE FUNCTION wp_f() RETURNS INT RETURN 1; CREATE TABLE wp_gone (a INT);
";
const NEW: &str = "
CREATE TABLE wp_p (id INT PRIMARY KEY, x INT); CREATE TABLE wp_came (a INT);
CREATE TABLE wp_c (id INT, KEY (id), CONSTRAINT k FOREIGN KEY (id) REFERENCES wp_p (id));
INSERT INTO wp_p VALUES (5, 5); CREATE TRIGGER wp_t BEFORE INSERT ON wp_c FOR EACH ROW SET NEW.id = 5;
CREATE VIEW wp_v AS SELECT x FROM wp_p; CREATE VIEW wp_w AS SELECT 1;
CREATE FUNCTION wp_f() RETURNS INT RETURN 5;
";
/// Refused when all else is in place.
const BROKEN: &str = "CREATE VIEW wp_z AS SELECT nothing FROM wp_p;";

/// Each effect takes the fence's lock: killed at the n-th lock, all before has
/// happened and nothing after.
const EFFECT: &str = "flock";
/// Killed as the n-th text goes to the server, which goes on with it alone.
const STATEMENT: &str = "sendto,write,writev,sendmsg";

#[test]
fn between_any_two_effects() {
    kill_at_each(EFFECT, 1, NEW);
}

#[test]
fn while_any_statement_runs() {
    kill_at_each(STATEMENT, 4, NEW);
}

/// The restore fails by itself, and is killed as it brings everything back.
#[test]
fn while_it_gives_up() {
    kill_at_each(EFFECT, 1, &format!("{NEW}{BROKEN}"));
    kill_at_each(STATEMENT, 7, &format!("{NEW}{BROKEN}"));
}

#[test]
fn while_it_is_taken_back() {
    let place = place();
    let (before, names) = (place.dump(), place.names());
    for (call, step) in [(EFFECT, 1), (STATEMENT, 3)] {
        let mut epoch = fence::seen(&place.home).unwrap().epoch;
        for stop in (1..500).step_by(step) {
            epoch = Epoch::new(epoch.get() + 1);
            let report = done(&place, epoch);
            let finished = child(&place, epoch, "take_back", call, stop);
            // By recovery and by the same call again, in turns.
            if stop % 2 == 0 {
                recover(&place.home, epoch, &place.settings, &place.watch).unwrap();
            }
            back(&place, epoch, &report);
            assert_eq!(place.names(), names, "stop {stop}");
            same(&place.dump(), &before);
            if finished {
                assert!(stop > 8, "only {stop} stops");
                break;
            }
        }
    }
}

#[test]
fn while_it_is_recovered() {
    let place = place();
    let (before, names) = (place.dump(), place.names());
    // One that is interrupted when all names have changed hands.
    let broken = format!("{NEW}{BROKEN}");
    let mut interrupted = 0;
    for (call, step) in [(EFFECT, 1), (STATEMENT, 5)] {
        for stop in (1..500).step_by(step) {
            let seen = fence::seen(&place.home).unwrap().epoch.get();
            if interrupted == 0 {
                interrupted = last_effect(&place);
                continue;
            }
            fs::write(place.home.path().join("new.sql"), &broken).unwrap();
            assert!(!child(
                &place,
                Epoch::new(seen + 1),
                "restore",
                EFFECT,
                interrupted
            ));
            assert!(place.names().contains("o0_"), "{}", place.names());
            let epoch = Epoch::new(seen + 2);
            let finished = child(&place, epoch, "recover", call, stop);
            recover(&place.home, epoch, &place.settings, &place.watch).unwrap();
            assert_eq!(place.names(), names, "stop {stop}");
            same(&place.dump(), &before);
            if finished {
                assert!(stop > 8, "only {stop} stops");
                break;
            }
        }
    }
}

fn place() -> Place {
    let place = Place::new();
    place.stock_restore(OLD.as_bytes());
    place
}

/// A finished restore of this epoch.
fn done(place: &Place, epoch: Epoch) -> Aside {
    fence::take(&place.home, epoch, &place.watch).unwrap();
    let report = restore(
        &place.home,
        epoch,
        &place.settings,
        &options(),
        &mut NEW.as_bytes(),
        &place.watch,
    );
    let aside = report.unwrap().aside.unwrap();
    fs::write(
        place.home.path().join("aside.json"),
        serde_json::to_vec(&aside).unwrap(),
    )
    .unwrap();
    aside
}

/// Taken back, now or already.
fn back(place: &Place, epoch: Epoch, aside: &Aside) {
    match take_back(&place.home, epoch, &place.settings, aside, &place.watch) {
        Ok(()) | Err(Error::Missing(_)) => {}
        Err(why) => panic!("{why}"),
    }
}

/// The number of the last effect that the exchange of [`NEW`] has.
fn last_effect(place: &Place) -> usize {
    fs::write(place.home.path().join("new.sql"), NEW).unwrap();
    for stop in 1..500 {
        let epoch = Epoch::new(fence::seen(&place.home).unwrap().epoch.get() + 1);
        let finished = child(place, epoch, "restore", EFFECT, stop);
        let next = Epoch::new(epoch.get() + 1);
        fence::take(&place.home, next, &place.watch).unwrap();
        let found = recover(&place.home, next, &place.settings, &place.watch).unwrap();
        for aside in &found.kept {
            back(place, next, aside);
        }
        if finished {
            // Before the record says that all is done.
            return stop - 1;
        }
    }
    panic!("never finished");
}

fn options() -> RestoreOptions {
    RestoreOptions {
        remove_unknown: true,
        ..RestoreOptions::default()
    }
}

fn kill_at_each(call: &str, step: usize, dump: &str) {
    let place = place();
    let (before, names) = (place.dump(), place.names());
    fs::write(place.home.path().join("new.sql"), dump).unwrap();
    let mut epoch = EPOCH.get();
    for (killed, stop) in (1..500).step_by(step).enumerate() {
        epoch += 2;
        let finished = child(&place, Epoch::new(epoch - 1), "restore", call, stop);
        let epoch = Epoch::new(epoch);
        fence::take(&place.home, epoch, &place.watch).unwrap();
        let recovered = recover(&place.home, epoch, &place.settings, &place.watch).unwrap();
        // Either all of the old or all of the new.
        for aside in &recovered.kept {
            assert_eq!(place.sql("SELECT *, wp_f() FROM wp_v, wp_w"), "5\t1\t5\n");
            take_back(&place.home, epoch, &place.settings, aside, &place.watch).unwrap();
        }
        assert_eq!(place.names(), names, "stop {stop}");
        same(&place.dump(), &before);
        if finished {
            assert_eq!(recovered.kept.len(), usize::from(dump == NEW));
            assert!(killed > 8, "only {killed} stops");
            return;
        }
    }
    panic!("never finished");
}

/// Runs this in a process of its own; whether it lived to the end.
fn child(place: &Place, epoch: Epoch, what: &str, call: &str, stop: usize) -> bool {
    Command::new("strace")
        .args(["-f", "-qq", "-o", "/dev/null", "-e"])
        .arg(format!("trace={call}"))
        .arg("-e")
        .arg(format!("inject={call}:signal=SIGKILL:when={stop}"))
        .arg(std::env::current_exe().unwrap())
        .args(["--exact", "killed::the_victim", "--nocapture"])
        .env("RESTORE_HOME", place.home.path())
        .env(
            "RESTORE_SETTINGS",
            serde_json::to_string(&place.settings).unwrap(),
        )
        .env("RESTORE_EPOCH", epoch.get().to_string())
        .env("RESTORE_WHAT", what)
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .status()
        .unwrap()
        .success()
}

/// Does something only in the processes that the tests above start and kill.
#[test]
fn the_victim() {
    if std::env::var_os("RESTORE_HOME").is_none() {
        return;
    }
    let get = |name: &str| std::env::var(name).unwrap();
    let home = Home::open(Path::new(&get("RESTORE_HOME"))).unwrap();
    let settings = serde_json::from_str(&get("RESTORE_SETTINGS")).unwrap();
    let epoch = Epoch::new(get("RESTORE_EPOCH").parse().unwrap());
    let watch = Watch::unbounded();
    fence::take(&home, epoch, &watch).unwrap();
    match get("RESTORE_WHAT").as_str() {
        "restore" => {
            let path = home.path().join("new.sql");
            let fails = fs::read_to_string(&path).unwrap().contains(BROKEN);
            let mut dump = File::open(path).unwrap();
            let report = restore(&home, epoch, &settings, &options(), &mut dump, &watch);
            assert_eq!(report.is_err(), fails);
        }
        "take_back" => {
            let aside = fs::read(home.path().join("aside.json")).unwrap();
            let aside = serde_json::from_slice(&aside).unwrap();
            take_back(&home, epoch, &settings, &aside, &watch).unwrap();
        }
        _ => {
            recover(&home, epoch, &settings, &watch).unwrap();
        }
    }
}
