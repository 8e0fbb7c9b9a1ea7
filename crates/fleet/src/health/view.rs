//! A look at a site, as faces get it.

use super::{
    Check, CheckName,
    finding::{Http, Kept},
};
use pressroom_base::Timestamp;
use pressroom_store::{CheckKind, CheckStatus, HealthCheckRow};
use serde::Serialize;

/// A look at a site. Ids are without a dialect's prefix.
#[derive(Debug, Clone, Serialize)]
pub struct HealthCheck {
    /// Its own.
    pub id: String,
    /// The site's.
    pub site_id: String,
    /// What was found.
    pub status: CheckStatus,
    /// Why somebody looked.
    pub kind: CheckKind,
    /// What the front page answered with.
    pub http_status: Option<u16>,
    /// How long that took.
    pub response_time_ms: Option<u64>,
    /// How long until it began.
    pub ttfb_ms: Option<u64>,
    /// When the certificate ceases to be good.
    pub ssl_expires_at: Option<Timestamp>,
    /// WordPress' version, as far as it was known.
    pub wp_version: Option<String>,
    /// PHP's.
    pub php_version: Option<String>,
    /// What was looked at.
    pub checks: Vec<Check>,
    /// What is wrong, in a sentence.
    pub error: Option<String>,
    /// The update it was made for.
    pub pipeline_id: Option<String>,
    /// When.
    pub at: Timestamp,
}

/// A row with the rest of what was found, as it was kept.
pub(super) fn view(row: HealthCheckRow, site_id: &str, kept: Option<&str>) -> HealthCheck {
    // A detail that is gone or cannot be read leaves a look of figures alone.
    let kept: Kept = kept
        .and_then(|text| serde_json::from_str(text).ok())
        .unwrap_or_default();
    let whole = |value: Option<i64>| value.and_then(|it| u64::try_from(it).ok());
    let http = Http {
        status: row.http_status.and_then(|it| u16::try_from(it).ok()),
        response_ms: whole(row.response_ms),
        ttfb_ms: whole(row.ttfb_ms),
    };
    let mut checks = kept.checks;
    for check in &mut checks {
        if check.name == CheckName::Http && check.message.is_empty() {
            check.message = http.told();
        }
    }
    HealthCheck {
        id: row.public_id.to_string(),
        site_id: site_id.to_owned(),
        status: row.status,
        kind: row.kind,
        http_status: http.status,
        response_time_ms: http.response_ms,
        ttfb_ms: http.ttfb_ms,
        ssl_expires_at: kept.ssl_expires_at,
        wp_version: kept.wp_version,
        php_version: kept.php_version,
        checks,
        error: row.error,
        pipeline_id: row.pipeline_id,
        at: row.at,
    }
}
