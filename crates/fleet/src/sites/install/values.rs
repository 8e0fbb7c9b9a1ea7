//! What an installation's values must look like, and their defaults.

use crate::{Error, Result, code};
use pressroom_base::{Secret, password, token};

/// The directory below a domain's that the web server serves.
pub(crate) const DOCUMENT_ROOT: &str = "public_html";
/// The longest database name this use case makes (MySQL allows 64 characters).
const MAX_DATABASE_NAME: usize = 64;
/// The longest database user that MySQL 5.7 allows; MariaDB allows more.
const MAX_DATABASE_USER: usize = 32;
/// Unix sockets and path components leave this much room for an install path.
const MAX_PATH: usize = 200;

/// A WordPress to install. Values are as a person gave them; checking is the use
/// case's.
#[derive(Debug)]
pub struct InstallSite {
    /// One of the caller's domains.
    pub domain: String,
    /// Directory relative to the domain's, e.g. `public_html`.
    pub path: String,
    /// Database name; the account's prefix is put before it.
    pub db_name: String,
    /// Database user; generated when `None`.
    pub db_user: Option<String>,
    /// Database password; generated when `None`.
    pub db_password: Option<Secret<String>>,
    /// Site title; the domain when `None`.
    pub title: Option<String>,
    /// First administrator; `admin` when `None`.
    pub admin_user: Option<String>,
    /// Their password; generated when `None`.
    pub admin_password: Option<Secret<String>>,
    /// Their address; `admin@<domain>` when `None`.
    pub admin_email: Option<String>,
    /// WordPress version; the newest when `None`.
    pub version: Option<String>,
    /// Locale; `en_US` when `None`.
    pub locale: Option<String>,
    /// Table prefix; `wp_`, four random characters and `_` when `None`.
    pub table_prefix: Option<String>,
}

/// An installation's values, checked and completed.
#[derive(Debug)]
pub(super) struct Values {
    /// Relative directory, no `.` or empty segments.
    pub(super) path: String,
    /// Full database name, the account's prefix included.
    pub(super) db_name: String,
    /// Full database user, the account's prefix included.
    pub(super) db_user: String,
    /// The database user's password.
    pub(super) db_password: Secret<String>,
    /// Site title.
    pub(super) title: String,
    /// First administrator.
    pub(super) admin_user: String,
    /// Their password.
    pub(super) admin_password: Secret<String>,
    /// Whether we made that password up, so that it must be handed over once.
    pub(super) admin_password_generated: bool,
    /// Their address.
    pub(super) admin_email: String,
    /// Locale.
    pub(super) locale: String,
    /// Table prefix.
    pub(super) table_prefix: String,
}

/// Checks a request against the account's prefix and the domain's name.
pub(super) fn check(new: &InstallSite, domain: &str, account_prefix: &str) -> Result<Values> {
    let generated = new.admin_password.is_none();
    let values = Values {
        path: relative_path(&new.path)?,
        db_name: database_name(&new.db_name, account_prefix)?,
        db_user: database_user(new.db_user.as_deref(), account_prefix)?,
        db_password: match &new.db_password {
            Some(given) => strong(given, "database password")?,
            None => token::password(),
        },
        title: title(new.title.as_deref().unwrap_or(domain))?,
        admin_user: login(new.admin_user.as_deref().unwrap_or("admin"))?,
        admin_password: match &new.admin_password {
            Some(given) => strong(given, "admin password")?,
            None => token::password(),
        },
        admin_password_generated: generated,
        admin_email: match &new.admin_email {
            Some(given) => email(given)?,
            None => format!("admin@{domain}"),
        },
        locale: locale(new.locale.as_deref().unwrap_or("en_US"))?,
        table_prefix: match &new.table_prefix {
            Some(given) => table_prefix(given)?,
            None => format!("wp_{}_", token::name(4)),
        },
    };
    Ok(values)
}

/// Normalises a directory relative to a domain's. Nothing may lead out of it, and
/// nothing may begin with a dot: those names are Pressroom's and the web server's.
pub(in crate::sites) fn relative_path(given: &str) -> Result<String> {
    let escapes = |why: &str| {
        Error::invalid(format!("path `{}` {why}", given.escape_debug()))
            .with_code(code::PATH_ESCAPES)
            .with_hint("give a directory relative to the domain's, e.g. `public_html`")
    };
    if given.starts_with('/') || given.contains('\\') {
        return Err(escapes("is not relative"));
    }
    if given.len() > MAX_PATH || given.chars().any(char::is_control) {
        return Err(escapes("is too long or has control characters"));
    }
    let segments: Vec<&str> = given
        .split('/')
        .filter(|part| !part.is_empty() && *part != ".")
        .collect();
    if segments.contains(&"..") {
        return Err(escapes("leaves the domain's directory"));
    }
    if segments.iter().any(|part| part.starts_with('.')) {
        return Err(escapes("has a segment that begins with a dot"));
    }
    if segments.iter().any(|part| {
        !part
            .bytes()
            .all(|b| b.is_ascii_alphanumeric() || b"._-".contains(&b))
    }) {
        return Err(escapes(
            "has a character other than letters, digits, `.`, `_` and `-`",
        ));
    }
    match segments.first() {
        None => Err(escapes("is empty")),
        // The home keeps its own directories beside the web roots.
        Some(&("tmp" | "logs" | "sessions")) => Err(escapes("is reserved")),
        Some(_) => Ok(segments.join("/")),
    }
}

pub(in crate::sites) fn database_name(given: &str, prefix: &str) -> Result<String> {
    let name = prefixed(given, prefix);
    identifier(&name, MAX_DATABASE_NAME, "database name")?;
    Ok(name)
}

pub(in crate::sites) fn database_user(given: Option<&str>, prefix: &str) -> Result<String> {
    let name = match given {
        Some(given) => prefixed(given, prefix),
        None => format!("{prefix}_{}", token::name(8)),
    };
    identifier(&name, MAX_DATABASE_USER, "database user")?;
    Ok(name)
}

fn prefixed(given: &str, prefix: &str) -> String {
    let marked = format!("{prefix}_");
    if given.starts_with(&marked) {
        given.to_owned()
    } else {
        format!("{marked}{given}")
    }
}

fn identifier(name: &str, longest: usize, what: &str) -> Result<()> {
    if name.len() <= longest && name.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_') {
        Ok(())
    } else {
        Err(unprocessable(format!(
            "{what} `{}` must be letters, digits and `_`, at most {longest} with the account's prefix",
            name.escape_debug()
        )))
    }
}

fn table_prefix(given: &str) -> Result<String> {
    // WordPress builds option names from it, which are limited; the rule is the contract's.
    let fits = !given.is_empty() && given.len() <= 20;
    if fits
        && given
            .bytes()
            .all(|b| b.is_ascii_alphanumeric() || b == b'_')
    {
        Ok(given.to_owned())
    } else {
        Err(unprocessable(format!(
            "table prefix `{}` must be 1 to 20 letters, digits and `_`",
            given.escape_debug()
        )))
    }
}

pub(crate) fn strong(given: &Secret<String>, what: &str) -> Result<Secret<String>> {
    let length = given.expose().chars().count();
    if (password::MIN_LENGTH..=256).contains(&length) && !given.expose().contains('\0') {
        Ok(given.clone())
    } else {
        Err(unprocessable(format!(
            "{what} must have at least {} characters",
            password::MIN_LENGTH
        )))
    }
}

fn title(given: &str) -> Result<String> {
    let title = given.trim();
    if title.chars().count() > 200 || title.chars().any(char::is_control) {
        return Err(unprocessable(
            "title must be one line of at most 200 characters",
        ));
    }
    Ok(title.to_owned())
}

/// WordPress' `validate_username`: what `sanitize_user` in strict mode leaves unchanged.
pub(crate) fn login(given: &str) -> Result<String> {
    let allowed = |c: char| c.is_ascii_alphanumeric() || " _.-@".contains(c);
    let fits = !given.is_empty() && given.len() <= 60 && given.trim() == given;
    if fits && given.chars().all(allowed) && !given.contains("  ") {
        Ok(given.to_owned())
    } else {
        Err(unprocessable(format!(
            "`{}` is not a WordPress user name",
            given.escape_debug()
        )))
    }
}

pub(crate) fn email(given: &str) -> Result<String> {
    let refuse = || {
        unprocessable(format!(
            "`{}` is not an e-mail address",
            given.escape_debug()
        ))
    };
    let (local, host) = given.rsplit_once('@').ok_or_else(refuse)?;
    let local_ok = !local.is_empty()
        && local.len() <= 64
        && local
            .bytes()
            .all(|b| b.is_ascii_alphanumeric() || b"!#$%&'*+/=?^_`{|}~.-".contains(&b));
    let host_ok = host.contains('.')
        && host.len() <= 253
        && host.split('.').all(|label| {
            !label.is_empty()
                && !label.starts_with('-')
                && !label.ends_with('-')
                && label
                    .bytes()
                    .all(|b| b.is_ascii_alphanumeric() || b == b'-')
        });
    if local_ok && host_ok {
        Ok(given.to_owned())
    } else {
        Err(refuse())
    }
}

fn locale(given: &str) -> Result<String> {
    let mut parts = given.split('_');
    let language = parts.next().unwrap_or_default();
    let rest_ok = parts.all(|part| {
        (2..=10).contains(&part.len()) && part.bytes().all(|b| b.is_ascii_alphanumeric())
    });
    let language_ok =
        (2..=3).contains(&language.len()) && language.bytes().all(|b| b.is_ascii_lowercase());
    if language_ok && rest_ok {
        Ok(given.to_owned())
    } else {
        Err(unprocessable(format!(
            "locale `{}` is malformed",
            given.escape_debug()
        )))
    }
}

fn unprocessable(message: impl Into<String>) -> Error {
    Error::invalid(message).with_code(code::UNPROCESSABLE)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_stay_inside() {
        for good in ["public_html", "public_html/blog/", "./public_html//x"] {
            assert!(relative_path(good).is_ok(), "{good}");
        }
        assert_eq!(relative_path("./a//b/").expect("fits"), "a/b");
        for bad in [
            "",
            ".",
            "..",
            "/etc",
            "a/../../b",
            "a/..",
            ".pressroom",
            "a/.git",
            "tmp",
            "logs/x",
            "a\\b",
            "a\0b",
            "a b",
            "a\nb",
        ] {
            let error = relative_path(bad).expect_err(bad);
            assert_eq!(error.code(), Some(code::PATH_ESCAPES), "{bad}");
        }
        assert!(relative_path(&"a".repeat(201)).is_err());
    }

    #[test]
    fn names_carry_the_accounts_prefix_once() {
        assert_eq!(prefixed("blog_wp", "acme"), "acme_blog_wp");
        assert_eq!(prefixed("acme_blog_wp", "acme"), "acme_blog_wp");
        assert!(database_name(&"x".repeat(64), "acme").is_err());
        assert!(database_name("a-b", "acme").is_err());
        assert!(database_name("a`b", "acme").is_err());
    }

    #[test]
    fn addresses_and_names_are_checked() {
        assert!(email("admin@blog.example").is_ok());
        for bad in [
            "", "a", "a@", "@b.c", "a@b", "a b@c.de", "a@-b.de", "a@b..de",
        ] {
            assert!(email(bad).is_err(), "{bad}");
        }
        assert!(login("admin").is_ok());
        for bad in ["", " admin", "ad<min", "a'b", "a  b"] {
            assert!(login(bad).is_err(), "{bad}");
        }
        assert!(locale("de_DE_formal").is_ok());
        assert!(locale("../x").is_err());
        assert!(table_prefix("wp_").is_ok());
        assert!(table_prefix("wp-").is_err());
        assert!(strong(&Secret::new("short".into()), "p").is_err());
    }
}
