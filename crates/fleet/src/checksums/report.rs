//! What a verification says.

use pressroom_wordpress::checksums::{ChecksumReport, Difference};
use serde::Serialize;

/// What was looked at, one entry per subject.
#[derive(Debug, Clone, Default, Serialize)]
pub struct Verification {
    /// Core first, then plugins, then themes.
    pub subjects: Vec<Verified>,
}

impl Verification {
    /// Whether some file is not what its package says.
    pub fn differs(&self) -> bool {
        self.any(Verdict::Differs)
    }

    /// The whole in a word: `modified` when a file is not its package's, `verified` when
    /// all of WordPress' are, else `unknown`.
    pub fn status(&self) -> &'static str {
        let core = self.subjects.iter().find(|found| found.kind == "core");
        if self.differs() {
            "modified"
        } else if core.is_some_and(|core| core.verdict == Verdict::Clean) {
            "verified"
        } else {
            "unknown"
        }
    }

    /// Whether something could not be compared.
    pub fn has_unknown(&self) -> bool {
        self.any(Verdict::Unknown)
    }

    fn any(&self, verdict: Verdict) -> bool {
        self.subjects.iter().any(|found| found.verdict == verdict)
    }
}

/// WordPress or a component, and how its files stand to its package.
#[derive(Debug, Clone, Serialize)]
pub struct Verified {
    /// `core`, `plugin`, `theme`, `must_use` or `drop_in`.
    pub kind: &'static str,
    /// Directory name; `wordpress` for core.
    pub slug: String,
    /// The version that its files name; empty when they name none.
    pub version: String,
    /// How it stands.
    pub verdict: Verdict,
    /// Why it is unknown, or what limits the verdict.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub why: Option<String>,
    /// Files that are exactly the package's.
    pub intact: u64,
    /// What differs.
    pub differences: Differences,
}

/// How the files of a subject stand to its package.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Verdict {
    /// Every file was read and is the package's; nothing else is there.
    Clean,
    /// Something is modified, missing, unexpected, or could not be read.
    Differs,
    /// No source has this very version: nothing can be said. Never to be told as clean.
    Unknown,
}

/// The files that differ, by path: relative to the root for core, to the component's
/// directory otherwise.
#[derive(Debug, Clone, Default, Serialize)]
pub struct Differences {
    /// Of another content.
    pub modified: Vec<String>,
    /// In the package and not there.
    pub missing: Vec<String>,
    /// There and not in the package.
    pub unexpected: Vec<String>,
    /// Links, directories and the like where a file is expected, and what may not be read.
    pub other: Vec<Named>,
    /// Texts for people that sites change or remove, and PHP's own log: they decide
    /// nothing.
    pub minor: Vec<Named>,
    /// How many more differ than are named.
    pub more: u64,
}

/// A file and what is the matter with it.
#[derive(Debug, Clone, Serialize)]
pub struct Named {
    /// Its path.
    pub path: String,
    /// `modified`, `missing`, `unexpected`, `link`, `not_a_file` or `unreadable`.
    pub difference: &'static str,
}

impl Verified {
    pub(super) fn unknown(kind: &'static str, slug: String, version: String, why: String) -> Self {
        Self {
            kind,
            slug,
            version,
            verdict: Verdict::Unknown,
            why: Some(why),
            intact: 0,
            differences: Differences::default(),
        }
    }

    pub(super) fn compared(
        kind: &'static str,
        slug: String,
        version: String,
        report: &ChecksumReport,
    ) -> Self {
        let verdict = if report.is_clean() {
            Verdict::Clean
        } else {
            Verdict::Differs
        };
        let why = (report.behind_links > 0).then(|| {
            format!(
                "{} files of the package are behind a link or an unreadable directory and were not looked at",
                report.behind_links
            )
        });
        Self {
            kind,
            slug,
            version,
            verdict,
            why,
            intact: report.intact,
            differences: Differences::of(report),
        }
    }
}

impl Differences {
    fn of(report: &ChecksumReport) -> Self {
        let mut sorted = Self {
            more: report.findings_more,
            ..Self::default()
        };
        for finding in &report.findings {
            let path = finding.path.to_string();
            let named = |path| Named {
                path,
                difference: name(finding.difference),
            };
            match finding.difference {
                _ if finding.soft => sorted.minor.push(named(path)),
                Difference::Modified => sorted.modified.push(path),
                Difference::Missing => sorted.missing.push(path),
                Difference::Unexpected => sorted.unexpected.push(path),
                Difference::Link | Difference::NotAFile | Difference::Unreadable => {
                    sorted.other.push(named(path));
                }
            }
        }
        sorted
    }

    /// Every difference that decides, by kind.
    pub fn decisive(&self) -> impl Iterator<Item = (&'static str, &str)> {
        let modified = self.modified.iter().map(|path| ("modified", path.as_str()));
        let missing = self.missing.iter().map(|path| ("missing", path.as_str()));
        let unexpected = self
            .unexpected
            .iter()
            .map(|path| ("unexpected", path.as_str()));
        let other = self
            .other
            .iter()
            .map(|named| (named.difference, named.path.as_str()));
        modified.chain(missing).chain(unexpected).chain(other)
    }
}

const fn name(difference: Difference) -> &'static str {
    match difference {
        Difference::Modified => "modified",
        Difference::Missing => "missing",
        Difference::Unexpected => "unexpected",
        Difference::Link => "link",
        Difference::NotAFile => "not_a_file",
        Difference::Unreadable => "unreadable",
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use pressroom_wordpress::{archive::EntryPath, checksums::Finding};

    fn compared(report: &ChecksumReport) -> Verified {
        Verified::compared("plugin", "shop".into(), "1.0".into(), report)
    }

    fn finding(path: &str, difference: Difference, soft: bool) -> Finding {
        Finding {
            path: EntryPath::from(path),
            difference,
            soft,
        }
    }

    #[test]
    fn only_what_says_something_decides() {
        let mut report = ChecksumReport {
            intact: 3,
            findings: vec![finding("readme.txt", Difference::Missing, true)],
            ..ChecksumReport::default()
        };
        let clean = compared(&report);
        assert_eq!(clean.verdict, Verdict::Clean);
        assert_eq!(clean.differences.minor.len(), 1);
        assert_eq!(clean.differences.decisive().count(), 0);

        report.findings = vec![
            finding("a.php", Difference::Modified, false),
            finding("b.php", Difference::Missing, false),
            finding("c.php", Difference::Unexpected, false),
            finding("d.php", Difference::Link, false),
        ];
        let differs = compared(&report);
        assert_eq!(differs.verdict, Verdict::Differs);
        assert_eq!(
            differs.differences.decisive().collect::<Vec<_>>(),
            [
                ("modified", "a.php"),
                ("missing", "b.php"),
                ("unexpected", "c.php"),
                ("link", "d.php")
            ]
        );
    }

    #[test]
    fn what_was_not_looked_at_is_not_clean() {
        let hidden = ChecksumReport {
            behind_links: 2,
            ..ChecksumReport::default()
        };
        assert_eq!(compared(&hidden).verdict, Verdict::Differs);
        assert!(compared(&hidden).why.is_some());
        let unnamed = ChecksumReport {
            findings_more: 1,
            ..ChecksumReport::default()
        };
        assert_eq!(compared(&unnamed).verdict, Verdict::Differs);
    }
}
