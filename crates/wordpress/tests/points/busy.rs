//! Others write all the while; and how long a large table takes.

use crate::{place::Place, steps::of};
use pressroom_wordpress::database::restore_point::Made;
use std::{
    sync::atomic::{AtomicBool, AtomicU32, Ordering},
    thread,
    time::Instant,
};

const TABLES: &str = "
CREATE TABLE wp_posts (id INT PRIMARY KEY, t VARCHAR(200)); CREATE TABLE wp_my (id INT PRIMARY KEY, t VARCHAR(200)) ENGINE=MyISAM;
CREATE TABLE wp_s (id INT PRIMARY KEY, t VARCHAR(200)); CREATE TABLE wp_quiet (id INT PRIMARY KEY, t VARCHAR(200));
INSERT INTO wp_posts SELECT seq, 'before' FROM seq_1_to_5000; INSERT INTO wp_my SELECT seq, 'before' FROM seq_1_to_5000;
INSERT INTO wp_s SELECT seq, 'before' FROM seq_1_to_5000; INSERT INTO wp_quiet SELECT seq, 'before' FROM seq_1_to_5000;
";

/// Rows written while a point is taken and while it is taken back are all there.
#[test]
fn no_row_of_others_is_lost() {
    let place = Place::with(TABLES);
    let point = {
        let stop = AtomicBool::new(false);
        let point = thread::scope(|scope| {
            let writer = scope.spawn(|| writes(&place, "0", &stop));
            let point = place.take();
            stop.store(true, Ordering::Relaxed);
            assert!(writer.join().unwrap() > 0);
            point
        });
        place.drop(&point);
        for table in ["wp_posts", "wp_my", "wp_s"] {
            assert_ne!(
                place.sql(&format!("SELECT COUNT(*) FROM {table} WHERE t = 'mine0'")),
                "0\n"
            );
        }
        place.take()
    };
    place.sql(
        "UPDATE wp_posts SET t = 'update' WHERE id <= 5000; UPDATE wp_my SET t = 'update' WHERE id <= 5000;
         ALTER TABLE wp_s ADD COLUMN x INT; UPDATE wp_s SET t = 'update' WHERE id <= 5000; UPDATE wp_quiet SET t = 'update'",
    );
    place.seal(&point);
    let stop = AtomicBool::new(false);
    let (report, written) = thread::scope(|scope| {
        let writer = scope.spawn(|| writes(&place, "1", &stop));
        let report = place.merge(&point);
        stop.store(true, Ordering::Relaxed);
        (report, writer.join().unwrap())
    });
    assert!(written > 2, "{written}");
    for table in ["wp_posts", "wp_my", "wp_s"] {
        let mine = place.sql(&format!(
            "SELECT COUNT(*) FROM {table} WHERE t = 'mine1' AND id > 100000"
        ));
        assert_eq!(mine.trim(), written.to_string(), "{table} {report:#?}");
        let back = place.sql(&format!("SELECT COUNT(*) FROM {table} WHERE t = 'update'"));
        assert_eq!(back, "0\n", "{table}");
        // Written over the update's rows.
        let over = place.sql(&format!("SELECT COUNT(*) FROM {table} WHERE t = 'over1'"));
        assert_ne!(over, "0\n", "{table}");
    }
    assert_eq!(of(&report, "wp_quiet").how, Made::Exact);
    place.drop(&point);
    place.nothing_left();
}

/// Adds and changes rows of all tables until it is told to stop; how many it added.
fn writes(place: &Place, mark: &str, stop: &AtomicBool) -> u32 {
    static NEXT: AtomicU32 = AtomicU32::new(100_001);
    let mut written = 0;
    while !stop.load(Ordering::Relaxed) {
        let id = NEXT.fetch_add(1, Ordering::Relaxed);
        let over = id % 5000 + 1;
        for table in ["wp_posts", "wp_my", "wp_s"] {
            place.sql(&format!(
                "INSERT INTO {table} (id, t) VALUES ({id}, 'mine{mark}'); UPDATE {table} SET t = 'over{mark}' WHERE id = {over}"
            ));
        }
        written += 1;
    }
    written
}

/// Figures for the record; the counts are what is asserted.
#[test]
fn fifty_thousand_rows() {
    let place = Place::with(
        "CREATE TABLE wp_postmeta (meta_id BIGINT UNSIGNED NOT NULL AUTO_INCREMENT PRIMARY KEY, post_id BIGINT UNSIGNED NOT NULL, meta_key VARCHAR(255), meta_value LONGTEXT, KEY post_id (post_id), KEY meta_key (meta_key(191))) DEFAULT CHARSET=utf8mb4;
         INSERT INTO wp_postmeta SELECT seq, seq DIV 10, CONCAT('key_', seq % 20), REPEAT(MD5(seq), 30) FROM seq_1_to_50000; ANALYZE TABLE wp_postmeta;",
    );
    let before = place.checksums();
    let timed = |what: &str, since: Instant, bytes: u64| {
        let seconds = since.elapsed().as_secs_f64();
        #[expect(clippy::cast_precision_loss, reason = "a figure for people")]
        let rate = bytes as f64 / seconds / 1e6;
        println!("{what}: {seconds:.2} s, {rate:.0} MB/s");
    };
    let since = Instant::now();
    let point = place.take();
    let bytes = point.bytes;
    timed("take", since, bytes);
    place.sql("UPDATE wp_postmeta SET meta_value = CONCAT(meta_value, 'u')");
    let since = Instant::now();
    let sealed = place.seal(&point);
    timed("seal", since, bytes);
    assert_eq!(sealed.changed[0].rows.unwrap().changed, 50_000);
    place.sql("INSERT INTO wp_postmeta (post_id, meta_key) VALUES (1, 'mine')");
    let since = Instant::now();
    let report = place.merge(&point);
    timed("merge of 50000 rows", since, bytes);
    assert_eq!(of(&report, "wp_postmeta").rows_returned, 50_000);
    place.sql("DELETE FROM wp_postmeta WHERE meta_key = 'mine'");
    assert_eq!(place.checksums(), before);
    let since = Instant::now();
    let options = pressroom_wordpress::database::restore_point::PointOptions {
        reuse: Some(point.handle.clone()),
        ..Default::default()
    };
    let second = place.take_with(&options).unwrap();
    timed("take again", since, bytes);
    assert!(second.tables[0].reused && second.bytes == 0);
    place.drop(&point);
    place.drop(&second);
    place.nothing_left();
}
