//! Which dialect answers a request: one rule for all of them, by host, path, credential
//! and shape. The body is never looked at, and a pick is final: a credential that one
//! dialect rejects is not tried in another.
//!
//! First who owns the path alone. A path that two dialects own, and one that nobody
//! knows, is decided by the host it is asked at, then by the credential's scheme, then by
//! what the request looks like; what gives nothing to go by is answered neutrally.

use axum::http::{HeaderMap, Method, header};

/// A dialect's name in configuration, metrics and logs.
pub type Name = &'static str;

/// `/api/v1`, the API of an orchestrator.
pub const WPORCHESTRIX: Name = "wporchestrix";
/// `/api/v1`, the API of a search service.
pub const MAPLEPRESS: Name = "maplepress";
/// `/api/v1/wordpress`.
pub const WISPANEL: Name = "wispanel";
/// `/hosting`, `/sso`, and what its connector asks for.
pub const PATCHSTACK: Name = "patchstack";
/// `/wp-json/captaincore/v1`.
pub const CAPTAINCORE: Name = "captaincore";

/// Every dialect.
pub const ALL: [Name; 5] = [WPORCHESTRIX, MAPLEPRESS, WISPANEL, PATCHSTACK, CAPTAINCORE];

/// What a pick goes by.
#[derive(Debug, Clone, Copy)]
pub struct Asked<'a> {
    /// Method.
    pub method: &'a Method,
    /// Path, undecoded.
    pub path: &'a str,
    /// Query, without the question mark.
    pub query: Option<&'a str>,
    /// Headers.
    pub headers: &'a HeaderMap,
    /// The dialect that the host name is bound to.
    pub bound: Option<&'a str>,
}

/// Who answers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Pick {
    /// The dialect; without, the answer is one that suits several.
    pub dialect: Option<Name>,
    /// What is known of the path.
    pub path: Known,
}

/// What is known of a path.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Known {
    /// One dialect owns it.
    Owned,
    /// Two dialects own it, with these methods (value of `Allow`).
    Shared(&'static str),
    /// Nobody owns it.
    Unknown,
}

/// Methods that a rule is about; `HEAD` follows `GET`.
type Methods = &'static [&'static str];
const ANY: Methods = &[];
const GET: Methods = &["GET", "HEAD"];
const POST: Methods = &["POST"];
const CHANGE: Methods = &["PATCH", "PUT"];

/// Paths with a single owner; `*` is one segment, a trailing `/` means everything below
/// as well.
const OWNERS: &[(Methods, &str, Name)] = &[
    (ANY, "/api/v1/wordpress/", WISPANEL),
    (ANY, "/api/v1/users/*/api-keys", WISPANEL),
    (ANY, "/api/v1/wporchestrix/", WPORCHESTRIX),
    (ANY, "/api/v1/auth", WPORCHESTRIX),
    (ANY, "/api/v1/jwt/", WPORCHESTRIX),
    (CHANGE, "/api/v1/sites/*", WPORCHESTRIX),
    (ANY, "/api/v1/sites/*/health_checks/", WPORCHESTRIX),
    (ANY, "/api/v1/sites/*/snapshots/", WPORCHESTRIX),
    (ANY, "/api/v1/sites/*/upgrade_pipelines/", WPORCHESTRIX),
    (ANY, "/api/v1/sites/*/vulnerability_records/", WPORCHESTRIX),
    (ANY, "/api/v1/activity_logs", WPORCHESTRIX),
    (ANY, "/api/v1/webhook_endpoints/", WPORCHESTRIX),
    (ANY, "/api/v1/accounts/", WPORCHESTRIX),
    (GET, "/api/v1/users", WPORCHESTRIX),
    (GET, "/health", MAPLEPRESS),
    (ANY, "/api/v1/register", MAPLEPRESS),
    (ANY, "/api/v1/login", MAPLEPRESS),
    (ANY, "/api/v1/refresh", MAPLEPRESS),
    (ANY, "/api/v1/hello", MAPLEPRESS),
    (ANY, "/api/v1/tenants/", MAPLEPRESS),
    (POST, "/api/v1/users", MAPLEPRESS),
    (ANY, "/api/v1/users/*", MAPLEPRESS),
    (ANY, "/api/v1/sites/*/rotate-api-key", MAPLEPRESS),
    (ANY, "/api/v1/sites/*/verify", MAPLEPRESS),
    (ANY, "/api/v1/plugin/", MAPLEPRESS),
    (ANY, "/hosting/", PATCHSTACK),
    (ANY, "/sso/", PATCHSTACK),
    (ANY, "/oauth/token", PATCHSTACK),
    (ANY, "/wp-json/captaincore/v1/", CAPTAINCORE),
];

/// Paths that WPOrchestrix and MaplePress own both, and how they are asked.
const SHARED: &[(&str, &str)] = &[
    ("/api/v1/sites", "GET, HEAD, OPTIONS, POST"),
    ("/api/v1/sites/*", "DELETE, GET, HEAD, OPTIONS"),
    ("/api/v1/me", "GET, HEAD, OPTIONS"),
];

/// Picks the dialect that answers.
pub fn pick(asked: &Asked<'_>) -> Pick {
    let path = asked.path.strip_suffix('/').unwrap_or(asked.path);
    if let Some(owner) = owner(asked.method.as_str(), path) {
        return Pick {
            dialect: Some(owner),
            path: Known::Owned,
        };
    }
    let shared = SHARED
        .iter()
        .find(|(pattern, _)| covers(pattern, path))
        .filter(|(_, allow)| {
            allow
                .split(", ")
                .any(|known| known == asked.method.as_str())
        });
    let bound = asked
        .bound
        .and_then(|bound| ALL.into_iter().find(|name| *name == bound));
    let dialect = match (bound, scheme(asked.headers)) {
        (Some(bound), _) => Some(bound),
        (None, Some(dialect)) => Some(dialect),
        (None, None) => shape(asked, path),
    };
    Pick {
        dialect,
        path: shared.map_or(Known::Unknown, |(_, allow)| Known::Shared(allow)),
    }
}

fn owner(method: &str, path: &str) -> Option<Name> {
    let owned = OWNERS.iter().find(|(methods, pattern, _)| {
        (methods.is_empty() || methods.contains(&method)) && covers(pattern, path)
    });
    // The connector's paths have no version before them.
    let unversioned = || {
        let rest = path.strip_prefix("/api/")?;
        (rest != "v1" && !rest.starts_with("v1/")).then_some(PATCHSTACK)
    };
    owned.map(|(_, _, name)| *name).or_else(unversioned)
}

/// By the credential; `None` where there is none that any of the two knows.
fn scheme(headers: &HeaderMap) -> Option<Name> {
    let mut fields = headers.get_all(header::AUTHORIZATION).iter();
    let field = fields.next()?;
    if fields.next().is_some() {
        return None;
    }
    let (scheme, value) = field.to_str().ok()?.trim().split_once(' ')?;
    let value = value.trim_start();
    if value.is_empty() {
        return None;
    }
    let begins = |prefixes: &[&str]| prefixes.iter().any(|prefix| value.starts_with(prefix));
    if scheme.eq_ignore_ascii_case("token") {
        Some(WPORCHESTRIX)
    } else if scheme.eq_ignore_ascii_case("jwt") {
        Some(MAPLEPRESS)
    } else if !scheme.eq_ignore_ascii_case("bearer") || begins(&["wsp_"]) {
        None
    } else if begins(&["live_sk_", "test_sk_"]) {
        Some(MAPLEPRESS)
    } else {
        Some(WPORCHESTRIX)
    }
}

/// By what the request looks like, the first that says anything.
fn shape(asked: &Asked<'_>, path: &str) -> Option<Name> {
    let id = path
        .strip_prefix("/api/v1/sites/")
        .map(|rest| rest.split('/').next().unwrap_or_default());
    let query = |names: &[&str]| {
        asked
            .query
            .unwrap_or_default()
            .split('&')
            .map(|pair| pair.split('=').next().unwrap_or_default())
            .any(|name| names.contains(&name))
    };
    if id.is_some_and(is_uuid_shaped) {
        Some(MAPLEPRESS)
    } else if id.is_some_and(|id| id.starts_with("site_")) {
        Some(WPORCHESTRIX)
    } else if query(&["page_size", "page_state"]) {
        Some(MAPLEPRESS)
    } else if query(&["page", "per_page"]) {
        Some(WPORCHESTRIX)
    } else if wants_problems(asked.headers) || asked.headers.contains_key("x-tenant-id") {
        Some(MAPLEPRESS)
    } else {
        None
    }
}

/// 8-4-4-4-12 letters and digits: the documents' own examples are not hexadecimal.
fn is_uuid_shaped(id: &str) -> bool {
    let groups: Vec<&str> = id.split('-').collect();
    groups.iter().map(|group| group.len()).eq([8, 4, 4, 4, 12])
        && groups
            .iter()
            .all(|group| group.bytes().all(|byte| byte.is_ascii_alphanumeric()))
}

fn wants_problems(headers: &HeaderMap) -> bool {
    headers
        .get_all(header::ACCEPT)
        .iter()
        .filter_map(|value| value.to_str().ok())
        .flat_map(|value| value.split(','))
        .map(|range| range.split(';').next().unwrap_or_default().trim())
        .any(|range| range.eq_ignore_ascii_case("application/problem+json"))
}

fn covers(pattern: &str, path: &str) -> bool {
    let below = pattern.ends_with('/');
    let mut path = path.split('/');
    for segment in pattern.trim_end_matches('/').split('/') {
        match path.next() {
            Some(given) if segment == given || (segment == "*" && !given.is_empty()) => {}
            _ => return false,
        }
    }
    below || path.next().is_none()
}

#[cfg(test)]
mod tests;
