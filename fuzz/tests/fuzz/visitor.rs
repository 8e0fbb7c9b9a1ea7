//! What a site answers a visitor: pages, sitemaps, feeds, stylesheets.

use crate::input::target;
use pressroom_visitor::{Home, facts::FileKind, html, marks::Marks, sitemap, stylesheet};

const PAGES: &[&[u8]] = &[
    b"<!DOCTYPE html><html><head><title>A</title><link rel=stylesheet href='/a.css?ver=1'><style>p{}</style></head>\
      <body class='single postid-1'><h1>B</h1><form id=f action=/s method=post><input name=a><p style='display: none'>\
      <textarea name=b></textarea></p><button>Send</button></form><a href=/x>x</a></body></html>",
    b"<br />\n<b>Warning</b>:  x in <b>/a.php</b> on line <b>1</b><br /><!DOCTYPE html><body id='error-page'>",
    b"\nFatal error: Allowed memory size of 1 bytes exhausted in /a.php on line 1",
    b"<svg><title>x</svg><script>\"cart_url\":\"\\/cart\\/\"</script><a href='?add-to-cart=1'>",
];
const PAGE_WORDS: &[&str] = &[
    "<div>",
    "</div>",
    "<p hidden>",
    "<form ",
    "</form>",
    "<input name=",
    "<button>",
    "<svg>",
    "<title>",
    "<script>",
    "</script>",
    "<!--",
    "-->",
    "<![CDATA[",
    "<base href=",
    "style='display:none'",
    "href=//a.example/",
    "data:",
    "&#x0;",
    "&amp",
    "\u{0}",
    "\u{feff}",
    "<textarea>",
    "<plaintext>",
    "fatal error</b>:",
    " on line ",
    "headers already sent by",
];

#[test]
fn pages() {
    let home = Home::new("https://a.example/b/".parse().unwrap(), &[]);
    target("pages", PAGES, PAGE_WORDS, |input| {
        let facts = html::read(input, &home, home.url());
        assert!(facts.forms.len() <= 20 && facts.files.len() <= 200 && facts.buttons.len() <= 60);
        assert!(facts.files.iter().all(|file| file.asked.starts_with('/')));
        let marks = Marks::of(input, true);
        let kept = serde_json::to_vec(&(&facts, &marks)).unwrap();
        assert!(kept.len() <= 8 * input.len() + 4096, "{} bytes", kept.len());
    });
}

const LISTS: &[&[u8]] = &[
    b"<?xml version='1.0'?><urlset><url><loc>https://a.example/1?a&amp;b</loc></url></urlset>",
    b"<sitemapindex><sitemap><loc><![CDATA[https://a.example/wp-sitemap-users-1.xml]]></loc></sitemap></sitemapindex>",
    b"<rss><channel><item><title>x</title></item></channel></rss>",
    b"\x1f\x8b\x08\x00\x00\x00\x00\x00\x00\x03",
];
const LIST_WORDS: &[&str] = &[
    "<urlset>",
    "<loc>",
    "</loc>",
    "<x:loc>",
    "<![CDATA[",
    "]]>",
    "&amp;",
    "&x;",
    "<!DOCTYPE a [<!ENTITY b \"c\">]>",
    "<?",
    "?>",
    "<rss>",
    "<item/>",
    "</",
    "<!--",
    "xmlns=",
];

#[test]
fn sitemaps_and_feeds() {
    target("sitemaps_and_feeds", LISTS, LIST_WORDS, |input| {
        let (is_feed, items) = sitemap::feed(input);
        assert!(!is_feed || input.len() > 4);
        assert!(items as usize <= input.len());
        if let Some(sitemap::Sitemap::Index(all) | sitemap::Sitemap::Pages(all)) =
            sitemap::read(input)
        {
            assert!(
                all.iter()
                    .all(|address| !address.is_empty() && address.len() <= 2000)
            );
        }
    });
}

const STYLES: &[&[u8]] = &[
    b"@font-face{src:url('../f/a.woff2?v=1') format('woff2')}b{background:url(x.png)}",
    b"a{src:url(data:font/woff;base64,AA)}url(https://b.example/c.ttf#x)",
];
const STYLE_WORDS: &[&str] = &[
    "url(", ")", "'", "\"", ".woff2", ".ttf", "../", "//", "?", "#", "data:", "\\",
];

#[test]
fn stylesheets() {
    let home = Home::new("https://a.example/".parse().unwrap(), &[]);
    target("stylesheets", STYLES, STYLE_WORDS, |input| {
        let fonts = stylesheet::fonts(input, &home, home.url());
        assert!(fonts.len() <= 12);
        assert!(
            fonts
                .iter()
                .all(|font| font.kind == FileKind::Font && font.asked.starts_with('/'))
        );
    });
}
