//! `serialized` against the real `php`: every generated value is replaced by both, and
//! both must agree on the bytes, on what is broken, and on what is data at all.

use pressroom_phpdata::serialized::{Pair, Replacer, json_forms, strings};
use proptest::{
    prelude::*,
    strategy::ValueTree,
    test_runner::{RngAlgorithm, TestRng, TestRunner},
};
use std::{
    collections::BTreeSet,
    fmt::Write as _,
    io::Write as _,
    process::{Command, Stdio},
    thread,
};

const VALUES: usize = 40_000;
const WALK: &str = include_str!("walk.php");

/// Reads `FORMS` and then lines of `VALUE OURS BROKEN DATA`, all in hexadecimal or
/// numbers; says `=` or what is wrong.
const JUDGE: &str = r#"
enum Suit { case Hearts; }
$forms = [];
foreach (explode(' ', rtrim(fgets(STDIN), "\n")) as $pair) {
    [$old, $new] = explode(':', $pair);
    $forms[hex2bin($old)] = hex2bin($new);
}
$exact = $normal = $broken = $data = $cyclic = 0;
while (($line = fgets(STDIN)) !== false) {
    [$value, $ours, $broke, $is] = explode(' ', rtrim($line, "\n"));
    [$value, $ours] = [hex2bin($value), hex2bin($ours)];
    // PHP wraps lengths beyond 64 bits and takes no digits for zero: we do not.
    if (preg_match('/[0-9]{19}|":[+-]?:/', $value)) {
        continue;
    }
    // An array that holds itself: `unserialize()` gives it twice.
    if (preg_match('/(?:^|")\s*a:.*R:1;/s', $value)) {
        $cyclic++;
        continue;
    }
    try {
        [$whole] = read_whole($value);
        $tally = ['broken' => 0];
        $theirs = walk_value($value, $forms, $tally);
        $data += $whole;
        $broken += $tally['broken'];
        if ($whole != (bool) $is) {
            echo 'data ', (int) $whole, ' not ', $is, ': ', bin2hex($value), "\n";
        } elseif ($tally['broken'] != $broke) {
            echo 'broken ', $tally['broken'], ' not ', $broke, ': ', bin2hex($value), "\n";
        } elseif ($theirs === $ours) {
            $exact++;
        } elseif (normal_value($value) !== $value && normal_value($theirs) === normal_value($ours)) {
            $normal++;
        } else {
            echo 'bytes ', bin2hex($theirs), ' not ', bin2hex($ours), ': ', bin2hex($value), "\n";
        }
    } catch (RangeException) {
        $cyclic++;
    }
}
echo "exact $exact normal $normal broken $broken data $data cyclic $cyclic\n";
"#;

fn pairs() -> Vec<Pair> {
    vec![
        Pair::new("http://old.test", "https://new.example/käse"),
        Pair::new("old.test", "new.example"),
        Pair::new("ü/x", "longer than that"),
        Pair::new("\0z", "\""),
    ]
}

fn quoted(kind: char, text: &[u8]) -> Vec<u8> {
    [format!("{kind}:{}:\"", text.len()).as_bytes(), text, b"\";"].concat()
}

/// Text that a value may hold, hard ones among it.
fn texts() -> impl Strategy<Value = Vec<u8>> {
    let piece = prop_oneof![
        6 => prop::sample::select(vec![
            "http://old.test", "old.test", "http:\\/\\/old.test\\/a", "ü/x", "\\u00fc\\/x", "old.tes",
            "{\"url\":\"http:\\/\\/old.test\"}", "http://http://old.test.old.test", "OLD.TEST",
        ]).prop_map(|s| s.as_bytes().to_vec()),
        3 => prop::sample::select(vec![
            "", " ", "\n", "a", "\";", "s:3:\"", "}", "日本語", "😀", "\\", "\0", "\0z", "i:1;", "N;",
            "a:1:{", "b:0;", "O:1:\"A\":0:{}",
        ]).prop_map(|s| s.as_bytes().to_vec()),
        1 => prop::collection::vec(any::<u8>(), 0..4),
    ];
    prop::collection::vec(piece, 0..4).prop_map(|pieces| pieces.concat())
}

fn scalars() -> impl Strategy<Value = Vec<u8>> {
    let words: Vec<&str> = vec![
        "N;",
        "b:0;",
        "b:1;",
        "b:2;",
        "i:0;",
        "i:-7;",
        "i:+5;",
        "i:99999999999999999999;",
        "i:;",
        "d:0.1;",
        "d:.5;",
        "d:5.;",
        "d:1e5;",
        "d:-1.5E-7;",
        "d:INF;",
        "d:-INF;",
        "d:NAN;",
        "d:+INF;",
        "d:0.10000000000000001;",
        "d:.;",
        "d:1.e3;",
        "R:1;",
        "R:2;",
        "R:3;",
        "r:1;",
        "r:2;",
        "r:4;",
        "R:0;",
        "R:-1;",
        "R:99;",
        "E:11:\"Suit:Hearts\";",
        "E:4:\"Suit\";",
        "S:8:\"old\\2etest\";",
        "S:8:\"old.test\";",
        "S:1:\"\\4g\";",
        "s:8:\"old.test\";",
        "s:08:\"old.test\";",
        "s:7:\"old.test\";",
        "s:-1:\"\";",
        "s:99:\"old.test\";",
        "s:8:'old.test';",
        "C:1:\"A\":8:{old.test}",
        "C:1:\"A\":-1:{}",
        "C:1:\"A\":9:{old.test}",
        "O:0:\"\":0:{}",
        "O:3:\"a-b\":0:{}",
        "O:8:\"stdClass\":0:{}",
        "O:1:\"A\":+0:{}",
        "a:0:{}",
        "a:-1:{}",
        "a:1:{}",
        "a:99999999999999999999:{}",
        "s:18446744073709551616:\"\";",
    ];
    prop_oneof![
        6 => texts().prop_map(|text| quoted('s', &text)),
        3 => prop::sample::select(words).prop_map(|s| s.as_bytes().to_vec()),
    ]
}

fn keys() -> impl Strategy<Value = Vec<u8>> {
    prop_oneof![
        4 => (0..4).prop_map(|n| format!("i:{n};").into_bytes()),
        4 => prop::sample::select(vec![
            "url", "old.test", "\0*\0a", "\0A\0b", "", "http://old.test",
        ]).prop_map(|s| quoted('s', s.as_bytes())),
        1 => prop::sample::select(vec!["S:1:\"\\41\";", "b:1;", "N;", "d:1;", "R:1;", "i:-3;"])
            .prop_map(|s| s.as_bytes().to_vec()),
    ]
}

/// A value as `serialize()` or somebody's hand would write it, with folds.
fn values() -> impl Strategy<Value = Vec<u8>> {
    scalars().prop_recursive(5, 40, 5, |inner| {
        // Nothing writes a key twice; PHP would keep the last.
        let elements = prop::collection::vec((keys().boxed(), inner.clone()), 0..5)
            .prop_map(|mut elements| {
                let mut seen = BTreeSet::new();
                elements.retain(|(key, _)| seen.insert(key.clone()));
                elements
            })
            .boxed();
        prop_oneof![
            5 => (elements.clone(), 0..40_u8).prop_map(|(elements, lie)| {
                let count = elements.len() + usize::from(lie == 0);
                let all: Vec<u8> = elements.into_iter().flat_map(|(k, v)| [k, v].concat()).collect();
                [format!("a:{count}:{{").as_bytes(), &all, b"}"].concat()
            }),
            3 => (elements, prop::sample::select(vec!["A", "stdClass", "Name\\Space", "old_test"]))
                .prop_map(|(elements, class)| {
                    let head = format!("O:{}:\"{class}\":{}:{{", class.len(), elements.len());
                    let all: Vec<u8> =
                        elements.into_iter().flat_map(|(k, v)| [k, v].concat()).collect();
                    [head.as_bytes(), &all, b"}"].concat()
                }),
            // Serialized inside serialized, with blanks, with text around.
            3 => (inner.clone(), prop::sample::select(vec!["", "", "", " ", "\n", "x"]), prop::sample::select(vec!["", "", "", "\0", "x"]))
                .prop_map(|(value, before, after)| {
                    quoted('s', &[before.as_bytes(), &value, after.as_bytes()].concat())
                }),
            1 => inner.clone().prop_map(|value| quoted('S', &value)),
            3 => (inner, any::<bool>(), any::<bool>()).prop_map(|(value, slashes, whole)| {
                let json = in_json(&value, slashes);
                quoted('s', &if whole { json } else { [b"x \\\\".as_slice(), &json].concat() })
            }),
        ]
    })
}

/// An object of JSON around a value, as far as it is text.
fn in_json(value: &[u8], slashes: bool) -> Vec<u8> {
    let text = String::from_utf8_lossy(value).into_owned();
    let pair = Pair::new(text.as_str(), "");
    // Always with its quotes escaped, sometimes its slashes.
    let forms = json_forms(&pair);
    let form = if slashes { forms.first() } else { forms.last() };
    let body = form.map_or(text.into_bytes(), |form| form.old.clone());
    [
        br#"{"u":"http:\/\/old.test","v":""#.as_slice(),
        &body,
        br#"","w":["old.test"]}"#,
    ]
    .concat()
}

/// Whole cells of a table: mostly values, some of them damaged, and plain text.
fn cells() -> impl Strategy<Value = Vec<u8>> {
    let damaged = (values(), any::<prop::sample::Index>(), any::<u8>(), 0..4_u8).prop_map(
        |(mut value, at, byte, how)| {
            let at = at.index(value.len());
            match how {
                0 => value.truncate(at),
                1 => value[at] = byte,
                2 => value.insert(at, b'0' + byte % 10),
                _ => drop(value.remove(at)),
            }
            value
        },
    );
    prop_oneof![
        10 => values(),
        3 => damaged,
        1 => values().prop_map(|value| [b" \n".as_slice(), &value, b"\t "].concat()),
        1 => (values(), texts()).prop_map(|(value, text)| [value, text].concat()),
        1 => texts(),
        2 => (values(), any::<bool>()).prop_map(|(value, slashes)| in_json(&value, slashes)),
    ]
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().fold(String::new(), |mut out, byte| {
        let _ = write!(out, "{byte:02x}");
        out
    })
}

fn php(script: &str, input: String) -> String {
    let mut php = Command::new("php")
        .args(["-n", "-d", "memory_limit=1G", "-r"])
        .arg(format!("{}{script}", WALK.trim_start_matches("<?php\n")))
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .expect("php is installed");
    let mut stdin = php.stdin.take().expect("a pipe");
    let writer = thread::spawn(move || stdin.write_all(input.as_bytes()));
    let output = php.wait_with_output().expect("an end");
    let written = writer.join().expect("a writer");
    let said = String::from_utf8_lossy(&output.stdout);
    assert!(
        output.status.success() && written.is_ok(),
        "{} {}",
        output.status,
        &said[..said.floor_char_boundary(2000)]
    );
    String::from_utf8(output.stdout).expect("ASCII")
}

#[test]
fn replaces_what_a_walk_in_php_replaces() {
    let replacer = Replacer::new(&pairs()).unwrap();
    let mut runner = TestRunner::new_with_rng(
        ProptestConfig::default(),
        TestRng::from_seed(RngAlgorithm::ChaCha, &[11; 32]),
    );
    let strategy = cells();
    let forms: Vec<String> = replacer
        .forms()
        .iter()
        .map(|pair| format!("{}:{}", hex(&pair.old), hex(&pair.new)))
        .collect();
    let mut input = forms.join(" ") + "\n";
    let mut changed = 0;
    for _ in 0..VALUES {
        let value = strategy.new_tree(&mut runner).unwrap().current();
        let outcome = replacer.replace(&value);
        changed += usize::from(outcome.value.is_some());
        let ours = outcome.value.as_deref().unwrap_or(&value);
        let _ = writeln!(
            input,
            "{} {} {} {}",
            hex(&value),
            hex(ours),
            outcome.tally.broken,
            u8::from(strings(&value, |_| ()).is_ok())
        );
    }
    assert!(changed > VALUES / 5, "only {changed} values had a hit");
    let said = php(JUDGE, input);
    let (last, wrong) = said
        .trim_end()
        .rsplit_once('\n')
        .map_or((said.trim_end(), ""), |(w, l)| (l, w));
    assert!(
        wrong.is_empty(),
        "{last}; {} differ, first:\n{}",
        wrong.lines().count(),
        wrong.lines().take(12).collect::<Vec<_>>().join("\n")
    );
    let figures: Vec<usize> = last
        .split(' ')
        .filter_map(|word| word.parse().ok())
        .collect();
    assert!(
        figures[0] > VALUES / 2 && figures[2] > 500 && figures[3] > VALUES / 4,
        "{last}"
    );
}

#[test]
fn writes_json_as_php_does() {
    let texts = [
        "http://old.test/ä",
        "a\"b\\c\u{8}\u{c}\n\r\t\u{1}",
        "😀/日本",
        "\u{7f}",
        "plain",
    ];
    let mut input = String::new();
    let mut ours = String::new();
    for text in texts {
        let _ = writeln!(input, "{}", hex(text.as_bytes()));
        let forms = json_forms(&Pair::new(text, text));
        let forms: Vec<String> = forms.iter().map(|pair| hex(&pair.old)).collect();
        let _ = writeln!(ours, "{}", forms.join(" "));
    }
    let script = r#"
        while (($line = fgets(STDIN)) !== false) {
            $text = hex2bin(rtrim($line, "\n"));
            $forms = [];
            foreach ([0, JSON_UNESCAPED_UNICODE | JSON_UNESCAPED_LINE_TERMINATORS, JSON_UNESCAPED_SLASHES,
                JSON_UNESCAPED_SLASHES | JSON_UNESCAPED_UNICODE | JSON_UNESCAPED_LINE_TERMINATORS] as $flags) {
                $forms[] = substr(json_encode($text, $flags), 1, -1);
            }
            echo implode(' ', array_map('bin2hex', array_unique(array_diff($forms, [$text])))), "\n";
        }
    "#;
    assert_eq!(php(script, input), ours);
}
