//! Component headers, exactly as WordPress' `get_file_data()` reads them.
//!
//! WordPress 6.5 takes the first 8 kB, turns carriage returns into line feeds, and
//! applies `/^(?:[ \t]*<\?php)?[ \t\/*#@]*NAME:(.*)$/mi` for each name.

/// How much of a file WordPress looks at.
pub const HEADER_BYTES: u64 = 8 * 1024;

/// The value of the first line that names `header`; empty when that line has no
/// value, `None` when no line names it.
pub fn find(file_start: &[u8], header: &str) -> Option<String> {
    let [found] = find_all(file_start, [header]);
    found
}

/// As [`find`] for many headers in one pass.
fn find_all<const N: usize>(file_start: &[u8], headers: [&str; N]) -> [Option<String>; N] {
    let limit = file_start
        .len()
        .min(usize::try_from(HEADER_BYTES).unwrap_or(usize::MAX));
    let mut found = [const { None }; N];
    for line in file_start[..limit].split(|byte| matches!(byte, b'\n' | b'\r')) {
        let rest = undecorated(line);
        for (header, found) in headers.iter().zip(&mut found) {
            if found.is_none()
                && let Some((name, value)) = rest.split_at_checked(header.len())
                && let Some(value) = value.strip_prefix(b":")
                && name.eq_ignore_ascii_case(header.as_bytes())
            {
                // PHP takes the match `0` for no value.
                *found = Some(if value == b"0" {
                    String::new()
                } else {
                    clean(value)
                });
            }
        }
    }
    found
}

/// As [`find`], with an empty value counted as none.
pub fn value(file_start: &[u8], header: &str) -> Option<String> {
    find(file_start, header).filter(|value| !value.is_empty())
}

/// A plugin's headers, as `get_plugin_data()` of WordPress 6.5 reads them before it
/// translates or marks up anything; empty where there is none.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct PluginHeaders {
    /// `Plugin Name`; a file without one is no plugin.
    pub name: String,
    /// `Plugin URI`.
    pub uri: String,
    /// `Version`.
    pub version: String,
    /// `Description`.
    pub description: String,
    /// `Author`.
    pub author: String,
    /// `Author URI`.
    pub author_uri: String,
    /// `Text Domain`; WordPress takes the directory's name for one that is absent.
    pub text_domain: String,
    /// `Domain Path`.
    pub domain_path: String,
    /// `Network: true`, or the older `Site Wide Only: true`.
    pub network: bool,
    /// `Requires at least`.
    pub requires_wordpress: String,
    /// `Requires PHP`.
    pub requires_php: String,
    /// `Requires Plugins`, as written; read since WordPress 6.5.
    pub requires_plugins: String,
    /// `Update URI`.
    pub update_uri: String,
}

/// Reads the start of a plugin's file.
pub fn plugin(file_start: &[u8]) -> PluginHeaders {
    let found = find_all(
        file_start,
        [
            "Plugin Name",
            "Plugin URI",
            "Version",
            "Description",
            "Author",
            "Author URI",
            "Text Domain",
            "Domain Path",
            "Requires at least",
            "Requires PHP",
            "Requires Plugins",
            "Update URI",
            "Network",
            "Site Wide Only",
        ],
    );
    let [
        name,
        uri,
        version,
        description,
        author,
        author_uri,
        text_domain,
        domain_path,
        requires_wordpress,
        requires_php,
        requires_plugins,
        update_uri,
        network,
        site_wide,
    ] = found.map(Option::unwrap_or_default);
    let network = if is_nothing(&network) {
        site_wide
    } else {
        network
    };
    PluginHeaders {
        name,
        uri,
        version,
        description,
        author,
        author_uri,
        text_domain,
        domain_path,
        network: network.eq_ignore_ascii_case("true"),
        requires_wordpress,
        requires_php,
        requires_plugins,
        update_uri,
    }
}

/// A theme's headers, as `WP_Theme` reads them from `style.css`, nothing removed;
/// empty where there is none.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ThemeHeaders {
    /// `Theme Name`.
    pub name: String,
    /// `Theme URI`.
    pub uri: String,
    /// `Description`.
    pub description: String,
    /// `Author`.
    pub author: String,
    /// `Author URI`.
    pub author_uri: String,
    /// `Version`.
    pub version: String,
    /// `Template`: the parent's directory.
    pub template: String,
    /// `Status`.
    pub status: String,
    /// `Tags`, as written.
    pub tags: String,
    /// `Text Domain`.
    pub text_domain: String,
    /// `Domain Path`.
    pub domain_path: String,
    /// `Requires at least`.
    pub requires_wordpress: String,
    /// `Requires PHP`.
    pub requires_php: String,
    /// `Update URI`.
    pub update_uri: String,
}

/// Reads the start of a theme's `style.css`.
pub fn theme(file_start: &[u8]) -> ThemeHeaders {
    let found = find_all(
        file_start,
        [
            "Theme Name",
            "Theme URI",
            "Description",
            "Author",
            "Author URI",
            "Version",
            "Template",
            "Status",
            "Tags",
            "Text Domain",
            "Domain Path",
            "Requires at least",
            "Requires PHP",
            "Update URI",
        ],
    );
    let [
        name,
        uri,
        description,
        author,
        author_uri,
        version,
        template,
        status,
        tags,
        text_domain,
        domain_path,
        requires_wordpress,
        requires_php,
        update_uri,
    ] = found.map(Option::unwrap_or_default);
    ThemeHeaders {
        name,
        uri,
        description,
        author,
        author_uri,
        version,
        template,
        status,
        tags,
        text_domain,
        domain_path,
        requires_wordpress,
        requires_php,
        update_uri,
    }
}

/// What PHP takes for false: the name `0` is none.
pub fn is_nothing(text: &str) -> bool {
    matches!(text, "" | "0")
}

/// A line without what may stand before a header's name.
fn undecorated(line: &[u8]) -> &[u8] {
    let blank = line
        .iter()
        .take_while(|byte| matches!(byte, b' ' | b'\t'))
        .count();
    let after_tag = line[blank..]
        .get(..5)
        .filter(|tag| tag.eq_ignore_ascii_case(b"<?php"))
        .map_or(line, |_| &line[blank + 5..]);
    let decoration = after_tag
        .iter()
        .take_while(|byte| matches!(byte, b' ' | b'\t' | b'/' | b'*' | b'#' | b'@'))
        .count();
    &after_tag[decoration..]
}

/// `_cleanup_header_comment()`: cuts from the first `*/` or `?>`, then trims.
fn clean(value: &[u8]) -> String {
    let cut = value
        .windows(2)
        .position(|pair| pair == b"*/" || pair == b"?>");
    let mut value = &value[..cut.unwrap_or(value.len())];
    if cut.is_some() {
        // The expression eats `\s*` before the mark, form feeds included; PHP's
        // `trim()` below does not know those.
        while let Some((b' ' | b'\t' | b'\n' | 0x0b | 0x0c | b'\r', rest)) = value.split_last() {
            value = rest;
        }
    }
    let is_blank = |byte: &u8| matches!(byte, b' ' | b'\t' | b'\n' | b'\r' | 0 | 0x0b);
    let start = value
        .iter()
        .position(|byte| !is_blank(byte))
        .unwrap_or(value.len());
    let end = value
        .iter()
        .rposition(|byte| !is_blank(byte))
        .map_or(start, |last| last + 1);
    String::from_utf8_lossy(&value[start..end]).into_owned()
}

/// Text without HTML tags, as far as a header needs it.
pub fn without_tags(text: &str) -> String {
    let mut plain = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(at) = rest.find('<') {
        plain.push_str(&rest[..at]);
        let tag = &rest[at..];
        let is_tag = tag[1..]
            .chars()
            .next()
            .is_some_and(|c| c.is_ascii_alphabetic() || matches!(c, '/' | '!' | '?'));
        if !is_tag {
            plain.push('<');
            rest = &tag[1..];
            continue;
        }
        match tag.find('>') {
            Some(end) => rest = &tag[end + 1..],
            None => rest = "",
        }
    }
    plain.push_str(rest);
    plain.trim().to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn reads_the_forms_found_in_the_wild() {
        let cases: &[(&[u8], &str, Option<&str>)] = &[
            (
                b"<?php\n/*\nPlugin Name: Akismet\n*/",
                "Plugin Name",
                Some("Akismet"),
            ),
            (
                b"<?php /* Plugin Name: One line */",
                "Plugin Name",
                Some("One line"),
            ),
            (b"<?php\n * @plugin name: x", "Plugin Name", Some("x")),
            (b"<?php\r# Version: 1.0\rNext", "Version", Some("1.0")),
            (b"// Version: 1 ?> <b>", "Version", Some("1")),
            (b"Version:\nVersion: 2", "Version", Some("")),
            (b"Version:0", "Version", Some("")),
            (b"Version: 0", "Version", Some("0")),
            (b"The Version: 1", "Version", None),
            (b"Version : 1", "Version", None),
            (b"<?php\n$x = 1; // Version: 9", "Version", None),
            (b"   <?PHP Version: 3", "Version", Some("3")),
            (b"/* Version: 1.2 \x0b\t*/", "Version", Some("1.2")),
            (b"", "Version", None),
        ];
        for (file, header, expected) in cases {
            assert_eq!(
                find(file, header).as_deref(),
                *expected,
                "in {:?}",
                String::from_utf8_lossy(file)
            );
        }
    }

    #[test]
    fn what_lies_beyond_8_kb_does_not_count() {
        let mut file = vec![b'\n'; 8192];
        file.extend_from_slice(b"Version: 1");
        assert_eq!(find(&file, "Version"), None);
        file.drain(..4);
        assert_eq!(
            find(&file, "Version"),
            None,
            "cut in the middle of the name"
        );
        file.drain(..6);
        assert_eq!(find(&file, "Version").as_deref(), Some("1"));
    }

    #[test]
    fn tags_are_removed() {
        assert_eq!(without_tags("<a href=\"x\">Ann</a> & Bob"), "Ann & Bob");
        assert_eq!(without_tags("1 < 2 <b>x"), "1 < 2 x");
        assert_eq!(without_tags("open <a"), "open");
    }

    proptest! {
        #[test]
        fn never_panics(file in prop::collection::vec(any::<u8>(), 0..300), text in ".{0,40}") {
            let _ = find(&file, "Version");
            let _ = without_tags(&text);
        }

        #[test]
        fn reads_back(value in "[a-zA-Z0-9.<>&][a-zA-Z0-9 .<>&]{0,30}[a-z.]", junk in "[ \t/*#@]{0,5}") {
            let file = format!("<?php\n{junk}Version:{value}\n");
            prop_assert_eq!(find(file.as_bytes(), "version"), Some(value));
        }
    }
}
