//! W11, W12.

use super::id;
use pressroom_base::Timestamp;
use pressroom_fleet::health::{Check, HealthCheck};
use serde::Serialize;
use serde_json::Value;
use utoipa::ToSchema;

/// A look at a site, as lists have it.
#[derive(Serialize, ToSchema)]
pub struct HealthCheckRowOut {
    id: String,
    site_id: String,
    /// `passed`, `warning` or `failed`.
    status: &'static str,
    /// `scheduled`, `manual`, `pre_upgrade`, `post_upgrade`, `canary` or `post_rollback`.
    kind: &'static str,
    /// What the front page answered with.
    http_status: Option<u16>,
    response_time_ms: Option<u64>,
    ttfb_ms: Option<u64>,
    ssl_expires_at: Option<String>,
    wp_version: Option<String>,
    php_version: Option<String>,
    /// What is wrong, in a sentence.
    error: Option<String>,
    pipeline_id: Option<String>,
    checked_at: String,
    created_at: String,
}

/// A look at a site, with all that was looked at.
#[derive(Serialize, ToSchema)]
pub struct HealthCheckOut {
    #[serde(flatten)]
    row: HealthCheckRowOut,
    checks: Vec<CheckOut>,
}

/// One thing that was looked at.
#[derive(Serialize, ToSchema)]
pub struct CheckOut {
    /// `http`, `tls`, `dns`, `rest_api`, `login_page`, `fatal_error`, `database`,
    /// `core_checksums`, `cron`, `php_version`, `disk` or `updates`.
    name: &'static str,
    /// `passed`, `warning`, `failed`, or `skipped` for what could not be looked at.
    status: &'static str,
    message: String,
    /// The figures behind it.
    #[schema(value_type = Object)]
    data: Value,
}

impl From<&HealthCheck> for HealthCheckRowOut {
    fn from(look: &HealthCheck) -> Self {
        let at = look.at.to_rfc3339();
        Self {
            id: id::health_check(&look.id),
            site_id: id::site(&look.site_id),
            status: look.status.as_str(),
            kind: look.kind.as_str(),
            http_status: look.http_status,
            response_time_ms: look.response_time_ms,
            ttfb_ms: look.ttfb_ms,
            ssl_expires_at: look.ssl_expires_at.map(Timestamp::to_rfc3339),
            wp_version: look.wp_version.clone(),
            php_version: look.php_version.clone(),
            error: look.error.clone(),
            pipeline_id: look.pipeline_id.as_deref().map(id::pipeline),
            checked_at: at.clone(),
            created_at: at,
        }
    }
}

impl From<HealthCheck> for HealthCheckOut {
    fn from(look: HealthCheck) -> Self {
        Self {
            row: HealthCheckRowOut::from(&look),
            checks: look.checks.into_iter().map(CheckOut::from).collect(),
        }
    }
}

impl From<Check> for CheckOut {
    fn from(check: Check) -> Self {
        Self {
            name: check.name.as_str(),
            status: check.status.as_str(),
            message: check.message,
            data: match check.data {
                Value::Object(figures) => Value::Object(figures),
                _ => Value::Object(serde_json::Map::new()),
            },
        }
    }
}
