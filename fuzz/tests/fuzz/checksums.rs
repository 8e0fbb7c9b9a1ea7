//! Lists of checksums.

use crate::input::target;
use pressroom_wordpress::checksums::Expected;

const LISTS: &[&[u8]] = &[
    br#"{"checksums":{"wp-load.php":"0cc175b9c0f1b6a831c399e269772661","wp-admin/a.php":"92eb5ffee6ae2fec3ad71c777531578f"}}"#,
    br#"{"plugin":"a","files":{"a/b.php":{"md5":["0cc175b9c0f1b6a831c399e269772661"],"sha256":"ca978112ca1bbdcafac231b39a23dc4da786eff8147c4e72b9807785afee48bb"}}}"#,
    br#"{"checksums":false}"#,
    br#"{"files":{"../x":["00"],"/etc":"","a\u0000":[[[]]]}}"#,
];
const WORDS: &[&str] = &[
    "{",
    "}",
    "[",
    "]",
    "\"",
    ":",
    ",",
    "\"files\":",
    "\"checksums\":",
    "\"md5\"",
    "\"sha256\"",
    "../",
    "/",
    "\\u0000",
    "\\ud800",
    "\"0cc175b9c0f1b6a831c399e269772661\"",
    "1e999",
    "null",
    "true",
    "\u{e9}",
    "[[[[[[[[",
    "{\"a\":",
];

#[test]
fn checksum_lists() {
    target("checksum_lists", LISTS, WORDS, |mut input| {
        if let Ok(list) = Expected::from_json(&mut input) {
            let again = serde_json::to_vec(&list).unwrap();
            assert_eq!(Expected::from_json(&mut again.as_slice()).unwrap(), list);
            for path in list.files.keys() {
                assert!(!path.starts_with('/') && path.split('/').all(|part| part != ".."));
            }
        }
    });
}
