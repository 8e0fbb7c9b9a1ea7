//! What every look sees: the front page, twice, and the certificate.

use super::{
    Check, CheckName, Verdict,
    finding::{Finding, Http},
    memory::Memory,
    pages::{Answer, Pages, Unasked},
};
use pressroom_base::Timestamp;
use pressroom_providers::{lookout::Certificate, probe::Probe};
use serde_json::json;
use std::time::Duration;

/// A certificate that is good for less is told of.
const SOON: Duration = Duration::from_hours(21 * 24);

/// What WordPress makes whatever caches there are.
const ENDPOINT: &str = "/wp-admin/admin-ajax.php";

impl Pages<'_> {
    /// Looks at what visitors get.
    pub(super) async fn look_outside(&self, found: &mut Finding, now: Timestamp) {
        let (served, made, tls) = tokio::join!(self.served(), self.alive(), self.tls(now));
        let (http, figures) = http(&served, &made);
        found.http = figures;
        found.checks.push(http);
        let (check, expires_at) = tls;
        found.ssl_expires_at = expires_at;
        found.checks.push(check);
        found.checks.push(fatal(&served, &made));
    }

    /// The front page as it is made now. One that sends its visitors on may do so without
    /// PHP: then something is asked that does not.
    async fn alive(&self) -> Answer {
        let home = self.made("/").await?;
        if !home
            .status
            .is_some_and(|status| (300..400).contains(&status))
        {
            return Ok(home);
        }
        let endpoint = self.made(ENDPOINT).await?;
        let lives = endpoint.status.is_some_and(|status| status < 500) && endpoint.fatal.is_none();
        Ok(if lives { home } else { endpoint })
    }

    async fn tls(&self, now: Timestamp) -> (Check, Option<Timestamp>) {
        let skip = |why: &str| (Check::skipped(CheckName::Tls, why), None);
        if self.target.url.scheme() != "https" {
            return skip("the site's address is without TLS");
        }
        let name = self.target.url.host_str().unwrap_or_default();
        let addr = match self.address().await {
            Ok(addr) => addr,
            Err(Unasked::Nowhere(why) | Unasked::Unknown(why)) => return skip(&why),
        };
        match self.fleet.parts.lookout.certificates.look(addr, name).await {
            Ok(seen) => (certificate(&seen, now), seen.expires_at),
            Err(why) => (
                Check::new(CheckName::Tls, Verdict::Failed, format!("no TLS: {why}")),
                None,
            ),
        }
    }

    /// What the name leads to. It says nothing of a name that the DNS does not have.
    pub(super) async fn look_at_name(&self, found: &mut Finding, memory: &Memory) {
        let Some(name) = self.target.name() else {
            if found.full {
                let why = "the site has no name that the DNS would know";
                found.checks.push(Check::skipped(CheckName::Dns, why));
            }
            return;
        };
        let records = match self.fleet.parts.lookout.names.records(name).await {
            Ok(records) => records,
            Err(why) => {
                if found.full {
                    found.checks.push(Check::skipped(CheckName::Dns, why));
                }
                return;
            }
        };
        let is_nothing = records.a.is_empty() && records.aaaa.is_empty();
        let changed = memory.records.as_ref().is_some_and(|last| *last != records);
        let check = if is_nothing && self.target.inner_address().is_some() {
            Check::skipped(
                CheckName::Dns,
                format!("`{name}` is known to this machine alone"),
            )
        } else if is_nothing {
            let message = format!("`{name}` has no address");
            Check::new(CheckName::Dns, Verdict::Warning, message)
        } else if changed {
            Check::new(
                CheckName::Dns,
                Verdict::Passed,
                format!("the records of `{name}` changed"),
            )
        } else {
            Check::new(
                CheckName::Dns,
                Verdict::Passed,
                format!("`{name}` leads where it led"),
            )
        };
        // Every hour a light look sees it too, and is like the others but for news.
        if found.full || changed || check.status > Verdict::Passed {
            let data = json!({ "a": records.a, "aaaa": records.aaaa, "ns": records.ns });
            found.checks.push(check.with(data));
        }
        found.records = Some(records);
    }
}

fn http(served: &Answer, made: &Answer) -> (Check, Http) {
    let status = |answer: &Answer| answer.as_ref().ok().and_then(|probe| probe.status);
    // What a cache answers with says nothing of how fast the site is.
    let timed = [made, served]
        .into_iter()
        .filter_map(|answer| answer.as_ref().ok())
        .find(|probe| probe.status.is_some());
    let figures = Http {
        status: status(served).or_else(|| status(made)),
        response_ms: timed.map(|probe| probe.ms),
        ttfb_ms: timed.map(|probe| probe.ttfb_ms),
    };
    let (of_served, of_made) = (verdict(served), verdict(made));
    let message = match (of_served, of_made) {
        (Verdict::Passed, Verdict::Passed) => figures.told(),
        (Verdict::Passed, _) => format!(
            "visitors still get a page, from a cache, and WordPress makes none: {}",
            told(made)
        ),
        (_, Verdict::Passed) => {
            format!(
                "visitors do not get the page that WordPress makes: {}",
                told(served)
            )
        }
        _ => told(served),
    };
    let check = Check::new(CheckName::Http, of_served.max(of_made), message)
        .with(json!({ "served": status(served), "alive": status(made) }));
    (check, figures)
}

/// How a front page is. What could not be asked for is not known to be well.
fn verdict(answer: &Answer) -> Verdict {
    let probe = match answer {
        Ok(probe) => probe,
        Err(Unasked::Nowhere(_)) => return Verdict::Failed,
        Err(Unasked::Unknown(_)) => return Verdict::Warning,
    };
    match probe.status {
        _ if probe.fatal.is_some() => Verdict::Failed,
        Some(200..400) => Verdict::Passed,
        Some(404 | 410) | None => Verdict::Failed,
        // There, and not for everybody.
        Some(400..500) => Verdict::Warning,
        Some(_) => Verdict::Failed,
    }
}

fn told(answer: &Answer) -> String {
    match answer {
        Ok(probe) => probe.summary(),
        Err(Unasked::Nowhere(why)) => why.clone(),
        Err(Unasked::Unknown(why)) => format!("it could not be looked at: {why}"),
    }
}

fn fatal(served: &Answer, made: &Answer) -> Check {
    let read: Vec<&Probe> = [served, made]
        .into_iter()
        .filter_map(|answer| answer.as_ref().ok())
        .filter(|probe| probe.status.is_some())
        .collect();
    if read.is_empty() {
        return Check::skipped(CheckName::FatalError, "there was no page to read");
    }
    match read.iter().find_map(|probe| probe.fatal.as_deref()) {
        Some(fatal) => Check::new(CheckName::FatalError, Verdict::Failed, fatal),
        None => Check::new(CheckName::FatalError, Verdict::Passed, "no page shows one"),
    }
}

fn certificate(seen: &Certificate, now: Timestamp) -> Check {
    let until = seen.expires_at.map(Timestamp::to_rfc3339);
    let day = until.as_deref().and_then(|at| at.get(..10));
    let data = json!({ "expires_at": until, "chain": seen.chain });
    let (status, message) = match (&seen.trouble, seen.expires_at, day) {
        (Some(trouble), _, _) => (Verdict::Failed, trouble.clone()),
        (None, Some(at), Some(day)) if at < now.plus(SOON) => (
            Verdict::Warning,
            format!("the certificate is good for less than 21 days, until {day}"),
        ),
        (None, _, Some(day)) => (
            Verdict::Passed,
            format!("the certificate is good until {day}"),
        ),
        (None, _, None) => (Verdict::Passed, "the certificate is good".to_owned()),
    };
    Check::new(CheckName::Tls, status, message).with(data)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[expect(clippy::unnecessary_wraps, reason = "an answer is one or the other")]
    fn page(status: u16) -> Answer {
        Ok(Probe {
            status: Some(status),
            ms: 412,
            ttfb_ms: 180,
            ..Probe::default()
        })
    }

    #[test]
    fn served_and_alive_are_two_signals() {
        let silent = || {
            Ok(Probe {
                error: Some("connection refused".into()),
                ..Probe::default()
            })
        };
        let table = [
            (page(200), page(200), Verdict::Passed, "200 in 412 ms"),
            (page(200), page(301), Verdict::Passed, "200 in 412 ms"),
            (
                page(403),
                page(200),
                Verdict::Warning,
                "visitors do not get",
            ),
            (
                page(200),
                page(502),
                Verdict::Failed,
                "visitors still get a page, from a cache",
            ),
            (
                page(200),
                silent(),
                Verdict::Failed,
                "no answer: connection refused",
            ),
            (page(404), page(404), Verdict::Failed, "status 404"),
            (page(503), page(503), Verdict::Failed, "status 503"),
            (
                Err(Unasked::Nowhere("`a` has no address".into())),
                page(200),
                Verdict::Failed,
                "has no address",
            ),
            (
                Err(Unasked::Unknown("private".into())),
                Err(Unasked::Unknown("private".into())),
                Verdict::Warning,
                "could not be looked at",
            ),
        ];
        for (served, made, expected, text) in table {
            let (check, _) = http(&served, &made);
            assert_eq!(check.status, expected, "{}", check.message);
            assert!(check.message.contains(text), "{}", check.message);
        }
    }

    #[test]
    fn a_certificate_warns_three_weeks_before_its_end() {
        let now = Timestamp::from_millis(1_800_000_000_000);
        let days = |days: u64| Certificate {
            expires_at: Some(now.plus(Duration::from_hours(24 * days))),
            chain: 2,
            trouble: None,
        };
        assert_eq!(certificate(&days(22), now).status, Verdict::Passed);
        let soon = certificate(&days(20), now);
        assert_eq!(soon.status, Verdict::Warning);
        assert!(
            soon.message.ends_with("until 2027-02-04"),
            "{}",
            soon.message
        );
        let bad = Certificate {
            trouble: Some("the certificate has expired".into()),
            ..days(0)
        };
        assert_eq!(certificate(&bad, now).status, Verdict::Failed);
    }
}
