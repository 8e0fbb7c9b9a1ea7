//! Health on a site's page, and sites that wait.

use super::{HOSTILE, ago, now};
use crate::pages::health::HealthPanel;
use pressroom_base::id::{AccountId, ShortId, SiteId};
use pressroom_fleet::{
    health::{CheckKind, CheckStatus, HealthCheck, Standing},
    sites::Site,
    views::Environment,
};

/// A site's panel in this state, with a look of each kind.
pub(super) fn health_of(site: &Environment, status: &'static str) -> HealthPanel {
    let why = format!("the front page answered 502 for {}", site.title);
    let look = |status, seconds, error: Option<&str>| HealthCheck {
        id: "2f686f6d6a1b2c3d4e5f".into(),
        site_id: "k3v9q2x7m1p0aaaa0000".into(),
        status,
        kind: CheckKind::Scheduled,
        http_status: Some(if error.is_some() { 502 } else { 200 }),
        response_time_ms: Some(184),
        ttfb_ms: Some(120),
        ssl_expires_at: None,
        wp_version: Some("6.5.5".into()),
        php_version: None,
        checks: Vec::new(),
        error: error.map(Into::into),
        pipeline_id: None,
        at: ago(seconds),
    };
    let looks = if status == "down" {
        vec![
            look(CheckStatus::Failed, 60, Some(why.as_str())),
            look(CheckStatus::Warning, 400, None),
            look(CheckStatus::Passed, 700, None),
        ]
    } else {
        Vec::new()
    };
    let standing = Standing {
        status,
        checked_at: (status == "down").then(|| ago(60)),
        incident: (status == "down").then(|| (ago(120), Some(why.clone()))),
    };
    HealthPanel::new(site, &standing, &looks, now())
}

/// Sites that wait to be connected, where nothing harmless is asked for.
pub(super) fn waiting(q: &str) -> Vec<Site> {
    let site = |name: &str, trouble: Option<&str>| Site {
        short_id: ShortId::random(),
        id: SiteId::new(9),
        account_id: AccountId::new(1),
        name: name.into(),
        url: "https://later.example".into(),
        status: "pending",
        connected: false,
        method: None,
        core_version: None,
        php_version: None,
        multisite: None,
        paused: false,
        trouble: trouble.map(Into::into),
        tried_at: trouble.map(|_| ago(300)),
        environment_id: None,
        created_at: ago(900),
        updated_at: ago(900),
        checked_at: None,
    };
    match q {
        "waiting" => vec![
            site("waiting room", Some("no WordPress below `/srv/later`")),
            site("waiting list", None),
        ],
        HOSTILE => vec![site(HOSTILE, Some(HOSTILE))],
        _ => Vec::new(),
    }
}
