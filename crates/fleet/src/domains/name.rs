//! What a domain may be called.

use crate::{Error, Result, code};

/// The ASCII form of a host name, folded to lower case; international names become
/// `xn--…` (UTS 46). Addresses and names with empty or overlong labels are refused.
pub(crate) fn ascii_name(given: &str) -> Result<String> {
    let refuse = || {
        Error::invalid(format!("`{}` is not a domain name", given.escape_debug()))
            .with_code(code::UNPROCESSABLE)
    };
    let Ok(url::Host::Domain(name)) = url::Host::parse(given.trim().trim_end_matches('.')) else {
        return Err(refuse());
    };
    let label_ok = |label: &str| {
        (1..=63).contains(&label.len())
            && !label.starts_with('-')
            && !label.ends_with('-')
            && label
                .bytes()
                .all(|b| b.is_ascii_alphanumeric() || b == b'-')
    };
    if name.len() <= 253 && name.contains('.') && name.split('.').all(label_ok) {
        Ok(name)
    } else {
        Err(refuse())
    }
}

#[cfg(test)]
mod tests {
    use super::ascii_name;

    #[test]
    fn folds_and_refuses() {
        assert_eq!(ascii_name("Blog.Example.").expect("fits"), "blog.example");
        assert_eq!(
            ascii_name("bücher.example").expect("idn"),
            "xn--bcher-kva.example"
        );
        for bad in [
            "",
            "localhost",
            "127.0.0.1",
            "a..b",
            "-a.b",
            "a/b.c",
            "a_b.c",
            "[::1]",
            "a b.c",
        ] {
            assert!(ascii_name(bad).is_err(), "{bad}");
        }
    }
}
