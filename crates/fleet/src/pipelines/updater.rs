//! WordPress' own automatic updater, held off while a job of a pipeline is at its site: what was
//! tried in the clone is not what is there, once somebody else has updated something.
//!
//! While nobody is at the site, somebody to say yes being waited for, it is let be: nothing of
//! ours is there, a security release must not wait for a week, and what it updates is seen when
//! the versions are held against the frozen ones.

use super::course::Course;
use crate::{Error, Result, reach::told};
use pressroom_carrier::Session;
use pressroom_store::EnvironmentRow;
use pressroom_wordpress::database::UpdaterLock;
use sha2::{Digest, Sha256};
use std::{pin::pin, time::Duration};
use tokio::time::{Instant, MissedTickBehavior, interval_at};

/// How often it is held off anew; WordPress heeds a lock for an hour.
const RENEW: Duration = Duration::from_mins(10);
/// The step that says that it was begun.
const STEP: &str = "hold WordPress' own updater off";

/// Does something while WordPress does not update itself.
pub(super) async fn held_off<T>(
    course: &Course<'_>,
    session: &Session,
    work: impl Future<Output = Result<T>> + Send,
) -> Result<T> {
    if session.require("hold_updater").is_err() {
        course
            .ctx
            .line("WordPress' own updater cannot be held off on this host");
        return work.await;
    }
    let holder = holder(&course.site);
    // Written down, so that whoever ends the job lets it be.
    let held = hold(course, session, &holder);
    if let Err(failure) = course.ctx.step(STEP, told(held)).await {
        if course.status().is_before_upgrade() {
            return Err(failure.into());
        }
        // What is half done is finished, whoever else is at work.
        course.ctx.line(failure.message);
    }
    let mut again = interval_at(Instant::now() + RENEW, RENEW);
    again.set_missed_tick_behavior(MissedTickBehavior::Delay);
    let mut work = pin!(work);
    let ended = loop {
        tokio::select! {
            ended = &mut work => break ended,
            _ = again.tick() => {
                if let Err(error) = hold(course, session, &holder).await {
                    // What it updates meanwhile is found by its versions.
                    let text = error.message().to_owned();
                    course.ctx.line(format!("WordPress' own updater is not held off: {text}"));
                }
            }
        }
    };
    let_be(course, session).await;
    ended
}

/// Lets WordPress update itself again. Where that cannot be said to it, it does so an hour
/// later.
pub(super) async fn let_be(course: &Course<'_>, session: &Session) {
    if session.require("hold_updater").is_err() {
        return;
    }
    let (epoch, site) = (course.ctx.epoch(), &course.site);
    let holder = holder(site);
    let done = session.release_updater(epoch, &site.path, &holder);
    if let Err(error) = done.await {
        course.ctx.line(format!(
            "WordPress' own updater stays held off for an hour at most: {error}"
        ));
    }
}

/// Whether a lock's value is one of ours at a site.
pub(super) fn is_ours(site: &EnvironmentRow, value: &str) -> bool {
    value
        .rsplit_once('.')
        .is_some_and(|(_, end)| end == holder(site))
}

/// What is said where somebody else's lock is held.
pub(super) fn busy(lock: &str) -> Error {
    Error::conflict(format!(
        "WordPress' own updater is at work (its lock `{lock}` is held)"
    ))
    .with_hint("try again when it is done; a lock of a dead updater lapses within an hour")
}

async fn hold(course: &Course<'_>, session: &Session, holder: &str) -> Result<()> {
    let (ctx, site) = (course.ctx, &course.site);
    let held = session
        .hold_updater(ctx.epoch(), &site.path, holder)
        .await?;
    match held {
        Some(UpdaterLock::Other { .. }) => Err(busy("auto_updater.lock")),
        Some(UpdaterLock::Caller { taken_over: true }) => {
            ctx.line("the lock of an updater that died was taken over");
            // An object cache may still have that one, which WordPress would take over in turn.
            course
                .fleet
                .flush_caches(ctx, session, site, Vec::new())
                .await;
            Ok(())
        }
        Some(UpdaterLock::Caller { taken_over: false }) | None => Ok(()),
    }
}

/// What tells our lock from others: digits that are a site's own, so that whoever comes after a
/// killed server knows it again.
fn holder(site: &EnvironmentRow) -> String {
    let hash = Sha256::digest(format!("updater of {}", site.panel_id));
    let number = hash
        .iter()
        .take(8)
        .fold(0_u64, |all, byte| all << 8 | u64::from(*byte));
    // The last digit is no 0: as a fraction it would be none.
    format!("{:014}{}", number % 100_000_000_000_000, 1 + number % 9)
}
