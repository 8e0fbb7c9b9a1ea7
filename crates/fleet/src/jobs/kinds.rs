//! Every kind of job, in one list.

use crate::{
    Fleet, caches, components, core, database, maintenance, pipelines, runs, security, sites,
    snapshots,
};
use pressroom_jobs::Registry;

impl Fleet {
    /// Every kind of job there is.
    pub fn job_kinds(&self) -> Registry {
        self.working_kinds().and(self.coordinating_kinds())
    }

    /// Jobs that wait for other jobs. They have a runner of their own: if they took the
    /// places of those they wait for, nothing would ever move.
    pub fn coordinating_kinds(&self) -> Registry {
        Registry::new().with(runs::RunJob(self.clone()))
    }

    /// All others.
    pub fn working_kinds(&self) -> Registry {
        Registry::new()
            .with(sites::InstallJob(self.clone()))
            .with(sites::ConnectJob(self.clone()))
            .with(snapshots::SnapshotJob(self.clone()))
            .with(snapshots::RestoreJob(self.clone()))
            .with(snapshots::VerifyJob(self.clone()))
            .with(snapshots::SweepJob(self.clone()))
            .with(sites::RemoveJob(self.clone()))
            .with(sites::MoveJob(self.clone()))
            .with(sites::CloneJob(self.clone()))
            .with(sites::LoginJob(self.clone()))
            .with(sites::AddUserJob(self.clone()))
            .with(sites::ResetPasswordJob(self.clone()))
            .with(core::CoreJob(self.clone()))
            .with(maintenance::MaintenanceJob(self.clone()))
            .with(caches::CacheJob(self.clone()))
            .with(security::SecurityJob(self.clone()))
            .with(pipelines::PrepareJob(self.clone()))
            .with(pipelines::ApplyJob(self.clone()))
            .with(components::UpdateJob(self.clone()))
            .with(components::ChangeJob(self.clone()))
            .with(database::ReplaceJob(self.clone()))
            .with(database::ImportJob(self.clone()))
            .with(runs::CommandJob(self.clone()))
    }
}
