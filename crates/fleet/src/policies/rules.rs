//! What of all that is on offer a policy lets through.

use super::UpdatePolicy;
use pressroom_base::Timestamp;
use pressroom_phpdata::version::compare;
use pressroom_store::ReleaseRow;
use std::{cmp::Ordering, time::Duration};

/// How WordPress itself is called among kinds and among slugs.
const CORE: &str = "core";
/// Characters of a pattern.
const LONGEST_PATTERN: usize = 150;

/// Something that a site has, and to which something newer is on offer.
#[derive(Debug, Clone)]
pub(crate) struct Offered {
    /// `core`, `plugin` or `theme`.
    pub(crate) kind: String,
    /// Its directory; `core` for WordPress.
    pub(crate) slug: String,
    /// The version that is there.
    pub(crate) from: String,
    /// The newest that is on offer.
    pub(crate) newest: String,
    /// What else was on offer of it at some time, with the newest, and since when each is known.
    pub(crate) releases: Vec<ReleaseRow>,
}

/// Why an update is not made by itself.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Refused {
    /// It is excluded.
    Excluded,
    /// It is a major version, and nothing smaller is on offer.
    Major,
    /// It is too young until then.
    Young {
        /// The version.
        version: String,
        /// When it is old enough.
        until: Timestamp,
    },
}

/// The version that a site may be updated to by itself: the newest that is no larger step than
/// permitted. Where that one is too young, it is waited for, and no older one is taken: an older
/// one is what it repairs.
pub(crate) fn admit(
    policy: &UpdatePolicy,
    offered: &Offered,
    now: Timestamp,
) -> Result<String, Refused> {
    if is_excluded(&policy.exclusions, &offered.kind, &offered.slug) {
        return Err(Refused::Excluded);
    }
    let releases = offered.releases.iter();
    let versions = releases
        .map(|release| release.version.as_str())
        .chain([offered.newest.as_str()])
        .filter(|version| compare(version, &offered.from) == Ordering::Greater)
        // What was on offer once, and is newer than what is now, was taken off for a reason.
        .filter(|version| compare(version, &offered.newest) != Ordering::Greater);
    let newest = if policy.minor_only {
        versions
            .filter(|version| is_minor(&offered.kind, &offered.from, version))
            .max_by(|left, right| compare(left, right))
            .ok_or(Refused::Major)?
    } else {
        offered.newest.as_str()
    };
    if policy.hold_days > 0 {
        let known = offered.releases.iter().find(|it| it.version == newest);
        // What nobody has noted yet is known since now.
        let since = known.map_or(now, ReleaseRow::since);
        let until = since.plus(hold(policy.hold_days));
        if until > now {
            return Err(Refused::Young {
                version: newest.to_owned(),
                until,
            });
        }
    }
    Ok(newest.to_owned())
}

/// How long a release is held.
pub(crate) fn hold(days: u32) -> Duration {
    Duration::from_hours(u64::from(days) * 24)
}

/// Whether going from one version to the other is no major step. WordPress calls 6.8 and 6.9
/// major versions, and 6.8.1 a minor one; components are held to their first number.
pub(crate) fn is_minor(kind: &str, from: &str, to: &str) -> bool {
    let numbers = if kind == CORE { 2 } else { 1 };
    let first = |version: &str| -> Vec<u64> {
        version
            .split(['.', '-', '+', '_'])
            .map(|part| part.parse().unwrap_or(0))
            .chain(std::iter::repeat(0))
            .take(numbers)
            .collect()
    };
    first(from) == first(to)
}

/// Reads a pattern of what is excluded, and writes it as it is kept: `core`, `plugin:SLUG` or
/// `theme:SLUG`, where `*` in the slug stands for anything. `plugins` and `themes` are all of
/// them. The error says what is wrong with it.
pub fn read_pattern(text: &str) -> Result<String, String> {
    let wrong = || {
        format!(
            "`{}` excludes nothing: write `core`, `plugins`, `themes`, `plugin:SLUG` or \
             `theme:SLUG`, with `*` in a slug for anything",
            text.chars().take(60).collect::<String>().escape_debug()
        )
    };
    let lower = text.trim().to_ascii_lowercase();
    match lower.as_str() {
        "core" => return Ok(CORE.to_owned()),
        "plugins" => return Ok("plugin:*".to_owned()),
        "themes" => return Ok("theme:*".to_owned()),
        _ => {}
    }
    let (kind, slug) = lower.split_once([':', '/']).ok_or_else(wrong)?;
    let fits = matches!(kind, "plugin" | "theme")
        && !slug.is_empty()
        && lower.len() <= LONGEST_PATTERN
        && slug
            .bytes()
            .all(|byte| byte.is_ascii_alphanumeric() || b"._+~-*".contains(&byte));
    fits.then(|| format!("{kind}:{slug}")).ok_or_else(wrong)
}

/// Whether one of these patterns is about a component.
pub(crate) fn is_excluded(patterns: &[String], kind: &str, slug: &str) -> bool {
    patterns
        .iter()
        .any(|pattern| match pattern.split_once(':') {
            None => kind == CORE && pattern == CORE,
            Some((of, glob)) => of == kind && fits(glob, &slug.to_ascii_lowercase()),
        })
}

/// Whether a text is what a pattern says, in which `*` stands for anything.
fn fits(glob: &str, text: &str) -> bool {
    let mut parts = glob.split('*');
    let first = parts.next().unwrap_or_default();
    let Some(mut rest) = text.strip_prefix(first) else {
        return false;
    };
    let mut parts: Vec<&str> = parts.collect();
    let Some(last) = parts.pop() else {
        return rest.is_empty();
    };
    for part in parts {
        let Some(at) = rest.find(part) else {
            return false;
        };
        rest = &rest[at + part.len()..];
    }
    rest.ends_with(last)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const NOW: Timestamp = Timestamp::from_millis(1_000_000_000_000);

    fn days(count: u32) -> Timestamp {
        NOW.minus(hold(count))
    }

    fn release(version: &str, seen: Timestamp, released: Option<Timestamp>) -> ReleaseRow {
        ReleaseRow {
            kind: "plugin".into(),
            slug: "a".into(),
            version: version.into(),
            seen_at: seen,
            released_at: released,
            asked: true,
        }
    }

    fn offered(kind: &str, from: &str, newest: &str, releases: Vec<ReleaseRow>) -> Offered {
        Offered {
            kind: kind.into(),
            slug: if kind == CORE { CORE } else { "a" }.into(),
            from: from.into(),
            newest: newest.into(),
            releases,
        }
    }

    #[test]
    fn what_is_excluded_stays() {
        let policy = UpdatePolicy {
            exclusions: vec!["plugin:a".into()],
            ..UpdatePolicy::default()
        };
        let plugin = offered("plugin", "1.0", "1.1", Vec::new());
        assert_eq!(admit(&policy, &plugin, NOW), Err(Refused::Excluded));
        let theme = offered("theme", "1.0", "1.1", Vec::new());
        assert_eq!(admit(&policy, &theme, NOW), Ok("1.1".into()));
    }

    #[test]
    fn a_young_release_is_held_and_no_older_one_is_taken_for_it() {
        let policy = UpdatePolicy {
            hold_days: 7,
            ..UpdatePolicy::default()
        };
        let young = offered(
            "plugin",
            "1.0",
            "1.2",
            vec![
                release("1.1", days(30), None),
                release("1.2", days(6), None),
            ],
        );
        assert_eq!(
            admit(&policy, &young, NOW),
            Err(Refused::Young {
                version: "1.2".into(),
                until: days(6).plus(hold(7)),
            })
        );
        let old = offered("plugin", "1.0", "1.2", vec![release("1.2", days(7), None)]);
        assert_eq!(admit(&policy, &old, NOW), Ok("1.2".into()));
        // The release's own date counts. One that was seen earlier is as old as that.
        let told = release("1.2", days(1), Some(days(8)));
        let old = offered("plugin", "1.0", "1.2", vec![told]);
        assert_eq!(admit(&policy, &old, NOW), Ok("1.2".into()));
        let told = release("1.2", days(8), Some(days(1)));
        let old = offered("plugin", "1.0", "1.2", vec![told]);
        assert_eq!(admit(&policy, &old, NOW), Ok("1.2".into()));
        // Nobody has noted it yet.
        let new = offered("plugin", "1.0", "1.2", Vec::new());
        assert!(admit(&policy, &new, NOW).is_err());
    }

    #[test]
    fn of_minor_ones_the_newest_is_taken() {
        let policy = UpdatePolicy {
            minor_only: true,
            ..UpdatePolicy::default()
        };
        let known = ["6.8.2", "6.8.3", "6.9"].map(|version| release(version, days(9), None));
        let core = offered(CORE, "6.8.1", "6.9", known.to_vec());
        assert_eq!(admit(&policy, &core, NOW), Ok("6.8.3".into()));
        let core = offered(CORE, "6.8.3", "6.9", known.to_vec());
        assert_eq!(admit(&policy, &core, NOW), Err(Refused::Major));
        // A version that was withdrawn is not taken.
        let withdrawn = vec![release("1.9", days(9), None)];
        let plugin = offered("plugin", "1.0", "1.5", withdrawn);
        assert_eq!(admit(&policy, &plugin, NOW), Ok("1.5".into()));
    }

    #[test]
    fn steps_are_counted_as_wordpress_counts() {
        assert!(is_minor(CORE, "6.8", "6.8.1"));
        assert!(!is_minor(CORE, "6.8.3", "6.9"));
        assert!(!is_minor(CORE, "6.9", "7.0"));
        assert!(is_minor("plugin", "1.0", "1.9.2"));
        assert!(!is_minor("plugin", "1.9", "2.0"));
        assert!(is_minor("theme", "3", "3.1-beta"));
        assert!(!is_minor("plugin", "", "1"));
    }

    #[test]
    fn patterns_are_read() {
        for (text, kept) in [
            ("core", "core"),
            ("Plugins", "plugin:*"),
            ("themes", "theme:*"),
            ("plugin:Akismet", "plugin:akismet"),
            ("plugin/woo*", "plugin:woo*"),
        ] {
            assert_eq!(read_pattern(text).as_deref(), Ok(kept));
        }
        for bad in [
            "",
            "akismet",
            "plugin:",
            "mu:x",
            "plugin:a b",
            "plugin:a/b",
            "core:x",
        ] {
            assert!(read_pattern(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn stars_stand_for_anything() {
        for (glob, text, fits_it) in [
            ("woo", "woo", true),
            ("woo", "woocommerce", false),
            ("woo*", "woocommerce", true),
            ("*commerce", "woocommerce", true),
            ("w*m*e", "woocommerce", true),
            ("*", "", true),
            ("a*a", "a", false),
            ("a**b", "ab", true),
            ("*x*", "abc", false),
        ] {
            assert_eq!(fits(glob, text), fits_it, "{glob} {text}");
        }
        assert!(is_excluded(&["theme:*".into()], "theme", "Divi"));
        assert!(!is_excluded(&["plugin:*".into()], CORE, CORE));
        assert!(is_excluded(&[CORE.into()], CORE, CORE));
        assert!(!is_excluded(&[CORE.into()], "plugin", CORE));
    }

    proptest! {
        #[test]
        fn a_text_fits_any_of_its_own_patterns(text in "[a-z-]{0,12}", at in 0_usize..12, more in 0_usize..6) {
            let at = at.min(text.len());
            let until = (at + more).min(text.len());
            let glob = format!("{}*{}", &text[..at], &text[until..]);
            prop_assert!(fits(&glob, &text), "{} {}", glob, text);
        }
    }
}
