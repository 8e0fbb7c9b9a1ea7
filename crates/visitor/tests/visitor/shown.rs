//! What real Chromium shows: what must be found with it, and what must not stop an update.

use crate::site::{Ask, HOME, Site, insert, replace, typed};
use pressroom_visitor::{
    Camera, Fetched, Finding, FindingKind, Impression, Picture, Plan, Severity, Thresholds,
    Visitor, compare, compare_pictures,
    impression::{Pictures, Screen, Shot},
};
use std::{sync::Arc, time::Duration};

type Change = fn(&Ask, &mut Fetched);

/// A look with pictures at one page.
async fn look(page: &str, site: Site, before: Option<&Impression>) -> (Impression, Vec<Picture>) {
    let mut plan = Plan::new(HOME.parse().unwrap());
    plan.paths = vec![page.to_owned()];
    plan.sitemap_pages = 0;
    plan.repeats = 2;
    plan.picture_pages = 1;
    plan.shots = 2;
    // Its own time is not what is tested here.
    plan.timeout = Duration::from_mins(1);
    if let Some(before) = before {
        plan = plan.again(before);
    }
    let camera = Camera::find().expect("Chromium is installed (package `chromium`)");
    let looked = Visitor::new(Arc::new(site), plan)
        .with_camera(Some(camera))
        .look()
        .await;
    let kept = serde_json::to_vec(&looked.impression).unwrap();
    (serde_json::from_slice(&kept).unwrap(), looked.pictures)
}

fn shots(impression: &Impression) -> &[Shot] {
    let Pictures::Made { shots, failed } = &impression.pictures else {
        panic!("{:?}", impression.pictures);
    };
    assert!(failed.is_empty(), "{failed:?}");
    shots
}

/// Judges each change against the same look before.
async fn judged(
    page: &str,
    always: Change,
    changes: &[(&str, Change)],
) -> Vec<(String, Vec<Finding>)> {
    let (before, then) = look(page, Site::new().but(always), None).await;
    // Twice on each screen.
    assert_eq!(shots(&before).len(), 4);
    let mut judged = Vec::new();
    for (name, change) in changes {
        let site = Site::new().but(always).but(*change);
        let (after, now) = look(page, site, Some(&before)).await;
        shots(&after);
        let thresholds = Thresholds::default();
        let mut findings = compare(&before, &after, &thresholds);
        let (more, differences) = compare_pictures((&before, &then), (&after, &now), &thresholds);
        for difference in &differences {
            let places = &difference.areas;
            assert_eq!(difference.png.is_empty(), places.is_empty(), "{name}");
        }
        findings.extend(more);
        judged.push(((*name).to_owned(), findings));
    }
    judged
}

fn told(findings: &[Finding]) -> Vec<String> {
    findings
        .iter()
        .map(|found| format!("{:?} {} {}", found.severity, found.what, found.message))
        .collect()
}

fn css(answer: &mut Fetched, ask: &Ask, rule: &str) {
    if ask.path.ends_with("style.css") {
        answer.body.extend_from_slice(rule.as_bytes());
    }
}

#[tokio::test]
async fn what_only_a_browser_sees_is_found() {
    let changes: [(&str, Change); 8] = [
        ("script_error", |_, answer| {
            insert(
                answer,
                "</body>",
                "<script>document.querySelector('.gone').focus()</script>",
            );
        }),
        ("script_error", |_, answer| {
            insert(answer, "</body>", "<script>function ( {</script>");
        }),
        ("field_gone", |ask, answer| {
            css(answer, ask, "textarea{opacity:0}");
        }),
        ("submit_gone", |ask, answer| {
            css(answer, ask, ".send{position:absolute;left:-9999px}");
        }),
        ("layout_moved", |ask, answer| {
            css(
                answer,
                ask,
                "main{margin-left:0;width:300px;padding:0}footer{margin-left:400px}",
            );
        }),
        ("request_failed", |ask, answer| {
            insert(
                answer,
                "</body>",
                "<script>addEventListener('load',()=>{const l=document.createElement('link');l.rel='stylesheet';l.href='/late.css';document.head.append(l)})</script>",
            );
            if ask.path == "/late.css" {
                *answer = typed(404, "text/css", b"");
            }
        }),
        ("covered", |_, answer| {
            insert(
                answer,
                "</body>",
                "<div style='position:fixed;inset:0;background:#fff'><p>Loading</p></div>",
            );
        }),
        ("covered", |ask, answer| {
            css(
                answer,
                ask,
                "body::after{content:'';position:fixed;inset:0;background:rgba(0,0,0,.1)}",
            );
        }),
    ];
    let mut missed = Vec::new();
    for (expected, findings) in judged("/contact/", |_, _| {}, &changes).await {
        let is_found = findings
            .iter()
            .any(|found| found.is_blocking() && found.what.as_str() == expected);
        if !is_found {
            missed.push(format!("{expected}: {:#?}", told(&findings)));
        }
    }
    assert!(missed.is_empty(), "{}", missed.join("\n"));
}

#[tokio::test]
async fn what_looks_different_and_is_well_is_not_stopped() {
    let always: Change = |ask, answer| {
        let slide = format!(
            "<div id=carousel style='height:120px;background:hsl({},80%,50%)'><h2>Slide {}</h2></div>",
            ask.nth * 67 % 360,
            ask.nth % 5
        );
        insert(answer, "<p class=date>", &slide);
        insert(
            answer,
            "</body>",
            "<script>console.log(Math.random(), new Date())</script>",
        );
    };
    let changes: [(&str, Change); 9] = [
        ("nothing", |_, _| {}),
        ("another date and quote", |_, answer| {
            replace(
                answer,
                "Monday",
                "On the twelfth of December in the year after",
            );
        }),
        ("a banner at the bottom", |_, answer| {
            insert(
                answer,
                "</body>",
                "<div id=consent style='position:fixed;left:0;right:0;bottom:0;padding:24px;background:#111;color:#fff'>\
                <p>We use cookies, and so does everybody else</p><button>Accept</button></div>",
            );
        }),
        ("a banner above everything", |_, answer| {
            insert(
                answer,
                "<header",
                "<div style='padding:24px;background:#ffd166'><p>Open on Sunday</p></div>",
            );
        }),
        ("a banner that covers the page", |_, answer| {
            insert(
                answer,
                "</body>",
                "<div id=consent style='position:fixed;inset:0;background:rgba(0,0,0,.6)'>\
                <div style='background:#fff;margin:200px auto;width:400px;padding:24px'><p>We use cookies</p><button>Accept</button></div></div>",
            );
        }),
        ("an offer with a cross to close it", |_, answer| {
            insert(
                answer,
                "</body>",
                "<div style='position:fixed;inset:0;background:rgba(0,0,0,.6)'><div style='background:#fff;margin:200px auto;\
                width:300px;padding:24px'><span style='cursor:pointer'>×</span><p>Ten percent off</p></div></div>",
            );
        }),
        ("a loader that goes by itself", |_, answer| {
            insert(
                answer,
                "</body>",
                "<div id=loader style='position:fixed;inset:0;background:#fff'>…</div>\
                <script>addEventListener('load',()=>setTimeout(()=>loader.remove(),1500))</script>",
            );
        }),
        ("another font", |ask, answer| {
            if ask.path.ends_with("style.css") {
                replace(answer, "DejaVu Sans,sans-serif", "DejaVu Serif,serif");
            }
        }),
        ("more related posts", |_, answer| {
            insert(
                answer,
                "</main>",
                &"<article><h3>Also nice</h3><p>Read it</p></article>".repeat(6),
            );
        }),
    ];
    let mut stopped = Vec::new();
    for (name, findings) in judged("/", always, &changes).await {
        let is_stopped = findings.iter().any(Finding::is_blocking);
        let is_told = [
            "a banner that covers the page",
            "an offer with a cross to close it",
        ]
        .contains(&name.as_str());
        let covered = findings
            .iter()
            .any(|found| found.what == FindingKind::Covered && found.severity == Severity::Warning);
        if is_stopped || is_told != covered || (name == "nothing" && !findings.is_empty()) {
            stopped.push(format!("{name}: {:#?}", told(&findings)));
        }
    }
    assert!(stopped.is_empty(), "{}", stopped.join("\n"));
}

#[tokio::test]
async fn a_page_asks_nobody_but_the_site_and_lasts_only_so_long() {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let elsewhere = listener.local_addr().unwrap();
    let site = Site::new().but(move |ask, answer| {
        if ask.path == "/" {
            let script = format!(
                "<img src=http://{elsewhere}/i.png><iframe src=http://{elsewhere}/f></iframe>\
                 <script>fetch('http://{elsewhere}/x').catch(()=>{{}});new WebSocket('ws://{elsewhere}/w');\
                 navigator.sendBeacon('http://{elsewhere}/b','1');alert(1);prompt('who')</script>"
            );
            insert(answer, "</body>", &script);
        }
        if ask.path == "/contact/" {
            insert(answer, "</body>", "<script>while(true){}</script>");
        }
    });
    let mut plan = Plan::new(HOME.parse().unwrap());
    plan.paths = vec!["/".into(), "/contact/".into()];
    plan.sitemap_pages = 0;
    plan.repeats = 1;
    plan.picture_pages = 2;
    plan.shots = 1;
    plan.timeout = Duration::from_secs(5);
    let looked = Visitor::new(Arc::new(site), plan).look().await;
    let Pictures::Made { shots, failed } = &looked.impression.pictures else {
        panic!("{:?}", looked.impression.pictures);
    };
    assert_eq!(shots.len(), 2, "{failed:?}");
    assert!(
        failed["/contact/"].contains("is not shown within"),
        "{failed:?}"
    );
    let front = &shots[0];
    assert_eq!((front.screen, front.page.as_str()), (Screen::Desktop, "/"));
    let picture = &looked.pictures[0];
    assert!(picture.png.starts_with(b"\x89PNG"));
    assert_eq!(front.width, 1280);
    let nobody = tokio::time::timeout(Duration::from_secs(1), listener.accept()).await;
    assert!(nobody.is_err(), "something got past the interception");
}
