use super::*;
use proptest::prelude::*;
use std::fmt::Write as _;

fn constant(file: &str) -> Option<Value> {
    parse(file.as_bytes()).constant("X").cloned()
}

fn text(value: &str) -> Value {
    Value::Text(value.as_bytes().to_vec())
}

#[test]
fn reads_literals() {
    for (file, expected) in [
        ("<?php define('X', 'a');", Some(text("a"))),
        ("<?php DEFINE ( \"X\" , \"a\" ) ;", Some(text("a"))),
        (
            "<?php \\define('X', 'it\\'s \\\\ \\n');",
            Some(text("it's \\ \\n")),
        ),
        (
            r#"<?php define('X', "a\tb\$c\x41\101\u{e9}\q");"#,
            Some(text("a\tb$cAAé\\q")),
        ),
        ("<?php define('X', 'a' . \"b\" . 1);", Some(text("ab1"))),
        ("<?php define('X', true, false);", Some(Value::Bool(true))),
        ("<?php define('X', FALSE);", Some(Value::Bool(false))),
        ("<?php define('X', -5);", Some(Value::Int(-5))),
        ("<?php define('X', null);", Some(Value::Null)),
        ("<?php const X = 'a';", Some(text("a"))),
        ("<?php const Y = 1, X = 'a';", Some(text("a"))),
        ("<?php define('X','a')?>", Some(text("a"))),
        (
            "html <?php # c\n// c\n/* define('X','no'); */ define('X', 'a');",
            Some(text("a")),
        ),
        ("<?php // ?><?php define('X', 'a');", Some(text("a"))),
        ("<?php define('X', 'a'); define('X', 'b');", Some(text("a"))),
        (
            "<?php if (1) { $y = 1; } define('X', 'a');",
            Some(text("a")),
        ),
        (
            "<?php if (1): $y = 1; endif; define('X', 'a');",
            Some(text("a")),
        ),
        (
            "<?php $f = function () { return 1; }; define('X', 'a');",
            Some(text("a")),
        ),
        (
            "<?php if (a()) { $y = 1; } elseif (b()): c(); endif; define('X', 'a');",
            Some(text("a")),
        ),
        (
            "<?php $h = <<<E\n define('X','no');\n E\n E;\ndefine('X', 'a');",
            Some(text("a")),
        ),
    ] {
        assert_eq!(constant(file), expected, "in {file}");
    }
}

#[test]
fn reads_what_people_write() {
    for (file, expected) in [
        ("defined('X') || define('X', 'a');", text("a")),
        ("defined( 'X' ) or define( 'X', 'a' );", text("a")),
        ("if (!defined('X')) define('X', 'a');", text("a")),
        ("if ( ! defined( 'X' ) ) { define( 'X', 'a' ); }", text("a")),
        ("if (!defined('X')): define('X', 'a'); endif;", text("a")),
        ("if (defined('X') === false) define('X', 'a');", text("a")),
        (
            "define('X', 'b'); defined('X') || define('X', 'a');",
            text("b"),
        ),
        (
            "if (a()) { define('X', 'a'); } else { define('X', 'a'); }",
            text("a"),
        ),
        ("if (a()) { exit; } define('X', 'a');", text("a")),
        ("define('Y', 'a'); define('X', Y . 'b');", text("ab")),
        ("define('Y', true); define('X', Y ? 'a' : 'b');", text("a")),
        (
            "define('X', constant('Y')); define('Y', 1);",
            Value::Unknown,
        ),
        ("const Y = 'a'; const X = Y . 'b';", text("ab")),
        ("$a = 'a'; define('X', \"$\" . $a . '_');", text("$a_")),
        ("$a = 'a'; f('x', $b); define('X', $a);", text("a")),
        ("define('X', 60 * 60 * 24);", Value::Int(86400)),
        ("define('X', 5 - 2 - 1);", Value::Int(2)),
        ("define('X', 0644);", Value::Int(420)),
        ("define('X', 0x1F);", Value::Int(31)),
        ("define('X', 1_000);", Value::Int(1000)),
        ("define('X', (int) '5');", Value::Int(5)),
        ("define('X', (string) 5);", text("5")),
        ("define('X', (bool) 'false');", Value::Bool(true)),
        ("define('X', !true);", Value::Bool(false)),
        ("define('X', ('a' . 'b'));", text("ab")),
        ("define('X', 'a' ?: 'b');", text("a")),
        ("define('X', 'a', false);", text("a")),
        (
            "define('X', <<<E\n  a\tb\n  c \\\" \\x41\n  E);",
            text("a\tb\nc \\\" A"),
        ),
        ("define('X', <<<'E'\na $b \\n\nE);", text("a $b \\n")),
        ("define('X', <<<E\r\na\r\n\r\nE\r\n);", text("a\r\n")),
        ("define('X', <<<E\nE);", text("")),
        (
            "@ini_set('display_errors', 0); \\define('X', 'a');",
            text("a"),
        ),
        ("$_SERVER['HTTPS'] = 'on'; define('X', 'a');", text("a")),
        (
            "if (isset($_SERVER['A']) && strpos($_SERVER['A'], 'https') !== false) { $_SERVER['HTTPS'] = 'on'; } define('X', 'a');",
            text("a"),
        ),
        (
            "if (!function_exists('f')) { function f($a) { return $a; } } define('X', 'a');",
            text("a"),
        ),
        (
            "define('Y', array('a' => [1, 2])); define('X', 'a');",
            text("a"),
        ),
        (
            "foreach (array('a') as $b) { ini_set($b, 1); } define('X', 'a');",
            text("a"),
        ),
        (
            "if (a()) { include 'b.php'; exit; } define('X', 'a');",
            text("a"),
        ),
    ] {
        assert_eq!(
            constant(&format!("<?php {file}")),
            Some(expected),
            "in {file}"
        );
    }
}

#[test]
fn knows_where_it_lies() {
    let place = Place {
        file: b"/srv/site/wp-config.php".to_vec(),
        abspath: b"/srv/site/public/".to_vec(),
    };
    for (value, expected) in [
        ("__DIR__", text("/srv/site")),
        ("__DIR__ . '/content'", text("/srv/site/content")),
        ("dirname(__FILE__) . '/content'", text("/srv/site/content")),
        ("dirname(__DIR__)", text("/srv")),
        ("dirname(__FILE__, 2)", text("/srv")),
        ("dirname(dirname(dirname(dirname(__FILE__))))", text("/")),
        ("ABSPATH . 'x'", text("/srv/site/public/x")),
        ("realpath(__DIR__)", Value::Unknown),
        ("__FILE__", text("/srv/site/wp-config.php")),
    ] {
        let file = format!(
            "<?php if (!defined('ABSPATH')) define('ABSPATH', '/no/'); define('X', {value});"
        );
        let config = parse_at(file.as_bytes(), &place);
        assert_eq!(config.constant("X"), Some(&expected), "in {value}");
        assert_eq!(config.constant("ABSPATH"), None);
    }
    let config = parse_at(b"<?php define('ABSPATH', '/no/');", &place);
    assert_eq!(config.constant("ABSPATH"), Some(&text("/srv/site/public/")));
}

#[test]
fn lists_what_it_defines_and_says_whether_there_may_be_more() {
    let config =
        parse(b"<?php define('B', 1); if (a()) { define('A', 2); } require 'wp-settings.php';");
    let all: Vec<_> = config.constants().collect();
    assert_eq!(all, [("A", &Value::Unknown), ("B", &Value::Int(1))]);
    assert!(!config.may_define_more());
    assert!(config.loads_wordpress());
    assert!(parse(b"<?php include 'a';").may_define_more());
}

#[test]
fn a_file_made_to_exhaust_us_is_read_in_time() {
    let deep = |open: &str| format!("<?php define('X', 1); {}", open.repeat(40_000));
    for file in [
        deep("("),
        deep("{"),
        deep("!"),
        deep("if(a)"),
        deep("if (a) { define('Y', 1); "),
        deep("f("),
        deep("[f("),
        deep("'a'."),
        deep("a||"),
        deep("$a="),
        deep("a?"),
        deep("function f(){"),
        deep("else if (a) b();"),
        deep("do "),
        deep("<<<E\n"),
    ] {
        let _ = parse(file.as_bytes());
        let _ = edit::apply(
            file.as_bytes(),
            &Place {
                file: vec![],
                abspath: vec![],
            },
            &[edit::Change::Remove { name: "X".into() }],
        );
    }
    let mut many = String::from("<?php ");
    for number in 0..8_000 {
        write!(many, "if (a()) define('C{number}', 1); ").unwrap();
    }
    let _ = parse(many.as_bytes());
}

#[test]
fn says_unknown_rather_than_guess() {
    for file in [
        "<?php define('X', getenv('X'));",
        "<?php define('X', \"a$b\");",
        "<?php define('X', \"a{$b}\");",
        "<?php define('X', Y . 'a');",
        "<?php define('X', ['a']);",
        "<?php define('X', getenv('X') ?: 'a');",
        "<?php define('X', $_SERVER['X'] ?? 'a');",
        "<?php define('X', $a);",
        "<?php define('X', 1.5);",
        "<?php define('X', __DIR__);",
        "<?php define('X', ABSPATH . 'a');",
        "<?php define('X', new A);",
        "<?php define('X', a::b);",
        "<?php array_map('define', ['X'], ['a']);",
        "<?php $a = 'a'; $r = &$a; f($r); define('X', $a . $$r);",
        "<?php $a = 'a'; foreach ($b as $a) {} define('X', $a);",
        "<?php $a = 'a'; function f() { global $a; $a = 'b'; } f(); define('X', $a);",
        "<?php f(); define('X', 'b'); function f() { define('X', 'a'); }",
        "<?php defined('WP_CLI') || define('X', 'a');",
        "<?php if (!defined('WP_CLI')) { require 'wp-settings.php'; } define('X', 'a');",
        "<?php switch ($a) { case 1: define('X', 'a'); break; default: define('X', 'b'); }",
        "<?php try { define('X', 'a'); } catch (E $e) {}",
        "<?php while (a()) { define('X', 'a'); }",
        "<?php if (a()) { define('X', 'a'); } else { define('X', 'b'); }",
        "<?php if (a()) { define('X', 'a'); }",
        "<?php if (a()) define('X', 'a');",
        "<?php if (a()) { $y = 1; } else define('X', 'a');",
        "<?php if (a()): define('X', 'a'); endif;",
        "<?php if (a()) { define('X', 'b'); } define('X', 'a');",
        "<?php if (a()) if (b()): c(); define('X', 'a'); endif;",
        "<?php a() and define('X', 'a');",
        "<?php function f() { define('X', 'a'); }",
        "<?php include 'other.php'; define('X', 'a');",
        "<?php require_once __DIR__ . '/local.php';",
        "<?php eval($code);",
        "<?php define($name, 'a');",
        "<?php foreach ($all as $k => $v) define($k, $v);",
        "<?php define('X', <<<E\n$a\nE\n);",
    ] {
        assert_eq!(constant(file), Some(Value::Unknown), "in {file}");
    }
}

#[test]
fn nothing_is_read_where_nothing_is() {
    for file in [
        "",
        "define('X', 'a');",
        "<?php // define('X', 'a');",
        "<?php 'define(\"X\", 1)';",
        "<?php $o->define('X', 'a');",
        "<?php exit; define('X', 'a');",
        "<?php require_once ABSPATH . 'wp-settings.php'; define('X', 'a');",
        "<?php ?>define('X', 'a');",
    ] {
        assert_eq!(constant(file), None, "in {file}");
    }
}

#[test]
fn reads_the_table_prefix() {
    let prefix = |file: &str| parse(file.as_bytes()).table_prefix().cloned();
    assert_eq!(prefix("<?php $table_prefix = 'wp_';"), Some(text("wp_")));
    assert_eq!(
        prefix("<?php $table_prefix='a_'; $table_prefix = 'b_';"),
        Some(text("b_"))
    );
    assert_eq!(prefix("<?php $x = 1;"), None);
    for file in [
        "<?php $table_prefix = 'a_'; if (b()) { $table_prefix = 'b_'; }",
        "<?php $table_prefix = 'a_'; $table_prefix .= 'b_';",
        "<?php $table_prefix = getenv('P') ?: 'a_';",
        "<?php $table_prefix = 'a_'; $r = &$table_prefix;",
        "<?php $table_prefix = 'a_'; $GLOBALS['table_prefix'] = 'b_';",
        "<?php $table_prefix = 'a_'; f($table_prefix);",
    ] {
        assert_eq!(prefix(file), Some(Value::Unknown), "in {file}");
    }
    assert_eq!(
        prefix("<?php $table_prefix = 'a_'; if ($table_prefix == 'x') { y(); }"),
        Some(text("a_"))
    );
}

proptest! {
    #[test]
    fn never_panics(file in prop::collection::vec(any::<u8>(), 0..200)) {
        let mut file = file;
        file.splice(..0, *b"<?php ");
        let _ = parse(&file);
    }

    #[test]
    fn never_panics_on_almost_php(pieces in prop::collection::vec(prop::sample::select(vec![
        "define", "(", ")", "'X'", "\"a\"", "\"", "'", ",", ";", "{", "}", ":", "if", "else", "endif",
        "const", "X", "=", "$table_prefix", ".", "<<<E\n", "\nE", "?>", "<?php ", "/*", "*/", "//", "\n",
        "\\", "\\u{", "\\x", "\\7", "-", "1", "[", "]", "function",
    ]), 0..40)) {
        let _ = parse(format!("<?php {}", pieces.concat()).as_bytes());
    }

    #[test]
    fn single_quotes_read_back(value in prop::collection::vec(any::<u8>(), 0..40)) {
        let mut file = b"<?php define('X', '".to_vec();
        for byte in &value {
            if matches!(byte, b'\'' | b'\\') {
                file.push(b'\\');
            }
            file.push(*byte);
        }
        file.extend_from_slice(b"');");
        let config = parse(&file);
        prop_assert_eq!(config.constant("X"), Some(&Value::Text(value)));
    }
}
