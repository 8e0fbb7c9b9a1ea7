//! Which addresses a login page may have.

use crate::{Error, Result, code};
use pressroom_base::token;

/// Names that WordPress, or what it makes addresses of, has a meaning for.
const TAKEN: &[&str] = &[
    "admin",
    "administrator",
    "login",
    "logout",
    "dashboard",
    "signin",
    "sign-in",
    "register",
    "wordpress",
    "feed",
    "rdf",
    "rss",
    "rss2",
    "atom",
    "embed",
    "trackback",
    "page",
    "paged",
    "comments",
    "comment-page",
    "search",
    "author",
    "category",
    "tag",
    "date",
    "attachment",
    "files",
    "index",
    "sitemap",
    "robots",
    "favicon",
    "xmlrpc",
    "blog",
    "post",
    "posts",
    "cat",
    "exact",
    "sentence",
    "calendar",
    "more",
    "order",
    "orderby",
    "year",
    "monthnum",
    "day",
    "hour",
    "minute",
    "second",
    "name",
    "error",
    "preview",
    "taxonomy",
    "term",
    "cpage",
    "withcomments",
    "withoutcomments",
    "pagename",
    "subpost",
    "action",
    "key",
    "log",
    "pwd",
    "rememberme",
    "testcookie",
    "checkemail",
    "loggedout",
    "reauth",
    "interim-login",
    "pressroom",
    "instance",
];

/// Refuses what cannot be an address, with `UNPROCESSABLE`.
pub(super) fn check(slug: &str) -> Result<()> {
    let plain = (3..=40).contains(&slug.len())
        && slug
            .bytes()
            .all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-');
    let refuse = |why: String| Err(Error::invalid(why).with_code(code::UNPROCESSABLE));
    if !plain {
        return refuse("slug must be 3 to 40 lower-case letters, digits and `-`".to_owned());
    }
    if slug == "wp" || slug.starts_with("wp-") || TAKEN.contains(&slug) {
        return refuse(format!("slug `{slug}` means something to WordPress"));
    }
    Ok(())
}

/// One that nobody guesses.
pub(super) fn generated() -> String {
    format!("login-{}", token::hex(10))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_names_of_ones_own() {
        for good in ["side-door", "abc", "2024", &generated(), &"a".repeat(40)] {
            check(good).expect(good);
        }
        for bad in [
            "",
            "ab",
            "Side",
            "a b",
            "a/b",
            "türe",
            "a_b",
            "wp-login",
            "wp-anything",
            "admin",
            "feed",
            &"a".repeat(41),
            "../x",
            "a.php",
        ] {
            let refused = check(bad).expect_err(bad);
            assert_eq!(refused.code(), Some(code::UNPROCESSABLE));
        }
    }
}
