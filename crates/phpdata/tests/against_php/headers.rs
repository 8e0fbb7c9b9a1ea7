//! `headers::find` against WordPress' own expressions, run by the real `php`.

use pressroom_phpdata::headers;
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

const FILES: usize = 30_000;

/// `get_file_data()` of WordPress 6.5, as its documentation states it.
const SCRIPT: &str = r#"
    while (($line = fgets(STDIN)) !== false) {
        $data = str_replace("\r", "\n", substr(hex2bin(rtrim($line, "\n")), 0, 8192));
        if (preg_match('/^(?:[ \t]*<\?php)?[ \t\/*#@]*' . preg_quote('Plugin Name', '/') . ':(.*)$/mi', $data, $m) && $m[1]) {
            echo 'v', bin2hex(trim(preg_replace('/\s*(?:\*\/|\?>).*/', '', $m[1]))), "\n";
        } else {
            echo "v\n";
        }
    }
"#;

fn files() -> impl Strategy<Value = Vec<u8>> {
    let piece = prop_oneof![
        4 => Just("Plugin Name:"),
        2 => prop::sample::select(vec!["plugin name:", "Plugin Name", "Plugin  Name:", "Plugin Name :"]),
        3 => prop::sample::select(vec!["<?php", "<?PHP", "<?", "?>", "*/", "/*", "//", "#", "@", " * "]),
        3 => prop::sample::select(vec!["\n", "\r", "\r\n", " ", "\t", "\x0b", "\x0c"]),
        3 => prop::sample::select(vec!["Foo", "0", ":", "x y", "é", "\0", "1.0"]),
    ];
    prop::collection::vec(piece, 0..10).prop_map(|pieces| pieces.concat().into_bytes())
}

#[test]
fn agrees_with_wordpress_on_every_file() {
    let mut runner = TestRunner::new_with_rng(
        ProptestConfig::default(),
        TestRng::from_seed(RngAlgorithm::ChaCha, &[9; 32]),
    );
    let strategy = files();
    let files: Vec<Vec<u8>> = (0..FILES)
        .map(|_| strategy.new_tree(&mut runner).unwrap().current())
        .collect();
    let mut input = String::new();
    for file in &files {
        for byte in file {
            write!(input, "{byte:02x}").unwrap();
        }
        input.push('\n');
    }
    let mut php = Command::new("php")
        .args(["-n", "-r", SCRIPT])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .expect("php is installed");
    let mut stdin = php.stdin.take().unwrap();
    let writer = thread::spawn(move || stdin.write_all(input.as_bytes()));
    let output = php.wait_with_output().unwrap();
    writer.join().unwrap().unwrap();
    assert!(output.status.success());
    let answers = String::from_utf8(output.stdout).unwrap();
    assert_eq!(answers.lines().count(), FILES);
    let mut named = 0;
    for (file, answer) in files.iter().zip(answers.lines()) {
        let ours = headers::find(file, "Plugin Name").unwrap_or_default();
        let hex = ours.bytes().fold(String::from("v"), |mut out, byte| {
            write!(out, "{byte:02x}").unwrap();
            out
        });
        assert_eq!(hex, answer, "in {:?}", String::from_utf8_lossy(file));
        named += usize::from(!ours.is_empty());
    }
    assert!(named > 1000, "only {named} files had a name");
}
