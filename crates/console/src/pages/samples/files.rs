//! A site's files held against their packages.

use super::{fleet_sites, frame};
use crate::{
    frame::Section,
    pages::files::{FileFacts, FilesPage},
};
use askama::Template;
use pressroom_fleet::{
    checksums::{Differences, Named, Verdict, Verification, Verified},
    views::Environment,
};

/// One subject of each verdict, all of whose texts are the same.
pub(super) fn files_page(site: &Environment, text: &str) -> FilesPage {
    let subject = |slug: &str, verdict, why: Option<&str>, differences| Verified {
        kind: "plugin",
        slug: slug.into(),
        version: "1.0".into(),
        verdict,
        why: why.map(Into::into),
        intact: 12,
        differences,
    };
    let differences = Differences {
        modified: vec![text.into()],
        missing: vec![text.into()],
        unexpected: vec![text.into()],
        other: vec![Named {
            path: text.into(),
            difference: "not_a_file",
        }],
        minor: Vec::new(),
        more: 3,
    };
    let found = Verification {
        subjects: vec![
            subject("clean", Verdict::Clean, None, Differences::default()),
            subject(text, Verdict::Differs, None, differences),
            subject("own", Verdict::Unknown, Some(text), Differences::default()),
        ],
    };
    FilesPage {
        frame: frame("Files", Section::Sites),
        files: FileFacts::new(site, &found),
    }
}

#[test]
fn what_could_not_be_compared_is_not_told_as_intact() {
    let site = fleet_sites().remove(0);
    let unknown = |verdict| Verified {
        kind: "theme",
        slug: "own".into(),
        version: String::new(),
        verdict,
        why: Some("no package source has it".into()),
        intact: 0,
        differences: Differences::default(),
    };
    let subjects = vec![unknown(Verdict::Clean), unknown(Verdict::Unknown)];
    let facts = FileFacts::new(&site, &Verification { subjects });
    assert_eq!(facts.verdict.word, "Unknown");
    assert_eq!(
        facts.summary,
        "1 of 2 are exactly what their packages hold, of 1 nothing is known"
    );
    let html = files_page(&site, "inc/a.php").render().unwrap();
    for said in [
        "Differ",
        "Modified",
        "Missing",
        "Unexpected",
        "inc/a.php (not a file)",
        "3 more differ",
    ] {
        assert!(html.contains(said), "{said}");
    }
    let empty = FileFacts::new(&site, &Verification::default());
    assert_eq!(empty.verdict.word, "Unknown", "nothing was looked at");
}
