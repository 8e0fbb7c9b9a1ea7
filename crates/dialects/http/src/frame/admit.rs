//! Who is asking, and whether they ask too often.

use super::Frame;
use crate::{Fault, Limits};
use axum::http::HeaderMap;
use pressroom_base::{Kind, Timestamp, address::network};
use pressroom_fleet::{Principal, requests::Rate};
use std::{net::IpAddr, time::Duration};

/// The principal. A credential that opens nothing counts against its sender's
/// address, so that guessing is slow; a valid one never does, so that a neighbour
/// behind the same address cannot lock anybody out.
pub async fn authenticate(
    frame: &Frame,
    headers: &HeaderMap,
    peer: IpAddr,
) -> Result<Principal, Fault> {
    let fault = match frame
        .dialect
        .authenticate(&frame.fleet, headers, peer)
        .await
    {
        Ok(principal) => return Ok(principal),
        Err(fault) => fault,
    };
    let ours = matches!(&fault, Fault::UseCase(error)
        if !matches!(error.kind(), Kind::Unauthenticated | Kind::Forbidden));
    if !ours {
        count_address(frame, peer).await?;
    }
    Err(fault)
}

/// Counts a request without a valid credential.
pub async fn count_address(frame: &Frame, peer: IpAddr) -> Result<(), Fault> {
    let limits = frame.dialect.limits();
    if limits.per_address == Limits::ANY {
        return Ok(());
    }
    let key = format!("{}:address:{}", frame.dialect.name(), network(peer));
    let rate = frame
        .fleet
        .hit_rate(&key, limits.per_address, limits.window)
        .await?;
    within(&rate, limits.window)
}

/// Counts a request of a token, and tells it so on whatever answer follows.
pub async fn count_token(
    frame: &Frame,
    principal: &Principal,
    headers: &mut HeaderMap,
) -> Result<(), Fault> {
    let limits = frame.dialect.limits();
    if limits.per_token == Limits::ANY {
        return Ok(());
    }
    let key = format!("{}:{}", frame.dialect.name(), holder(principal));
    let rate = frame
        .fleet
        .hit_rate(&key, limits.per_token, limits.window)
        .await?;
    headers.extend(frame.dialect.rate_headers(&rate));
    within(&rate, limits.window)
}

/// The credential as limits and idempotency keys are kept under it.
pub fn holder(principal: &Principal) -> String {
    match (principal.token_id(), principal.user_id()) {
        (Some(token), _) => format!("token:{token}"),
        (None, Some(user)) => format!("user:{user}"),
        (None, None) => match principal.site_id() {
            Some(site) => format!("site:{site}"),
            None => "console".into(),
        },
    }
}

fn within(rate: &Rate, window: Duration) -> Result<(), Fault> {
    if rate.allowed {
        return Ok(());
    }
    // The window's end is by the database's clock, which may be ahead of ours.
    let seconds = rate.reset_at.saturating_sub(Timestamp::now().seconds());
    let left = Duration::from_secs(u64::try_from(seconds).unwrap_or(0));
    Err(Fault::Limited {
        retry_after: left.min(window),
    })
}
