//! What was found, alike with alike: twenty of a kind are one group.

use super::pictures::anchor;
use crate::{badge::Badge, prose::Prose, wording};
use pressroom_fleet::pipelines::{Finding, PipelineDetails};

/// Rows of a group that are shown at once.
const SHOWN: usize = 3;

/// Findings that are alike.
#[derive(Debug)]
pub(crate) struct FindingGroup {
    /// What the browser remembers it by.
    pub(crate) id: String,
    pub(crate) severity: Badge,
    pub(crate) what: Prose,
    pub(crate) count: usize,
    /// Where: while it was tried, or at the site.
    pub(crate) stage: String,
    /// What it is blamed on.
    pub(crate) target: Option<String>,
    pub(crate) rows: Vec<FindingRow>,
    /// Those that are folded away.
    pub(crate) more: Vec<FindingRow>,
}

/// One finding.
#[derive(Debug)]
pub(crate) struct FindingRow {
    pub(crate) place: String,
    pub(crate) message: Prose,
    pub(crate) before: String,
    pub(crate) after: String,
    /// Where the pictures of it are on the page.
    pub(crate) pictures: Option<String>,
}

/// All that was found in groups, what weighs most first.
pub(crate) fn grouped(details: &PipelineDetails) -> Vec<FindingGroup> {
    let mut found: Vec<(&Finding, Vec<&Finding>)> = Vec::new();
    for finding in &details.findings {
        match found.iter_mut().find(|(first, _)| alike(first, finding)) {
            Some((_, others)) => others.push(finding),
            None => found.push((finding, vec![finding])),
        }
    }
    found.sort_by_key(|(first, _)| weight(&first.severity));
    found
        .iter()
        .enumerate()
        .map(|(at, (first, all))| {
            let row = |finding: &&Finding| FindingRow::new(finding, details);
            FindingGroup {
                id: format!("found-{}-{}-{at}", first.stage, first.what),
                severity: Badge::of_severity(&first.severity),
                what: wording::finding(&first.what).into(),
                count: all.len(),
                stage: stage(&first.stage),
                target: first.target.clone(),
                rows: all.iter().take(SHOWN).map(row).collect(),
                more: all.iter().skip(SHOWN).map(row).collect(),
            }
        })
        .collect()
}

fn alike(one: &Finding, other: &Finding) -> bool {
    one.severity == other.severity
        && one.what == other.what
        && one.stage == other.stage
        && one.target == other.target
}

fn weight(severity: &str) -> u8 {
    match severity {
        "blocking" => 0,
        "warning" => 1,
        _ => 2,
    }
}

fn stage(name: &str) -> String {
    match name {
        "rehearsal" => "in the clone".to_owned(),
        "upgrade" => "at the site, after its update".to_owned(),
        "verification" => "at the site, after all updates".to_owned(),
        other => other.replace('_', " "),
    }
}

impl FindingRow {
    fn new(finding: &Finding, details: &PipelineDetails) -> Self {
        let mut shown = details.pictures.iter().filter(|picture| {
            picture.stage == finding.stage
                && picture.target == finding.target
                && picture.page == finding.place
        });
        // What looks different names its pictures; of anything else the page itself is shown.
        let named = shown
            .clone()
            .find(|picture| picture.shot == finding.before || picture.shot == finding.after);
        let is_look = finding.what == "looks_changed";
        let text = |text: &str| {
            if is_look {
                String::new()
            } else {
                text.to_owned()
            }
        };
        Self {
            place: finding.place.clone(),
            message: finding.message.as_str().into(),
            before: text(&finding.before),
            after: text(&finding.after),
            pictures: named.or_else(|| shown.next()).map(anchor),
        }
    }
}
