//! `version::compare` against the real `php`, many pairs through one process.

use pressroom_phpdata::version;
use proptest::{
    prelude::*,
    strategy::ValueTree,
    test_runner::{RngAlgorithm, TestRng, TestRunner},
};
use std::{
    fmt::Write as _,
    io::Write as _,
    process::{Command, Stdio},
    thread,
};

const PAIRS: usize = 120_000;

fn versions() -> impl Strategy<Value = Vec<u8>> {
    let piece = prop_oneof![
        5 => prop::sample::select(vec![
            "0", "1", "2", "01", "10", "9", "99999999999999999999", "9223372036854775807",
        ]).prop_map(|s| s.as_bytes().to_vec()),
        4 => Just(b".".to_vec()),
        3 => prop::sample::select(vec![
            "dev", "alpha", "a", "beta", "b", "RC", "rc", "Rc", "#", "pl", "p", "patch", "stable",
            "#N#", "developer", "v",
        ]).prop_map(|s| s.as_bytes().to_vec()),
        2 => prop::sample::select(vec!["-", "_", "+", " ", "(", ",", "..", "*"])
            .prop_map(|s| s.as_bytes().to_vec()),
        1 => prop::collection::vec(1_u8..=255, 0..4),
    ];
    prop::collection::vec(piece, 0..7).prop_map(|pieces| pieces.concat())
}

#[test]
fn agrees_with_php_on_every_pair() {
    let mut runner = TestRunner::new_with_rng(
        ProptestConfig::default(),
        TestRng::from_seed(RngAlgorithm::ChaCha, &[7; 32]),
    );
    let strategy = versions();
    let mut next = || strategy.new_tree(&mut runner).unwrap().current();
    let pairs: Vec<(Vec<u8>, Vec<u8>)> = (0..PAIRS).map(|_| (next(), next())).collect();

    let script = r#"
        while (($line = fgets(STDIN)) !== false) {
            [$a, $b] = explode(' ', rtrim($line, "\n"));
            echo version_compare(hex2bin($a), hex2bin($b)) + 1;
        }
    "#;
    let mut php = Command::new("php")
        .args(["-n", "-r", script])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .expect("php is installed");
    let mut input = String::new();
    for (a, b) in &pairs {
        let hex = |bytes: &[u8]| {
            bytes.iter().fold(String::new(), |mut out, byte| {
                write!(out, "{byte:02x}").unwrap();
                out
            })
        };
        writeln!(input, "{} {}", hex(a), hex(b)).unwrap();
    }
    let mut stdin = php.stdin.take().unwrap();
    let writer = thread::spawn(move || stdin.write_all(input.as_bytes()));
    let output = php.wait_with_output().unwrap();
    writer.join().unwrap().unwrap();
    assert!(output.status.success());
    assert_eq!(output.stdout.len(), PAIRS);

    let mut orders = [0; 3];
    for ((a, b), answer) in pairs.iter().zip(&output.stdout) {
        let ours = version::compare_bytes(a, b) as i8 + 1;
        let theirs = i8::try_from(answer - b'0').unwrap();
        assert_eq!(
            ours,
            theirs,
            "{:?} against {:?}",
            String::from_utf8_lossy(a),
            String::from_utf8_lossy(b)
        );
        orders[usize::try_from(theirs).unwrap()] += 1;
    }
    assert!(
        orders.iter().all(|count| *count > 1000),
        "the pairs are too alike to prove anything: {orders:?}"
    );
}
