use super::*;
use proptest::prelude::*;
use std::fmt::Write as _;

fn place() -> Place {
    Place {
        file: b"/srv/www/wp-config.php".to_vec(),
        abspath: b"/srv/www/".to_vec(),
    }
}

fn set(name: &str, value: Value) -> Change {
    Change::Set {
        name: name.into(),
        value,
    }
}

fn text(value: &str) -> Value {
    Value::Text(value.into())
}

fn edited(file: &str, change: Change) -> Result<String, Refusal> {
    apply(file.as_bytes(), &place(), &[change]).map(|file| String::from_utf8(file).unwrap())
}

const USUAL: &str = "<?php\n// Keep: \t odd   spaces\ndefine( 'DB_NAME', 'old' ); // the name\n\
    if ( ! defined( 'WP_DEBUG' ) ) {\n\tdefine( 'WP_DEBUG', false );\n}\n$table_prefix = 'wp_';\n\n\
    /* That's all, stop editing! Happy publishing. */\n\n/** Absolute path */\n\
    if ( ! defined( 'ABSPATH' ) ) {\n\tdefine( 'ABSPATH', __DIR__ . '/' );\n}\n\n\
    require_once ABSPATH . 'wp-settings.php';\n";

#[test]
fn changes_only_the_bytes_of_the_value() {
    for (change, from, to) in [
        (set("DB_NAME", text("it's")), "'old'", "'it\\'s'"),
        (set("WP_DEBUG", Value::Bool(true)), "false", "true"),
        (
            Change::TablePrefix {
                prefix: "x_".into(),
            },
            "'wp_'",
            "'x_'",
        ),
    ] {
        assert_eq!(edited(USUAL, change).unwrap(), USUAL.replacen(from, to, 1));
    }
    assert_eq!(edited(USUAL, set("DB_NAME", text("old"))).unwrap(), USUAL);
}

#[test]
fn adds_before_wordpress_is_loaded() {
    let stop = "/* That's all";
    assert_eq!(
        edited(USUAL, set("WP_CACHE", Value::Bool(true))).unwrap(),
        USUAL.replace(stop, &format!("define( 'WP_CACHE', true );\n{stop}"))
    );
    // Without the English comment: before the check of ABSPATH and its comment.
    let other = USUAL.replace("/* That's all, stop editing! Happy publishing. */\n\n", "");
    assert_eq!(
        edited(&other, set("X", Value::Int(5))).unwrap(),
        other.replace("/** Abs", "define( 'X', 5 );\n/** Abs")
    );
    let windows = "<?php\r\ndefine('A', 1);\r\nrequire 'wp-settings.php';\r\n";
    assert_eq!(
        edited(windows, set("X", Value::Int(5))).unwrap(),
        "<?php\r\ndefine('A', 1);\r\ndefine( 'X', 5 );\r\nrequire 'wp-settings.php';\r\n"
    );
    let one_line = "<?php $table_prefix='a_';require 'wp-settings.php';";
    assert_eq!(
        edited(one_line, set("X", Value::Int(5))).unwrap(),
        "<?php $table_prefix='a_';define( 'X', 5 );\nrequire 'wp-settings.php';"
    );
    assert_eq!(
        edited("<?php echo 1;", set("X", Value::Int(5))),
        Err(Refusal::NoPlace)
    );
}

#[test]
fn removes_whole_statements() {
    assert_eq!(
        edited(
            USUAL,
            Change::Remove {
                name: "WP_DEBUG".into()
            }
        )
        .unwrap(),
        USUAL.replace(
            "if ( ! defined( 'WP_DEBUG' ) ) {\n\tdefine( 'WP_DEBUG', false );\n}\n",
            ""
        )
    );
    let remove = |file: &str| edited(file, Change::Remove { name: "X".into() });
    assert_eq!(
        remove("<?php define('X', 1); define('X', 2);\ndefine('Y', 1); // X\n").unwrap(),
        "<?php  \ndefine('Y', 1); // X\n"
    );
    assert_eq!(
        remove("<?php\nconst X = define('X', 1);\n").unwrap(),
        "<?php\n"
    );
    assert_eq!(
        remove("<?php define('Y', 1);").unwrap(),
        "<?php define('Y', 1);"
    );
    assert_eq!(
        remove("<?php const X = 1, Y = 2;"),
        Err(Refusal::Conditional("X".into()))
    );
}

#[test]
fn what_is_not_plain_is_refused() {
    let x = || set("X", Value::Int(1));
    let ends = "\nrequire 'wp-settings.php';";
    for (file, why) in [
        ("define('X', getenv('X'));", Refusal::Computed("X".into())),
        (
            "if (a()) { define('X', 2); }",
            Refusal::Conditional("X".into()),
        ),
        (
            "switch (a()) { case 1: define('X', 2); }",
            Refusal::Conditional("X".into()),
        ),
        ("include 'other.php';", Refusal::Elsewhere("X".into())),
        (
            "include 'other.php'; define('X', 2);",
            Refusal::Elsewhere("X".into()),
        ),
        (
            "if ('a' === 'b') { define('X', 2); } define('X', 3);",
            Refusal::Unsound("X".into()),
        ),
        (
            "function f() { define('X', 2); }",
            Refusal::Conditional("X".into()),
        ),
    ] {
        assert_eq!(
            edited(&format!("<?php {file}{ends}"), x()),
            Err(why),
            "in {file}"
        );
    }
    let prefix = |file: &str| {
        edited(
            file,
            Change::TablePrefix {
                prefix: "x_".into(),
            },
        )
    };
    assert_eq!(
        prefix("<?php $table_prefix = getenv('P');"),
        Err(Refusal::Computed("$table_prefix".into()))
    );
    assert_eq!(
        prefix("<?php $table_prefix = 'a_'; if (b()) { $table_prefix = 'b_'; }"),
        Err(Refusal::Conditional("$table_prefix".into()))
    );
    for name in ["", "A B", "1A", "ABSPATH", "TRUE"] {
        assert!(matches!(
            edited(USUAL, set(name, Value::Int(1))),
            Err(Refusal::Name(_))
        ));
    }
    assert!(edited(USUAL, set("X", text("a\0b"))).is_err());
    assert!(edited(USUAL, set("X", Value::Unknown)).is_err());
}

#[test]
fn a_block_is_there_once() {
    let put = |file: &str, code: &str| {
        edited(
            file,
            Change::Block {
                name: "cache".into(),
                code: code.into(),
            },
        )
    };
    let drop = |file: &str| {
        edited(
            file,
            Change::RemoveBlock {
                name: "cache".into(),
            },
        )
    };
    let once = put(USUAL, "define( 'WP_CACHE', true );\n").unwrap();
    assert_eq!(
        once,
        USUAL.replace(
            "/* That's",
            "/* BEGIN Pressroom cache */\ndefine( 'WP_CACHE', true );\n/* END Pressroom cache */\n/* That's"
        )
    );
    assert_eq!(put(&once, "define( 'WP_CACHE', true );").unwrap(), once);
    let other = put(&once, "define( 'WP_CACHE', false );\n$a = [1];").unwrap();
    assert_eq!(
        other,
        once.replace("true );\n/* END", "false );\n$a = [1];\n/* END")
    );
    assert_eq!(drop(&other).unwrap(), USUAL);
    assert_eq!(drop(USUAL).unwrap(), USUAL);
    for bad in [
        "'",
        "/*",
        "{",
        "} {",
        "?> x <?php",
        "<<<E\n",
        "define(",
        "f()",
        "/* END Pressroom cache */",
        "// ?>",
    ] {
        assert!(put(USUAL, bad).is_err(), "{bad} was taken");
    }
    // Somebody doubled or tore the marks.
    let torn = once.replace("/* END Pressroom cache */\n", "");
    assert_eq!(put(&torn, ""), Err(Refusal::Marks("cache".into())));
    let doubled = format!("{once}/* BEGIN Pressroom cache */\n/* END Pressroom cache */\n");
    assert_eq!(drop(&doubled), Err(Refusal::Marks("cache".into())));
    // Marks in a string are none.
    let quoted = USUAL.replace("'old'", "'/* BEGIN Pressroom cache */'");
    assert!(put(&quoted, "$a = 1;").is_ok());
    // A block may not change what others say.
    assert_eq!(
        put(USUAL, "$table_prefix = getenv('P');").map(|_| ()),
        Ok(())
    );
    assert_eq!(
        put(USUAL, "include 'other.php';\n").map(|_| ()),
        Ok(()),
        "what follows is the caller's wish"
    );
}

proptest! {
    #[test]
    fn any_value_reads_back_and_the_rest_stays(
        value in prop::collection::vec(1_u8..=255, 0..30),
        name in "[A-Z_][A-Z0-9_]{0,10}",
        at in 0_usize..6,
    ) {
        let lines = ["define('A', 1);", "// c", "if (a()) { $b = 2; }", "const C = 'x';", "$table_prefix = 'p_';"];
        let mut file = "<?php\n".to_owned();
        for (index, line) in lines.iter().enumerate() {
            if index == at {
                writeln!(file, "define('{name}', 'before');").unwrap();
            }
            file.push_str(line);
            file.push('\n');
        }
        file.push_str("require_once ABSPATH . 'wp-settings.php';\n");
        let change = Change::Set { name: name.clone(), value: Value::Text(value.clone()) };
        match apply(file.as_bytes(), &place(), &[change]) {
            Ok(after) => {
                let read = parse_at(&after, &place());
                prop_assert_eq!(read.constant(&name), Some(&Value::Text(value)));
                for line in lines {
                    prop_assert!(name == "A" || name == "C" || after.windows(line.len()).any(|part| part == line.as_bytes()));
                }
            }
            Err(Refusal::Name(_)) => prop_assert!(name == "ABSPATH" || name == "TRUE" || name == "FALSE" || name == "NULL"),
            Err(why) => prop_assert!(false, "{}", why),
        }
    }

    #[test]
    fn never_panics_and_never_lies(pieces in prop::collection::vec(prop::sample::select(vec![
        "define", "(", ")", "'X'", "\"a\"", "\"", "'", ",", ";", "{", "}", ":", "if", "else", "endif",
        "const", "X", "=", "$table_prefix", ".", "<<<E\n", "\nE", "?>", "<?php ", "/*", "*/", "//", "\n",
        "/* BEGIN Pressroom b */", "/* END Pressroom b */", "define('X', 1);", "defined('X') ||",
        "require 'wp-settings.php';", "include 'a';", "!", "?", "function",
    ]), 0..30)) {
        let file = format!("<?php {}", pieces.concat());
        for change in [
            set("X", Value::Int(7)),
            Change::Remove { name: "X".into() },
            Change::TablePrefix { prefix: "q_".into() },
            Change::Block { name: "b".into(), code: "define('X', 7);".into() },
            Change::RemoveBlock { name: "b".into() },
        ] {
            if let Ok(after) = apply(file.as_bytes(), &place(), std::slice::from_ref(&change)) {
                // Twice is once.
                prop_assert_eq!(apply(&after, &place(), &[change]), Ok(after));
            }
        }
    }
}
