//! What a closer look sees from inside a site, over the way that it is worked on.

use super::{
    Check, CheckName, Verdict,
    closer::Login,
    finding::{Contact, Finding},
    php::{Support, support},
    target::Target,
};
use crate::{Caller, Error, Fleet, Principal, Result, checksums, checksums::VerifySite};
use pressroom_base::{Kind, Timestamp};
use pressroom_carrier::Session;
use pressroom_phpdata::serialized::number_keys;
use pressroom_store::{EnvironmentRow, components};
use pressroom_wordpress::{database::SiteFacts, inventory::Survey, protection::HiddenLogin};
use serde_json::json;
use std::time::Duration;
use tokio_util::sync::CancellationToken;

/// What one question may take.
const PATIENCE: Duration = Duration::from_mins(1);
/// An event that is due for longer was forgotten.
const OVERDUE: Duration = Duration::from_hours(1);
/// A disk with less room than one part of so many is full soon.
const ROOM: u64 = 20;

/// What only the site itself can tell.
const INSIDE: [CheckName; 6] = [
    CheckName::Database,
    CheckName::CoreChecksums,
    CheckName::Cron,
    CheckName::PhpVersion,
    CheckName::Disk,
    CheckName::Updates,
];

impl Fleet {
    /// Whether the site can be worked on.
    pub(super) async fn contact(&self, row: &EnvironmentRow) -> Option<Contact> {
        if row.home.is_none() && row.domain_id.is_none() {
            // Nobody said where it is.
            return None;
        }
        let asked = tokio::time::timeout(PATIENCE, async {
            let session = self.session_at(row).await?;
            session.ping().await?;
            Ok(())
        });
        Some(match asked.await {
            Ok(Ok(())) => Contact::There,
            Ok(Err(error)) => lost(&error),
            Err(_) => Contact::Lost("no_heartbeat"),
        })
    }

    /// Looks from inside; says where one signs in.
    pub(super) async fn look_inside(
        &self,
        target: &Target,
        found: &mut Finding,
        now: Timestamp,
    ) -> Login {
        let Some(row) = &target.row else {
            skip_all(found, "the site is known by its address alone");
            return Login::Usual;
        };
        found.wp_version = known(&row.core_version);
        found.php_version = self.php_at(row).await;
        let session = match within(self.session_at(row)).await {
            Ok(session) => session,
            Err(error) => {
                if row.home.is_some() || row.domain_id.is_some() {
                    found.contact = Some(lost(&error));
                }
                skip_all(
                    found,
                    &format!("the site cannot be reached: {}", error.message()),
                );
                return Login::Usual;
            }
        };
        found.contact = Some(Contact::There);
        let (survey, login) = tokio::join!(
            within(async { Ok(session.survey(self.site_ref(row), &["cron"]).await?) }),
            self.login_of(&session, row)
        );
        if let Ok(version) = survey.as_ref().map(|survey| &survey.inspection.version)
            && version.is_some()
        {
            found.wp_version.clone_from(version);
        }
        let (sums, disk, updates) = tokio::join!(
            self.core_checksums(row),
            disk(&session, row),
            self.updates(row)
        );
        found.checks.push(database(&survey));
        found.checks.push(sums);
        found.checks.push(cron(
            survey
                .as_ref()
                .ok()
                .and_then(|survey| survey.facts.as_ref()),
            now,
        ));
        found.checks.push(php(found.php_version.as_deref(), now));
        found.checks.push(disk);
        found.checks.push(updates);
        login
    }

    async fn session_at(&self, row: &EnvironmentRow) -> Result<Session> {
        let ground = self.ground(row).await?;
        self.open_session(&ground, CancellationToken::new()).await
    }

    /// The version of the PHP that a site is worked on with.
    async fn php_at(&self, row: &EnvironmentRow) -> Option<String> {
        match known(&row.php_version) {
            None if row.host_id.is_none() && row.php.is_none() => self.php_version().await,
            version => version,
        }
    }

    /// Where one signs in, if we moved that.
    async fn login_of(&self, session: &Session, row: &EnvironmentRow) -> Login {
        let protections = async { Ok(session.protections(&row.path).await?) };
        match within(protections).await.map(|found| found.login) {
            Ok(HiddenLogin::On { slug, by_query }) => Login::At(if by_query {
                format!("/?{slug}")
            } else {
                format!("/{slug}/")
            }),
            _ => Login::Usual,
        }
    }

    async fn core_checksums(&self, row: &EnvironmentRow) -> Check {
        let name = CheckName::CoreChecksums;
        let console = Caller::new(Principal::console());
        let core = VerifySite {
            core: true,
            plugins: false,
            themes: false,
        };
        let seen = match within(self.verify_site(&console, row.id, core)).await {
            Ok(seen) => seen,
            Err(error) => return Check::skipped(name, error.message()),
        };
        let Some(core) = seen.subjects.first() else {
            return Check::skipped(name, "nothing was compared");
        };
        match core.verdict {
            checksums::Verdict::Clean => Check::new(
                name,
                Verdict::Passed,
                format!(
                    "{} files are those of WordPress {}",
                    core.intact, core.version
                ),
            ),
            checksums::Verdict::Unknown => {
                Check::skipped(name, core.why.clone().unwrap_or_default())
            }
            checksums::Verdict::Differs => {
                let files: Vec<_> = core.differences.decisive().map(|(_, path)| path).collect();
                let count = files.len() as u64 + core.differences.more;
                let shown: Vec<_> = files.iter().take(20).collect();
                let message = format!("{count} files are not those of WordPress {}", core.version);
                Check::new(name, Verdict::Warning, message)
                    .with(json!({ "count": count, "files": shown }))
            }
        }
    }

    /// What could be updated; that something can is no fault.
    async fn updates(&self, row: &EnvironmentRow) -> Check {
        let name = CheckName::Updates;
        let counted = within(async {
            self.refresh_row(row).await?;
            let rows = components::list(&self.parts.store, row.id).await?;
            let of = |kind: &str| {
                rows.iter()
                    .filter(|row| row.kind == kind && row.new_version.is_some())
                    .count()
            };
            let unknown = rows
                .iter()
                .filter(|row| row.offer_unknown.is_some())
                .count();
            Ok((of("plugin"), of("theme"), unknown))
        });
        let (plugins, themes, unknown) = match counted.await {
            Ok(counted) => counted,
            Err(error) => return Check::skipped(name, error.message()),
        };
        let (core, no_core) = self.core_standing(row).await;
        let core_count = usize::from(core.is_some());
        // Where nobody knows, there is no number.
        let core_known = no_core.is_none().then_some(core_count);
        let data =
            json!({ "core": core_known, "plugins": plugins, "themes": themes, "unknown": unknown });
        if core_count + plugins + themes == 0 && (unknown > 0 || no_core.is_some()) {
            let why = "no package source knows of everything that is installed";
            return Check::skipped(name, why).with(data);
        }
        let message = format!("core {core_count}, plugins {plugins}, themes {themes}");
        Check::new(name, Verdict::Passed, message).with(data)
    }
}

/// What was asked, or why that took too long.
async fn within<T>(work: impl Future<Output = Result<T>>) -> Result<T> {
    tokio::time::timeout(PATIENCE, work)
        .await
        .unwrap_or_else(|_| {
            let why = format!("no answer within {} s", PATIENCE.as_secs());
            Err(Error::new(Kind::Unreachable, why))
        })
}

/// Why we are not let in, in the words that programs get.
fn lost(error: &Error) -> Contact {
    use pressroom_carrier::{Error as Carrier, ssh::Error as Ssh};
    let mut source: Option<&(dyn std::error::Error + 'static)> = Some(error);
    while let Some(cause) = source {
        if let Some(Carrier::Ssh(ssh)) = cause.downcast_ref::<Carrier>()
            && matches!(
                **ssh,
                Ssh::KeyRefused { .. } | Ssh::SecondFactor { .. } | Ssh::HostKeyChanged { .. }
            )
        {
            return Contact::Lost("credential_rejected");
        }
        source = cause.source();
    }
    Contact::Lost("no_heartbeat")
}

fn skip_all(found: &mut Finding, why: &str) {
    found
        .checks
        .extend(INSIDE.map(|name| Check::skipped(name, why)));
}

fn database(survey: &Result<Survey>) -> Check {
    let name = CheckName::Database;
    let survey = match survey {
        Ok(survey) => survey,
        Err(error) => return Check::skipped(name, error.message()),
    };
    match (&survey.facts, &survey.trouble) {
        (Some(facts), None) if facts.tables == 0 => {
            Check::new(name, Verdict::Failed, "the site has no tables")
        }
        (Some(_), None) => Check::new(name, Verdict::Passed, "its tables can be read"),
        (_, Some(trouble)) => Check::new(name, Verdict::Failed, trouble),
        (None, None) => Check::skipped(name, "the tables were not read"),
    }
}

fn cron(facts: Option<&SiteFacts>, now: Timestamp) -> Check {
    let name = CheckName::Cron;
    let Some(facts) = facts else {
        return Check::skipped(name, "the tables were not read");
    };
    let Some(stored) = facts.options.get("cron") else {
        return Check::skipped(name, "the site has no schedule");
    };
    // An array by time; `version` is the one key that is a word.
    let Some(times) = number_keys(stored.as_bytes()) else {
        return Check::skipped(name, "the site's schedule cannot be read");
    };
    let limit = now.minus(OVERDUE).seconds();
    let overdue: Vec<i64> = times.into_iter().filter(|at| *at < limit).collect();
    match overdue.iter().min() {
        None => Check::new(name, Verdict::Passed, "scheduled events are done in time"),
        Some(oldest) => {
            let since = Timestamp::from_millis(oldest.saturating_mul(1000)).to_rfc3339();
            let message = format!(
                "{} times of scheduled events have passed, the first at {since}",
                overdue.len()
            );
            Check::new(name, Verdict::Warning, message)
                .with(json!({ "overdue": overdue.len(), "oldest": since }))
        }
    }
}

fn php(version: Option<&str>, now: Timestamp) -> Check {
    let name = CheckName::PhpVersion;
    let Some(version) = version else {
        return Check::skipped(name, "its version is not known");
    };
    match support(version, now) {
        Some(Support::Until(day)) => {
            let message = format!("PHP {version} gets fixes until {day}");
            Check::new(name, Verdict::Passed, message)
        }
        Some(Support::Ended(day)) => {
            let message = format!("PHP {version} has had no fixes since {day}");
            Check::new(name, Verdict::Warning, message)
        }
        Some(Support::Ancient) => {
            let message = format!("PHP {version} has had no fixes for years");
            Check::new(name, Verdict::Warning, message)
        }
        Some(Support::Unknown) => {
            Check::skipped(name, format!("nothing is known of PHP {version}"))
        }
        None => Check::skipped(name, format!("`{version}` is no version of PHP")),
    }
}

async fn disk(session: &Session, row: &EnvironmentRow) -> Check {
    let name = CheckName::Disk;
    let usage = match within(async { Ok(session.disk_usage(&row.path).await?) }).await {
        Ok(usage) => usage,
        Err(error) => return Check::skipped(name, error.message()),
    };
    let Some(room) = usage.room else {
        return Check::skipped(name, "the site's machine does not say how much room it has");
    };
    let percent = room.free.saturating_mul(100) / room.total.max(1);
    let data =
        json!({ "used_bytes": usage.bytes, "free_bytes": room.free, "total_bytes": room.total });
    let status = if room.free < room.total / ROOM {
        Verdict::Warning
    } else {
        Verdict::Passed
    };
    Check::new(name, status, format!("{percent} % of the disk is free")).with(data)
}

fn known(text: &str) -> Option<String> {
    (!text.is_empty()).then(|| text.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn events_are_overdue_after_an_hour() {
        let now = Timestamp::from_millis(1_800_000_000_000);
        let facts = |cron: &str| SiteFacts {
            options: [("cron".to_owned(), cron.to_owned())].into(),
            ..SiteFacts::default()
        };
        let at = |time: i64| {
            format!(
                "a:2:{{i:{time};a:1:{{s:1:\"a\";a:1:{{s:3:\"b;}}\";a:1:{{s:8:\"schedule\";b:0;}}}}}}s:7:\"version\";i:2;}}"
            )
        };
        let status = |cron: &str| super::cron(Some(&facts(cron)), now).status;
        assert_eq!(status(&at(1_800_000_000 - 3599)), Verdict::Passed);
        let late = super::cron(Some(&facts(&at(1_800_000_000 - 3601))), now);
        assert_eq!(late.status, Verdict::Warning);
        assert_eq!(late.data["overdue"], 1);
        assert_eq!(status("a:1:{s:7:\"version\";i:2;}"), Verdict::Passed);
        assert_eq!(status("b:0;"), Verdict::Skipped);
        assert_eq!(
            super::cron(Some(&SiteFacts::default()), now).status,
            Verdict::Skipped
        );
        assert_eq!(super::cron(None, now).status, Verdict::Skipped);
    }

    #[test]
    fn a_database_that_does_not_answer_has_failed() {
        assert_eq!(
            super::database(&Err(Error::new(Kind::Unreachable, "away"))).status,
            Verdict::Skipped
        );
        assert_eq!(
            php(Some("7.4.33"), Timestamp::from_millis(1_800_000_000_000)).status,
            Verdict::Warning
        );
        assert_eq!(
            php(None, Timestamp::from_millis(0)).status,
            Verdict::Skipped
        );
    }
}
