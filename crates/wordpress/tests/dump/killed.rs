//! A restore that is killed, at every step of it.

use crate::place::{EPOCH, Place, same};
use pressroom_base::Epoch;
use pressroom_wordpress::{
    Home, Watch,
    database::restore::{RestoreOptions, recover, restore, take_back},
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
CREATE VIEW wp_v AS SELECT id FROM wp_p; CREATE FUNCTION wp_f() RETURNS INT RETURN 1;
";
const NEW: &str = "
CREATE TABLE wp_p (id INT PRIMARY KEY, x INT);
CREATE TABLE wp_c (id INT, KEY (id), CONSTRAINT k FOREIGN KEY (id) REFERENCES wp_p (id));
INSERT INTO wp_p VALUES (5, 5); CREATE TRIGGER wp_t BEFORE INSERT ON wp_c FOR EACH ROW SET NEW.id = 5;
CREATE VIEW wp_v AS SELECT x FROM wp_p; CREATE VIEW wp_w AS SELECT 1;
CREATE FUNCTION wp_f() RETURNS INT RETURN 5;
";

/// Each effect takes the fence's lock: killed at the n-th lock, all before has
/// happened and nothing after.
#[test]
fn between_any_two_effects() {
    kill_at_each("flock", 1);
}

/// Killed as the n-th text goes to the server, which goes on with it alone.
#[test]
fn while_any_statement_runs() {
    kill_at_each("sendto,write,writev,sendmsg", 4);
}

fn kill_at_each(call: &str, step: usize) {
    let place = Place::new();
    place.stock_restore(OLD.as_bytes());
    let (before, names) = (place.dump(), place.names());
    let mut epoch = EPOCH.get();
    for (killed, stop) in (1..500).step_by(step).enumerate() {
        epoch += 2;
        let finished = child(&place, epoch - 1, call, stop);
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
            assert_eq!(recovered.kept.len(), 1);
            assert!(killed > 8, "only {killed} stops");
            return;
        }
    }
    panic!("never finished");
}

/// Runs the restore in a process of its own; whether it lived to the end.
fn child(place: &Place, epoch: i64, call: &str, stop: usize) -> bool {
    let dump = place.home.path().join("new.sql");
    fs::write(&dump, NEW).unwrap();
    Command::new("strace")
        .args(["-f", "-qq", "-o", "/dev/null", "-e"])
        .arg(format!("trace={call}"))
        .arg("-e")
        .arg(format!("inject={call}:signal=SIGKILL:when={stop}"))
        .arg(std::env::current_exe().unwrap())
        .args(["--exact", "killed::the_restore", "--nocapture"])
        .env("RESTORE_HOME", place.home.path())
        .env(
            "RESTORE_SETTINGS",
            serde_json::to_string(&place.settings).unwrap(),
        )
        .env("RESTORE_EPOCH", epoch.to_string())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .status()
        .unwrap()
        .success()
}

/// Does something only in the processes that the tests above start and kill.
#[test]
fn the_restore() {
    if std::env::var_os("RESTORE_HOME").is_none() {
        return;
    }
    let get = |name: &str| std::env::var(name).unwrap();
    let home = Home::open(Path::new(&get("RESTORE_HOME"))).unwrap();
    let settings = serde_json::from_str(&get("RESTORE_SETTINGS")).unwrap();
    let epoch = Epoch::new(get("RESTORE_EPOCH").parse().unwrap());
    let watch = Watch::unbounded();
    fence::take(&home, epoch, &watch).unwrap();
    let mut dump = File::open(home.path().join("new.sql")).unwrap();
    let options = RestoreOptions::default();
    restore(&home, epoch, &settings, &options, &mut dump, &watch).unwrap();
}
