//! What a site's files are, held against the packages they came from.

use crate::{
    Console,
    badge::Badge,
    errors::Failure,
    frame::{Frame, Section},
    pages::{fleet::name, path::site_id},
    session::Current,
    wording,
};
use askama::Template;
use axum::{
    extract::{Path, State},
    response::Html,
};
use pressroom_fleet::{
    authorize::Action,
    checksums::{Differences, Verdict, Verification, Verified, VerifySite},
    views::Environment,
};

#[derive(Template)]
#[template(path = "files.html")]
pub(crate) struct FilesPage {
    pub(crate) frame: Frame,
    pub(crate) files: FileFacts,
}

/// A verification as the page shows it.
#[derive(Debug)]
pub(crate) struct FileFacts {
    pub(crate) site: String,
    pub(crate) site_name: String,
    /// The verdict on the whole, and how it looks.
    pub(crate) verdict: Badge,
    pub(crate) summary: String,
    pub(crate) subjects: Vec<Subject>,
}

/// WordPress or a component.
#[derive(Debug)]
pub(crate) struct Subject {
    pub(crate) kind: String,
    pub(crate) name: String,
    pub(crate) version: String,
    pub(crate) verdict: Badge,
    pub(crate) why: Option<String>,
    pub(crate) intact: String,
    /// Files by what is the matter with them; none of these groups is empty.
    pub(crate) groups: Vec<Group>,
    /// How many more differ than are named.
    pub(crate) more: u64,
}

/// Files with one thing the matter.
#[derive(Debug)]
pub(crate) struct Group {
    pub(crate) title: &'static str,
    pub(crate) paths: Vec<String>,
}

/// `POST /sites/{id}/files`: it takes a while and work at the site, so that no
/// browser should ask for it ahead.
pub(crate) async fn check(
    State(console): State<Console>,
    current: Current,
    Path(id): Path<String>,
) -> Result<Html<String>, Failure> {
    let (caller, id) = (current.caller(), site_id(&id)?);
    let fleet = &console.fleet;
    let site = fleet.get_environment(&caller, Action::SiteRead, id).await?;
    let found = fleet.verify_site(&caller, id, VerifySite::ALL).await?;
    let page = FilesPage {
        frame: current.frame(format!("Files of {}", name(&site)), Section::Sites),
        files: FileFacts::new(&site, &found),
    };
    Ok(Html(page.render()?))
}

impl FileFacts {
    pub(crate) fn new(site: &Environment, found: &Verification) -> Self {
        let of = |verdict| {
            let subjects = found.subjects.iter();
            subjects
                .filter(|subject| subject.verdict == verdict)
                .count()
        };
        let (differ, unknown) = (of(Verdict::Differs), of(Verdict::Unknown));
        let (clean, all) = (of(Verdict::Clean), found.subjects.len());
        let mut said = vec![format!(
            "{clean} of {all} are exactly what their packages hold"
        )];
        if differ > 0 {
            said.push(format!("{differ} differ"));
        }
        if unknown > 0 {
            said.push(format!("of {unknown} nothing is known"));
        }
        Self {
            site: format!("/sites/{}", site.id),
            site_name: name(site).to_owned(),
            verdict: Badge::of_verdict(if differ > 0 {
                Verdict::Differs
            } else if unknown > 0 || all == 0 {
                Verdict::Unknown
            } else {
                Verdict::Clean
            }),
            summary: said.join(", "),
            subjects: found.subjects.iter().map(Subject::new).collect(),
        }
    }
}

impl Subject {
    fn new(found: &Verified) -> Self {
        Self {
            kind: wording::verified_kind(found.kind),
            name: found.slug.clone(),
            version: found.version.clone(),
            verdict: Badge::of_verdict(found.verdict),
            why: found.why.clone(),
            intact: found.intact.to_string(),
            groups: groups(&found.differences),
            more: found.differences.more,
        }
    }
}

fn groups(differences: &Differences) -> Vec<Group> {
    let named = |named: &[pressroom_fleet::checksums::Named]| {
        named
            .iter()
            .map(|named| format!("{} ({})", named.path, wording::difference(named.difference)))
            .collect()
    };
    [
        ("Modified", differences.modified.clone()),
        ("Missing", differences.missing.clone()),
        ("Unexpected", differences.unexpected.clone()),
        ("Not a readable file", named(&differences.other)),
        ("Minor, and no reason to worry", named(&differences.minor)),
    ]
    .into_iter()
    .filter(|(_, paths)| !paths.is_empty())
    .map(|(title, paths)| Group { title, paths })
    .collect()
}
