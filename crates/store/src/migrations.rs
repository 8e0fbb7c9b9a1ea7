//! One file per step, applied in this order. A step that was released is never
//! edited; each is written so that applying it twice does no harm.

use sea_orm_migration::prelude::*;

mod column;
mod m0001_people;
mod m0002_sites;
mod m0003_jobs;
mod m0004_events;
mod m0005_requests;
mod m0006_snapshots;
mod m0007_links;
mod m0008_offers;
mod m0009_maintenance;
mod m0010_parents;
mod m0011_snapshot_contents;
mod m0012_security;
mod m0013_hosts;
mod m0014_adopted;
mod m0015_runs;
mod m0016_tags;
mod m0017_changes;
mod m0018_second_factors;
mod m0019_families;
mod m0020_activity;
mod m0021_watched_sites;
mod m0022_added_sites;
mod m0023_health;
mod m0024_webhooks;
mod m0027_status_changes;
mod m0028_mail;
mod m0029_snapshot_life;
mod m0030_made;
mod m0031_invitations;
mod m0032_pipelines;
mod m0033_update_policies;
mod m0034_pipeline_pictures;

/// The list of steps.
pub(crate) struct Migrator;

#[async_trait::async_trait]
impl MigratorTrait for Migrator {
    fn migrations() -> Vec<Box<dyn MigrationTrait>> {
        vec![
            Box::new(m0001_people::Step),
            Box::new(m0002_sites::Step),
            Box::new(m0003_jobs::Step),
            Box::new(m0004_events::Step),
            Box::new(m0005_requests::Step),
            Box::new(m0006_snapshots::Step),
            Box::new(m0007_links::Step),
            Box::new(m0008_offers::Step),
            Box::new(m0009_maintenance::Step),
            Box::new(m0010_parents::Step),
            Box::new(m0011_snapshot_contents::Step),
            Box::new(m0012_security::Step),
            Box::new(m0013_hosts::Step),
            Box::new(m0014_adopted::Step),
            Box::new(m0015_runs::Step),
            Box::new(m0016_tags::Step),
            Box::new(m0017_changes::Step),
            Box::new(m0018_second_factors::Step),
            Box::new(m0019_families::Step),
            Box::new(m0020_activity::Step),
            Box::new(m0021_watched_sites::Step),
            Box::new(m0022_added_sites::Step),
            Box::new(m0023_health::Step),
            Box::new(m0024_webhooks::Step),
            Box::new(m0027_status_changes::Step),
            Box::new(m0028_mail::Step),
            Box::new(m0029_snapshot_life::Step),
            Box::new(m0030_made::Step),
            Box::new(m0031_invitations::Step),
            Box::new(m0032_pipelines::Step),
            Box::new(m0033_update_policies::Step),
            Box::new(m0034_pipeline_pictures::Step),
        ]
    }
}

/// Makes a type a migration named after its file, run in one transaction.
macro_rules! step {
    ($name:literal, $up:ident) => {
        /// This step.
        pub(crate) struct Step;

        impl sea_orm_migration::MigrationName for Step {
            fn name(&self) -> &str {
                $name
            }
        }

        #[async_trait::async_trait]
        impl sea_orm_migration::MigrationTrait for Step {
            fn use_transaction(&self) -> Option<bool> {
                Some(true)
            }

            async fn up(
                &self,
                manager: &sea_orm_migration::SchemaManager,
            ) -> Result<(), sea_orm::DbErr> {
                $up(manager).await
            }
        }
    };
}
use step;
