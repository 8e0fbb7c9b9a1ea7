//! Asking for another version of WordPress.

use crate::{Caller, Error, Fleet, Result, authorize::Action, code, jobs::Enqueue, views::Job};
use pressroom_base::{Kind, catalog::event, id::EnvironmentId};
use pressroom_phpdata::version::compare;
use pressroom_providers::packages::{self, PackageKind, Standing};
use pressroom_store::{EnvironmentRow, environments};
use serde::{Deserialize, Serialize};
use std::cmp::Ordering;

/// A version of WordPress to go to.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub struct UpdateCore {
    /// The version; the newest that is offered when `None`.
    pub version: Option<String>,
    /// Stays within the branch: from 6.5.2 to 6.5.5, not to 6.6.
    pub minor_only: bool,
}

#[derive(Debug, Serialize, Deserialize)]
pub(super) struct Payload {
    /// What is to be live; the version that is there for `reinstall`.
    pub(super) version: String,
    pub(super) reinstall: bool,
}

impl Fleet {
    /// Starts an update of WordPress as a job, whose result is a
    /// [`CoreReport`](super::CoreReport). When the site does not answer as before, or
    /// the worker dies, files and tables are taken back, and the job ends `failed`,
    /// with [`crate::code::TAKEN_BACK`] in the first case.
    ///
    /// Errors: `Invalid`/`UNPROCESSABLE` (an older version, an unknown one, one of
    /// another branch), `Busy` with `OPERATION_RUNNING`, `Unreachable` (package
    /// source); of the job as well `Conflict` (in maintenance), `Unsupported` (PHP is
    /// too old for it), `Remote`.
    pub async fn update_core(
        &self,
        caller: &Caller,
        environment: EnvironmentId,
        update: UpdateCore,
    ) -> Result<Job> {
        let row = self
            .environment_row(caller, Action::ComponentUpdate, environment)
            .await?
            .env;
        if let Some(id) = caller.earlier_job() {
            return self.job_by_id(caller, Action::ComponentUpdate, id).await;
        }
        let current = self.present_version(&row).await?;
        let payload = Payload {
            version: self.target(&row, &current, &update).await?,
            reinstall: false,
        };
        self.start_core_job(caller, &row, &payload).await
    }

    /// Starts laying down the files of the present version anew, as a job as that of
    /// [`Fleet::update_core`]. `wp-content` and `wp-config.php` are not touched, nor
    /// are the tables.
    ///
    /// Errors: `Invalid`/`UNPROCESSABLE` (no source has that version), `Busy` with
    /// `OPERATION_RUNNING`; of the job as well `Conflict` (in maintenance), `Remote`.
    pub async fn reinstall_core(&self, caller: &Caller, environment: EnvironmentId) -> Result<Job> {
        let row = self
            .environment_row(caller, Action::ComponentUpdate, environment)
            .await?
            .env;
        if let Some(id) = caller.earlier_job() {
            return self.job_by_id(caller, Action::ComponentUpdate, id).await;
        }
        let version = self.present_version(&row).await?;
        self.known_version(&row, &version).await?;
        let payload = Payload {
            version,
            reinstall: true,
        };
        self.start_core_job(caller, &row, &payload).await
    }

    async fn start_core_job(
        &self,
        caller: &Caller,
        row: &EnvironmentRow,
        payload: &Payload,
    ) -> Result<Job> {
        let job =
            Enqueue::writing("core_update", row, payload)?.with_event(event::CORE_UPDATE_STARTED);
        self.start_job(caller, Action::ComponentUpdate, job).await
    }

    /// The version on disk: what is recorded may be older.
    async fn present_version(&self, row: &EnvironmentRow) -> Result<String> {
        self.refresh_row(row).await?;
        let row = environments::get(&self.parts.store, row.id).await?;
        row.map(|row| row.core_version)
            .filter(|version| !version.is_empty())
            .ok_or_else(|| Error::new(Kind::Remote, "the site's version cannot be read"))
    }

    /// The version to go to; the present one when there is nothing newer.
    async fn target(
        &self,
        row: &EnvironmentRow,
        current: &str,
        update: &UpdateCore,
    ) -> Result<String> {
        if let Some(asked) = &update.version {
            let refused = match compare(asked, current) {
                Ordering::Less => Some(format!(
                    "WordPress {} is older than {current}, which is there",
                    asked.escape_debug()
                )),
                _ if update.minor_only && branch(asked) != branch(current) => Some(format!(
                    "WordPress {} is not of the branch of {current}",
                    asked.escape_debug()
                )),
                _ => None,
            };
            if let Some(why) = refused {
                return Err(Error::invalid(why).with_code(code::UNPROCESSABLE));
            }
            if asked != current {
                self.known_version(row, asked).await?;
            }
            return Ok(asked.clone());
        }
        let packages = &self.parts.packages;
        if update.minor_only {
            let versions = packages.core_versions().await?;
            let newest = versions.into_iter().find(|version| {
                branch(version) == branch(current) && compare(version, current) == Ordering::Greater
            });
            return Ok(newest.unwrap_or_else(|| current.to_owned()));
        }
        let slug = PackageKind::CORE_SLUG;
        match packages
            .standing(PackageKind::Core, slug, Some(current))
            .await?
        {
            Standing::Older(offer) => Ok(offer.version),
            Standing::Newest => Ok(current.to_owned()),
            Standing::Unknown => Err(Error::new(
                Kind::Unreachable,
                "no package source has WordPress",
            )),
        }
    }

    /// Fetches a version, so that an unknown one is told at once.
    async fn known_version(&self, row: &EnvironmentRow, version: &str) -> Result<()> {
        let package = self.parts.packages.core(Some(version), &row.locale).await;
        match package {
            Ok(package) if package.version == version => Ok(()),
            Ok(package) => Err(Error::invalid(format!(
                "what is offered as WordPress {} is {}",
                version.escape_debug(),
                package.version
            ))
            .with_code(code::UNPROCESSABLE)),
            Err(error) => Err(unknown(error)),
        }
    }
}

fn unknown(error: packages::Error) -> Error {
    match error.kind() {
        Kind::NotFound | Kind::Invalid => {
            Error::invalid(error.to_string()).with_code(code::UNPROCESSABLE)
        }
        _ => error.into(),
    }
}

/// WordPress counts branches by two numbers: 6.5 of 6.5.3 and of 6.5-RC1.
fn branch(version: &str) -> (u64, u64) {
    let mut numbers = version
        .split(|c: char| !c.is_ascii_digit())
        .map(|part| part.parse().unwrap_or(0));
    (numbers.next().unwrap_or(0), numbers.next().unwrap_or(0))
}

#[cfg(test)]
mod tests {
    use super::branch;

    #[test]
    fn branches_are_two_numbers() {
        for (version, of) in [
            ("6.5.5", (6, 5)),
            ("6.5", (6, 5)),
            ("6.5-RC1", (6, 5)),
            ("10.11.2", (10, 11)),
            ("", (0, 0)),
        ] {
            assert_eq!(branch(version), of, "{version}");
        }
    }
}
