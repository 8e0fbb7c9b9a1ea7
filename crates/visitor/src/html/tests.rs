use super::*;
use proptest::prelude::*;
use std::time::Duration;

fn facts(page: &str) -> Facts {
    let home = Home::new("https://a.example/".parse().unwrap(), &[]);
    let at = home.join("/post/").unwrap();
    read(page.as_bytes(), &home, &at)
}

#[test]
fn a_page_tells_what_it_is_made_of() {
    let facts = facts(
        "<!DOCTYPE html><html><head><title> A &amp; B </title>\
         <link rel='stylesheet' href='/wp-content/a.css?ver=1'>\
         <link rel=preload as=font href=/f.woff2><style>p{}</style>\
         <script src='//cdn.example/x.js'></script><script src=/b.js></script>\
         <script>if (1 < 2) '<h1>';var p={\"cart_url\":\"https:\\/\\/a.example\\/basket\\/\"}</script></head>\
         <body class='single single-post postid-7 category-news page-template-wide logged-out'>\
         <h1>Hi  there</h1><div style='display: none'><p>not\
         <a href=/x>this</a></div><p>x</p><img src=i.png><svg><title>no</title></svg>\
         </body></html>",
    );
    assert_eq!(facts.title.as_deref(), Some("A & B"));
    assert!(facts.complete);
    assert_eq!(facts.text, "Hi therex".len() as u64);
    assert_eq!((facts.headings, facts.links, facts.pictures), (1, 1, 2));
    assert_eq!((facts.inline_scripts, facts.inline_style), (1, 3));
    let files: Vec<_> = facts
        .files
        .iter()
        .map(|file| (file.kind, file.place.as_str(), file.asked.as_str()))
        .collect();
    assert_eq!(
        files,
        [
            (
                FileKind::Style,
                "/wp-content/a.css",
                "/wp-content/a.css?ver=1"
            ),
            (FileKind::Script, "/b.js", "/b.js"),
            (FileKind::Font, "/f.woff2", "/f.woff2"),
            (FileKind::Picture, "/post/i.png", "/post/i.png"),
        ]
    );
    assert_eq!(facts.shop, [(ShopPage::Cart, "/basket/".to_owned())]);
    let template: Vec<_> = facts.template.into_iter().collect();
    assert_eq!(template, ["page-template-wide", "single", "single-post"]);
    assert_eq!(facts.own_links, ["/x"]);
}

#[test]
fn forms_are_what_a_visitor_sees_of_them() {
    let facts = facts(
        "<form id=c action='/send?_wpnonce=1' method=POST><input type=hidden name=token value=1>\
         <input name=email><textarea name=text></textarea><p hidden><input name=trap></p>\
         <button>Send it</button></form>\
         <form action=/s><input name=q><input type=submit style='visibility:hidden'></form>\
         <div style='DISPLAY : none'><form name=gone><input name=a><input type=submit></form></div>\
         <a class='button checkout-button' href=/checkout>Pay</a><button id=place_order type=button>x</button>",
    );
    let forms = facts.forms;
    assert_eq!(forms.len(), 3);
    assert_eq!(
        (forms[0].name.as_str(), forms[0].method.as_str()),
        ("c", "post")
    );
    assert_eq!(forms[0].action, "/send");
    assert!(forms[0].fields.iter().eq(["email", "text"]));
    assert!(forms[0].unseen.iter().eq(["trap"]));
    assert!(forms[0].has_submit && !forms[0].is_hidden);
    assert_eq!(forms[1].name, "/s");
    assert!(!forms[1].has_submit);
    assert!(forms[2].is_hidden && forms[2].fields.is_empty());
    let buttons: Vec<_> = facts
        .buttons
        .iter()
        .map(|button| (button.name.as_str(), button.sells))
        .collect();
    assert_eq!(
        buttons,
        [
            ("Send it", false),
            ("checkout-button", true),
            ("place_order", true)
        ]
    );
}

#[test]
fn what_wp_die_shows_is_known_in_any_language() {
    assert!(
        facts("<html><body id=\"error-page\"><div class=\"wp-die-message\">Es gab").is_error_page
    );
    assert!(!facts("<body class=error-page>").is_error_page);
}

/// What this thread has computed; the machine may be busy with other things meanwhile.
fn worked() -> Duration {
    let told = std::fs::read_to_string("/proc/thread-self/schedstat").unwrap();
    let nanoseconds = told.split(' ').next().unwrap();
    Duration::from_nanos(nanoseconds.parse().unwrap())
}

#[test]
fn hostile_pages_take_little_time_and_no_stack() {
    let million = |piece: &str| piece.repeat((LIMIT + 1000) / piece.len());
    for page in [
        million("<div>"),
        million("<p><b><form>"),
        million("<div></span>"),
        million("</div>"),
        million("<a href=/"),
        million("<x y "),
        million("<!--"),
        million("<button>x"),
        million("<svg><title>"),
        million("<script>"),
        million("&amp"),
        format!("<a {}", million("a=b ")),
        format!("<p style='{}", million("display:none;")),
    ] {
        let start = worked();
        let facts = facts(&page);
        let took = worked().saturating_sub(start);
        assert!(
            took < Duration::from_secs(8),
            "{} took {took:?}",
            &page[..12]
        );
        assert!(facts.forms.len() <= FORMS && facts.own_links.len() <= LINKS);
        let kept = serde_json::to_vec(&facts).unwrap().len();
        assert!(kept < 100_000, "{} keeps {kept} bytes", &page[..12]);
    }
}

proptest! {
    #[test]
    fn any_bytes_are_read(body in proptest::collection::vec(any::<u8>(), 0..2000)) {
        let home = Home::new("https://a.example/".parse().unwrap(), &[]);
        let at = home.url().clone();
        let facts = read(&body, &home, &at);
        prop_assert!(facts.text <= body.len() as u64 * 3);
    }

    #[test]
    fn any_mark_up_is_read(page in "(<(/)?(html|body|form|input|a|p|title|script|svg|button)( (id|name|href|src|style)=(a|'/b'|\"display:none\"))?>|[ a-z]{0,4}){0,60}") {
        let facts = facts(&page);
        let inputs = page.matches("<input").count();
        let fields: usize = facts.forms.iter().map(|form| form.fields.len()).sum();
        prop_assert!(fields <= inputs);
    }
}
