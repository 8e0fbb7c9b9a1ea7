use super::*;
use proptest::prelude::*;

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
            "<?php $h = <<<E\n define('X','no');\n E\n E;\ndefine('X', 'a');",
            Some(text("a")),
        ),
    ] {
        assert_eq!(constant(file), expected, "in {file}");
    }
}

#[test]
fn says_unknown_rather_than_guess() {
    for file in [
        "<?php define('X', getenv('X'));",
        "<?php define('X', \"a$b\");",
        "<?php define('X', \"a{$b}\");",
        "<?php define('X', Y . 'a');",
        "<?php define('X', 'a' ?: 'b');",
        "<?php define('X', ['a']);",
        "<?php define('X', 1 + 1);",
        "<?php define('X', 010);",
        "<?php if (a()) { define('X', 'a'); }",
        "<?php if (a()) define('X', 'a');",
        "<?php if (a()) { $y = 1; } else define('X', 'a');",
        "<?php if (a()): define('X', 'a'); endif;",
        "<?php if (a()) { define('X', 'b'); } define('X', 'a');",
        "<?php if (a()) if (b()): c(); define('X', 'a'); endif;",
        "<?php defined('X') || define('X', 'a');",
        "<?php a() and define('X', 'a');",
        "<?php function f() { define('X', 'a'); }",
        "<?php include 'other.php'; define('X', 'a');",
        "<?php require_once __DIR__ . '/local.php';",
        "<?php eval($code);",
        "<?php define($name, 'a');",
        "<?php foreach ($all as $k => $v) define($k, $v);",
        "<?php define('X', <<<E\na\nE\n);",
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
