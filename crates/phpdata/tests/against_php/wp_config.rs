//! `wp_config::parse_at` against the real `php`: whatever it says with certainty is
//! what PHP has when WordPress would be loaded.

use pressroom_phpdata::wp_config::{self, Place, Value};
use proptest::{
    prelude::*,
    strategy::ValueTree,
    test_runner::{RngAlgorithm, TestRng, TestRunner},
};
use std::{fs, path::PathBuf, process::Command};

const FILES: usize = 2000;

/// Includes each file in a scope of its own and prints what became of its names.
/// `wp-settings.php` and `other.php` are what the files may include.
const SCRIPT: &str = r"
    class Loaded extends Exception {}
    function harness_coin() { return mt_rand(0, 1) === 1; }
    function harness_one($file) {
        global $table_prefix, $v, $w;
        $table_prefix = $v = $w = null;
        try { include $file; exit(2); } catch (Loaded $e) {}
        return $table_prefix;
    }
    define('ABSPATH', '/srv/site/');
    $count = (int) $argv[1];
    for ($i = 0; $i < $count; $i++) {
        // A file that PHP refuses, or that does not load WordPress, ends only its own process.
        $child = pcntl_fork();
        if ($child) {
            pcntl_waitpid($child, $status);
            if ($status !== 0) echo PHP_EOL, 'R dead', PHP_EOL;
            continue;
        }
        mt_srand($i);
        $GLOBALS['harness_case'] = $i;
        $prefix = harness_one(__DIR__ . '/' . $i . '.php');
        $line = array(is_string($prefix) ? 's' . bin2hex($prefix) : 'n');
        foreach (array('A', 'B', 'C') as $name) {
            $name .= $i;
            if (!defined($name)) { $line[] = 'n'; continue; }
            $value = constant($name);
            $line[] = is_string($value) ? 's' . bin2hex($value)
                : (is_int($value) ? 'i' . $value : (is_bool($value) ? ($value ? 'b1' : 'b0') : ($value === null ? 'null' : '?')));
        }
        echo PHP_EOL, 'R ', implode(' ', $line), PHP_EOL;
        exit(0);
    }
";

fn expression() -> impl Strategy<Value = String> {
    let leaf = prop_oneof![
        4 => prop::sample::select(vec![
            "'a'", "\"b\\t\\$\"", "\"v$v\"", "1", "0", "010", "0x1f", "-3", "true", "false", "null", "'0'", "''",
            "__DIR__", "ABSPATH", "$v", "$w", "<<<E\n  x\n   y\n  E", "<<<'E'\n$v\\n\nE", "1.5", "[1]",
        ]).prop_map(str::to_owned),
        1 => prop::sample::select(vec!["(defined('A@') ? A@ : 'u')", "(defined('B@') ? B@ : 0)"]).prop_map(str::to_owned),
        1 => Just("harness_coin()".to_owned()),
    ];
    leaf.prop_recursive(2, 8, 2, |inner| {
        prop_oneof![
            (inner.clone(), inner.clone()).prop_map(|(a, b)| format!("({a}) . ({b})")),
            (inner.clone(), inner.clone()).prop_map(|(a, b)| format!("({a}) ?: ({b})")),
            (inner.clone(), inner.clone()).prop_map(|(a, b)| format!("({a}) ?? ({b})")),
            (inner.clone(), inner.clone()).prop_map(|(a, b)| format!("({a}) === ({b})")),
            (inner.clone(), inner.clone()).prop_map(|(a, b)| format!("({a}) != ({b})")),
            (inner.clone(), inner.clone()).prop_map(|(a, b)| format!("({a}) && ({b})")),
            (inner.clone(), inner.clone()).prop_map(|(a, b)| format!("({a}) || ({b})")),
            inner.clone().prop_map(|a| format!("!({a})")),
            inner.clone().prop_map(|a| format!("(bool) ({a})")),
            inner
                .clone()
                .prop_map(|a| format!("dirname(__DIR__ . '/x//' . (string) ({a}))")),
            (inner.clone(), inner.clone(), inner)
                .prop_map(|(a, b, c)| format!("({a}) ? ({b}) : ({c})")),
        ]
    })
}

fn condition() -> impl Strategy<Value = String> {
    prop_oneof![
        Just("harness_coin()".to_owned()),
        Just("defined('A@')".to_owned()),
        Just("! defined( 'B@' )".to_owned()),
        Just("isset($v) && harness_coin()".to_owned()),
        Just("$w = harness_coin()".to_owned()),
        expression(),
    ]
}

fn statement() -> impl Strategy<Value = String> {
    let name = || prop::sample::select(vec!["A@", "B@", "C@"]);
    let simple = prop_oneof![
        5 => (name(), expression()).prop_map(|(n, e)| format!("define('{n}', {e});")),
        2 => (name(), expression()).prop_map(|(n, e)| format!("defined('{n}') || define('{n}', {e});")),
        1 => (name(), expression()).prop_map(|(n, e)| format!("harness_coin() and define('{n}', {e});")),
        2 => expression().prop_map(|e| format!("$table_prefix = {e};")),
        3 => expression().prop_map(|e| format!("$v = {e};")),
        1 => expression().prop_map(|e| format!("$v .= {e};")),
        1 => expression().prop_map(|e| format!("$w = ($v = {e});")),
        1 => name().prop_map(|n| format!("function f{n}() {{ if (!defined('{n}')) define('{n}', 'f'); global $v; $v = 'g'; }}")),
        1 => name().prop_map(|n| format!("if (function_exists('f{n}')) f{n}();")),
        1 => name().prop_map(|n| format!("$f = function () use (&$v) {{ define('{n}', 'z'); $v = 'h'; }}; if (harness_coin()) $f();")),
        1 => prop::sample::select(vec![
            "include __DIR__ . '/other.php';", "require 'wp-settings.php';", "if (harness_coin()) return;", "if (harness_coin()) exit(3);",
            "$GLOBALS['v'] = 'i';", "foreach (['p', 'q'] as $v) {}", "list($v, $w) = ['l', 'm'];",
            "unset($v);", "$r = &$v; $r = 'j';", "parse_str('v=1&w=2', $v);", "settype($v, 'string');",
            "$n = 'v'; $$n = 'k';", "extract(['v' => 'x']);", "?> html <?php ", "/* define('A@', 1); */",
            "// define('A@', 2); ?> <?php ", "call_user_func('define', 'C@', 'u');", ";",
            "array_map('define', ['B@'], ['m']);", "eval('$v = \"e\";');",
        ]).prop_map(str::to_owned),
    ];
    simple.prop_recursive(3, 12, 3, |inner| {
        let block = prop::collection::vec(inner.clone(), 0..3).prop_map(|all| all.join("\n"));
        prop_oneof![
            (condition(), block.clone()).prop_map(|(c, b)| format!("if ({c}) {{ {b} }}")),
            (condition(), block.clone(), block.clone())
                .prop_map(|(c, b, d)| format!("if ({c}) {{ {b} }} else {{ {d} }}")),
            (
                condition(),
                block.clone(),
                condition(),
                block.clone(),
                block.clone()
            )
                .prop_map(|(c, b, d, e, f)| format!(
                    "if ({c}): {b};\nelseif ({d}): {e};\nelse: {f}\nendif;"
                )),
            (condition(), inner.clone()).prop_map(|(c, b)| if b.starts_with("function") {
                b
            } else {
                format!("if ({c}) {b}")
            }),
            block.clone().prop_map(|b| format!("{{ {b} }}")),
            block
                .clone()
                .prop_map(|b| format!("foreach ([1] as $x) {{ {b} }}")),
            block.clone().prop_map(|b| format!(
                "switch (harness_coin()) {{ case true: {b} break; default: }}"
            )),
            block.prop_map(|b| format!("try {{ {b} }} finally {{ }}")),
        ]
    })
}

#[test]
fn what_is_certain_is_so() {
    let dir = std::env::temp_dir().join(format!("pressroom-phpdata-{}", std::process::id()));
    fs::create_dir_all(&dir).unwrap();
    let dir = Scratch(fs::canonicalize(dir).unwrap());
    fs::write(dir.0.join("wp-settings.php"), "<?php throw new Loaded;").unwrap();
    fs::write(
        dir.0.join("other.php"),
        "<?php if (harness_coin()) define('A' . $GLOBALS['harness_case'], 'o'); $v = $w = 'o'; if (harness_coin()) $table_prefix = 'o';",
    )
    .unwrap();
    fs::write(dir.0.join("script.php"), format!("<?php {SCRIPT}")).unwrap();
    let mut runner = TestRunner::new_with_rng(
        ProptestConfig::default(),
        TestRng::from_seed(RngAlgorithm::ChaCha, &[11; 32]),
    );
    let strategy = prop::collection::vec(statement(), 1..8);
    let files: Vec<String> = (0..FILES)
        .map(|case| {
            let all = strategy.new_tree(&mut runner).unwrap().current();
            let file = format!(
                "<?php\n{}\nrequire_once 'wp-settings.php';\n",
                all.join("\n")
            )
            .replace('@', &case.to_string());
            fs::write(dir.0.join(format!("{case}.php")), &file).unwrap();
            file
        })
        .collect();
    let mut answers = Vec::new();
    let output = Command::new("php")
        .args([
            "-n",
            "-d",
            "display_errors=stderr",
            "-d",
            "error_reporting=0",
        ])
        .arg(dir.0.join("script.php"))
        .arg(FILES.to_string())
        .output()
        .expect("php is installed");
    let said = String::from_utf8_lossy(&output.stdout).into_owned();
    for line in said.lines().filter_map(|line| line.strip_prefix("R ")) {
        answers.push(line.split(' ').map(str::to_owned).collect::<Vec<_>>());
    }
    assert_eq!(
        answers.len(),
        FILES,
        "php ended early: {}{}",
        said.lines().last().unwrap_or_default(),
        String::from_utf8_lossy(&output.stderr)
    );
    let mut known = 0;
    let mut dead = 0;
    let mut unknown = 0;
    for (case, (file, answer)) in files.iter().zip(&answers).enumerate() {
        if answer[0] == "dead" {
            dead += 1;
            continue;
        }
        let place = Place {
            file: dir.0.join(format!("{case}.php")).to_str().unwrap().into(),
            abspath: b"/srv/site/".to_vec(),
        };
        let config = wp_config::parse_at(file.as_bytes(), &place);
        let mut check = |what: &str, ours: Option<&Value>, theirs: &str| match ours {
            Some(Value::Unknown) => unknown += 1,
            ours => {
                known += 1;
                assert_eq!(shown(ours), theirs, "{what} in {file}\n{config:?}");
            }
        };
        // A prefix that is no string cannot be one.
        if !matches!(
            config.table_prefix(),
            Some(Value::Int(_) | Value::Bool(_) | Value::Null)
        ) {
            check("$table_prefix", config.table_prefix(), &answer[0]);
        }
        for (name, theirs) in ["A", "B", "C"].iter().zip(&answer[1..]) {
            check(name, config.constant(&format!("{name}{case}")), theirs);
        }
    }
    assert!(dead < FILES / 3, "{dead} of the files load no WordPress");
    assert!(
        known > FILES && unknown > FILES / 4,
        "{known} known and {unknown} unknown values prove little"
    );
}

fn shown(value: Option<&Value>) -> String {
    match value {
        None => "n".into(),
        Some(Value::Text(bytes)) => bytes
            .iter()
            .fold("s".into(), |out, byte| format!("{out}{byte:02x}")),
        Some(Value::Int(number)) => format!("i{number}"),
        Some(Value::Bool(truth)) => format!("b{}", u8::from(*truth)),
        Some(Value::Null) => "null".into(),
        Some(Value::Unknown) => "?".into(),
    }
}

/// Removed at the end.
struct Scratch(PathBuf);

impl Drop for Scratch {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}
