//! Selectors as people write them.

use super::{Selector, SyntaxError};

fn refused(text: &str) -> SyntaxError {
    match text.parse::<Selector>() {
        Err(error) => error,
        Ok(selector) => panic!("{text:?} was read as {selector}"),
    }
}

#[test]
fn what_is_written_has_one_form() {
    for (written, printed) in [
        (
            "plugin:woocommerce<9.4 php<8.1 env:production account:acme updates>0 snapshot>24h \
             -status:down",
            "plugin:woocommerce<9.4 php<8.1 env:production account:acme updates>0 snapshot>24h \
             -status:down",
        ),
        ("  core<6.5   WordPress:6  ", "wp<6.5 wp:6"),
        ("PHP:8.1 AND Env=PRODUCTION", "php:8.1 env:production"),
        ("(php:8.1)", "php:8.1"),
        ("((php:8.1 env:clone) wp:6)", "php:8.1 env:clone wp:6"),
        ("(all)", "all"),
        ("php:7 OR (php:8 OR wp:6)", "php:7 OR php:8 OR wp:6"),
        ("php:7 OR (php:8 wp:6)", "php:7 OR php:8 wp:6"),
        ("(php:7 OR php:8) wp:6", "(php:7 OR php:8) wp:6"),
        ("-(php:7 OR php:8)", "-(php:7 OR php:8)"),
        ("-(php:7 php:8) -(wp:6)", "-(php:7 php:8) -wp:6"),
        ("account!=acme --site:a", "-account:acme --site:a"),
        ("status!=broken", "-status:broken"),
        ("updates:0 updates!=007", "updates=0 updates!=7"),
        ("snapshot>=090m snapshot<=7d", "snapshot>=90m snapshot<=7d"),
        ("account:\"acme\" site:\"a b\"", "account:acme site:\"a b\""),
        (
            r#"account:"Müller \"& Söhne\" \\ (42)""#,
            r#"account:"Müller \"& Söhne\" \\ (42)""#,
        ),
        ("plugin:\"woo\">=\"9.4 beta\"", "plugin:woo>=\"9.4 beta\""),
        (
            "host:2001:db8::1 domain:-x.org",
            "host:2001:db8::1 domain:-x.org",
        ),
        ("account:Größe", "account:Größe"),
    ] {
        let selector: Selector = written.parse().unwrap_or_else(|error: SyntaxError| {
            panic!("{}", error.render(written));
        });
        assert_eq!(selector.to_string(), printed, "{written}");
        assert_eq!(printed.parse(), Ok(selector), "{printed}");
    }
}

#[test]
fn a_refusal_points_at_the_fault() {
    for (written, shown) in [
        (
            "env:clone plugn:woo",
            "env:clone plugn:woo\n          ^^^^^ there is no field `plugn`; did you mean `plugin`?",
        ),
        (
            "reseller:acme",
            "reseller:acme\n^^^^^^^^ `reseller` cannot be asked for yet: there are no resellers",
        ),
        (
            "env:clone -tag:\"two words\"",
            "env:clone -tag:\"two words\"\n               ^^^^^^^^^^^ no tag can be called so: a tag has \
             1 to 50 letters, digits, `-`, `_` and `.`, and begins with a letter or digit",
        ),
        ("-plugin:<9.4", "-plugin:<9.4\n        ^ a value is missing"),
        ("theme:!=9.4", "theme:!=9.4\n      ^ a value is missing"),
        (
            "Größe:1 wp:6",
            "Größe:1 wp:6\n^^^^^ there is no field `Größe`; there are plugin, theme, wp, php, env, \
             account, domain, site, host, tag, status, updates, snapshot",
        ),
        (
            "woocommerce",
            "woocommerce\n^^^^^^^^^^^ `woocommerce` is no condition; write a field before it, like \
             `plugin:` or `site:`",
        ),
        (
            "php < 8.1",
            "php < 8.1\n^^^ `php` is no condition; write it like `php<8.1`, without blanks",
        ),
        (
            "wp:6 or php:8",
            "wp:6 or php:8\n     ^^ `or` is no condition; write `OR` in capitals, with blanks \
             around it, between two conditions",
        ),
        (
            "not php:8",
            "not php:8\n^^^ `not` is no condition; write `-` directly before what is negated",
        ),
        (
            "",
            "\n^ a condition is missing; write one like `env:production`, or `all` for every site",
        ),
        (
            "php:8 OR",
            "php:8 OR\n        ^ a condition is missing; write one like `env:production`, or `all` \
             for every site",
        ),
        (
            "php:8 AND )",
            "php:8 AND )\n          ^ a condition is missing; write one like `env:production`, or \
             `all` for every site",
        ),
        (
            "(php:8 wp:6",
            "(php:8 wp:6\n^ this bracket is never closed; close it with `)`",
        ),
        (
            "php:8) wp:6",
            "php:8) wp:6\n     ^ this bracket closes nothing; leave it out, or open it before",
        ),
        (
            "(php:8)(wp:6)",
            "(php:8)(wp:6)\n       ^ a blank is missing between conditions",
        ),
        (
            "- php:8",
            "- php:8\n ^ `-` stands directly before what it negates",
        ),
        ("php:", "php:\n    ^ a value is missing"),
        (
            "php==8.1",
            "php==8.1\n   ^^ there is no operator `==`; write `=`",
        ),
        (
            "php:eight",
            "php:eight\n    ^^^^^ a version begins with a digit; write it like `8.1` or `6.5-RC3`",
        ),
        (
            "env:prodction",
            "env:prodction\n    ^^^^^^^^^ there is no such value; did you mean `production`?",
        ),
        (
            "status:failed",
            "status:failed\n       ^^^^^^ there is no such value; there are active, down, broken, \
             installing, deleting, healthy, degraded, disconnected, paused, pending",
        ),
        (
            "env<staging",
            "env<staging\n   ^ `env` has no order for `<`; write `:`, or `!=` for all others",
        ),
        (
            "plugin<9.4",
            "plugin<9.4\n      ^ `plugin` needs a name before its version; write it like \
             `plugin:woocommerce<9.4`",
        ),
        (
            "plugin:woo:9.4",
            "plugin:woo:9.4\n       ^^^^^^^ `:` cannot stand in a component's name; write \
             `woo=9.4` for one version",
        ),
        (
            "plugin:\"woo\":9.4",
            "plugin:\"woo\":9.4\n            ^ `:` stands once in a condition; write `=` before a \
             version",
        ),
        (
            "updates>-1",
            "updates>-1\n        ^^ a number from 0 to 4294967295 belongs here",
        ),
        (
            "updates>4294967296",
            "updates>4294967296\n        ^^^^^^^^^^ a number from 0 to 4294967295 belongs here",
        ),
        (
            "snapshot>24",
            "snapshot>24\n         ^^ an age belongs here; write minutes, hours or days like \
             `30m`, `24h` or `7d`",
        ),
        (
            "snapshot>24hh",
            "snapshot>24hh\n         ^^^^ an age belongs here; write minutes, hours or days like \
             `30m`, `24h` or `7d`",
        ),
        (
            "snapshot:24h",
            "snapshot:24h\n        ^ an age is only older or younger than another; write \
             `snapshot>24h` or `snapshot<24h`",
        ),
        (
            "plugin:woo*",
            "plugin:woo*\n          ^ `*` cannot stand in a value without quotes; write the whole \
             value between double quotes",
        ),
        (
            "php<8.1<8.3",
            "php<8.1<8.3\n       ^ a blank is missing after this condition",
        ),
        (
            "site:\"a b",
            "site:\"a b\n     ^ this quote is never closed; end the value with `\"`",
        ),
        (
            r#"site:"a\n""#,
            "site:\"a\\n\"\n       ^ `\\` stands before `\"` or `\\` only; write `\\\\` for the \
             character itself",
        ),
        ("site:\" \"", "site:\" \"\n     ^^^ this value is empty"),
        (
            "site:\"a\x1b[2J\"",
            "site:\"a?[2J\"\n       ^ a control character cannot stand in a value",
        ),
        (
            "&& php:8",
            "&& php:8\n^ `&` begins no condition; write one like `env:production`",
        ),
    ] {
        assert_eq!(refused(written).render(written), shown);
    }
}

#[test]
fn of_a_long_one_the_surroundings_are_shown() {
    let written = format!("{} plugn:x {}", "site:a ".repeat(40), "site:b ".repeat(40));
    let shown = refused(&written).render(&written);
    let lines: Vec<_> = shown.lines().collect();
    let [line, below] = lines.as_slice() else {
        panic!("{shown}");
    };
    assert!(line.starts_with('…') && line.ends_with('…'), "{shown}");
    let carets = below.find('^').and_then(|at| line.char_indices().nth(at));
    let (at, _) = carets.expect("they are below the line");
    assert!(line[at..].starts_with("plugn:x"), "{shown}");
}

#[test]
fn length_and_depth_are_bounded() {
    let longest = format!("site:{}", "a".repeat(super::MAX_BYTES - 5));
    assert!(longest.parse::<Selector>().is_ok());
    let error = refused(&format!("{longest}a"));
    assert_eq!((error.offset, error.length), (super::MAX_BYTES, 1));
    let wide = format!("site:{}", "ä".repeat(super::MAX_BYTES / 2));
    assert_eq!(refused(&wide).offset, 5 + (super::MAX_BYTES - 5) / 2);

    let depth = super::MAX_DEPTH;
    let brackets = |deep| format!("{}all{}", "(".repeat(deep), ")".repeat(deep));
    assert!(brackets(depth).parse::<Selector>().is_ok());
    let error = refused(&brackets(depth + 1));
    assert_eq!(error.offset, depth);
    assert!(error.message.contains("32 deep"));
    let negations = |deep| format!("{}site:a", "-".repeat(deep));
    let deepest: Selector = negations(depth).parse().expect("it is allowed");
    assert_eq!(deepest.to_string(), negations(depth));
    assert_eq!(refused(&negations(depth + 1)).offset, depth);
    // `!=` is printed as a negation and counts as one.
    let unequal = negations(depth).replace(':', "!=");
    assert_eq!(refused(&unequal).offset, depth);
    // Thousands of them are refused as well as one too many.
    refused(&"(".repeat(super::MAX_BYTES));
    refused(&"-".repeat(super::MAX_BYTES));
}

#[test]
fn faces_get_place_and_hint() {
    let error = crate::Error::from(refused("env:clone plugn:woo"));
    assert_eq!(error.kind(), pressroom_base::Kind::Invalid);
    assert_eq!(
        error.to_string(),
        "the selector is wrong at character 11: there is no field `plugn`"
    );
    assert_eq!(error.hint(), Some("did you mean `plugin`?"));
}

/// Every example of the page is read, and printed as it stands there.
#[test]
fn the_page_shows_what_works() {
    let page = include_str!("../../../../docs/selectors.md");
    let examples: Vec<_> = page
        .split("```selector\n")
        .skip(1)
        .filter_map(|block| block.split("```").next())
        .flat_map(str::lines)
        .chain(page.lines().filter_map(|line| {
            let cell = line.strip_prefix('|')?.split('|').nth(2)?.trim();
            cell.strip_prefix('`')?.strip_suffix('`')
        }))
        .collect();
    assert!(examples.len() > 12, "{examples:?}");
    for example in examples {
        let selector: Selector = example.parse().unwrap_or_else(|error: SyntaxError| {
            panic!("{}", error.render(example));
        });
        assert_eq!(selector.to_string(), example);
    }
    for field in super::Field::all() {
        assert!(page.contains(&format!("| `{}`", field.name())), "{field:?}");
    }
}
