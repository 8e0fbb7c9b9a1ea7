//! Updates that look suspicious and break nothing: none may be stopped.

use crate::site::{Ask, Site, blocking, found, insert, replace, typed};
use pressroom_visitor::{Fetched, FindingKind, Severity};
use std::sync::atomic::{AtomicUsize, Ordering};

/// Visits of a page that has two variants.
static VISITS: AtomicUsize = AtomicUsize::new(0);

pub struct Good {
    pub name: &'static str,
    /// What the site does all along.
    always: fn(&Ask, &mut Fetched),
    /// What it does afterwards too.
    after: fn(&Ask, &mut Fetched),
}

const fn nothing(_: &Ask, _: &mut Fetched) {}

pub const GOOD: &[Good] = &[
    Good {
        name: "nothing at all",
        always: nothing,
        after: nothing,
    },
    Good {
        name: "a carousel in random phase",
        always: |ask, answer| {
            let slide = format!(
                "<div class=slide><h2>Slide {}</h2><img src=/wp-content/uploads/slide-{}.jpg></div>",
                ask.nth % 5,
                ask.nth % 5
            );
            insert(answer, "<p class=date>", &slide);
            if ask.path.contains("/slide-") {
                *answer = typed(200, "image/jpeg", b"\xff\xd8\xff");
            }
        },
        after: nothing,
    },
    Good {
        name: "another date, nonce and version",
        always: |ask, answer| {
            replace(
                answer,
                "var nonce='1'",
                &format!("var nonce='{:x}'", ask.nth * 7919),
            );
        },
        after: |_, answer| {
            replace(answer, "Monday", "Tuesday the 24th of November");
            replace(answer, "style.css?ver=1.2", "style.css?ver=1.3.0");
            replace(answer, "jquery.min.js?ver=3.7.1", "jquery.min.js?ver=3.8.0");
        },
    },
    Good {
        name: "file names that change with their content",
        always: nothing,
        after: |ask, answer| {
            replace(answer, "p-1a2b3c4d.css", "p-5e6f7a8b.css");
            if ask.path.ends_with("p-5e6f7a8b.css") {
                *answer = typed(
                    200,
                    "text/css",
                    b".send{background:#000;color:#fff;border:0;padding:9px 16px}",
                );
            }
        },
    },
    Good {
        name: "another token field each time",
        always: |ask, answer| {
            replace(answer, "name=_token", &format!("name=_token_{}", ask.nth));
        },
        after: nothing,
    },
    Good {
        name: "a trap for robots with another name each time",
        always: |ask, answer| {
            insert(
                answer,
                "<button type=submit class=send>",
                &format!("<input name=hp_{}>", ask.nth),
            );
        },
        after: nothing,
    },
    Good {
        name: "an added file",
        always: nothing,
        after: |ask, answer| {
            insert(
                answer,
                "</head>",
                "<link rel=stylesheet href=/new.css><script src=/new.js></script>",
            );
            match ask.path.as_str() {
                "/new.css" => *answer = typed(200, "text/css", b"p{}"),
                "/new.js" => *answer = typed(200, "text/javascript", b"1"),
                _ => {}
            }
        },
    },
    Good {
        name: "a new consent banner",
        always: nothing,
        after: |_, answer| {
            insert(
                answer,
                "</body>",
                "<div id=consent style='position:fixed;bottom:0'><p>We use cookies</p>\
                <form id=consent-form><input type=checkbox name=all><button>Accept</button></form></div>",
            );
        },
    },
    Good {
        name: "another font",
        always: nothing,
        after: |ask, answer| {
            if ask.path.ends_with("style.css") {
                replace(answer, "DejaVu Sans", "DejaVu Serif");
            }
        },
    },
    Good {
        name: "two variants of a page",
        always: |ask, answer| {
            let is_front = ask.path == "/" && ask.query.starts_with("pressroom=");
            if is_front && VISITS.fetch_add(1, Ordering::Relaxed).is_multiple_of(2) {
                replace(answer, "Everything you need", "All you ever wanted");
                insert(
                    answer,
                    "<p class=date>",
                    "<a class=button href=/shop/>Now</a><form id=b><input name=b><button>Go</button></form>",
                );
            }
        },
        after: nothing,
    },
    Good {
        name: "a new route of the REST API",
        always: nothing,
        after: |_, answer| {
            replace(
                answer,
                "\"/club/v1/members\":{}",
                "\"/club/v1/members\":{},\"/club/v2/members\":{}",
            );
        },
    },
    Good {
        name: "another quote and an advertisement",
        always: |ask, answer| {
            insert(
                answer,
                "<p class=date>",
                &"<blockquote>Be yourself</blockquote>".repeat(1 + ask.nth % 3),
            );
        },
        after: |_, answer| {
            insert(
                answer,
                "</main>",
                "<aside><p>Buy two, pay one</p><iframe src=https://ads.example/></iframe></aside>",
            );
        },
    },
    Good {
        name: "more related posts",
        always: nothing,
        after: |_, answer| {
            insert(
                answer,
                "</main>",
                &"<article><h3>Also nice</h3><p>Read it</p></article>".repeat(6),
            );
        },
    },
    Good {
        name: "fewer related posts",
        always: |_, answer| {
            insert(
                answer,
                "</main>",
                "<article><h3>Also nice</h3><p>Read it</p></article>",
            );
        },
        after: |_, answer| {
            replace(
                answer,
                "<article><h3>Also nice</h3><p>Read it</p></article>",
                "",
            );
        },
    },
    Good {
        name: "a form that is written otherwise",
        always: nothing,
        after: |_, answer| {
            replace(
                answer,
                "<form id=contact action=/send",
                "<form id=contact-v2 action=/send/new",
            );
            replace(
                answer,
                "<button type=submit class=send>Send it</button>",
                "<input type=submit value=Send>",
            );
        },
    },
    Good {
        name: "twice as slow",
        always: nothing,
        after: |_, answer| answer.ttfb_ms = 80,
    },
    Good {
        name: "slow at first, while caches fill",
        always: nothing,
        after: |ask, answer| {
            if ask.nth < 25 {
                answer.ttfb_ms = 2500;
            }
        },
    },
    Good {
        name: "slow while the machine is busy",
        always: nothing,
        // Three rounds of twenty pages and a few more.
        after: |ask, answer| {
            if ask.nth < 70 {
                answer.ttfb_ms = 900;
            }
        },
    },
    Good {
        name: "one connection that breaks",
        always: nothing,
        after: |ask, answer| {
            if ask.nth == 7 {
                answer.status = 0;
            }
        },
    },
    Good {
        name: "a page cache that comes in between",
        always: nothing,
        after: |ask, answer| {
            if !ask.is_uncached {
                answer.headers.push(("X-Cache".into(), "HIT".into()));
                answer.ttfb_ms = 1;
            }
        },
    },
    Good {
        name: "the stylesheets in one file",
        always: nothing,
        after: |ask, answer| {
            replace(
                answer,
                "<link rel=stylesheet href=/wp-content/themes/t/style.css?ver=1.2>",
                "",
            );
            replace(
                answer,
                "<link rel=stylesheet href=/wp-content/plugins/p/p-1a2b3c4d.css>",
                "<link rel=stylesheet href=/all.css>",
            );
            if ask.path == "/all.css" {
                *answer = typed(200, "text/css", crate::site::STYLE.as_bytes());
            }
        },
    },
    Good {
        name: "a small style written into the page",
        always: nothing,
        after: |_, answer| {
            replace(
                answer,
                "<link rel=stylesheet href=/wp-content/plugins/p/p-1a2b3c4d.css>",
                "<style>.send{background:#2a9d8f;color:#fff;border:0;padding:8px 16px}</style>",
            );
        },
    },
    Good {
        name: "a page about errors",
        always: |_, answer| {
            insert(
                answer,
                "<p class=date>",
                "<p>A fatal error occurred? <b>Warning</b>: wet paint. Headers are sent by hand.</p>",
            );
        },
        after: nothing,
    },
];

#[tokio::test]
async fn no_good_update_is_stopped() {
    let mut stopped = Vec::new();
    for good in GOOD {
        let (always, after) = (good.always, good.after);
        let before = Site::new().but(always);
        let findings = found(&before, &Site::new().but(always).but(after)).await;
        let told: Vec<_> = blocking(&findings)
            .iter()
            .map(|found| format!("{} {}", found.what, found.message))
            .collect();
        if !told.is_empty() {
            stopped.push(format!("{}: {told:#?}", good.name));
        }
    }
    assert!(stopped.is_empty(), "{}", stopped.join("\n"));
}

#[tokio::test]
async fn a_notice_in_wp_admin_warns() {
    let noted = Site::new().but(|ask, answer| {
        if ask.path == "/wp-admin/admin-ajax.php" {
            answer.body = b"<br />\n<b>Notice</b>:  Undefined index: x in <b>/p.php</b> on line <b>3</b><br />\n0".to_vec();
        }
    });
    let findings = found(&Site::new(), &noted).await;
    assert_eq!(findings.len(), 1, "{findings:#?}");
    assert_eq!(findings[0].what, FindingKind::PhpNotice);
    assert_eq!(findings[0].severity, Severity::Warning);
    assert_eq!(findings[0].after, "Notice:  Undefined index: x");
}

// Of a site whose pages take a while.
#[tokio::test]
async fn what_is_slower_each_time_is_told_and_what_was_once_is_not() {
    let before = || Site::new().but(|_, answer| answer.ttfb_ms = 400);
    let always = before().but(|_, answer| answer.ttfb_ms = 1000);
    let findings = found(&before(), &always).await;
    assert!(!findings.is_empty());
    for found in findings {
        assert_eq!(found.what, FindingKind::Slower, "{found:#?}");
        assert_eq!(found.severity, Severity::Warning);
    }
    let at_first = before().but(|ask, answer| {
        if ask.nth < 25 {
            answer.ttfb_ms = 1000;
        }
    });
    let findings = found(&before(), &at_first).await;
    assert!(findings.is_empty(), "{findings:#?}");
}
