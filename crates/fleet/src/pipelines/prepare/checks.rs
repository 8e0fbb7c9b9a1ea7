//! What keeps a site from being updated at all.

use crate::{
    Error, Result,
    pipelines::{course::Course, updater},
};
use pressroom_base::Kind;
use pressroom_carrier::Session;
use std::time::Duration;

/// WordPress' own locks of its updaters, and how long it holds them for good.
const LOCKS: [(&str, Duration); 2] = [
    ("auto_updater.lock", Duration::from_hours(1)),
    ("core_updater.lock", Duration::from_mins(15)),
];

/// Refuses a site that cannot be judged, or at which somebody else is at work.
pub(super) async fn refuse_unfit(course: &Course<'_>, session: &Session) -> Result<()> {
    let maintenance = session.maintenance(&course.site.path).await?;
    if maintenance.is_in_force() {
        return Err(Error::conflict(
            "the site is in maintenance: what an update does to its pages could not be seen",
        )
        .with_hint("end it first; an update shows the maintenance page by itself"));
    }
    let names = LOCKS.map(|(name, _)| name);
    let facts = session.read_site(&course.site.path, &names).await?;
    let now = course.fleet.parts.store.now().await?.seconds();
    for (name, lasts) in LOCKS {
        let value = facts.options.get(name);
        let value = value.filter(|value| !updater::is_ours(&course.site, value));
        let since: Option<i64> = value.and_then(|text| text.parse().ok());
        let lasts = i64::try_from(lasts.as_secs()).unwrap_or(i64::MAX);
        if since.is_some_and(|since| now.saturating_sub(since) < lasts) {
            return Err(updater::busy(name));
        }
    }
    let look = course.fleet.look_at(&course.site).await;
    if let Some(trouble) = look.trouble() {
        return Err(Error::new(
            Kind::Remote,
            format!(
                "the site does not answer before anything was done ({trouble}), so that its health afterwards could not be judged"
            ),
        ));
    }
    Ok(())
}
