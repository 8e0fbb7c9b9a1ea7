//! Addresses of sites as they are recorded and compared.

use url::Url;

/// Characters of an address.
const LONGEST: usize = 2048;

/// An address of a site: absolute, `http` or `https`, with nothing but a host, a port and
/// a path. The host comes out in lower case, and a port that is the scheme's own is left
/// out.
pub(super) fn parse(given: &str) -> Option<Url> {
    let given = given.trim();
    if given.len() > LONGEST {
        return None;
    }
    let url = Url::parse(given).ok()?;
    let plain = url.username().is_empty()
        && url.password().is_none()
        && url.query().is_none()
        && url.fragment().is_none();
    let is_one = plain && matches!(url.scheme(), "http" | "https") && url.host().is_some();
    is_one.then_some(url)
}

/// An address as it is recorded: without a trailing slash.
pub(super) fn text(url: &Url) -> String {
    url.as_str().trim_end_matches('/').to_owned()
}

/// Whether two addresses are one place: a scheme is only how one gets there.
pub(super) fn same_place(one: &Url, other: &Url) -> bool {
    let port = |url: &Url| url.port();
    let path = |url: &Url| url.path().trim_end_matches('/').to_owned();
    one.host() == other.host() && port(one) == port(other) && path(one) == path(other)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_are_plain() {
        for (given, recorded) in [
            ("https://shop.example/", "https://shop.example"),
            (
                " http://SHOP.example:8080/blog/ ",
                "http://shop.example:8080/blog",
            ),
            ("https://shop.example:443", "https://shop.example"),
            ("https://bücher.example", "https://xn--bcher-kva.example"),
        ] {
            assert_eq!(text(&parse(given).expect(given)), recorded);
        }
        for bad in [
            "",
            "shop.example",
            "/blog",
            "ftp://shop.example",
            "https://me:pw@shop.example",
            "https://shop.example/?a=b",
            "https://shop.example/#a",
            "https://",
            "javascript:alert(1)",
            &format!("https://shop.example/{}", "a".repeat(2048)),
        ] {
            assert_eq!(parse(bad), None, "{bad}");
        }
    }

    #[test]
    fn a_place_is_one_however_one_gets_there() {
        let same = |one: &str, other: &str| {
            same_place(&parse(one).expect(one), &parse(other).expect(other))
        };
        assert!(same("http://a.example", "https://a.example/"));
        assert!(same("https://a.example/b", "https://A.example/b/"));
        for other in [
            "https://b.example",
            "https://a.example:1",
            "https://a.example/b",
        ] {
            assert!(!same("https://a.example", other), "{other}");
        }
    }
}
