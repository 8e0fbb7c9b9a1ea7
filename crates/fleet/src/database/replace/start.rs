//! Asking for a replacement, or for what it would do.

use super::ReplaceReport;
use crate::{Caller, Error, Fleet, Result, authorize::Action, code, jobs::Enqueue, views::Job};
use pressroom_base::{Kind, catalog::event, id::EnvironmentId};
use pressroom_carrier::Session;
use pressroom_store::{EnvironmentRow, environments};
use pressroom_wordpress::database::replace::{ObjectRule, ReplaceOptions, TextPair};
use serde::{Deserialize, Serialize};
use tokio_util::sync::CancellationToken;

/// What to replace, and where.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub struct SearchReplace {
    /// What is searched; bytes are compared.
    pub old: String,
    /// What replaces it.
    pub new: String,
    /// Also `posts.guid`, which is an identity and no address.
    pub guid: bool,
    /// All tables of the database, whatever their prefix.
    pub all_tables: bool,
    /// Only these tables; empty for all in scope.
    pub tables: Vec<String>,
    /// Not these columns, named alone or as `table.column`.
    pub skip_columns: Vec<String>,
    /// Strings inside serialized objects.
    #[serde(default)]
    pub objects: ObjectRule,
    /// Whether a snapshot of the tables is taken first; it stays.
    #[serde(default)]
    pub backup: bool,
}

/// What became of a replacement.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Replaced {
    /// What was replaced.
    #[serde(flatten)]
    pub report: ReplaceReport,
    /// The snapshot of the tables from before, if one was asked for.
    #[serde(default)]
    pub backup: Option<String>,
}

impl SearchReplace {
    pub(super) fn options(&self, run: String, dry_run: bool) -> ReplaceOptions {
        ReplaceOptions {
            pairs: vec![TextPair {
                old: self.old.clone(),
                new: self.new.clone(),
            }],
            run,
            dry_run,
            all_tables: self.all_tables,
            tables: self.tables.clone(),
            skip_columns: self.skip_columns.clone(),
            guid: self.guid,
            objects: self.objects,
            ..ReplaceOptions::default()
        }
    }

    /// Refuses what can be done nowhere.
    pub(crate) fn check(&self) -> Result<()> {
        if self.old.is_empty() {
            return Err(Error::invalid("there is nothing to search for"));
        }
        if self.old == self.new {
            return Err(Error::invalid("both texts are the same"));
        }
        Ok(())
    }
}

impl Fleet {
    /// Counts what [`Fleet::search_replace`] would replace. Nothing is written.
    ///
    /// Errors: `NotFound`, `Forbidden`, `Invalid` (with `UNPROCESSABLE` for a table that
    /// is not there), `Unreachable`, `Remote`.
    pub async fn preview_search_replace(
        &self,
        caller: &Caller,
        environment: EnvironmentId,
        replace: &SearchReplace,
    ) -> Result<ReplaceReport> {
        // Counts tell what the tables hold: no less is asked for than for the real run.
        let row = self
            .environment_row(caller, Action::SiteDatabase, environment)
            .await?
            .env;
        replace.check()?;
        self.check_reach(&row, replace).await?;
        let ground = self.ground(&row).await?;
        let session = self.open_session(&ground, CancellationToken::new()).await?;
        self.refuse_unknown_tables(&session, &row, replace).await?;
        let options = replace.options("preview".to_owned(), true);
        Ok(session
            .search_replace(None, self.site_ref(&row), options)
            .await?)
    }

    /// Starts the replacement as a job, whose result is a [`Replaced`]. An interrupted
    /// one goes on where it was.
    ///
    /// Errors: `NotFound`, `Forbidden`, `Invalid`, `Conflict` (tables of another
    /// account), `Busy` with `OPERATION_RUNNING`. A job whose snapshot finds no room
    /// fails with `NO_ROOM` and replaces nothing.
    pub async fn search_replace(
        &self,
        caller: &Caller,
        environment: EnvironmentId,
        replace: SearchReplace,
    ) -> Result<Job> {
        if let Some(id) = caller.earlier_job() {
            return self.job_by_id(caller, Action::SiteDatabase, id).await;
        }
        let row = self
            .environment_row(caller, Action::SiteDatabase, environment)
            .await?
            .env;
        replace.check()?;
        self.check_reach(&row, &replace).await?;
        let job = Enqueue::writing("site_search_replace", &row, &replace)?
            .with_event(event::SITE_SEARCH_REPLACE_STARTED);
        self.start_job(caller, Action::SiteDatabase, job).await
    }

    /// A table that is named is meant: nothing is done where one is not there.
    pub(super) async fn refuse_unknown_tables(
        &self,
        session: &Session,
        row: &EnvironmentRow,
        replace: &SearchReplace,
    ) -> Result<()> {
        if replace.all_tables || replace.tables.is_empty() {
            return Ok(());
        }
        let there = session.database_size(self.site_ref(row)).await?;
        let missing = replace
            .tables
            .iter()
            .find(|name| !there.iter().any(|table| table.name == **name));
        match missing {
            None => Ok(()),
            Some(name) => Err(Error::invalid(format!("the site has no table `{name}`"))
                .with_code(code::UNPROCESSABLE)),
        }
    }

    /// Tables without the site's prefix may be another account's.
    async fn check_reach(&self, row: &EnvironmentRow, replace: &SearchReplace) -> Result<()> {
        if !replace.all_tables {
            return Ok(());
        }
        let store = &self.parts.store;
        for id in environments::using_database(store, row.host_id, &row.db_name).await? {
            let other = environments::get(store, id).await?;
            if other.is_some_and(|other| other.account_id != row.account_id) {
                return Err(Error::new(
                    Kind::Conflict,
                    format!(
                        "the database `{}` also holds tables of another account",
                        row.db_name
                    ),
                )
                .with_hint("leave `--all-tables` out"));
            }
        }
        Ok(())
    }
}
