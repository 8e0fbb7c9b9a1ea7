//! A point that is killed, at every step of each of its acts.

use crate::place::{Place, same};
use pressroom_base::Epoch;
use pressroom_wordpress::{
    Home, Watch,
    database::restore_point::{MergeOptions, PointOptions, drop_point, merge, recover, seal, take},
    fence,
};
use std::{
    path::Path,
    process::{Command, Stdio},
};

const BEFORE: &str = "
DROP TABLE IF EXISTS wp_a, wp_b, wp_c, wp_d, wp_e, wp_n;
CREATE TABLE wp_a (id INT PRIMARY KEY, v INT); CREATE TABLE wp_b (id INT PRIMARY KEY, v INT); CREATE TABLE wp_c (id INT) ENGINE=MyISAM;
CREATE TABLE wp_d (id INT PRIMARY KEY); CREATE TABLE wp_e (id INT PRIMARY KEY, v INT) ENGINE=MyISAM;
INSERT INTO wp_a VALUES (1, 1), (2, 2), (3, 3); INSERT INTO wp_b VALUES (1, 1), (2, 2); INSERT INTO wp_c VALUES (1); INSERT INTO wp_d VALUES (1); INSERT INTO wp_e VALUES (1, 1), (2, 2);
";
const UPDATE: &str = "
UPDATE wp_a SET v = 10; INSERT INTO wp_a VALUES (9, 9); ALTER TABLE wp_b ADD COLUMN x INT; UPDATE wp_b SET v = 10; INSERT INTO wp_c VALUES (2);
DROP TABLE wp_d; CREATE TABLE wp_n (a INT); UPDATE wp_e SET v = 10;
";
const OTHERS: &str = "
UPDATE wp_a SET v = 20 WHERE id = 2; INSERT INTO wp_a VALUES (30, 30); INSERT INTO wp_b VALUES (30, 30, 30); INSERT INTO wp_e VALUES (30, 30);
";

/// Each effect takes the fence's lock: killed at the n-th lock, all before has
/// happened and nothing after.
const EFFECT: &str = "flock";
/// Killed as the n-th text goes to the server, which goes on with it alone.
const STATEMENT: &str = "sendto,write,writev,sendmsg";

#[test]
fn while_it_is_taken() {
    at_each("take", 1, 6);
}

#[test]
fn while_it_is_sealed() {
    at_each("seal", 1, 6);
}

#[test]
fn while_it_is_taken_back() {
    at_each("merge", 1, 9);
}

#[test]
fn while_it_is_dropped() {
    at_each("drop", 1, 6);
}

fn at_each(what: &str, effects: usize, statements: usize) {
    let place = Place::with(BEFORE);
    let before = place.dump();
    // What it all ends with when nothing is killed.
    let wanted = {
        let point = place.take();
        place.sql(UPDATE);
        place.seal(&point);
        place.sql(OTHERS);
        place.merge(&point);
        place.drop(&point);
        place.nothing_left();
        place.dump()
    };
    for (call, step) in [(EFFECT, effects), (STATEMENT, statements)] {
        let mut stops = 0;
        for stop in (1..600).step_by(step) {
            stops += 1;
            place.sql(BEFORE);
            if killed(&place, what, call, stop, &before, &wanted) {
                break;
            }
        }
        assert!(stops > 5, "{what}: only {stops} stops at {call}");
    }
}

/// One course with a kill in it; whether it lived to the end.
fn killed(
    place: &Place,
    what: &str,
    call: &str,
    stop: usize,
    before: &[u8],
    wanted: &[u8],
) -> bool {
    let (home, settings, watch) = (&place.home, &place.settings, &place.watch);
    let mut epoch = Epoch::new(fence::seen(home).unwrap().epoch.get() + 1);
    let mut after = |place: &Place| {
        epoch = Epoch::new(fence::seen(&place.home).unwrap().epoch.get() + 1);
        fence::take(&place.home, epoch, watch).unwrap();
        let found = recover(&place.home, epoch, settings, watch).unwrap();
        assert!(found.unknown.is_empty(), "{found:?}");
        assert!(found.kept.is_empty(), "{found:?}");
        (epoch, found)
    };
    let options = PointOptions::default();
    if what == "take" {
        let lived = child(place, what, "", call, stop);
        let (epoch, found) = after(place);
        for handle in &found.points {
            drop_point(home, epoch, settings, handle, watch).unwrap();
        }
        assert!(found.points.len() <= 1);
        place.nothing_left();
        same(&place.dump(), before);
        return lived;
    }
    let (epoch, _) = after(place);
    let point = take(home, epoch, settings, &options, watch).unwrap();
    place.sql(UPDATE);
    let mut lived = true;
    if what == "seal" {
        lived = child(place, what, &point.handle, call, stop);
        let (epoch, found) = after(place);
        assert_eq!(found.points, std::slice::from_ref(&point.handle));
        seal(home, epoch, settings, &point.handle, watch).unwrap();
    } else {
        seal(home, epoch, settings, &point.handle, watch).unwrap();
    }
    place.sql(OTHERS);
    let mut epoch;
    if what == "merge" {
        lived = child(place, what, &point.handle, call, stop);
        let found;
        (epoch, found) = after(place);
        assert_eq!(found.points, std::slice::from_ref(&point.handle));
    } else {
        (epoch, _) = after(place);
    }
    let merged = merge(
        home,
        epoch,
        settings,
        &point.handle,
        &MergeOptions::default(),
        watch,
    );
    assert!(merged.unwrap().verified);
    if what == "drop" {
        lived = child(place, what, &point.handle, call, stop);
        (epoch, _) = after(place);
    }
    drop_point(home, epoch, settings, &point.handle, watch).unwrap();
    place.nothing_left();
    same(&place.dump(), wanted);
    lived
}

/// Runs this in a process of its own; whether it lived to the end.
fn child(place: &Place, what: &str, handle: &str, call: &str, stop: usize) -> bool {
    let epoch = fence::seen(&place.home).unwrap().epoch.get() + 1;
    Command::new("strace")
        .args(["-f", "-qq", "-o", "/dev/null", "-e"])
        .arg(format!("trace={call}"))
        .arg("-e")
        .arg(format!("inject={call}:signal=SIGKILL:when={stop}"))
        .arg(std::env::current_exe().unwrap())
        .args(["--exact", "killed::the_victim", "--nocapture"])
        .env("POINT_HOME", place.home.path())
        .env(
            "POINT_SETTINGS",
            serde_json::to_string(&place.settings).unwrap(),
        )
        .env("POINT_EPOCH", epoch.to_string())
        .env("POINT_HANDLE", handle)
        .env("POINT_WHAT", what)
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .status()
        .unwrap()
        .success()
}

/// Does something only in the processes that the tests above start and kill.
#[test]
fn the_victim() {
    if std::env::var_os("POINT_HOME").is_none() {
        return;
    }
    let get = |name: &str| std::env::var(name).unwrap();
    let home = Home::open(Path::new(&get("POINT_HOME"))).unwrap();
    let settings = serde_json::from_str(&get("POINT_SETTINGS")).unwrap();
    let epoch = Epoch::new(get("POINT_EPOCH").parse().unwrap());
    let (watch, handle) = (Watch::unbounded(), get("POINT_HANDLE"));
    fence::take(&home, epoch, &watch).unwrap();
    match get("POINT_WHAT").as_str() {
        "take" => drop(take(&home, epoch, &settings, &PointOptions::default(), &watch).unwrap()),
        "seal" => drop(seal(&home, epoch, &settings, &handle, &watch).unwrap()),
        "merge" => {
            let options = MergeOptions::default();
            drop(merge(&home, epoch, &settings, &handle, &options, &watch).unwrap());
        }
        _ => drop_point(&home, epoch, &settings, &handle, &watch).unwrap(),
    }
}
