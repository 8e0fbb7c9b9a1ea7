//! Names of tables that exist only while a restore works, or that it put aside, and of
//! those that a restore point keeps.
//!
//! `pr_<site>_<epoch>_<run>_n3_wp_posts` is new, `…_o3_wp_posts` is old; of a point
//! `…_p3_wp_posts` is the table as it was before, `…_u3_wp_posts` after, and `…_d3_wp_posts`
//! is for its own work: six hexadecimal digits for the site (several may share a database), the epoch, four
//! random digits for the run, a number that keeps cut names apart, and as much of
//! the table's name as fits into 64 characters, for people.

use pressroom_base::Epoch;
use sha2::{Digest, Sha256};

/// The longest name of a table, in characters.
const LONGEST: usize = 64;

/// One restore's name space.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Run {
    stem: String,
}

impl Run {
    /// The run of this site (by its table prefix), epoch and random number.
    pub fn new(prefix: &str, epoch: Epoch, random: u16) -> Self {
        Self {
            stem: format!("{}{:x}_{random:04x}_", site_stem(prefix), epoch.get()),
        }
    }

    /// What its names start with.
    pub fn stem(&self) -> &str {
        &self.stem
    }

    /// The name while it is filled.
    pub fn new_name(&self, number: usize, table: &str) -> String {
        new_name(&self.stem, number, table)
    }

    /// The name once it was replaced.
    pub fn old_name(&self, number: usize, table: &str) -> String {
        name(&self.stem, 'o', number, table)
    }
}

/// What a table of a restore point is called.
pub(crate) fn point_name(stem: &str, mark: PointMark, number: usize, table: &str) -> String {
    let mark = match mark {
        PointMark::Before => 'p',
        PointMark::After => 'u',
        PointMark::Work => 'd',
    };
    name(stem, mark, number, table)
}

/// What a table of a restore point is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum PointMark {
    /// The table as it was.
    Before,
    /// The table as the update left it.
    After,
    /// Only there while something works.
    Work,
}

/// What [`Run::new_name`] of the run with this stem is.
pub(crate) fn new_name(stem: &str, number: usize, table: &str) -> String {
    name(stem, 'n', number, table)
}

fn name(stem: &str, mark: char, number: usize, table: &str) -> String {
    let start = format!("{stem}{mark}{number}_");
    let room = LONGEST.saturating_sub(start.len());
    start.chars().chain(table.chars().take(room)).collect()
}

/// What all working names of a site start with.
pub(crate) fn site_stem(prefix: &str) -> String {
    let hash = hex::encode(Sha256::digest(prefix.as_bytes()));
    format!("pr_{}_", &hash[..6])
}

/// A working name taken apart.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Working<'a> {
    /// Of the restore.
    pub epoch: i64,
    /// Up to the mark.
    pub stem: &'a str,
    /// Put aside, not new.
    pub old: bool,
    /// Of a restore point.
    pub point: bool,
}

/// Takes a working name of any site apart; `None` for other names.
pub(crate) fn parse(name: &str) -> Option<Working<'_>> {
    let mut parts = name.splitn(6, '_');
    let (first, site, epoch, run, mark) = (
        parts.next()?,
        parts.next()?,
        parts.next()?,
        parts.next()?,
        parts.next()?,
    );
    parts.next()?;
    let hexadecimal = |text: &str| text.bytes().all(|byte| byte.is_ascii_hexdigit());
    let number = mark.get(1..)?;
    (first == "pr"
        && site.len() == 6
        && run.len() == 4
        && hexadecimal(site)
        && hexadecimal(run)
        && !number.is_empty()
        && number.bytes().all(|byte| byte.is_ascii_digit())
        && matches!(&mark[..1], "n" | "o" | "p" | "u" | "d"))
    .then_some(())?;
    Some(Working {
        epoch: i64::from_str_radix(epoch, 16).ok()?,
        stem: &name[..first.len() + site.len() + epoch.len() + run.len() + 4],
        old: mark.starts_with('o'),
        point: mark.starts_with(['p', 'u', 'd']),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_fit_and_are_known_again() {
        let run = Run::new("wp_", Epoch::new(0x1f), 7);
        let long = "wp_".to_owned() + &"é".repeat(61);
        for (name, old) in [
            (run.new_name(3, "wp_posts"), false),
            (run.old_name(12, &long), true),
        ] {
            assert!(name.chars().count() <= LONGEST, "{name}");
            let known = parse(&name).unwrap();
            assert_eq!(
                (known.epoch, known.old, known.stem),
                (0x1f, old, run.stem())
            );
            assert!(name.starts_with(&site_stem("wp_")));
            assert!(!name.starts_with(&site_stem("wp2_")));
        }
        let kept = point_name(run.stem(), PointMark::Before, 3, &long);
        assert!(kept.chars().count() <= LONGEST, "{kept}");
        let known = parse(&kept).unwrap();
        assert_eq!(
            (known.point, known.old, known.stem),
            (true, false, run.stem())
        );
        for other in ["wp_posts", "pr_posts", "pr_abcdef_1_0001_x1_a", "pr_é", ""] {
            assert_eq!(parse(other), None, "{other}");
        }
    }
}
