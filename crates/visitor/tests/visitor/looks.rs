//! What a look sees, and where it looks.

use crate::site::{HOME, Site, found, html, sent_to, typed};
use pressroom_visitor::{
    FindingKind, Plan, Severity, Thresholds, Visitor, compare,
    impression::{Content, PageKind, Pictures},
};
use std::{sync::Arc, time::Duration};

#[tokio::test]
async fn pages_of_every_kind_and_template_are_chosen() {
    let look = Site::new().look(None).await;
    let chosen: Vec<_> = look
        .chosen()
        .map(|page| (page.address.as_str(), page.kind))
        .collect();
    for expected in [
        ("/", PageKind::Configured),
        ("/contact/", PageKind::Configured),
        ("/hello/", PageKind::Sitemap),
        ("/about/", PageKind::Sitemap),
        ("/category/news/", PageKind::Sitemap),
        ("/author/ann/", PageKind::Sitemap),
        // Another template among the pages, found by trying.
        ("/landing/", PageKind::Sitemap),
        ("/shop/", PageKind::Shop),
        ("/cart/", PageKind::Cart),
        ("/checkout/", PageKind::Checkout),
        ("/?s=a", PageKind::Search),
        ("/wp-login.php", PageKind::Login),
        ("/wp-admin/", PageKind::Admin),
        ("/wp-admin/admin-ajax.php", PageKind::AdminEndpoint),
        ("/wp-json/", PageKind::Rest),
        ("/feed/", PageKind::Feed),
        ("/wp-cron.php?doing_wp_cron", PageKind::Cron),
    ] {
        assert!(
            chosen.contains(&expected),
            "{expected:?} is not in {chosen:?}"
        );
    }
    // The same template twice tells nothing new.
    assert!(!chosen.iter().any(|(address, _)| *address == "/second/"));
    assert!(
        look.pages
            .iter()
            .all(|page| page.alive.len() == 3 && page.served.len() == 1)
    );
    assert_eq!(look.pictures, Pictures::NotWanted);
}

#[tokio::test]
async fn facts_are_kept_and_bodies_are_not() {
    let look = Site::new().look(None).await;
    let page = |address: &str| {
        let mut pages = look.pages.iter();
        pages.find(|page| page.chosen.address == address).unwrap()
    };
    let front = page("/").alive[0].facts().unwrap();
    assert_eq!(front.title.as_deref(), Some("The village shop"));
    assert!(front.complete && front.text > 500 && front.links == 11);
    let checkout = &page("/checkout/").alive[0];
    assert_eq!(checkout.status, Some(200), "the cart was filled");
    let place_order = checkout
        .facts()
        .unwrap()
        .buttons
        .iter()
        .any(|button| button.sells);
    assert!(place_order);
    let admin = &page("/wp-admin/").alive[0];
    assert_eq!(admin.end(), Some("/wp-login.php?redirect_to=x&reauth=1"));
    let feed = Content::Feed {
        is_valid: true,
        items: 1,
    };
    assert_eq!(page("/feed/").alive[0].content, feed);
    assert!(
        look.rest
            .as_ref()
            .unwrap()
            .namespaces
            .contains("wc/store/v1")
    );
    let files: Vec<_> = look
        .files
        .iter()
        .map(|file| (file.place.as_str(), file.trouble()))
        .collect();
    assert_eq!(files.len(), 4, "{files:?}");
    assert!(
        files.iter().all(|(_, trouble)| trouble.is_none()),
        "{files:?}"
    );
    let kept = serde_json::to_string(&look).unwrap();
    assert!(!kept.contains("jumps over the lazy dog"));
    assert!(kept.len() < 150_000, "{} bytes", kept.len());
    assert!(
        !kept.contains("pressroom="),
        "the mark that passes caches is no fact"
    );
}

/// Without permalinks WordPress answers any path with its front page, and everything by queries.
#[tokio::test]
async fn a_site_without_permalinks_is_looked_at_by_its_queries() {
    const FRONT: &str = "<!DOCTYPE html><html><head><title>Village</title></head>\
        <body class=home><h1>Village</h1><a href=/?page_id=2>About</a></body></html>";
    const ABOUT: &str = "<!DOCTYPE html><html><head><title>About</title></head>\
        <body class='page page-id-2'><h1>About</h1></body></html>";
    const ANSWERS: [(&str, &str, &str); 5] = [
        (
            "rest_route=/",
            "application/json",
            r#"{"namespaces":["wp/v2"],"routes":{"/wp/v2/posts":{}}}"#,
        ),
        (
            "feed=rss2",
            "application/rss+xml",
            "<rss><channel><item></item></channel></rss>",
        ),
        (
            "sitemap=index",
            "application/xml",
            "<sitemapindex><sitemap><loc>https://shop.example/?sitemap=posts&amp;\
             sitemap-subtype=page&amp;paged=1</loc></sitemap></sitemapindex>",
        ),
        (
            "sitemap=posts&sitemap-subtype=page&paged=1",
            "application/xml",
            "<urlset><url><loc>https://shop.example/?page_id=2</loc></url></urlset>",
        ),
        ("page_id=2", "text/html", ABOUT),
    ];
    let site = Site::new().but(|ask, answer| {
        let by_query = ANSWERS
            .iter()
            .find(|(query, ..)| ask.query.starts_with(query));
        if let Some((_, kind, body)) = by_query.filter(|_| ask.path == "/") {
            *answer = typed(200, kind, body.as_bytes());
        } else if ask.is_page() || ask.path.contains(".xml") || ask.path == "/wp-json/" {
            *answer = html(200, FRONT);
        }
    });
    let look = site.look(None).await;
    let chosen = |kind: PageKind| -> Vec<&str> {
        look.chosen()
            .filter(|page| page.kind == kind)
            .map(|page| page.address.as_str())
            .collect()
    };
    assert_eq!(chosen(PageKind::Rest), ["/?rest_route=/"]);
    assert_eq!(chosen(PageKind::Feed), ["/?feed=rss2"]);
    assert_eq!(chosen(PageKind::Sitemap), ["/?page_id=2"]);
    assert!(
        look.rest
            .as_ref()
            .is_some_and(|rest| !rest.routes.is_empty())
    );
}

#[tokio::test]
async fn what_failed_before_does_not_count() {
    let broken = || {
        Site::new().but(|ask, answer| match ask.path.as_str() {
            "/hello/" => {
                *answer = html(
                    500,
                    "<p>There has been a critical error on this website.</p>",
                );
            }
            "/about/" => *answer = sent_to("/about/"),
            "/wp-content/themes/t/style.css" => *answer = html(404, "<html>gone"),
            "/wp-json/" => *answer = html(403, "no"),
            // Then the feed is looked at by its query.
            "/feed/" => answer.status = 0,
            _ => {}
        })
    };
    let findings = found(&broken(), &broken()).await;
    let told: Vec<_> = findings
        .iter()
        .map(|found| (found.what, found.severity, found.place.as_str()))
        .collect();
    // That a page says nothing about the update is told.
    let unjudged = |place| (FindingKind::BrokenBefore, Severity::Warning, place);
    assert_eq!(told, ["/about/", "/hello/"].map(unjudged), "{findings:#?}");
    // And mended is not worse.
    assert_eq!(found(&broken(), &Site::new()).await, []);
}

#[tokio::test]
async fn a_look_ends_in_time_and_says_what_it_did_not_see() {
    let site = Site::new();
    let before = site.look(None).await;
    let mut plan = Plan::new(HOME.parse().unwrap()).again(&before);
    plan.pictures = false;
    plan.patience = Duration::ZERO;
    let look = Visitor::new(Arc::new(site), plan).look().await.impression;
    let findings = compare(&before, &look, &Thresholds::default());
    assert_eq!(findings.len(), before.pages.len(), "{findings:#?}");
    assert!(
        findings
            .iter()
            .all(|found| found.severity == Severity::Blocking)
    );
    let mut unseen = findings
        .iter()
        .filter(|found| found.what == FindingKind::NotLookedAt);
    assert!(unseen.any(|found| found.place == "/"));
}

#[tokio::test]
async fn without_a_browser_the_look_says_so() {
    let site = Site::new();
    let plan = |home: &str| {
        let mut plan = Plan::new(home.parse().unwrap());
        plan.repeats = 1;
        plan
    };
    let look = Visitor::new(Arc::new(site.clone()), plan(HOME))
        .with_camera(None)
        .look()
        .await
        .impression;
    let why = "Chromium is not installed".to_owned();
    assert_eq!(look.pictures, Pictures::NotMade { why });
    let findings = compare(&look, &look, &Thresholds::default());
    assert_eq!(findings.len(), 1);
    assert_eq!(findings[0].what, FindingKind::NoPictures);
    assert_eq!(findings[0].severity, Severity::Warning);
    // A browser that does not start is told too.
    let camera = pressroom_visitor::Camera::at("/bin/false");
    let look = Visitor::new(Arc::new(site), plan(HOME))
        .with_camera(Some(camera))
        .look()
        .await
        .impression;
    let Pictures::NotMade { why } = look.pictures else {
        panic!("{:?}", look.pictures);
    };
    assert!(why.starts_with("Chromium does not start"), "{why}");
}

#[tokio::test]
async fn a_site_without_a_sitemap_is_known_by_its_links() {
    let site = Site::new().but(|ask, answer| {
        if ask.path.contains("sitemap") {
            *answer = html(404, "");
        }
    });
    let look = site.look(None).await;
    let chosen: Vec<_> = look
        .chosen()
        .filter(|page| page.kind == PageKind::Sitemap)
        .map(|page| page.address.as_str())
        .collect();
    assert!(
        chosen.contains(&"/hello/") && chosen.contains(&"/about/"),
        "{chosen:?}"
    );
}
