//! What PHP and WordPress write.

use crate::input::target;
use pressroom_phpdata::{
    headers,
    serialized::{self, Pair, Replacer},
    tokens, version,
    wp_config::{
        self, Place, Value,
        edit::{self, Change},
    },
};

const CONFIGS: &[&[u8]] = &[
    b"<?php\n/** The name */\ndefine( 'DB_NAME', 'wp' );\ndefine('DB_PASSWORD', \"a\\\"\\x41\\u{1F600}$\");\n\
      $table_prefix = 'wp_';\n/* That's all */\nif ( ! defined( 'ABSPATH' ) ) {\n\tdefine( 'ABSPATH', __DIR__ . '/' );\n}\n\
      require_once ABSPATH . 'wp-settings.php';\n",
    b"<?php if (getenv('X')): define('A', 1); else: define('A', 2); endif; switch ($x) { case 1: define('B', 0x1f); }\n\
      foreach ([1,2] as $k => $v) { define(\"K$k\", $v); } ?> text <?= define('C', <<<E\n  a\n   b $v {$w['x']}\n  E) ?>\n\
      <?php namespace N; const D = 'd' . \\ABSPATH . dirname(__FILE__, 2); require 'wp-settings.php';",
    b"#!/usr/bin/php\n<?php $table_prefix = 'a' . ($v ? 'b' : 'c') ?? null; eval('x'); include 'other.php';\n\
      function f() { define('F', 1); } class A { const X = 1; } define('WP_DEBUG', !true && (1 + 2) * -3 . 'x');\n\
      // BEGIN pressroom x\ndefine('E', <<<'N'\n$x\nN);\n// END pressroom x\n__halt_compiler(); \0\xff",
    b"<?php define('DB_NAME', '\xe9\xff\0'); $table_prefix=\"wp_{$x}_\"; define('A', [1, 'a' => [true, null]]); `ls`; require_once(ABSPATH.'wp-settings.php');",
];
const PHP: &[&str] = &[
    "<?php ",
    "?>",
    "<?=",
    "'",
    "\"",
    "\\",
    "<<<E\n",
    "<<<'E'\n",
    "E;\n",
    "\n",
    "/*",
    "*/",
    "//",
    "#",
    "#[",
    "(",
    ")",
    "[",
    "]",
    "{",
    "}",
    "{$",
    "${",
    "$x",
    "$table_prefix",
    "=",
    ".",
    ",",
    ";",
    ":",
    "?",
    "!",
    "-",
    "define(",
    "defined('A')",
    "'A'",
    "const A = ",
    "if (",
    "else",
    "elseif",
    "endif;",
    "while(1)",
    "foreach ($a as $b)",
    "switch",
    "case",
    "function f",
    "class A",
    "namespace N;",
    "use A;",
    "return;",
    "require 'wp-settings.php';",
    "include 'a';",
    "__DIR__",
    "dirname(",
    "ABSPATH",
    "0x",
    "0b1",
    "1_0",
    "1e5",
    "010",
    "null",
    "\u{e9}",
    "\0",
    "`",
    "goto a;",
    "?->",
    "::",
    "=>",
    "match(1) {",
    "fn() => ",
    "__halt_compiler();",
    "exit;",
];

fn place() -> Place {
    Place {
        file: b"/srv/site/wp-config.php".to_vec(),
        abspath: b"/srv/site/".to_vec(),
    }
}

#[test]
fn php_tokens() {
    target("php_tokens", CONFIGS, PHP, |input| {
        let lexed = tokens::lex(input);
        let mut places: Vec<_> = lexed.tokens.iter().map(|it| it.span.clone()).collect();
        assert!(places.is_sorted_by_key(|place| place.start));
        places.extend(lexed.comments);
        places.sort_by_key(|place| (place.start, place.end));
        for pair in places.windows(2) {
            assert!(pair[0].end <= pair[1].start, "{pair:?} overlap");
        }
        assert!(places.iter().all(|place| place.end <= input.len()));
        let _ = tokens::assigned_text(input, "wp_version");
    });
}

#[test]
fn wp_config() {
    target("wp_config", CONFIGS, PHP, |input| {
        let read = wp_config::parse_at(input, &place());
        for (name, value) in read.constants() {
            assert_eq!(read.constant(name), Some(value));
        }
        let _ = (wp_config::parse(input), read.table_prefix());
    });
}

#[test]
fn wp_config_edited() {
    let set = |name: &str, value: Value| Change::Set {
        name: name.to_owned(),
        value,
    };
    let changes = [
        set("DB_NAME", Value::Text(b"it's \\ new".to_vec())),
        set("NEW", Value::Int(-5)),
        Change::Remove {
            name: "A".to_owned(),
        },
        Change::TablePrefix {
            prefix: "new_".to_owned(),
        },
        Change::Block {
            name: "x".to_owned(),
            code: "define( 'E', true );".to_owned(),
        },
        Change::RemoveBlock {
            name: "x".to_owned(),
        },
    ];
    target("wp_config_edited", CONFIGS, PHP, |input| {
        let before = wp_config::parse_at(input, &place());
        for change in &changes {
            let change = std::slice::from_ref(change);
            let Ok(edited) = edit::apply(input, &place(), change) else {
                continue;
            };
            assert_eq!(edit::apply(&edited, &place(), change).as_ref(), Ok(&edited));
            let after = wp_config::parse_at(&edited, &place());
            match &change[0] {
                Change::Set { name, value } => {
                    assert_eq!(after.constant(name), Some(value));
                    for (other, value) in before.constants().filter(|it| it.0 != name) {
                        assert_eq!(after.constant(other), Some(value));
                    }
                }
                Change::TablePrefix { prefix } => {
                    let prefix = Value::Text(prefix.clone().into_bytes());
                    assert_eq!(after.table_prefix(), Some(&prefix));
                    assert!(before.constants().eq(after.constants()));
                }
                Change::Remove { name } => assert_eq!(after.constant(name), None),
                _ => {}
            }
        }
    });
}

#[test]
fn component_headers() {
    const SAMPLES: &[&[u8]] = &[
        b"<?php\n/*\nPlugin Name: A <b>b</b>\nVersion: 1.0 */ ?>\nAuthor URI: http://a/\r * Requires PHP: 0\n",
        b"/*\n# @Theme Name:\xff\nTemplate: parent\nTags: a, b,,\nText Domain: \0\nNetwork: true",
        b"<?php // Plugin Name: \xc2\xa0<!-- <script>x</script> <\nDescription: <a href='>'>",
    ];
    const WORDS: &[&str] = &[
        "Plugin Name:",
        "Theme Name:",
        "Version:",
        "Template:",
        "Update URI:",
        "\n",
        "\r",
        " * ",
        "<",
        ">",
        "<!--",
        "-->",
        "<script>",
        "'",
        "\"",
        "*/",
        "?>",
        "<?php",
        "0",
        "\u{a0}",
        "\0",
        "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaa",
    ];
    target("component_headers", SAMPLES, WORDS, |input| {
        let limit = input.len().min(8 * 1024);
        let (whole, start) = (headers::plugin(input), headers::plugin(&input[..limit]));
        assert_eq!(format!("{whole:?}"), format!("{start:?}"));
        let _ = headers::theme(input);
        for name in ["Plugin Name", "Version"] {
            assert_eq!(
                headers::find(input, name),
                headers::find(&input[..limit], name)
            );
            let _ = headers::value(input, name);
        }
        let text = String::from_utf8_lossy(input);
        assert!(headers::without_tags(&text).len() <= text.len());
        let _ = headers::is_nothing(&text);
    });
}

#[test]
fn versions() {
    const SAMPLES: &[&[u8]] = &[
        b"6.5.5\n6.5-RC1",
        b"1.0.0pl1|1.0",
        b"5.2dev\n5.2-alpha.99999999999999999999",
    ];
    const WORDS: &[&str] = &[
        "\n",
        ".",
        "-",
        "_",
        "+",
        "rc",
        "RC",
        "alpha",
        "beta",
        "dev",
        "pl",
        "p",
        "#",
        "0",
        "9",
        "99999999999999999999",
        "\u{e9}",
    ];
    target("versions", SAMPLES, WORDS, |input| {
        let (a, b) = input.split_at(
            input
                .iter()
                .position(|b| *b == b'\n')
                .unwrap_or(input.len() / 2),
        );
        // No more than this: PHP says that `1.` is less than itself.
        let ended = [a, b"\0", b].concat();
        assert_eq!(
            version::compare_bytes(&ended, b),
            version::compare_bytes(a, b)
        );
    });
}

const SERIALIZED: &[&[u8]] = &[
    br#"a:2:{i:0;s:12:"http://old/a";s:3:"key";a:1:{s:10:"http://old";d:0.5;}}"#,
    br#"O:8:"stdClass":2:{s:1:"u";s:12:"http://old/a";s:4:"\0*\0x";R:2;}"#,
    br#"s:34:"a:1:{i:0;s:14:"http://old/a/b";}xx";"#,
    br#"  a:3:{i:-1;b:1;i:2;N;i:3;C:3:"Foo":12:{http://old/a}}  "#,
    br#"E:7:"Foo:Bar";"#,
    br#"{"url":"http:\/\/old\/a","x":"http://old"} http://old"#,
    br#"a:1:{i:0;S:12:"http\3a//old/a";}"#,
    br#"s:29:"s:21:"s:13:"http://old/ab";";";"#,
];
const VALUES: &[&str] = &[
    "a:1:{",
    "i:0;",
    "}",
    "s:10:\"",
    "\";",
    "http://old",
    "http:\\/\\/old",
    "O:1:\"A\":1:{",
    "N;",
    "b:1;",
    "d:INF;",
    "R:1;",
    "r:2;",
    "C:1:\"A\":2:{",
    "E:3:\"A:B\";",
    "S:1:\"\\61\";",
    "s:",
    ":",
    "\"",
    "0",
    "9",
    "-",
    "+",
    " ",
    "\0",
    "{\"a\":\"",
];

#[test]
fn serialized_values() {
    target("serialized_values", SERIALIZED, VALUES, |input| {
        let mut spans = Vec::new();
        if serialized::strings(input, |span| spans.push(span)).is_ok() {
            let kind = input.first().copied().unwrap_or(0);
            let opens = matches!(kind, b's' | b'S' | b'O' | b'C' | b'E' | b'a');
            assert!(!opens || serialized::looks_serialized(input));
        }
        for span in spans {
            assert!(span.whole.start <= span.text.start && span.text.end <= span.whole.end);
            assert!(span.whole.end <= input.len());
        }
        assert!(serialized::trim(input).end <= input.len());
    });
}

#[test]
fn serialized_replacement() {
    let pairs = [
        Pair::new("http://old", "https://newer.example"),
        Pair::new("old/a", "n"),
    ];
    let replacer = Replacer::new(&pairs).unwrap();
    assert!(replacer.settles());
    target("serialized_replacement", SERIALIZED, VALUES, |input| {
        let outcome = replacer.replace(input);
        let Some(value) = outcome.value else {
            assert_eq!(outcome.tally.replaced, 0);
            return;
        };
        assert!(replacer.hits(input) && outcome.tally.replaced > 0 && value != input);
        let core =
            |bytes: &[u8]| serialized::strings(&bytes[serialized::trim(bytes)], |_| ()).is_ok();
        assert_eq!(core(input), core(&value), "what PHP reads stays readable");
        assert_eq!(
            replacer.replace(&value).value,
            None,
            "a second run finds nothing"
        );
    });
}

const SCHEDULES: &[&[u8]] = &[
    b"a:1:{s:7:\"version\";i:2;}",
    b"a:2:{i:1700000000;a:2:{s:4:\"hook\";a:1:{s:2:\"m0\";a:3:{s:8:\"schedule\";s:5:\"daily\";s:4:\"args\";a:0:{}s:8:\"interval\";i:86400;}}s:4:\"once\";a:1:{s:2:\"m1\";a:2:{s:8:\"schedule\";b:0;s:4:\"args\";a:1:{i:0;i:7;}}}}s:7:\"version\";i:2;}",
    b"a:3:{i:1;a:1:{s:1:\"a\";a:1:{s:1:\"m\";a:0:{}}}i:2;a:1:{s:1:\"b\";a:1:{i:5;a:0:{}}}s:7:\"version\";i:2;}",
];

/// Two readings of one schedule, and what is made of them is a schedule again.
#[test]
fn schedules() {
    target("schedules", SCHEDULES, VALUES, |input| {
        for other in SCHEDULES {
            for merged in [
                serialized::merge_cron(other, other, input),
                serialized::merge_cron(other, input, input),
                serialized::merge_cron(input, other, other),
            ]
            .into_iter()
            .flatten()
            {
                assert!(serialized::strings(&merged, |_| ()).is_ok());
                let again = serialized::merge_cron(&merged, &merged, &merged);
                assert_eq!(
                    again.as_deref(),
                    Some(merged.as_slice()),
                    "read as it was written"
                );
            }
        }
    });
}
