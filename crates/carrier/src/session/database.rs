//! The site's tables: dumped, restored, measured, searched.

use super::{Data, Session, answer};
use crate::Result;
use pressroom_agent::protocol::{Request, SiteRef};
use pressroom_base::Epoch;
use pressroom_wordpress::database::{
    TableChecksum, TableSize,
    dump::{DumpOptions, DumpReport},
    replace::{ReplaceOptions, ReplaceReport},
    restore::{Aside, Recovered, RestoreOptions, RestoreReport},
    restore_point::{MergeOptions, MergeReport, Point, PointOptions, SealedPoint},
};
use tokio::io::{AsyncRead, AsyncWrite};

impl Session {
    /// Writes the tables as SQL to `out`.
    pub async fn dump_database(
        &self,
        site: SiteRef,
        options: DumpOptions,
        out: &mut (dyn AsyncWrite + Unpin + Send),
    ) -> Result<DumpReport> {
        let request = Request::DumpDatabase { site, options };
        let report: Result<Box<DumpReport>> =
            answer!(self.call(request, Data::Down(out)), DumpDatabase);
        report.map(|report| *report)
    }

    /// Puts the tables of a dump in place of the site's in one act.
    pub async fn restore_database(
        &self,
        epoch: Epoch,
        site: SiteRef,
        options: RestoreOptions,
        mut sql: impl AsyncRead + Unpin + Send,
    ) -> Result<RestoreReport> {
        let request = Request::RestoreDatabase {
            epoch,
            site,
            options,
        };
        let report: Result<Box<RestoreReport>> =
            answer!(self.call(request, Data::Up(&mut sql)), RestoreDatabase);
        report.map(|report| *report)
    }

    /// The same with the tables of an unpacked snapshot.
    pub async fn restore_snapshot_database(
        &self,
        epoch: Epoch,
        site: SiteRef,
        staged: &str,
        options: RestoreOptions,
    ) -> Result<RestoreReport> {
        let request = Request::RestoreSnapshotDatabase {
            epoch,
            site,
            staged: staged.to_owned(),
            options,
        };
        let report: Result<Box<RestoreReport>> =
            answer!(self.call(request, Data::None), RestoreDatabase);
        report.map(|report| *report)
    }

    /// Puts the tables from before a restore back.
    pub async fn take_back_database(
        &self,
        epoch: Epoch,
        site: SiteRef,
        aside: Aside,
    ) -> Result<()> {
        self.done(Request::TakeBackDatabase { epoch, site, aside })
            .await
    }

    /// Drops the tables from before a restore.
    pub async fn drop_database_aside(
        &self,
        epoch: Epoch,
        site: SiteRef,
        aside: Aside,
    ) -> Result<()> {
        self.done(Request::DropDatabaseAside { epoch, site, aside })
            .await
    }

    /// Keeps the tables as they are, to be taken back to by [`Session::merge_point`].
    pub async fn take_point(
        &self,
        epoch: Epoch,
        site: SiteRef,
        options: PointOptions,
    ) -> Result<Point> {
        let request = Request::TakePoint {
            epoch,
            site,
            options,
        };
        let point: Result<Box<Point>> = answer!(self.call(request, Data::None), TakePoint);
        point.map(|point| *point)
    }

    /// Keeps what an update made of the tables; before anybody else may write.
    pub async fn seal_point(
        &self,
        epoch: Epoch,
        site: SiteRef,
        handle: &str,
    ) -> Result<SealedPoint> {
        let request = Request::SealPoint {
            epoch,
            site,
            handle: handle.to_owned(),
        };
        answer!(self.call(request, Data::None), SealPoint)
    }

    /// Takes an update back out of the tables, and leaves what others wrote since; may be
    /// repeated.
    pub async fn merge_point(
        &self,
        epoch: Epoch,
        site: SiteRef,
        handle: &str,
        options: MergeOptions,
    ) -> Result<MergeReport> {
        let request = Request::MergePoint {
            epoch,
            site,
            handle: handle.to_owned(),
            options,
        };
        let report: Result<Box<MergeReport>> = answer!(self.call(request, Data::None), MergePoint);
        report.map(|report| *report)
    }

    /// Drops a point and all that it kept; content when it is gone already.
    pub async fn drop_point(&self, epoch: Epoch, site: SiteRef, handle: &str) -> Result<()> {
        let handle = handle.to_owned();
        self.done(Request::DropPoint {
            epoch,
            site,
            handle,
        })
        .await
    }

    /// Removes what restores and restore points of dead workers left in the database;
    /// tells the points that are whole.
    pub async fn recover_database(&self, epoch: Epoch, site: SiteRef) -> Result<Recovered> {
        let request = Request::RecoverDatabase { epoch, site };
        answer!(self.call(request, Data::None), RecoverDatabase)
    }

    /// The site's tables and their sizes.
    pub async fn database_size(&self, site: SiteRef) -> Result<Vec<TableSize>> {
        answer!(
            self.call(Request::DatabaseSize { site }, Data::None),
            DatabaseSize
        )
    }

    /// Checksums of the contents of tables; of all of the site's when none is named.
    pub async fn database_checksums(
        &self,
        site: SiteRef,
        tables: Vec<String>,
    ) -> Result<Vec<TableChecksum>> {
        let request = Request::DatabaseChecksums { site, tables };
        answer!(self.call(request, Data::None), DatabaseChecksums)
    }

    /// Replaces texts in the tables; without an epoch only a dry run.
    pub async fn search_replace(
        &self,
        epoch: Option<Epoch>,
        site: SiteRef,
        options: ReplaceOptions,
    ) -> Result<ReplaceReport> {
        let request = Request::SearchReplace {
            epoch,
            site,
            options,
        };
        let report: Result<Box<ReplaceReport>> =
            answer!(self.call(request, Data::None), SearchReplace);
        report.map(|report| *report)
    }
}
