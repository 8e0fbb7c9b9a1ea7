//! What is true of every selector.

use super::{
    Age, AgeUnit, Bound, Comparison, ComponentFacts, ComponentKind, Expr, Facts, MAX_BYTES, Offer,
    Selector, Term, TextField, Truth, VersionField,
    words::{KINDS, STATES},
};
use pressroom_base::Timestamp;
use pressroom_store::{EnvironmentState, SiteStatus};
use proptest::{collection::vec, option, prelude::*, sample::select};

fn comparison() -> impl Strategy<Value = Comparison> {
    select(&Comparison::ALL[..])
}

fn order() -> impl Strategy<Value = Comparison> {
    use Comparison::{AtLeast, AtMost, Less, More};
    select(&[Less, AtMost, AtLeast, More][..])
}

fn version() -> impl Strategy<Value = String> {
    "[0-9](\\.[0-9]{1,2}){0,2}(-RC[0-9]|[ \"\\\\*][a-z])?"
}

fn bound() -> impl Strategy<Value = Bound> {
    (comparison(), version()).prop_map(|(comparison, version)| Bound {
        comparison,
        version,
    })
}

fn name() -> impl Strategy<Value = String> {
    prop_oneof![
        "[a-c]",
        "[a-z0-9._/@+:~#%-]{1,8}",
        "[ä-ü\"\\\\ *()<>=!|,a-z-]{0,6}[a-z\"\\\\]",
        Just("OR".to_owned()),
    ]
}

fn term() -> impl Strategy<Value = Term> {
    use TextField::{Account, Domain, Host, Site};
    let text = select(&[Account, Domain, Host, Site][..]);
    let of = select(&[VersionField::Core, VersionField::Php][..]);
    let kind = select(&[ComponentKind::Plugin, ComponentKind::Theme][..]);
    let age = (0..99_u32, select(&AgeUnit::ALL[..]));
    prop_oneof![
        (text, name()).prop_map(|(field, value)| Term::Text { field, value }),
        "[a-cä][a-c.]{0,2}".prop_map(|value| Term::Text {
            field: TextField::Tag,
            value
        }),
        select(&KINDS[..]).prop_map(|(_, kind)| Term::Kind(kind)),
        select(&STATES[..]).prop_map(|(_, state)| Term::Status(state)),
        (of.clone(), version()).prop_map(|(field, version)| Term::Series { field, version }),
        (of, bound()).prop_map(|(field, bound)| Term::Version { field, bound }),
        (kind, name(), option::of(bound())).prop_map(|(kind, slug, bound)| Term::Component {
            kind,
            slug: slug.replace(':', "-"),
            bound,
        }),
        (comparison(), 0..4_u32)
            .prop_map(|(comparison, count)| Term::Updates { comparison, count }),
        (order(), age).prop_map(|(comparison, (count, unit))| Term::Snapshot {
            comparison,
            age: Age { count, unit },
        }),
    ]
}

const STATES_OF_ENVIRONMENTS: [EnvironmentState; 4] = [
    EnvironmentState::Installing,
    EnvironmentState::Active,
    EnvironmentState::Broken,
    EnvironmentState::Deleting,
];

fn expr() -> impl Strategy<Value = Expr> {
    let leaf = prop_oneof![1 => Just(Expr::All), 9 => term().prop_map(Expr::Term)];
    leaf.prop_recursive(5, 24, 4, |inner| {
        prop_oneof![
            inner.clone().prop_map(Expr::negated),
            vec(inner.clone(), 1..4).prop_map(Expr::and),
            vec(inner, 1..4).prop_map(Expr::or),
        ]
    })
}

fn component() -> impl Strategy<Value = ComponentFacts> {
    let kind = select(&[ComponentKind::Plugin, ComponentKind::Theme][..]);
    let offer = select(&[Offer::Newer, Offer::None, Offer::Unknown][..]);
    (kind, "[a-c]", option::of(version()), offer).prop_map(|(kind, slug, version, offer)| {
        ComponentFacts {
            kind,
            slug,
            version,
            offer,
        }
    })
}

fn facts() -> impl Strategy<Value = Facts> {
    let names = || vec("[a-c]", 1..3);
    (
        (
            select(&KINDS[..]),
            select(&STATES_OF_ENVIRONMENTS[..]),
            option::of(select(SiteStatus::ALL)),
        ),
        (names(), names(), names(), names()),
        (option::of(version()), option::of(version())),
        option::of(vec(component(), 0..4)),
        option::of(0..200_000_000_i64),
    )
        .prop_map(|(words, names, versions, components, snapshot)| Facts {
            kind: words.0.1,
            state: words.1,
            health: words.2,
            accounts: names.0,
            domains: names.1,
            sites: names.2,
            hosts: names.3.clone(),
            tags: names.3,
            core: versions.0,
            php: versions.1,
            components,
            snapshot: snapshot.map(Timestamp::from_millis),
        })
}

/// Text that is nearly a selector, and so gets further than noise.
fn nearly() -> impl Strategy<Value = String> {
    let pieces = select(
        &[
            "php",
            "plugin",
            "plugin:",
            "core",
            "env",
            "tag",
            "updates",
            "snapshot",
            "status",
            "all",
            "OR",
            "AND",
            "or",
            ":",
            "=",
            "<",
            ">=",
            "!=",
            "==",
            "<>",
            "-",
            "(",
            ")",
            " ",
            "\u{a0}",
            "\"",
            "\\",
            "a b",
            "8.1",
            "0024",
            "h",
            "down",
            "broken",
            "production",
            "*",
            "é",
            "\0",
            "\u{202e}",
        ][..],
    );
    vec(pieces, 0..24).prop_map(|pieces| pieces.concat())
}

const NOW: Timestamp = Timestamp::from_millis(200_000_000);

fn parse(text: &str) -> Result<Selector, super::SyntaxError> {
    text.parse()
}

/// Whatever is said of a text: it panics nowhere, points into the text, shows nothing
/// that a terminal obeys, and what was understood is printed as something that means
/// the same and is no longer.
fn holds_for_any(text: &str) -> Result<(), TestCaseError> {
    match parse(text) {
        Ok(selector) => {
            let printed = selector.to_string();
            prop_assert!(printed.len() <= text.len(), "{text:?} became {printed:?}");
            prop_assert_eq!(parse(&printed), Ok(selector));
        }
        Err(error) => {
            prop_assert!(error.offset + error.length <= text.chars().count());
            let shown = error.render(text);
            let dangerous = |char: char| char.is_control() && char != '\n';
            prop_assert!(!shown.contains(dangerous), "{shown:?}");
            prop_assert!(shown.chars().count() < 1000);
        }
    }
    Ok(())
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(1024))]

    #[test]
    fn what_is_printed_is_read_back(expr in expr()) {
        let selector = Selector::new(expr);
        let printed = selector.to_string();
        prop_assume!(printed.len() <= MAX_BYTES);
        prop_assert_eq!(parse(&printed), Ok(selector), "{}", printed);
    }

    #[test]
    fn any_bytes_are_answered(bytes in vec(any::<u8>(), 0..200)) {
        holds_for_any(&String::from_utf8_lossy(&bytes))?;
    }

    #[test]
    fn nearly_selectors_are_answered(text in nearly()) {
        holds_for_any(&text)?;
    }

    #[test]
    fn side_by_side_binds_before_or(a in term(), b in term(), c in term()) {
        let [x, y, z] = [&a, &b, &c].map(|term| Expr::Term(term.clone()));
        let either = Selector::new(Expr::or([x.clone(), Expr::and([y.clone(), z.clone()])]));
        prop_assert_eq!(parse(&format!("{a} OR {b} {c}")), Ok(either.clone()));
        prop_assert_eq!(parse(&format!("{a} OR ({b} AND {c})")), Ok(either));
        let both = Selector::new(Expr::and([Expr::or([x.clone(), y.clone()]), z.clone()]));
        prop_assert_eq!(parse(&format!("({a} OR {b}) {c}")), Ok(both));
        let first = Selector::new(Expr::and([x.negated(), y, z]));
        prop_assert_eq!(parse(&format!("-{a} {b} {c}")), Ok(first));
    }

    #[test]
    fn the_laws_of_logic_hold(a in expr(), b in expr(), facts in facts()) {
        let is = |expr: Expr| expr.matches(&facts, NOW);
        let (x, y) = (is(a.clone()), is(b.clone()));
        prop_assert_eq!(is(a.clone().negated().negated()), x);
        prop_assert_eq!(is(Expr::and([a.clone(), b.clone()])), least(x, y));
        prop_assert_eq!(
            is(Expr::or([a.clone(), b.clone()]).negated()),
            is(Expr::and([a.negated(), b.negated()])),
        );
    }

    #[test]
    fn what_is_known_of_more_is_never_taken_back(expr in expr(), facts in facts()) {
        let before = expr.matches(&facts, NOW);
        let mut more = facts;
        more.php.get_or_insert_with(|| "8.1".to_owned());
        more.core.get_or_insert_with(|| "6.5".to_owned());
        for component in more.components.get_or_insert_default() {
            component.version.get_or_insert_with(|| "1.0".to_owned());
            if component.offer == Offer::Unknown {
                component.offer = Offer::Newer;
            }
        }
        let after = expr.matches(&more, NOW);
        prop_assert!(after != Truth::Unknown);
        prop_assert!(before == Truth::Unknown || before == after);
    }
}

fn least(a: Truth, b: Truth) -> Truth {
    match (a, b) {
        (Truth::No, _) | (_, Truth::No) => Truth::No,
        (Truth::Yes, Truth::Yes) => Truth::Yes,
        _ => Truth::Unknown,
    }
}
