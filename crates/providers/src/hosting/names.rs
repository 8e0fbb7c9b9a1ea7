//! Names that reach command lines, statements and configuration files.
//!
//! Each is checked against a narrow alphabet at the border of this module, so that
//! nothing below needs to think about quoting twice.

use super::{Error, Result};
use sha2::{Digest, Sha256};
use std::path::Path;

/// Prefix of every Unix user that Pressroom makes.
pub const USER_PREFIX: &str = "pr_";

/// MariaDB's own databases.
pub const SYSTEM_DATABASES: [&str; 4] =
    ["mysql", "information_schema", "performance_schema", "sys"];

/// The account that Pressroom administers MariaDB with.
pub const ADMIN: &str = "pressroom_admin";

/// Accounts that MariaDB or the stack itself needs.
pub const SYSTEM_ACCOUNTS: [&str; 5] = ["root", "mysql", "mariadb.sys", "PUBLIC", ADMIN];

/// `pr_` and eight of `a-z0-9`.
pub fn unix_user(name: &str) -> Result<&str> {
    let good = name.strip_prefix(USER_PREFIX).is_some_and(|rest| {
        rest.len() == 8
            && rest
                .bytes()
                .all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit())
    });
    good.then_some(name)
        .ok_or_else(|| bad("Unix user name", name))
}

/// One to 64 of `A-Za-z0-9_`, and not one of MariaDB's own.
pub fn database(name: &str) -> Result<&str> {
    let own = SYSTEM_DATABASES
        .iter()
        .any(|system| system.eq_ignore_ascii_case(name));
    (identifier(name) && !own)
        .then_some(name)
        .ok_or_else(|| bad("database name", name))
}

/// What a database and its user are called. Both carry the same name.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DatabaseNames {
    /// The database.
    pub database: String,
    /// Its user.
    pub user: String,
}

/// The longest name of a user that every server takes: 32 in MySQL, 80 in MariaDB.
/// Databases may have 64.
const USER_MAX: usize = 32;

impl DatabaseNames {
    /// Names for the site in directory `path` of a domain: an account's prefix, what
    /// people recognize of the domain, and ten digits of a hash of everything. The same
    /// for the same site, another for any other, and at most 32 characters whatever
    /// the domain's length.
    pub fn of(prefix: &str, site_domain: &str, path: &str) -> Result<Self> {
        domain(site_domain)?;
        let short = prefix.is_empty() || (prefix.len() <= 16 && identifier(prefix));
        if !short {
            return Err(bad("prefix for databases (16 characters at most)", prefix));
        }
        let hash = hex::encode(&Sha256::digest(format!("{prefix}\0{site_domain}\0{path}"))[..5]);
        let label = site_domain.strip_prefix("www.").unwrap_or(site_domain);
        let room = USER_MAX - prefix.len() - hash.len() - 1;
        let known: String = label
            .chars()
            .map(|letter| {
                if letter.is_ascii_alphanumeric() {
                    letter
                } else {
                    '_'
                }
            })
            .take(room)
            .collect();
        let known = known.trim_end_matches('_');
        let name = format!("{prefix}{known}_{hash}");
        Ok(Self {
            database: database(&name)?.to_owned(),
            user: database_user(&name)?.to_owned(),
        })
    }
}

/// One to 64 of `A-Za-z0-9_`, and not an account that the stack needs.
pub fn database_user(name: &str) -> Result<&str> {
    let own = SYSTEM_ACCOUNTS
        .iter()
        .any(|system| system.eq_ignore_ascii_case(name));
    (identifier(name) && !own)
        .then_some(name)
        .ok_or_else(|| bad("database user name", name))
}

/// A host name in lower case: labels of `a-z0-9-`, at most 230 characters so that
/// it also names a file.
pub fn domain(name: &str) -> Result<&str> {
    let good = (1..=230).contains(&name.len()) && name.split('.').all(label);
    good.then_some(name).ok_or_else(|| bad("domain name", name))
}

/// A path below a home: plain components of `A-Za-z0-9._-` without `..` and hidden
/// directories; empty means the home itself.
pub fn relative_path(path: &str) -> Result<&str> {
    let good = path.is_empty()
        || path.split('/').all(|part| {
            !part.is_empty()
                && !part.starts_with('.')
                && part.len() <= 128
                && part
                    .bytes()
                    .all(|byte| byte.is_ascii_alphanumeric() || b"._-".contains(&byte))
        });
    good.then_some(path)
        .ok_or_else(|| bad("path below a home", path))
}

/// An absolute path that may stand in `/etc/passwd` and in configuration files.
pub fn absolute_path(path: &Path) -> Result<&str> {
    path.to_str()
        .filter(|text| {
            text.starts_with('/')
                && text.len() > 1
                && !text.ends_with('/')
                && text
                    .split('/')
                    .skip(1)
                    .all(|part| !matches!(part, "" | "." | ".."))
                && text
                    .bytes()
                    .all(|byte| byte.is_ascii_alphanumeric() || b"/._-+@".contains(&byte))
        })
        .ok_or_else(|| {
            bad(
                "directory (letters, digits and `._-+@` only)",
                &path.to_string_lossy(),
            )
        })
}

/// A database's name as `GRANT … ON` reads it, where `_` and `%` are wildcards:
/// unescaped, a grant on `a_b` opens `axb` too.
pub fn grant_pattern(database: &str) -> String {
    database
        .replace('\\', "\\\\")
        .replace('_', "\\_")
        .replace('%', "\\%")
}

fn identifier(name: &str) -> bool {
    (1..=64).contains(&name.len())
        && name
            .bytes()
            .all(|byte| byte.is_ascii_alphanumeric() || byte == b'_')
}

fn label(label: &str) -> bool {
    (1..=63).contains(&label.len())
        && !label.starts_with('-')
        && !label.ends_with('-')
        && label
            .bytes()
            .all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-')
}

fn bad(what: &'static str, name: &str) -> Error {
    // A long or binary name is somebody's attempt: only its start is worth a log line.
    Error::BadName {
        what,
        name: name
            .chars()
            .take(80)
            .flat_map(char::escape_default)
            .collect(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_plain_names_pass() {
        for good in ["pr_abcdefgh", "pr_a2345678", "pr_00000000"] {
            assert!(unix_user(good).is_ok(), "{good}");
        }
        for bad in [
            "",
            "root",
            "pr_",
            "pr_abcdefg",
            "pr_abcdefghi",
            "pr_ABCDEFGH",
            "pr_abc;efg",
            "-pr_abcdef",
        ] {
            assert!(unix_user(bad).is_err(), "{bad}");
        }
        for good in ["a", "wp_1", &"x".repeat(64)] {
            assert!(database(good).is_ok(), "{good}");
        }
        for bad in [
            "",
            "mysql",
            "SYS",
            "a`b",
            "a b",
            "a-b",
            "ü",
            "a\0b",
            &"x".repeat(65),
        ] {
            assert!(database(bad).is_err(), "{bad}");
        }
        for bad in ["root", "mysql", "pressroom_admin", "a'@'%", ""] {
            assert!(database_user(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn domains_cannot_leave_their_file_or_directive() {
        for good in ["example.com", "a.localhost", "xn--bcher-kva.example", "x"] {
            assert!(domain(good).is_ok(), "{good}");
        }
        for bad in [
            "",
            ".",
            "..",
            "a..b",
            "-a.b",
            "a-.b",
            "../x",
            "a/b",
            "a b",
            "a;b",
            "A.b",
            "a\n",
            "*.a",
            "~a",
            &format!("{}.b", "x".repeat(64)),
        ] {
            assert!(domain(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn paths_stay_below_their_home() {
        for good in ["", "public_html", "public_html/blog", "a/b.c/d-e"] {
            assert!(relative_path(good).is_ok(), "{good}");
        }
        for bad in [
            "/", "/etc", "a//b", "a/", "..", "a/../b", ".git", "a/.b", "a b", "a;b", "a\"b", "a$b",
            "a{b",
        ] {
            assert!(relative_path(bad).is_err(), "{bad}");
        }
        for bad in ["x", "/", "/a/", "/a/../b", "/a b", "/a:b", "/a;b", "/a\nb"] {
            assert!(absolute_path(Path::new(bad)).is_err(), "{bad}");
        }
        assert!(absolute_path(Path::new("/srv/sites/example.com")).is_ok());
    }

    #[test]
    fn names_of_databases_are_short_and_every_sites_own() {
        let long = format!("{}.{}.example", "x".repeat(63), "y".repeat(60));
        let names = |prefix, domain: &str, path| DatabaseNames::of(prefix, domain, path).unwrap();
        let one = names("acct_", "www.blog-of.example", "public_html");
        assert!(one.database.starts_with("acct_blog_of_exampl"), "{one:?}");
        assert_eq!(one, names("acct_", "www.blog-of.example", "public_html"));
        let mut seen = std::collections::BTreeSet::new();
        for domain in ["a.example", "a_example.b", &long, &long[1..]] {
            if super::domain(domain).is_err() {
                continue;
            }
            for path in ["public_html", "public_html/blog"] {
                for prefix in ["", "acct_", "pppppppppppppppp"] {
                    let name = names(prefix, domain, path).user;
                    assert!(name.len() <= 32, "{name}");
                    assert!(seen.insert(name));
                }
            }
        }
        assert!(DatabaseNames::of(&"p".repeat(17), "a.example", "").is_err());
        assert!(DatabaseNames::of("a`", "a.example", "").is_err());
    }

    #[test]
    fn a_grant_names_one_database() {
        assert_eq!(grant_pattern("a_b"), "a\\_b");
        assert_eq!(grant_pattern("ab1"), "ab1");
    }
}
