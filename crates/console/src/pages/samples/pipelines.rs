//! Safe updates: on their site's page, in the list, and the page of one in each state.

use super::{HOSTILE, ago, fleet_sites, frame, now, person};
use crate::{
    frame::Section,
    pages::{
        fleet::SiteList,
        pipeline::{PipelineFacts, PipelineFragment, PipelinePage, begin::BeginPage},
        pipelines::{PipelineLine, PipelinePanel, PipelinesPage, Which},
    },
};
use askama::Template;
use pressroom_base::{
    Timestamp,
    id::{AccountId, EnvironmentId},
};
use pressroom_fleet::{
    pipelines::{
        Area, Finding, PictureMoment, Pipeline, PipelineDetails, PipelineNow, PipelinePicture,
        PipelineState, RollBack, Stage, StageName, StageStatus, Strategy, Target, TargetState,
    },
    principal::Role,
    views::Environment,
};
use serde_json::json;

fn stage(name: StageName, status: StageStatus, message: &str) -> Stage {
    let ran = !matches!(status, StageStatus::Pending | StageStatus::NotNeeded);
    Stage {
        name,
        status,
        started_at: ran.then(|| ago(90)),
        finished_at: (status == StageStatus::Passed).then(|| ago(40)),
        message: (!message.is_empty()).then(|| message.to_owned()),
        detail: json!({ "trials": [{ "not_kept_from_happening": ["programs of its own: no user namespaces here"] }] }),
    }
}

fn target(slug: &str, name: &str, versions: (&str, &str), status: TargetState) -> Target {
    let broke = "it broke the rehearsal: /: PHP died of a call to an undefined function";
    Target {
        kind: if slug.is_empty() { "core" } else { "plugin" }.into(),
        slug: (!slug.is_empty()).then(|| slug.into()),
        name: name.into(),
        from_version: Some(versions.0.into()),
        to_version: Some(versions.1.into()),
        active: Some(true),
        status,
        error: (status == TargetState::Failed).then(|| broke.into()),
    }
}

/// One in this state.
fn pipeline(status: PipelineState) -> Pipeline {
    let over = status.is_final();
    Pipeline {
        id: "k3v9q2x7m1p0aaaa0000".into(),
        site_id: "k3v9q2x7m1p0aaaa0001".into(),
        site: "Nordlicht Journal".into(),
        url: "https://blog.nordlicht.example".into(),
        account_id: AccountId::new(1),
        environment_id: EnvironmentId::new(1),
        status,
        strategy: Strategy::Canary,
        requires_approval: true,
        targets: vec![
            target(
                "akismet",
                "Akismet Anti-spam",
                ("5.3.1", "5.3.3"),
                TargetState::Pending,
            ),
            target("", "WordPress", ("6.5.4", "6.5.5"), TargetState::Pending),
            target(
                "gallery-grid",
                "Gallery Grid",
                ("1.4.2", "2.0.0"),
                TargetState::Failed,
            ),
        ],
        stages: vec![
            stage(StageName::Preflight, StageStatus::Passed, "3 targets"),
            stage(
                StageName::Snapshot,
                StageStatus::Passed,
                "20393457 bytes in the archive",
            ),
            stage(
                StageName::Rehearsal,
                StageStatus::Passed,
                "2 tried, nothing is worse",
            ),
            stage(StageName::Approval, StageStatus::Waiting, ""),
            stage(StageName::Upgrade, StageStatus::Pending, ""),
            stage(StageName::Verification, StageStatus::Pending, ""),
            stage(StageName::Rollback, StageStatus::NotNeeded, ""),
        ],
        approval: None,
        approval_until: Some(now().plus(std::time::Duration::from_hours(100))),
        rollback: RollBack::Auto,
        back: None,
        snapshot_id: None,
        baseline_check_id: None,
        final_check_id: None,
        error: (status == PipelineState::Failed).then(|| "none of 3 updates survived".into()),
        scheduled_at: None,
        rollout: None,
        canary: false,
        actor: "mara@studio.example".into(),
        created_by: None,
        note: "monthly".into(),
        paths: vec!["/".into()],
        job_id: None,
        created_at: ago(120),
        started_at: Some(ago(100)),
        finished_at: over.then(|| ago(5)),
        updated_at: ago(4),
    }
}

fn finding(what: &str, severity: &str, place: &str) -> Finding {
    Finding {
        stage: "rehearsal".into(),
        target: (severity == "blocking").then(|| "plugin gallery-grid".into()),
        what: what.into(),
        severity: severity.into(),
        place: place.into(),
        before: "200".into(),
        after: "500".into(),
        message: format!("{place}: {what}"),
    }
}

fn picture(page: &str, screen: &str, moment: PictureMoment, changed: bool) -> PipelinePicture {
    let area = Area {
        x: 10,
        y: 20,
        width: 300,
        height: 64,
    };
    PipelinePicture {
        id: "p1ctur3p1ctur3p1ctur".into(),
        stage: "rehearsal".into(),
        target: None,
        page: page.into(),
        screen: screen.into(),
        moment,
        shot: "1-desktop-1".into(),
        width: 1280,
        height: 2000,
        areas: if changed { vec![area] } else { Vec::new() },
        size: 90_000,
        at: ago(50),
    }
}

fn details(status: PipelineState) -> PipelineDetails {
    // Twenty alike, and one that must not be buried.
    let mut findings: Vec<_> = (0..20)
        .map(|at| finding("php_notice", "note", &format!("/page-{at}")))
        .collect();
    findings.push(Finding {
        before: "1-desktop-1".into(),
        after: "1-desktop-2".into(),
        ..finding("looks_changed", "warning", "/")
    });
    findings.push(finding("fatal_error", "blocking", "/shop"));
    PipelineDetails {
        pipeline: pipeline(status),
        findings,
        pictures: vec![
            picture("/", "desktop", PictureMoment::Before, true),
            picture("/", "desktop", PictureMoment::After, true),
            picture("/", "phone", PictureMoment::Before, false),
        ],
    }
}

fn page(details: PipelineDetails, role: Role) -> PipelinePage {
    let found = PipelineNow { details, job: None };
    PipelinePage {
        frame: frame("Update", Section::Updates),
        pipeline: PipelineFacts::new(&found, &person(role), now()),
    }
}

/// What a site's page says of its updates: one that waits for a yes, and one that is over.
pub(super) fn panel_of(site: &Environment, role: Role) -> PipelinePanel {
    let rows = [PipelineState::AwaitingApproval, PipelineState::Completed].map(pipeline);
    PipelinePanel::new(site, &rows, 7, &person(role), now())
}

fn list(rows: &[Pipeline], which: Which) -> PipelinesPage {
    PipelinesPage {
        frame: frame("Updates", Section::Updates),
        rows: rows.iter().map(|it| PipelineLine::new(it, now())).collect(),
        total: rows.len() as u64,
        which,
    }
}

fn begin(offers: &[Target]) -> BeginPage {
    BeginPage::new(frame("Update", Section::Sites), &fleet_sites()[0], offers)
}

/// Every page that is about safe updates.
pub(super) fn pipeline_pages() -> Vec<(&'static str, askama::Result<String>)> {
    let all: Vec<_> = PipelineState::ALL.iter().map(|it| pipeline(*it)).collect();
    vec![
        ("pipelines", list(&all, Which::All).render()),
        ("pipelines-empty", list(&[], Which::All).render()),
        ("pipelines-none-waits", list(&[], Which::Waiting).render()),
        (
            "pipeline-running",
            page(details(PipelineState::Rehearsing), Role::Owner).render(),
        ),
        (
            "pipeline-waits",
            page(details(PipelineState::AwaitingApproval), Role::Owner).render(),
        ),
        (
            "pipeline-failed",
            page(details(PipelineState::Failed), Role::Owner).render(),
        ),
        (
            "pipeline-begin",
            begin(&pipeline(PipelineState::Pending).targets).render(),
        ),
        ("pipeline-nothing", begin(&[]).render()),
    ]
}

#[test]
fn a_yes_is_asked_of_those_who_may_say_it() {
    let html = |status, role| page(details(status), role).render().unwrap();
    let waits = PipelineState::AwaitingApproval;
    let owner = html(waits, Role::Owner);
    assert!(owner.contains("/approve\"") && owner.contains("/cancel\""));
    assert!(owner.contains("name=\"target\" value=\"akismet\" checked"));
    assert!(owner.contains("name=\"target\" value=\"core\" checked"));
    assert!(!owner.contains("value=\"gallery-grid\""), "it is left out");
    let member = html(waits, Role::Member);
    assert!(!member.contains("/approve\"") && member.contains("/cancel\""));
    let viewer = html(waits, Role::Viewer);
    assert!(!viewer.contains("/approve\"") && !viewer.contains("/cancel\""));
    assert!(viewer.contains("An admin or owner"));
    for status in [PipelineState::Upgrading, PipelineState::Completed] {
        assert!(!html(status, Role::Owner).contains("/approve\""));
    }
    let over = html(PipelineState::Completed, Role::Owner);
    assert!(!over.contains("/cancel\"") && !over.contains("data-events"));
}

#[test]
fn twenty_alike_bury_nothing() {
    let html = page(details(PipelineState::AwaitingApproval), Role::Owner)
        .render()
        .unwrap();
    let at = |text: &str| html.find(text).unwrap_or_else(|| panic!("no `{text}`"));
    assert_eq!(
        html.matches("class=\"card finding\"").count(),
        4,
        "three, and the host"
    );
    assert!(at("/shop: fatal_error") < at("/: looks_changed"));
    assert!(at("/: looks_changed") < at("/page-0: php_notice"));
    assert!(html.contains("20 times") && html.contains("<summary>17 more</summary>"));
    assert!(at("/page-2:") < at("<summary>17 more") && at("<summary>17 more") < at("/page-3:"));
    assert!(html.contains("no user namespaces here"));
    // What looks different leads to the two pictures, not to their names.
    assert!(html.contains("href=\"#picture-rehearsal-desktop--_\""));
    assert!(html.contains("id=\"picture-rehearsal-desktop--_\""));
    assert!(!html.contains(">1-desktop-1<"));
    assert_eq!(html.matches("<img ").count() - 1, 3, "and the logo");
    assert_eq!(
        html.matches("<rect ").count(),
        1,
        "what changed, on the one from before"
    );
    assert!(html.contains("Not kept"));
}

#[test]
fn hostile_names_stay_text() {
    let mut evil = details(PipelineState::AwaitingApproval);
    evil.pipeline.site = HOSTILE.into();
    evil.pipeline.note = HOSTILE.into();
    evil.pipeline.actor = HOSTILE.into();
    evil.pipeline.error = Some(HOSTILE.into());
    for target in &mut evil.pipeline.targets {
        target.name = HOSTILE.into();
        target.to_version = Some(HOSTILE.into());
        target.error = Some(HOSTILE.into());
    }
    for stage in &mut evil.pipeline.stages {
        stage.message = Some(HOSTILE.into());
        stage.detail = json!({ "trials": [{ "not_kept_from_happening": [HOSTILE] }] });
    }
    for finding in &mut evil.findings {
        finding.place = HOSTILE.into();
        finding.what = HOSTILE.into();
        finding.severity = HOSTILE.into();
        finding.message = HOSTILE.into();
        finding.before = HOSTILE.into();
    }
    for picture in &mut evil.pictures {
        picture.page = HOSTILE.into();
        picture.target = Some(HOSTILE.into());
        picture.screen = HOSTILE.into();
    }
    let rows = [evil.pipeline.clone()];
    let offers = evil.pipeline.targets.clone();
    let found = PipelineNow {
        details: evil.clone(),
        job: None,
    };
    let fragment = PipelineFragment {
        pipeline: PipelineFacts::new(&found, &person(Role::Owner), now()),
    };
    for html in [
        page(evil, Role::Owner).render(),
        fragment.render(),
        list(&rows, Which::All).render(),
        begin(&offers).render(),
    ] {
        let html = html.unwrap();
        assert!(html.contains("alert("), "the name is shown");
        assert!(
            !html.contains("<script>") && !html.contains("<img src=x"),
            "{html}"
        );
    }
}

#[test]
fn a_site_whose_update_waits_says_so() {
    let sites = fleet_sites();
    let fleet = |total| {
        let rows = [pipeline(PipelineState::AwaitingApproval)];
        SiteList::new(String::new(), &sites, &[], Timestamp::now()).with_approvals(&rows, total)
    };
    let list = fleet(2);
    assert_eq!(list.approvals_words(), "2 updates wait for a yes");
    assert_eq!(fleet(1).approvals_words(), "1 update waits for a yes");
    let waiting: Vec<_> = list
        .rows
        .iter()
        .filter(|row| row.approval.is_some())
        .collect();
    assert_eq!(waiting.len(), 1);
    assert_eq!(
        waiting[0].approval.as_deref(),
        Some("/pipelines/pipe_k3v9q2x7m1p0aaaa0000")
    );
}
