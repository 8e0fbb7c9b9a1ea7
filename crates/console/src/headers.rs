//! The headers that every answer carries.

use axum::{
    extract::Request,
    http::{HeaderMap, HeaderValue},
    middleware::Next,
    response::Response,
};

const POLICY: &str = "default-src 'none'; script-src 'self'; style-src 'self'; \
    img-src 'self' data:; connect-src 'self'; form-action 'self'; base-uri 'none'; \
    frame-ancestors 'none'";

const DEFAULTS: &[(&str, &str)] = &[
    ("content-security-policy", POLICY),
    ("x-content-type-options", "nosniff"),
    ("x-frame-options", "DENY"),
    // Not `no-referrer`: browsers would then send `Origin: null` with our own forms.
    ("referrer-policy", "same-origin"),
    ("cache-control", "no-store"),
    ("cross-origin-opener-policy", "same-origin"),
    ("cross-origin-resource-policy", "same-origin"),
];

/// Adds the protective headers that a handler has not set itself.
pub(crate) async fn protect(request: Request, next: Next) -> Response {
    let mut response = next.run(request).await;
    fill(response.headers_mut());
    response
}

fn fill(headers: &mut HeaderMap) {
    for (name, value) in DEFAULTS {
        headers
            .entry(*name)
            .or_insert(HeaderValue::from_static(value));
    }
}

/// The policy for a page with a form whose answer leads to `site`, an address such as
/// `https://blog.example/news`: browsers apply `form-action` to redirections too.
/// `None` when the address is not one that can stand in a policy.
pub(crate) fn policy_leading_to(site: &str) -> Option<HeaderValue> {
    let (_, rest) = site.split_once("://")?;
    let host = rest.split('/').next()?;
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || b".-:".contains(&byte);
    if host.is_empty() || !host.bytes().all(plain) {
        return None;
    }
    let action = format!("form-action 'self' http://{host} https://{host}");
    HeaderValue::from_str(&POLICY.replace("form-action 'self'", &action)).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn policy_allows_no_inline_code_and_no_framing() {
        let mut headers = HeaderMap::new();
        fill(&mut headers);
        let policy = headers["content-security-policy"].to_str().unwrap();
        assert!(policy.contains("default-src 'none'; script-src 'self'; style-src 'self';"));
        assert!(policy.contains("frame-ancestors 'none'"));
        assert!(!policy.contains("unsafe"));
    }

    #[test]
    fn only_a_plain_host_enters_the_policy() {
        let policy = policy_leading_to("http://blog.example:8081/news").unwrap();
        let policy = policy.to_str().unwrap();
        assert!(policy.contains(
            "form-action 'self' http://blog.example:8081 https://blog.example:8081; base-uri"
        ));
        for bad in [
            "",
            "blog.example",
            "http://",
            "http://a b/",
            "http://a;script-src *",
        ] {
            assert_eq!(policy_leading_to(bad), None, "{bad}");
        }
    }
}
