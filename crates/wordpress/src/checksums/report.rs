//! What a comparison found.

use crate::archive::EntryPath;
use serde::{Deserialize, Serialize};

/// How many findings are named.
const MAX_FINDINGS: usize = 10_000;

/// What a comparison found.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct ChecksumReport {
    /// Files that are exactly as expected.
    pub intact: u64,
    /// Bytes that were read.
    pub bytes: u64,
    /// Expected files that were not looked at, since a link is on their way.
    pub behind_links: u64,
    /// What differs, by path.
    pub findings: Vec<Finding>,
    /// How many more differ than are named.
    pub findings_more: u64,
}

/// One difference.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Finding {
    /// Relative to the root for core, to the component's directory otherwise.
    pub path: EntryPath,
    /// What differs.
    pub difference: Difference,
    /// Whether it says little: texts for people, which sites change or remove, and
    /// PHP's own log.
    pub soft: bool,
}

/// What differs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Difference {
    /// Another content.
    Modified,
    /// Expected and not there.
    Missing,
    /// There and not expected.
    Unexpected,
    /// A symbolic link, be it where a file is expected; it is never followed.
    Link,
    /// A directory, pipe, socket or device where a file is expected, or one of the
    /// latter anywhere.
    NotAFile,
    /// May not be read.
    Unreadable,
}

impl ChecksumReport {
    /// Whether everything was looked at and nothing differs but what says little.
    pub fn is_clean(&self) -> bool {
        self.behind_links == 0
            && self.findings_more == 0
            && self.findings.iter().all(|finding| finding.soft)
    }

    /// The paths with one difference.
    pub fn with(&self, difference: Difference) -> impl Iterator<Item = &EntryPath> {
        self.findings
            .iter()
            .filter(move |finding| finding.difference == difference)
            .map(|finding| &finding.path)
    }

    pub(super) fn find(&mut self, path: &[u8], difference: Difference) {
        if self.findings.len() >= MAX_FINDINGS {
            self.findings_more += 1;
            return;
        }
        self.findings.push(Finding {
            path: EntryPath::new(path.to_vec()),
            difference,
            soft: is_soft(path, difference),
        });
    }
}

fn is_soft(path: &[u8], difference: Difference) -> bool {
    let path = String::from_utf8_lossy(path).to_ascii_lowercase();
    if difference == Difference::Unexpected {
        return path == "error_log" || path.ends_with("/error_log");
    }
    let for_people = ["readme", "changelog", "license", "licence"];
    let texts = ["", "txt", "md", "html"];
    let (stem, extension) = path.rsplit_once('.').unwrap_or((&path, ""));
    let harmless = for_people.contains(&stem) && texts.contains(&extension);
    // Only read by people, and often removed to hide the version.
    matches!(difference, Difference::Modified | Difference::Missing)
        && (harmless || path == "wp-config-sample.php")
        && !(path == "wp-config-sample.php" && difference == Difference::Modified)
}
