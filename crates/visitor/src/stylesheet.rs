//! What a stylesheet asks for.

use crate::{
    address::{self, Home, Place},
    facts::{FileKind, FileRef},
};
use url::Url;

/// Bytes that are read of one.
pub const LIMIT: usize = 1 << 20;
/// Fonts that are kept of one.
const FONTS: usize = 12;
/// What fonts are called.
const ENDS: [&str; 5] = [".woff2", ".woff", ".ttf", ".otf", ".eot"];

/// The site's own fonts that the stylesheet at `at` names.
pub fn fonts(body: &[u8], home: &Home, at: &Url) -> Vec<FileRef> {
    let text = String::from_utf8_lossy(&body[..body.len().min(LIMIT)]);
    let mut found: Vec<FileRef> = Vec::new();
    let mut rest = &text[..];
    while let Some((_, after)) = rest.split_once("url(") {
        let Some((inside, _)) = after.split_once(')') else {
            break;
        };
        rest = &after[inside.len()..];
        let reference = inside.trim().trim_matches(['"', '\'']);
        let path = reference.split(['?', '#']).next().unwrap_or_default();
        if reference.len() > 500
            || reference.starts_with("data:")
            || !ENDS
                .iter()
                .any(|end| path.to_ascii_lowercase().ends_with(end))
        {
            continue;
        }
        let (Some(Place::Own(place)), Ok(url)) = (home.place(at, reference), at.join(reference))
        else {
            continue;
        };
        let font = FileRef {
            kind: FileKind::Font,
            place,
            asked: address::asked(&url),
        };
        if !found.iter().any(|known| known.place == font.place) {
            found.push(font);
        }
        if found.len() >= FONTS {
            break;
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fonts_are_found_where_the_stylesheet_means_them() {
        let home = Home::new("https://a.example/".parse().unwrap(), &[]);
        let at = home.join("/wp-content/t/css/a.css?ver=1").unwrap();
        let css = "@font-face{src:url('../f/a.woff2?v=3') format('woff2'),url(../f/a.woff2)}\
                   b{background:url(x.png)}@font-face{src:url(https://cdn.example/b.woff)}\
                   c{background:url(data:font/woff2;base64,AA)}d{src:url(";
        let found = fonts(css.as_bytes(), &home, &at);
        assert_eq!(found.len(), 1);
        assert_eq!(found[0].place, "/wp-content/t/f/a.woff2");
        assert_eq!(found[0].asked, "/wp-content/t/f/a.woff2?v=3");
        let many = "url(".repeat(200_000) + &"url(a.woff)".repeat(1000);
        assert!(fonts(many.as_bytes(), &home, &at).len() <= FONTS);
    }
}
