//! Every kind of job, in one list.

use crate::{Fleet, components, database, sites, snapshots};
use pressroom_jobs::Registry;

impl Fleet {
    /// Every kind of job there is: what a worker must be able to run.
    pub fn job_kinds(&self) -> Registry {
        Registry::new()
            .with(sites::InstallJob(self.clone()))
            .with(snapshots::SnapshotJob(self.clone()))
            .with(snapshots::RestoreJob(self.clone()))
            .with(snapshots::VerifyJob(self.clone()))
            .with(snapshots::SweepJob(self.clone()))
            .with(sites::RemoveJob(self.clone()))
            .with(sites::MoveJob(self.clone()))
            .with(sites::LoginJob(self.clone()))
            .with(components::UpdateJob(self.clone()))
            .with(database::ReplaceJob(self.clone()))
            .with(database::ImportJob(self.clone()))
    }
}
