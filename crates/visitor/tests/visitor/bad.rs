//! Updates that break a site, each in the way its kind does: every one must be found, and
//! where it is.

use crate::site::{Ask, Site, blocking, found, html, insert, replace, sent_to, typed};
use pressroom_visitor::{Fetched, FindingKind};

const CRITICAL: &str = "<!DOCTYPE html><html><body id=error-page><div class=wp-die-message>\
    <p>There has been a critical error on this website.</p></div></body></html>";

pub struct Bad {
    pub name: &'static str,
    pub change: fn(&Ask, &mut Fetched),
    pub what: FindingKind,
    pub place: &'static str,
}

pub const BAD: &[Bad] = &[
    Bad {
        name: "a parse error on every page",
        change: |ask, answer| {
            if ask.is_page() || ask.is_script() {
                *answer = html(
                    500,
                    "<br />\n<b>Parse error</b>:  syntax error, unexpected '}' in <b>/p.php</b>",
                );
            }
        },
        what: FindingKind::FatalError,
        place: "/",
    },
    Bad {
        name: "fatal on every page, in another language",
        change: |ask, answer| {
            if ask.is_page() {
                *answer = html(
                    500,
                    "<html><body id='error-page'><p>Es gab einen kritischen Fehler",
                );
            }
        },
        what: FindingKind::CriticalErrorPage,
        place: "/",
    },
    Bad {
        name: "memory exhaustion, shown by PHP with status 200",
        change: |ask, answer| {
            if ask.path == "/hello/" {
                *answer = html(
                    200,
                    "<p>x\nFatal error: Allowed memory size of 134217728 bytes exhausted (tried to allocate 20480 bytes) in /p.php on line 9",
                );
            }
        },
        what: FindingKind::FatalError,
        place: "/hello/",
    },
    Bad {
        name: "fatal only in wp-admin",
        change: |ask, answer| {
            if ask.path.starts_with("/wp-admin/") {
                *answer = html(500, CRITICAL);
            }
        },
        what: FindingKind::CriticalErrorPage,
        place: "/wp-admin/admin-ajax.php",
    },
    Bad {
        name: "fatal on one template only",
        change: |ask, answer| {
            if ask.path == "/landing/" {
                *answer = html(500, CRITICAL);
            }
        },
        what: FindingKind::CriticalErrorPage,
        place: "/landing/",
    },
    Bad {
        name: "a server's error without a word",
        change: |ask, answer| {
            if ask.path == "/category/news/" {
                *answer = html(502, "<html><h1>Bad Gateway</h1></html>");
            }
        },
        what: FindingKind::ServerError,
        place: "/category/news/",
    },
    Bad {
        name: "a white page with status 200",
        change: |ask, answer| {
            if ask.path == "/about/" {
                *answer = html(200, "");
            }
        },
        what: FindingKind::WhitePage,
        place: "/about/",
    },
    Bad {
        name: "a white page with mark-up",
        change: |ask, answer| {
            if ask.path == "/about/" {
                *answer = html(
                    200,
                    "<!DOCTYPE html><html><head><title>About</title></head><body> </body></html>",
                );
            }
        },
        what: FindingKind::WhitePage,
        place: "/about/",
    },
    Bad {
        name: "the page ends in the middle",
        change: |ask, answer| {
            if ask.path == "/hello/" {
                let half = answer.body.len() * 3 / 4;
                answer.body.truncate(half);
            }
        },
        what: FindingKind::TruncatedPage,
        place: "/hello/",
    },
    Bad {
        name: "the content is gone, the frame is there",
        change: |ask, answer| {
            if ask.path == "/hello/" {
                let text = String::from_utf8(answer.body.clone()).unwrap();
                let (from, to) = (text.find("<h2>").unwrap(), text.find("<img").unwrap());
                answer.body = format!("{}{}", &text[..from], &text[to..]).into_bytes();
            }
        },
        what: FindingKind::TextLost,
        place: "/hello/",
    },
    Bad {
        name: "a redirect loop",
        change: |ask, answer| {
            if ask.path == "/hello/" {
                *answer = sent_to(&format!("/hello/?{}", ask.query));
            }
        },
        what: FindingKind::RedirectLoop,
        place: "/hello/",
    },
    Bad {
        name: "a redirect loop over two pages",
        change: |ask, answer| match ask.path.as_str() {
            "/hello/" => *answer = sent_to("/bye/"),
            "/bye/" => *answer = sent_to("/hello/"),
            _ => {}
        },
        what: FindingKind::RedirectLoop,
        place: "/hello/",
    },
    Bad {
        name: "visitors are sent to another site",
        change: |ask, answer| {
            if ask.path == "/about/" {
                *answer = sent_to("https://pills.example/buy");
            }
        },
        what: FindingKind::RedirectedAway,
        place: "/about/",
    },
    Bad {
        name: "visitors are sent to the front page",
        change: |ask, answer| {
            if ask.path == "/about/" {
                *answer = sent_to("/");
            }
        },
        what: FindingKind::RedirectedAway,
        place: "/about/",
    },
    Bad {
        name: "a page is not found any more",
        change: |ask, answer| {
            if ask.path == "/about/" {
                answer.status = 404;
            }
        },
        what: FindingKind::StatusWorse,
        place: "/about/",
    },
    Bad {
        name: "nothing answers",
        change: |ask, answer| {
            if ask.path == "/" {
                answer.status = 0;
            }
        },
        what: FindingKind::NoAnswer,
        place: "/",
    },
    Bad {
        name: "the database is not understood",
        change: |ask, answer| {
            if ask.path == "/hello/" {
                insert(
                    answer,
                    "<h1>",
                    "<div id='error'><p class='wpdberror'><strong>WordPress database error:</strong> [Table 'x.y' doesn't exist]</p></div>",
                );
            }
        },
        what: FindingKind::DatabaseError,
        place: "/hello/",
    },
    Bad {
        name: "left in maintenance",
        change: |ask, answer| {
            if ask.is_page() {
                *answer = html(
                    503,
                    "<h1>Briefly unavailable for scheduled maintenance. Check back in a minute.</h1>",
                );
            }
        },
        what: FindingKind::Maintenance,
        place: "/",
    },
    Bad {
        name: "notices before the headers",
        change: |ask, answer| {
            if ask.is_page() {
                insert(
                    answer,
                    "<!DOCTYPE html>",
                    "<br />\n<b>Warning</b>:  Cannot modify header information - headers already sent by (output started at /p.php:1) in <b>/wp-includes/pluggable.php</b> on line <b>1435</b><br />\n",
                );
            }
        },
        what: FindingKind::HeadersSent,
        place: "/",
    },
    Bad {
        name: "output before the page",
        change: |ask, answer| {
            if ask.is_page() {
                insert(answer, "<!DOCTYPE html>", "debug: 1");
            }
        },
        what: FindingKind::OutputBeforePage,
        place: "/",
    },
    Bad {
        name: "messages of PHP in the page",
        change: |ask, answer| {
            if ask.path == "/about/" {
                insert(
                    answer,
                    "<h2>",
                    "<br />\n<b>Deprecated</b>:  Optional parameter before required in <b>/p.php</b> on line <b>3</b><br />\n",
                );
            }
        },
        what: FindingKind::PhpNotice,
        place: "/about/",
    },
    Bad {
        name: "the stylesheet is not found",
        change: |ask, answer| {
            if ask.path.ends_with("style.css") {
                *answer = html(404, "<!DOCTYPE html><html>");
            }
        },
        what: FindingKind::FileBroken,
        place: "/wp-content/themes/t/style.css",
    },
    Bad {
        name: "a page instead of the stylesheet",
        change: |ask, answer| {
            if ask.path.ends_with("style.css") {
                *answer = html(200, "<!DOCTYPE html><html>");
            }
        },
        what: FindingKind::FileBroken,
        place: "/wp-content/themes/t/style.css",
    },
    Bad {
        name: "the stylesheet is empty",
        change: |ask, answer| {
            if ask.path.ends_with("style.css") {
                answer.body = b" \n".to_vec();
            }
        },
        what: FindingKind::FileBroken,
        place: "/wp-content/themes/t/style.css",
    },
    Bad {
        name: "the stylesheet is not asked for",
        change: |_, answer| {
            replace(
                answer,
                "<link rel=stylesheet href=/wp-content/themes/t/style.css?ver=1.2>",
                "",
            );
        },
        what: FindingKind::StyleGone,
        place: "/",
    },
    Bad {
        name: "a smaller stylesheet is not asked for",
        change: |_, answer| {
            replace(
                answer,
                "<link rel=stylesheet href=/wp-content/plugins/p/p-1a2b3c4d.css>",
                "",
            );
        },
        what: FindingKind::StyleGone,
        place: "/contact/",
    },
    Bad {
        name: "the stylesheet has lost most of what it had",
        change: |ask, answer| {
            if ask.path.ends_with("style.css") {
                answer.body.truncate(80);
            }
        },
        what: FindingKind::StyleLost,
        place: "/",
    },
    Bad {
        name: "the renamed stylesheet was not packed",
        change: |ask, answer| {
            replace(answer, "p-1a2b3c4d.css", "p-5e6f7a8b.css");
            if ask.path.ends_with("p-5e6f7a8b.css") {
                *answer = html(404, "");
            }
        },
        what: FindingKind::FileBroken,
        place: "/wp-content/plugins/p/p-5e6f7a8b.css",
    },
    Bad {
        name: "a script is not found",
        change: |ask, answer| {
            if ask.path.ends_with("jquery.min.js") {
                *answer = html(404, "");
            }
        },
        what: FindingKind::FileBroken,
        place: "/wp-includes/js/jquery.min.js",
    },
    Bad {
        name: "a picture is not found",
        change: |ask, answer| {
            if ask.path.ends_with("a.png") {
                *answer = html(404, "");
            }
        },
        what: FindingKind::FileBroken,
        place: "/wp-content/uploads/a.png",
    },
    Bad {
        name: "the form is gone",
        change: |ask, answer| {
            if ask.path == "/contact/" {
                replace(answer, "<form id=contact", "<div id=contact");
            }
        },
        what: FindingKind::FormGone,
        place: "/contact/",
    },
    Bad {
        name: "the form is hidden",
        change: |_, answer| {
            replace(
                answer,
                "<form id=contact",
                "<form id=contact style='display:none'",
            );
        },
        what: FindingKind::FormGone,
        place: "/contact/",
    },
    Bad {
        name: "a field is gone",
        change: |_, answer| replace(answer, "<input name=email>", ""),
        what: FindingKind::FieldGone,
        place: "/contact/",
    },
    Bad {
        name: "a field is hidden",
        change: |_, answer| replace(answer, "<label>Text", "<label hidden>Text"),
        what: FindingKind::FieldGone,
        place: "/contact/",
    },
    Bad {
        name: "the button to send it is gone",
        change: |_, answer| {
            replace(
                answer,
                "<button type=submit class=send>Send it</button>",
                "",
            );
        },
        what: FindingKind::SubmitGone,
        place: "/contact/",
    },
    Bad {
        name: "the login form is gone",
        change: |ask, answer| {
            if ask.path == "/wp-login.php" {
                *answer = html(200, "<!DOCTYPE html><html><body>Members only</body></html>");
            }
        },
        what: FindingKind::FormGone,
        place: "/wp-login.php",
    },
    Bad {
        name: "nobody can pay",
        change: |_, answer| {
            replace(
                answer,
                "id=place_order>Place order</button>",
                "style='display:none' id=place_order>Place order</button>",
            );
        },
        what: FindingKind::ButtonGone,
        place: "/checkout/",
    },
    Bad {
        name: "nobody gets to the check-out",
        change: |_, answer| replace(answer, "checkout-button", "x"),
        what: FindingKind::ButtonGone,
        place: "/cart/",
    },
    Bad {
        name: "nothing can be bought",
        change: |_, answer| replace(answer, "add_to_cart_button", "x"),
        what: FindingKind::ButtonGone,
        place: "/",
    },
    Bad {
        name: "ten times slower, on a fast site",
        change: |ask, answer| {
            if ask.is_page() {
                answer.ttfb_ms = 400;
            }
        },
        what: FindingKind::Slower,
        place: "/",
    },
    Bad {
        name: "slower than the contract allows",
        change: |ask, answer| {
            if ask.path == "/hello/" {
                answer.ttfb_ms = 3100;
            }
        },
        what: FindingKind::Slower,
        place: "/hello/",
    },
    Bad {
        name: "a route of the REST API is gone",
        change: |_, answer| replace(answer, ",\"/club/v1/members\":{}", ""),
        what: FindingKind::RestRouteGone,
        place: "/wp-json/",
    },
    Bad {
        name: "a message before the REST API's answer",
        change: |ask, answer| {
            if ask.path == "/wp-json/" {
                insert(
                    answer,
                    "{\"namespaces",
                    "<b>Notice</b>: x in <b>/p.php</b> on line <b>1</b>",
                );
            }
        },
        what: FindingKind::PhpNotice,
        place: "/wp-json/",
    },
    Bad {
        name: "the REST API is closed",
        change: |ask, answer| {
            if ask.path == "/wp-json/" {
                *answer = typed(200, "application/json", b"{\"code\":\"rest_disabled\"}");
            }
        },
        what: FindingKind::RestGone,
        place: "/wp-json/",
    },
    Bad {
        name: "the feed is none",
        change: |ask, answer| {
            if ask.path == "/feed/" {
                *answer = typed(
                    200,
                    "application/rss+xml",
                    b"\nWarning: x<?xml version='1.0'?><rss></rss>",
                );
            }
        },
        what: FindingKind::FeedBroken,
        place: "/feed/",
    },
    Bad {
        name: "the scheduled tasks do not start",
        change: |ask, answer| {
            if ask.path == "/wp-cron.php" {
                answer.status = 500;
            }
        },
        what: FindingKind::ServerError,
        place: "/wp-cron.php?doing_wp_cron",
    },
    Bad {
        name: "a page cache hides dead PHP",
        change: |ask, answer| {
            if ask.is_uncached && (ask.is_page() || ask.is_script()) {
                *answer = html(500, CRITICAL);
            } else if ask.is_page() {
                answer.headers.push(("X-Cache".into(), "HIT".into()));
            }
        },
        what: FindingKind::CriticalErrorPage,
        place: "/",
    },
    Bad {
        name: "a page cache keeps a dead page",
        change: |ask, answer| {
            if !ask.is_uncached && ask.path == "/hello/" {
                *answer = html(200, "");
            }
        },
        what: FindingKind::WhitePage,
        place: "/hello/",
    },
    Bad {
        name: "one visitor in three gets a dead page",
        change: |ask, answer| {
            if ask.is_page() && ask.nth % 3 == 0 {
                *answer = html(500, CRITICAL);
            }
        },
        what: FindingKind::CriticalErrorPage,
        place: "/",
    },
];

#[tokio::test]
async fn every_bad_update_is_found_where_it_is() {
    let mut missed = Vec::new();
    for bad in BAD {
        let change = bad.change;
        let findings = found(&Site::new(), &Site::new().but(change)).await;
        let is_found = blocking(&findings)
            .iter()
            .any(|found| found.what == bad.what && found.place == bad.place);
        if !is_found {
            let told: Vec<_> = findings
                .iter()
                .map(|found| format!("{:?} {} {}", found.severity, found.what, found.message))
                .collect();
            missed.push(format!("{}: {told:#?}", bad.name));
        }
        for finding in &findings {
            assert!(!finding.message.is_empty() && !finding.place.is_empty());
        }
    }
    assert!(missed.is_empty(), "{}", missed.join("\n"));
}

#[tokio::test]
async fn a_dead_page_says_what_a_cache_still_shows() {
    let cached = |dead: bool| {
        Site::new().but(move |ask, answer| {
            if ask.is_page() && ask.is_uncached && dead {
                *answer = html(500, CRITICAL);
            } else if ask.is_page() && !ask.is_uncached {
                answer.headers.push(("X-Cache".into(), "HIT".into()));
            }
        })
    };
    let findings = found(&cached(false), &cached(true)).await;
    let front = findings.iter().find(|found| found.place == "/").unwrap();
    assert!(
        front.message.contains("(x-cache: HIT)"),
        "{}",
        front.message
    );
    assert_eq!(front.before, "status 200");
}
