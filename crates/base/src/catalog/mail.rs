//! Events that people are told of by mail.

/// Who owns an account is told of these. Who was told that a site is down is told that it is
/// back.
pub const TOLD: &[&str] = &[
    "site.down",
    "site.recovered",
    "upgrade.failed",
    "security.vulnerability_found",
    super::event::WEBHOOK_ENDPOINT_DISABLED,
];

/// Whether anybody is told of an event by mail.
pub fn is_told(kind: &str) -> bool {
    TOLD.contains(&kind)
}
