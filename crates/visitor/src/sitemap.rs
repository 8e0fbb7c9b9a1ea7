//! Sitemaps and feeds: XML that a site writes for machines.

use flate2::read::GzDecoder;
use quick_xml::{Reader, events::Event};
use std::io::Read;

/// Bytes that are read of one, decompressed.
pub const LIMIT: usize = 4 << 20;
/// Addresses that are kept of one.
const ADDRESSES: usize = 5000;
/// Addresses that are longer are none.
const LONGEST: usize = 2000;

/// What a sitemap lists.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Sitemap {
    /// Other sitemaps.
    Index(Vec<String>),
    /// Pages.
    Pages(Vec<String>),
}

/// Reads a sitemap; `None` when it is none. One that ends in the middle lists what came
/// until there.
pub fn read(body: &[u8]) -> Option<Sitemap> {
    let plain = decompressed(body);
    let mut reader = Reader::from_reader(&plain[..]);
    let mut is_index = None;
    let mut in_address = false;
    let mut address = String::new();
    let mut found = Vec::new();
    let mut buffer = Vec::new();
    while found.len() < ADDRESSES {
        buffer.clear();
        match reader.read_event_into(&mut buffer) {
            Ok(Event::Start(tag)) => match tag.local_name().as_ref() {
                b"sitemapindex" => is_index = Some(true),
                b"urlset" => is_index = Some(false),
                // `<image:loc>` is not a page's.
                b"loc" => in_address = tag.name().prefix().is_none(),
                _ => {}
            },
            Ok(Event::Text(text)) if in_address => {
                address.push_str(&text.decode().unwrap_or_default());
            }
            Ok(Event::CData(text)) if in_address => {
                address.push_str(&text.decode().unwrap_or_default());
            }
            Ok(Event::GeneralRef(name)) if in_address => {
                if &*name == b"amp" {
                    address.push('&');
                }
            }
            Ok(Event::End(tag)) if in_address && tag.local_name().as_ref() == b"loc" => {
                in_address = false;
                let whole = std::mem::take(&mut address);
                let whole = whole.trim();
                if !whole.is_empty() && whole.len() <= LONGEST {
                    found.push(whole.to_owned());
                }
            }
            Ok(Event::Eof) | Err(_) => break,
            Ok(_) => {}
        }
    }
    is_index.map(|is_index| {
        if is_index {
            Sitemap::Index(found)
        } else {
            Sitemap::Pages(found)
        }
    })
}

/// Whether this is a feed from its first sign to its last, and how many entries it has.
pub fn feed(body: &[u8]) -> (bool, u32) {
    // Nothing may stand before the declaration (XML 1.0 §2.8): readers refuse the feed.
    let text = body.trim_ascii_start();
    if text.len() < body.len() && text.starts_with(b"<?xml") {
        return (false, 0);
    }
    let mut reader = Reader::from_reader(body);
    let mut is_feed = false;
    let mut depth = 0_usize;
    let mut items = 0;
    let mut buffer = Vec::new();
    loop {
        buffer.clear();
        match reader.read_event_into(&mut buffer) {
            Ok(Event::Start(tag)) => {
                match tag.local_name().as_ref() {
                    b"rss" | b"feed" | b"RDF" if depth == 0 => is_feed = true,
                    b"item" | b"entry" => items += 1,
                    _ => {}
                }
                depth += 1;
            }
            Ok(Event::End(_)) => depth = depth.saturating_sub(1),
            // Something stands before the feed begins.
            Ok(Event::Text(text)) if depth == 0 => {
                if !text.iter().all(u8::is_ascii_whitespace) && !text.starts_with(b"\xef\xbb\xbf") {
                    return (false, items);
                }
            }
            Ok(Event::Eof) => return (is_feed && depth == 0, items),
            Err(_) => return (false, items),
            Ok(_) => {}
        }
    }
}

/// What kind of page a sitemap lists, by its name: `post`, `page`, `category`…
pub fn group(address: &str) -> String {
    // WordPress' own without permalinks: `/?sitemap=posts&sitemap-subtype=page&paged=1`.
    if let Some((_, query)) = address.split_once("?sitemap=") {
        let subtype = query
            .split('&')
            .find_map(|part| part.strip_prefix("sitemap-subtype="));
        let name = subtype.or_else(|| query.split('&').next());
        return name.unwrap_or_default().to_owned();
    }
    let name = address.rsplit('/').next().unwrap_or_default();
    let name = name.split(['?', '.']).next().unwrap_or_default();
    let name = name.trim_start_matches("wp-sitemap-");
    let name = name
        .trim_start_matches("posts-")
        .trim_start_matches("taxonomies-");
    let name = name.trim_end_matches(|sign: char| sign.is_ascii_digit() || sign == '-');
    name.trim_end_matches("-sitemap").to_owned()
}

/// Which groups are looked at first: what visitors read, then what lists it.
pub fn rank(group: &str) -> usize {
    const FIRST: [&str; 6] = [
        "post",
        "page",
        "product",
        "category",
        "post_tag",
        "product_cat",
    ];
    const LAST: [&str; 2] = ["users", "author"];
    if let Some(at) = FIRST.iter().position(|first| *first == group) {
        return at;
    }
    if LAST.contains(&group) {
        // One archive of an author is a template of its own, before what nobody knows.
        return FIRST.len();
    }
    FIRST.len() + 1
}

fn decompressed(body: &[u8]) -> Vec<u8> {
    let mut plain = Vec::new();
    if body.starts_with(&[0x1f, 0x8b]) {
        let mut decoder = GzDecoder::new(body).take(LIMIT as u64);
        // What can be read counts, as with a sitemap that ends in the middle.
        let _cut = decoder.read_to_end(&mut plain);
    } else {
        plain.extend_from_slice(&body[..body.len().min(LIMIT)]);
    }
    plain
}

#[cfg(test)]
mod tests {
    use super::*;
    use flate2::{Compression, write::GzEncoder};
    use proptest::prelude::*;
    use std::io::Write;

    const PAGES: &str = "<?xml version='1.0'?><urlset xmlns='x' xmlns:image='y'>\
        <url><loc> https://a.example/1?a=1&amp;b=2 </loc><image:loc>https://a.example/i.png</image:loc></url>\
        <url><loc><![CDATA[https://a.example/2]]></loc></url></urlset>";

    #[test]
    fn sitemaps_are_read_however_they_are_packed() {
        let pages = Sitemap::Pages(vec![
            "https://a.example/1?a=1&b=2".into(),
            "https://a.example/2".into(),
        ]);
        assert_eq!(read(PAGES.as_bytes()), Some(pages.clone()));
        let mut packed = GzEncoder::new(Vec::new(), Compression::default());
        packed.write_all(PAGES.as_bytes()).unwrap();
        assert_eq!(read(&packed.finish().unwrap()), Some(pages));
        let index =
            "<sitemapindex><sitemap><loc>https://a.example/wp-sitemap-users-1.xml</loc></sitemap>";
        assert_eq!(
            read(index.as_bytes()),
            Some(Sitemap::Index(vec![
                "https://a.example/wp-sitemap-users-1.xml".into()
            ]))
        );
        for none in ["", "<html><loc>x</loc></html>", "\u{1f}\u{8b}"] {
            assert_eq!(read(none.as_bytes()), None, "{none}");
        }
    }

    #[test]
    fn groups_are_what_a_sitemap_is_called() {
        for (name, kind) in [
            ("https://a.example/wp-sitemap-posts-post-1.xml", "post"),
            (
                "https://a.example/wp-sitemap-taxonomies-category-12.xml",
                "category",
            ),
            ("https://a.example/wp-sitemap-users-1.xml", "users"),
            ("https://a.example/page-sitemap2.xml", "page"),
            ("https://a.example/product-sitemap.xml.gz", "product"),
            (
                "https://a.example/?sitemap=posts&sitemap-subtype=page&paged=1",
                "page",
            ),
            (
                "/?sitemap=taxonomies&sitemap-subtype=category&paged=1",
                "category",
            ),
            ("/?sitemap=users&paged=1", "users"),
        ] {
            assert_eq!(group(name), kind, "{name}");
        }
        assert!(rank("post") < rank("category") && rank("users") < rank("anything"));
    }

    #[test]
    fn a_feed_is_one_to_its_end() {
        for (body, expected) in [
            (
                "<?xml version='1.0'?>\n<rss><channel><item/><item><a>&b;</a></item></channel></rss>",
                (true, 1),
            ),
            (
                "<rss><channel><item></item><item></item></channel></rss>",
                (true, 2),
            ),
            ("<feed><entry></entry></feed>", (true, 1)),
            ("<b>Notice</b>: x<rss></rss>", (false, 0)),
            ("Notice: x<rss></rss>", (false, 0)),
            ("<rss><channel>", (false, 0)),
            ("\n<?xml version='1.0'?><rss></rss>", (false, 0)),
            ("\n<rss></rss>", (true, 0)),
            ("<html><body></body></html>", (false, 0)),
            ("<rss><a></b></rss>", (false, 0)),
        ] {
            assert_eq!(feed(body.as_bytes()), expected, "{body}");
        }
    }

    #[test]
    fn a_deep_one_is_read_in_little_time() {
        let deep = "<a>".repeat(LIMIT / 3);
        assert_eq!(read(deep.as_bytes()), None);
        assert_eq!(feed(deep.as_bytes()), (false, 0));
    }

    proptest! {
        #[test]
        fn any_bytes_are_read(body in proptest::collection::vec(any::<u8>(), 0..500)) {
            let _ = (read(&body), feed(&body), group(&String::from_utf8_lossy(&body)));
        }
    }
}
