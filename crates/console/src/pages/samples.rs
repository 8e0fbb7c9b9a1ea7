//! Pages with sample data: what they must never contain, and files to look at.

mod buttons;
mod entrance;
mod files;
mod health;
mod people;
mod pipelines;
mod policy;
mod snapshots;

use self::entrance::entrance_pages;
use self::files::files_page;
use self::health::{health_of, waiting};
use self::people::people_pages;
use self::policy::policy_pages;
use self::snapshots::{site_with_snapshots, snapshot, snapshot_page};
use super::{
    fleet::{FleetFragment, FleetPage, SiteList},
    job::{JobFacts, JobPage, JobState, Output},
    jobs::{JobRow, JobsPage},
    site::{SiteFacts, SitePage},
    snapshot::ConfirmPage,
};
use crate::{
    errors::Failure,
    frame::{Frame, Section},
    session::Current,
};
use askama::Template;
use axum::http::StatusCode;
use pressroom_base::{
    Kind, Secret, Timestamp,
    id::{AccountId, EnvironmentId, JobId, SessionId, SiteId, UserId},
};
use pressroom_fleet::{
    Principal,
    principal::{Grants, Identity, Role},
    sessions::Session,
    views::{Component, Environment, Job, JobError, Step, User},
};
use std::{fs, path::PathBuf, time::Duration};

const HOSTILE: &str = r#"<script>alert("1")</script>'"><img src=x onerror=alert(2)>"#;

fn now() -> Timestamp {
    Timestamp::now()
}

fn ago(seconds: u64) -> Timestamp {
    now().minus(Duration::from_secs(seconds))
}

fn person(role: Role) -> Current {
    let id = UserId::new(1);
    let session = Session {
        principal: Principal {
            identity: Identity::User {
                id,
                email: "mara@studio.example".into(),
                operator: false,
                token: None,
                session: Some(SessionId::new(1)),
                family: None,
            },
            grants: Grants::All,
            memberships: vec![(AccountId::new(1), role)],
            account: None,
        },
        user: User {
            id,
            email: "mara@studio.example".into(),
            name: "Mara Lindqvist".into(),
            operator: false,
            disabled_at: None,
        },
        csrf: Secret::new("c5rf".into()),
    };
    Current(session, None)
}

fn site(id: i64, domain: &str, title: &str, state: &str) -> Environment {
    Environment {
        id: EnvironmentId::new(id),
        site_id: SiteId::new(id),
        site_name: domain.into(),
        account_id: AccountId::new(1),
        account_name: "Studio Nord".into(),
        domain_id: None,
        domain: domain.into(),
        host: None,
        kind: "production".into(),
        panel_id: "wp_2f686f6d6".into(),
        state: state.into(),
        root: format!("/var/lib/pressroom/sites/{domain}/public_html"),
        url: format!("https://{domain}"),
        origin: Some("127.0.0.1:8081".into()),
        title: title.into(),
        core_version: "6.5.5".into(),
        php_version: "8.2.20".into(),
        db_name: "studio_blog".into(),
        db_user: "studio_k3x9ab".into(),
        db_host: "localhost".into(),
        table_prefix: "wp_u9fh_".into(),
        debug: false,
        multisite: false,
        components: Vec::new(),
        tags: Vec::new(),
        busy: None,
        inspected_at: Some(ago(240)),
        created_at: ago(900_000),
    }
}

fn component(
    kind: &str,
    slug: &str,
    name: &str,
    status: &str,
    versions: (&str, Option<&str>),
) -> Component {
    Component {
        kind: kind.into(),
        slug: slug.into(),
        file: format!("{slug}/{slug}.php"),
        name: name.into(),
        version: versions.0.into(),
        status: status.into(),
        new_version: versions.1.map(Into::into),
        offer_unknown: None,
        author: String::new(),
        description: String::new(),
        parent: None,
    }
}

fn components() -> Vec<Component> {
    let vendors = Component {
        offer_unknown: Some(
            "its updates come from `example.com`, which only the component itself can ask".into(),
        ),
        ..component(
            "plugin",
            "vendor-forms",
            "Vendor Forms",
            "active",
            ("3.1.0", None),
        )
    };
    vec![
        vendors,
        component(
            "plugin",
            "akismet",
            "Akismet Anti-spam",
            "active",
            ("5.3.1", Some("5.3.3")),
        ),
        component(
            "plugin",
            "contact-form",
            "Contact Form",
            "active",
            ("2.9.0", None),
        ),
        component(
            "plugin",
            "gallery-grid",
            "Gallery Grid",
            "active",
            ("1.4.2", Some("2.0.0")),
        ),
        component(
            "plugin",
            "hello",
            "Hello Dolly",
            "inactive",
            ("1.7.2", None),
        ),
        component(
            "plugin",
            "object-cache.php",
            "Object cache",
            "dropin",
            ("", None),
        ),
        component(
            "theme",
            "twentytwentyfour",
            "Twenty Twenty-Four",
            "active",
            ("1.1", Some("1.2")),
        ),
        component(
            "theme",
            "twentytwentythree",
            "Twenty Twenty-Three",
            "inactive",
            ("1.4", None),
        ),
    ]
}

fn job(id: i64, kind: &str, state: &str, progress: i32) -> Job {
    let is_final = !matches!(state, "queued" | "running");
    Job {
        id: JobId::new(id),
        public_id: format!("job_k3x9ab2mq0{id:02}"),
        kind: kind.into(),
        environment_id: Some(EnvironmentId::new(id)),
        panel_id: Some("wp_2f686f6d6".into()),
        domain: Some("blog.nordlicht.example".into()),
        account_id: Some(AccountId::new(1)),
        state: state.into(),
        progress,
        step: "probe".into(),
        message: String::new(),
        steps: Vec::new(),
        result: None,
        error: None,
        requested_by: Some(UserId::new(1)),
        created_at: ago(80),
        started_at: (state != "queued").then(|| ago(78)),
        finished_at: is_final.then(|| ago(5)),
        keeps_secret: false,
    }
}

fn steps(states: &[(&str, &str)]) -> Vec<Step> {
    states
        .iter()
        .map(|(name, state)| Step {
            name: (*name).into(),
            state: (*state).into(),
        })
        .collect()
}

fn running_job() -> Job {
    Job {
        message: "gallery-grid: putting version 2.0.0 in place".into(),
        step: "swap gallery-grid".into(),
        steps: steps(&[
            ("inspect", "done"),
            ("download akismet", "done"),
            ("swap akismet", "done"),
            ("probe akismet", "done"),
            ("download gallery-grid", "done"),
            ("swap gallery-grid", "running"),
        ]),
        ..job(1, "component_update", "running", 64)
    }
}

fn failed_job() -> Job {
    Job {
        steps: steps(&[
            ("inspect", "done"),
            ("download gallery-grid", "done"),
            ("swap gallery-grid", "undone"),
            ("probe gallery-grid", "failed"),
        ]),
        error: Some(JobError {
            kind: Kind::Remote,
            code: Some("taken_back".into()),
            message: "gallery-grid 2.0.0 broke the site and was taken back".into(),
            hint: Some("The site runs 1.4.2 as before. Ask the plugin's author about `Call to undefined function grid_boot()`".into()),
        }),
        result: Some(serde_json::json!({"items": [
            {"slug": "akismet", "outcome": "updated", "old_version": "5.3.1", "new_version": "5.3.3",
             "offered_version": "5.3.3", "tree_before": "11", "tree_now": "9a0c1f5be77d40a2", "message": "Version and files are the package's, and the site answers"},
            {"slug": "gallery-grid", "outcome": "taken_back", "old_version": "1.4.2", "new_version": "1.4.2",
             "offered_version": "2.0.0", "tree_before": "4be1d0c77aa9", "tree_now": "4be1d0c77aa90b11", "message": "Every page ended with a fatal error; the old files are back, byte for byte"},
        ]})),
        ..job(2, "component_update", "failed", 100)
    }
}

fn installed_job() -> Job {
    Job {
        steps: steps(&[
            ("user", "done"),
            ("database", "done"),
            ("files", "done"),
            ("install", "done"),
            ("verify", "done"),
        ]),
        message: "WordPress 6.5.5 is installed and answers".into(),
        result: Some(
            serde_json::json!({"environment_id": 3, "panel_id": "wp_2f686f6d6", "admin_user": "admin"}),
        ),
        ..job(3, "site_install", "completed", 100)
    }
}

fn frame(title: &str, section: Section) -> Frame {
    person(Role::Owner).frame(title, section)
}

fn fleet_page(sites: &[Environment], jobs: &[Job], q: &str) -> FleetPage {
    FleetPage {
        frame: frame("Sites", Section::Sites),
        list: SiteList::new(q.into(), sites, jobs, now()).with_waiting(&waiting(q), now()),
    }
}

fn site_page(site: &Environment, jobs: &[Job], role: Role) -> SitePage {
    SitePage {
        frame: frame(&site.title, Section::Sites),
        site: SiteFacts::new(site, jobs, &[], &person(role), now()),
        health: health_of(site, "down"),
        pipelines: pipelines::panel_of(site, role),
    }
}

fn job_page(job: &Job, text: &str) -> JobPage {
    let mut facts = JobFacts::new(job, now());
    facts.may_cancel = facts.live;
    JobPage {
        frame: frame("Job", Section::Jobs),
        job: facts,
        output: Output {
            text: text.into(),
            seq: 7,
            cut: false,
        },
    }
}

fn fleet_sites() -> Vec<Environment> {
    let mut blog = site(1, "blog.nordlicht.example", "Nordlicht Journal", "active");
    blog.components = components();
    let mut shop = site(2, "shop.fjordwerk.example", "Fjordwerk Shop", "broken");
    shop.components = components()[2..4].to_vec();
    let mut fresh = site(4, "neu.example", "", "installing");
    (fresh.core_version, fresh.php_version) = (String::new(), String::new());
    (fresh.title, fresh.inspected_at) = (String::new(), None);
    let mut staging = site(
        5,
        "staging.nordlicht.example",
        "Nordlicht Journal (staging)",
        "active",
    );
    staging.kind = "staging".into();
    vec![
        blog,
        shop,
        site(
            3,
            "atelier-hansen.example",
            "Atelier Hansen – Möbel nach Maß",
            "active",
        ),
        fresh,
        staging,
        site(6, "verein.example", "Segelverein Ostufer", "active"),
    ]
}

const OUTPUT: &str = "Inspecting /var/lib/pressroom/sites/blog.nordlicht.example/public_html
WordPress 6.5.5, PHP 8.2.20, 5 plugins, 2 themes
akismet: 5.3.1 is installed, 5.3.3 is offered
akismet: downloaded 101 kB, hash matches the directory's
akismet: staged 79 files, tree 9a0c1f5be77d40a2
akismet: in place, the site answers 200 in 84 ms
gallery-grid: 1.4.2 is installed, 2.0.0 is offered
gallery-grid: downloaded 412 kB
gallery-grid: staged 118 files
";

fn pages() -> Vec<(&'static str, String)> {
    let sites = fleet_sites();
    let jobs = [running_job(), failed_job(), installed_job()];
    let mut busy = sites[0].clone();
    busy.busy = Some(JobId::new(1));
    let kept = snapshot("k3v9q2x7m1p0aaaa", "ready");
    let rows = jobs
        .iter()
        .chain([
            &job(4, "component_update", "queued", 0),
            &job(5, "component_update", "cancelled", 30),
        ])
        .map(|job| JobRow::new(job, now()))
        .collect();
    [
        ("fleet", fleet_page(&sites, &jobs, "").render()),
        ("fleet-empty", fleet_page(&[], &[], "").render()),
        ("fleet-nothing", fleet_page(&[], &[], "xyz").render()),
        ("site", site_page(&sites[0], &jobs, Role::Owner).render()),
        ("site-busy", site_page(&busy, &jobs, Role::Owner).render()),
        (
            "site-snapshots",
            site_with_snapshots(&sites[0], Role::Owner).render(),
        ),
        ("files", files_page(&sites[0], "inc/a.php").render()),
        (
            "snapshot",
            snapshot_page(&sites[0], &kept, Role::Owner).render(),
        ),
        (
            "snapshot-restore",
            ConfirmPage::restore(&sites[0], &kept, &person(Role::Owner)).render(),
        ),
        (
            "snapshot-remove",
            ConfirmPage::remove(&sites[0], &kept, &person(Role::Owner)).render(),
        ),
        (
            "jobs",
            JobsPage {
                frame: frame("Jobs", Section::Jobs),
                jobs: rows,
            }
            .render(),
        ),
        (
            "jobs-empty",
            JobsPage {
                frame: frame("Jobs", Section::Jobs),
                jobs: Vec::new(),
            }
            .render(),
        ),
        ("job-running", job_page(&running_job(), OUTPUT).render()),
        ("job-failed", job_page(&failed_job(), OUTPUT).render()),
        ("job-installed", job_page(&installed_job(), OUTPUT).render()),
        (
            "job-queued",
            job_page(&job(4, "component_update", "queued", 0), "").render(),
        ),
        (
            "error-404",
            Failure::missing().to_html(Some(&person(Role::Owner))),
        ),
        ("error-500", Failure::internal("sample").to_html(None)),
    ]
    .into_iter()
    .chain(entrance_pages())
    .chain(pipelines::pipeline_pages())
    .chain(people_pages("Atelier Hansen"))
    .chain(policy_pages("Atelier Hansen"))
    .map(|(name, html)| (name, html.expect("the page renders")))
    .collect()
}

#[test]
fn no_page_contains_inline_script_or_style() {
    // Also kept as files, so that a change of markup can be looked at.
    let folder = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../target/console-pages");
    fs::create_dir_all(&folder).unwrap();
    for (name, html) in pages() {
        fs::write(folder.join(format!("{name}.html")), &html).unwrap();
        let scripts = html.matches("<script").count();
        assert_eq!(
            scripts,
            html.matches("<script src=\"/assets/").count(),
            "{name}"
        );
        for inline in [
            "<style",
            " style=",
            " onclick=",
            " onload=",
            "javascript:",
            "hx-on",
        ] {
            assert!(!html.contains(inline), "{name} contains {inline}");
        }
        let forms = html.matches("method=\"post\"").count();
        // Whoever accepts an invitation may be signed in, and has a token then.
        let entrances = ["sign-in\"", "set-up/", "forgot\"", "reset/", "invitation/"];
        let entrances = entrances.map(|form| format!("action=\"/{form}"));
        let open = entrances.iter().any(|form| html.contains(form));
        let public = usize::from(open && name != "invitation-here");
        assert_eq!(
            forms - public,
            html.matches("name=\"csrf\"").count(),
            "{name}"
        );
    }
}

#[test]
fn what_nobody_knows_of_is_not_up_to_date() {
    let mut one = site(1, "one.example", "One", "active");
    let part = |offer_unknown| Component {
        offer_unknown,
        ..component("plugin", "forms", "Forms", "active", ("3.1.0", None))
    };
    one.components = vec![part(None)];
    let known = site_page(&one, &[], Role::Owner).render().unwrap();
    assert!(known.contains("Up to date") && !known.contains("Unknown"));
    one.components = vec![part(Some("only its vendor knows".into()))];
    let unknown = site_page(&one, &[], Role::Owner).render().unwrap();
    assert!(unknown.contains("Unknown") && unknown.contains("only its vendor knows"));
    assert!(!unknown.contains("Up to date"));
}

#[test]
fn hostile_names_stay_text() {
    let mut evil = site(1, "evil.example", HOSTILE, "active");
    evil.url = format!("javascript:{HOSTILE}");
    evil.account_name = HOSTILE.into();
    evil.kind = HOSTILE.into();
    evil.state = HOSTILE.into();
    evil.components = vec![
        component(
            "plugin",
            HOSTILE,
            HOSTILE,
            HOSTILE,
            (HOSTILE, Some(HOSTILE)),
        ),
        Component {
            offer_unknown: Some(HOSTILE.into()),
            ..component("plugin", "b", "b", "active", ("1", None))
        },
    ];
    let mut job = failed_job();
    job.domain = Some(HOSTILE.into());
    job.message = HOSTILE.into();
    job.step = HOSTILE.into();
    job.state = HOSTILE.into();
    job.steps = steps(&[(HOSTILE, HOSTILE)]);
    job.error.as_mut().unwrap().message = HOSTILE.into();
    let mut hostile = snapshot("x", "ready");
    (hostile.note, hostile.fault) = (HOSTILE.into(), Some(HOSTILE.into()));
    evil.domain = HOSTILE.into();
    let mut other = job.clone();
    other.result = Some(serde_json::json!({ HOSTILE: HOSTILE }));
    let list = SiteList::new(
        HOSTILE.into(),
        std::slice::from_ref(&evil),
        &[job.clone()],
        now(),
    );
    for html in [
        fleet_page(std::slice::from_ref(&evil), &[job.clone()], HOSTILE).render(),
        fleet_page(&[], &[], HOSTILE).render(),
        FleetFragment { list }.render(),
        site_page(&evil, &[job.clone()], Role::Owner).render(),
        snapshot_page(&evil, &hostile, Role::Owner).render(),
        files_page(&evil, HOSTILE).render(),
        people_pages(HOSTILE).swap_remove(0).1,
        policy_pages(HOSTILE).swap_remove(1).1,
        policy_pages(HOSTILE).swap_remove(2).1,
        ConfirmPage::restore(&evil, &hostile, &person(Role::Owner)).render(),
        job_page(&job, HOSTILE).render(),
        job_page(&other, HOSTILE).render(),
        JobState {
            job: JobFacts::new(&other, now()),
        }
        .render(),
        JobsPage {
            frame: frame(HOSTILE, Section::Jobs),
            jobs: vec![JobRow::new(&job, now())],
        }
        .render(),
        Failure::new(StatusCode::CONFLICT, HOSTILE, HOSTILE)
            .with_hint(HOSTILE)
            .to_html(None),
    ] {
        let html = html.unwrap();
        assert!(html.contains("alert("), "the name is shown");
        assert!(
            !html.contains("<script>") && !html.contains("<img src=x"),
            "{html}"
        );
        assert!(!html.contains("href=\"javascript:"), "{html}");
    }
}

#[test]
fn a_long_list_is_cut_and_says_so() {
    let many: Vec<_> = (0..201)
        .map(|id| site(id, "a.example", "A", "active"))
        .collect();
    let html = fleet_page(&many, &[], "a").render().unwrap();
    assert_eq!(html.matches("class=\"row-link\"").count(), 200);
    assert!(html.contains("narrow the search"));
}
