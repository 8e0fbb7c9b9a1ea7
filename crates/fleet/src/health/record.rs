//! Writing down what a look found, with all that follows from it, in one transaction: a
//! look counts once, and so does its news.

use super::{
    HealthCheck,
    finding::Finding,
    memory::{Memory, News},
    target::Target,
    view::view,
};
use crate::{Caller, Fleet, Result};
use pressroom_base::{
    Timestamp,
    catalog::{event, metric},
    id::ShortId,
};
use pressroom_store::{
    CheckKind, CheckStatus, HealthCheckRow, NewEvent, NewHealthCheck, SiteRow, SiteStatus, Turn,
    Tx, events, health,
};
use serde_json::{Value, json};
use std::time::Duration;

/// Looks at many sites that began together do not stay together.
const JITTER_PERCENT: i64 = 10;

/// Who looked, and why.
pub(super) struct Occasion<'a> {
    pub(super) caller: &'a Caller,
    pub(super) kind: CheckKind,
    /// The update it is made for.
    pub(super) pipeline: Option<&'a ShortId>,
}

impl Fleet {
    /// Records what was found in a turn and ends it; `None` when the turn was not that of
    /// this look any more, or the site was paused or removed meanwhile.
    pub(super) async fn record_look(
        &self,
        turn: &Turn,
        target: &Target,
        found: &Finding,
        occasion: &Occasion<'_>,
    ) -> Result<Option<HealthCheck>> {
        let settings = &self.parts.settings.health;
        let tx = self.parts.store.begin().await?;
        let Some(held) = health::hold(&tx, turn.site_id, &turn.claim).await? else {
            return Ok(None);
        };
        let Some(site) = pressroom_store::environments::get_site(&tx, turn.site_id).await? else {
            return Ok(None);
        };
        let now = tx.now().await?;
        let mut memory = Memory::read(&held.memory);
        let mut settled = health::Settled {
            memory: held.memory,
            due_at: now.plus(jittered(settings.light, now)),
            full_due_at: held.full_due_at,
        };
        if site.paused {
            health::settle(&tx, site.id, &turn.claim, &settled).await?;
            tx.commit().await?;
            return Ok(None);
        }
        let slow_ms = held.slow_ms.unwrap_or(settings.slow_ms);
        let judged = memory.judge(found, site.status, slow_ms, now);
        let kept = serde_json::to_string(&found.kept()).unwrap_or_default();
        let last = if found.full {
            memory.full_detail
        } else {
            memory.light_detail
        };
        let detail = health::put_detail(&tx, site.id, last, &kept).await?;
        if found.full {
            memory.full_detail = Some(detail);
            settled.full_due_at = now.plus(jittered(memory.next_full(settings.full), now));
        } else {
            memory.light_detail = Some(detail);
        }
        if memory.failures == 1 {
            // One failure is no verdict: the second look comes soon.
            settled.due_at = now.plus(settings.recheck);
        }
        let row = health::insert(
            &tx,
            NewHealthCheck {
                site_id: site.id,
                environment_id: target.row.as_ref().map(|row| row.id),
                status: found.status(),
                kind: occasion.kind,
                http_status: found.http.status,
                response_ms: found.http.response_ms,
                ttfb_ms: found.http.ttfb_ms,
                detail_id: detail,
                error: found.error(),
                pipeline_id: occasion.pipeline.map(ToString::to_string),
                keep: judged.keep,
            },
        )
        .await?;
        for news in judged.news {
            self.tell(&tx, &site, target, &row, found, news, occasion)
                .await?;
        }
        health::set_status(&tx, site.id, judged.status).await?;
        settled.memory = memory.written();
        health::settle(&tx, site.id, &turn.claim, &settled).await?;
        tx.commit().await?;
        metrics::counter!(metric::HEALTH_CHECKS, "status" => row.status.as_str()).increment(1);
        if site.status != judged.status {
            let (was, is) = (site.status, judged.status);
            if is == SiteStatus::Down {
                let error = row.error.as_deref().unwrap_or_default();
                tracing::warn!(site.id = %site.id, "site `{}` is down: {error}", site.name);
            } else {
                tracing::info!(site.id = %site.id, "site `{}` was {was} and is {is}", site.name);
            }
        }
        Ok(Some(view(row, site.short_id.as_str(), Some(&kept))))
    }

    #[expect(clippy::too_many_arguments, reason = "all that an event tells of")]
    async fn tell(
        &self,
        tx: &Tx,
        site: &SiteRow,
        target: &Target,
        row: &HealthCheckRow,
        found: &Finding,
        news: News,
        occasion: &Occasion<'_>,
    ) -> Result<()> {
        // As programs are told it: webhooks carry this as it is.
        let check = format!("hc_{}", row.public_id);
        let (kind, payload) = match news {
            News::Down { since } => {
                let error = row.error.as_deref();
                if !health::open(tx, site.id, since, &row.public_id, error).await? {
                    return Ok(());
                }
                let payload = json!({
                    "health_check_id": check, "http_status": row.http_status,
                    "error": row.error, "failing_since": since.to_rfc3339(),
                });
                (event::SITE_DOWN, payload)
            }
            News::Recovered => {
                let Some(since) = health::close(tx, site.id, &row.public_id).await? else {
                    return Ok(());
                };
                let seconds = (row.at.millis() - since.millis()).max(0) / 1000;
                let payload = json!({ "health_check_id": check, "downtime_seconds": seconds });
                (event::SITE_RECOVERED, payload)
            }
            News::Disconnected(reason) => (event::SITE_DISCONNECTED, json!({ "reason": reason })),
            News::Connected => (event::SITE_CONNECTED, connected(target, found)),
            News::Degraded { ms, limit } => {
                let payload = json!({
                    "health_check_id": check, "response_time_ms": ms, "threshold_ms": limit,
                });
                (event::PERFORMANCE_DEGRADED, payload)
            }
            News::Checked => {
                let payload = json!({
                    "health_check_id": check, "response_time_ms": row.response_ms,
                    "ttfb_ms": row.ttfb_ms,
                });
                (event::PERFORMANCE_CHECK_COMPLETED, payload)
            }
            News::Dns {
                record,
                before,
                after,
            } => {
                let payload = json!({ "record": record, "before": before, "after": after });
                (event::DNS_CHANGED, payload)
            }
        };
        self.emit_of_site(tx, site, target, kind, payload, occasion.caller)
            .await
    }

    async fn emit_of_site(
        &self,
        tx: &Tx,
        site: &SiteRow,
        target: &Target,
        kind: &'static str,
        payload: Value,
        caller: &Caller,
    ) -> Result<()> {
        let subject: Option<(&'static str, ShortId)> = Some(("site", site.short_id.clone()));
        events::emit(
            tx,
            NewEvent {
                kind,
                account_id: Some(site.account_id),
                environment_id: target.row.as_ref().map(|row| row.id),
                actor: caller.principal.label().to_owned(),
                by: caller.principal.by(),
                address: caller.address.map(|address| address.to_string()),
                subject,
                payload,
                ..NewEvent::default()
            },
        )
        .await?;
        Ok(())
    }
}

fn connected(target: &Target, found: &Finding) -> Value {
    let version = |text: &str| (!text.is_empty()).then(|| text.to_owned());
    let row = target.row.as_ref();
    let method = match row {
        Some(row) if row.host_id.is_some() => "ssh",
        _ => "local",
    };
    json!({
        "wp_version": found.wp_version.clone().or_else(|| version(&row?.core_version)),
        "php_version": found.php_version.clone().or_else(|| version(&row?.php_version)),
        "connection_method": method,
    })
}

/// A time span, a little shorter or longer by a number that nobody chose.
fn jittered(span: Duration, now: Timestamp) -> Duration {
    let mut seed = u64::from_str_radix(&pressroom_base::token::hex(8), 16).unwrap_or(0);
    seed ^= now.millis().unsigned_abs();
    let width = 2 * JITTER_PERCENT + 1;
    let percent = i64::try_from(seed % width.unsigned_abs()).unwrap_or(0) - JITTER_PERCENT;
    let millis = i64::try_from(span.as_millis()).unwrap_or(i64::MAX / 200);
    let millis = millis.saturating_add(millis / 100 * percent).max(0);
    Duration::from_millis(millis.unsigned_abs())
}

/// Whether a look failed, for those who asked for it.
pub(super) const fn has_failed(status: CheckStatus) -> bool {
    matches!(status, CheckStatus::Failed)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn spans_differ_by_a_tenth_at_most() {
        let now = Timestamp::from_millis(0);
        let spans: Vec<_> = (0..200)
            .map(|_| jittered(Duration::from_secs(100), now).as_millis())
            .collect();
        assert!(
            spans.iter().all(|ms| (90_000..=110_000).contains(ms)),
            "{spans:?}"
        );
        assert!(spans.iter().any(|ms| *ms != spans[0]));
    }
}
