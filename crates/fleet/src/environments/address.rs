//! What an environment's address tells.

use pressroom_store::EnvironmentRow;

/// The host name in an environment's address: what people call one by that has no domain
/// of ours.
pub(crate) fn host_name(row: &EnvironmentRow) -> &str {
    let rest = row.url.split_once("://").map_or("", |(_, rest)| rest);
    let authority = rest.split('/').next().unwrap_or_default();
    match authority.rsplit_once(':') {
        Some((name, port)) if port.bytes().all(|byte| byte.is_ascii_digit()) => name,
        _ => authority,
    }
}
