//! What a site remembers, which its own code could have written.

use crate::input::target;
use pressroom_base::Epoch;
use pressroom_wordpress::{Home, Watch, fuzzing as engine, recovery};
use std::{fs, time::Duration};

const ENTRIES: &[&[u8]] = &[
    br#"{"act":"swap","epoch":5,"swap":{"target":{"root":"www","kind":"plugin","slug":"a"},"staged":"5-0123456789abcdef","before":null,"after":"00"}}"#,
    br#"{"act":"core","epoch":5,"record":{"root":"www","names":["index.php","wp-admin"],"placeholders":[],"made":["www"]}}"#,
    br#"{"act":"core_swap","epoch":5,"swap":{"root":"www","staged":"5-0123456789abcdef","items":[{"name":"wp-admin","before":"00","after":null},{"name":"wp-login.php","before":null,"after":"11"}],"before":"00","after":"11"}}"#,
    br#"{"act":"exchange","epoch":5,"record":{"exchange":{"root":"www","staged":"5-0123456789abcdef","prefix":"files","before":null,"after":"00","carry":["a"]},"method":"whole","slots":[{"name":"","before":null,"after":null}],"carry":[]}}"#,
    br#"{"act":"rehearsal","epoch":5,"record":{"epoch":5,"handle":"5-01234567","root":"www","php":"/bin/false","database":"a","db_host":"localhost","upstream":{"socket":"/nowhere"},"live_prefix":"wp_","prefix":"prr01234567_","sources":["wp_posts"],"tables":["prr01234567_posts"],"address":{"https":false,"host":"a.test","base":"","directories":false},"uploads":null,"php_version":80200,"memory_mb":128,"walls":{"namespaces":"stands","files":{"missing":"x"}},"secret":"s"}}"#,
];
const WORDS: &[&str] = &[
    "{",
    "}",
    "[",
    "]",
    "\"",
    ":",
    ",",
    "null",
    "-1",
    "../",
    "..",
    "/",
    "\"www\"",
    "\"\"",
    "\"act\":\"swap\",",
    "\"by_name\"",
    "\\u0000",
    ".pressroom",
    "5-0123456789abcdef",
    "wp-config.php",
    "theme",
    "[[[[[[[[[[[[[[[[",
];

#[test]
fn journal_entries() {
    target("journal_entries", ENTRIES, WORDS, |input| {
        if let Ok(written) = engine::entry_again(input) {
            assert_eq!(engine::entry_again(&written).unwrap(), written);
        }
    });
}

#[test]
fn journal_recovery() {
    let outer = tempfile::tempdir().unwrap();
    let path = outer.path().join("home");
    let live = path.join("www/wp-content/plugins/a");
    let staged = path.join(".pressroom/staging/5-0123456789abcdef");
    fs::create_dir_all(&live).unwrap();
    fs::write(live.join("a.php"), "live").unwrap();
    fs::write(outer.path().join("neighbour"), "theirs").unwrap();
    let home = Home::open(&path).unwrap();
    let watch = || Watch::lasting(Duration::from_mins(1));
    recovery::recover(&home, Epoch::new(7), &watch()).unwrap();
    for entry in ENTRIES {
        engine::entry_again(entry).expect("a sample is an entry");
    }
    target("journal_recovery", ENTRIES, WORDS, |input| {
        fs::create_dir_all(&staged).unwrap();
        fs::write(staged.join("a.php"), "staged").unwrap();
        let entry = path.join(".pressroom/journal/swap-5-0123456789abcdef.json");
        fs::write(&entry, input).unwrap();
        let _ = recovery::recover(&home, Epoch::new(7), &watch());
        assert_eq!(fs::read(live.join("a.php")).unwrap(), b"live");
        assert_eq!(fs::read(outer.path().join("neighbour")).unwrap(), b"theirs");
        assert_eq!(fs::read_dir(outer.path()).unwrap().count(), 2);
    });
}
