//! Metrics served at `/metrics`.

/// Jobs that reached a final state, by `kind` and `state`.
pub const JOBS_FINISHED: &str = "pressroom_jobs_finished_total";
/// Jobs claimed by this process, by `kind`.
pub const JOBS_CLAIMED: &str = "pressroom_jobs_claimed_total";
/// Leases that were lost to another worker.
pub const LEASES_LOST: &str = "pressroom_leases_lost_total";
/// Requests answered, by `dialect`, `route` and `status`.
pub const HTTP_REQUESTS: &str = "pressroom_http_requests_total";
/// Time to answer a request in seconds, by `dialect` and `route`.
pub const HTTP_SECONDS: &str = "pressroom_http_request_duration_seconds";
/// Webhooks that were sent, or could not be, by `outcome`.
pub const WEBHOOK_ATTEMPTS: &str = "pressroom_webhook_attempts_total";
/// Webhooks that are over, by `state`.
pub const WEBHOOKS_ENDED: &str = "pressroom_webhooks_ended_total";
/// Mails that were handed to the server, or could not be, by `outcome`.
pub const MAILS: &str = "pressroom_mails_total";
/// Looks at sites that were recorded, by `status`.
pub const HEALTH_CHECKS: &str = "pressroom_health_checks_total";
/// Sites that this process is looking at now.
pub const HEALTH_CHECKS_RUNNING: &str = "pressroom_health_checks_running";

/// Every metric with its description.
pub const ALL: &[(&str, &str)] = &[
    (JOBS_FINISHED, "Jobs that reached a final state"),
    (JOBS_CLAIMED, "Jobs claimed by this process"),
    (LEASES_LOST, "Leases lost to another worker"),
    (HTTP_REQUESTS, "Requests answered"),
    (HEALTH_CHECKS, "Looks at sites that were recorded"),
    (
        HEALTH_CHECKS_RUNNING,
        "Sites that this process is looking at now",
    ),
    (HTTP_SECONDS, "Time to answer a request, in seconds"),
    (WEBHOOK_ATTEMPTS, "Webhooks sent, delivered or not"),
    (MAILS, "Mails handed to the server, or not"),
    (WEBHOOKS_ENDED, "Webhooks that are delivered or given up"),
];
