//! The site as a whole: recovery, what is there, its configuration.

use super::{Data, Session, answer};
use crate::Result;
use pressroom_agent::protocol::{Form, Request, SiteRef};
use pressroom_base::Epoch;
use pressroom_wordpress::{
    config::NewConfig,
    database::{SeenUser, SiteFacts, UserQuery},
    inventory::{Inspection, Survey, mark_active},
    recovery::Recovery,
    tree::TreeHash,
    usage::DiskUsage,
};

impl Session {
    /// Takes the fence and settles what an earlier session left: the first call of
    /// every writing session.
    pub async fn recover(&self, epoch: Epoch) -> Result<Recovery> {
        answer!(self.call(Request::Recover { epoch }, Data::None), Recover)
    }

    /// Reads version, components and configuration without running PHP.
    pub async fn inspect(&self, root: &str) -> Result<Inspection> {
        let root = root.to_owned();
        let inspection: Result<Box<Inspection>> =
            answer!(self.call(Request::Inspect { root }, Data::None), Inspect);
        inspection.map(|inspection| *inspection)
    }

    /// As [`Session::inspect`], together with what the tables say is in use, options and
    /// administrators; one call instead of two.
    pub async fn survey(&self, site: SiteRef, options: &[&str]) -> Result<Survey> {
        let options = options.iter().map(ToString::to_string).collect();
        let survey: Result<Box<Survey>> = answer!(
            self.call(Request::Survey { site, options }, Data::None),
            Survey
        );
        let mut survey = *survey?;
        if self.welcome().form == Form::Php
            && let Some(facts) = &survey.facts
        {
            // It tells both, and leaves to us what follows from them.
            mark_active(&mut survey.inspection, facts);
        }
        Ok(survey)
    }

    /// Refuses a site that was there before Pressroom and could not be changed and taken
    /// back; makes the directory in which its home remembers what is done there.
    pub async fn check_adoption(&self, root: &str) -> Result<()> {
        let root = root.to_owned();
        self.done(Request::CheckAdoption { root }).await
    }

    /// Hashes a directory; `None` where there is none.
    pub async fn tree_hash(&self, path: &str) -> Result<Option<TreeHash>> {
        let path = path.to_owned();
        answer!(self.call(Request::TreeHash { path }, Data::None), TreeHash)
    }

    /// How much room a directory takes on its disk.
    pub async fn disk_usage(&self, path: &str) -> Result<DiskUsage> {
        let path = path.to_owned();
        answer!(
            self.call(Request::DiskUsage { path }, Data::None),
            DiskUsage
        )
    }

    /// Reads options and administrators from the site's database.
    pub async fn read_site(&self, root: &str, options: &[&str]) -> Result<SiteFacts> {
        let request = Request::ReadSite {
            root: root.to_owned(),
            options: options.iter().map(ToString::to_string).collect(),
        };
        answer!(self.call(request, Data::None), ReadSite)
    }

    /// Reads users from the site's database.
    pub async fn read_users(&self, root: &str, query: UserQuery) -> Result<Vec<SeenUser>> {
        let root = root.to_owned();
        answer!(
            self.call(Request::ReadUsers { root, query }, Data::None),
            ReadUsers
        )
    }

    /// Writes `wp-config.php` with fresh salts.
    pub async fn write_config(&self, epoch: Epoch, root: &str, config: NewConfig) -> Result<()> {
        let root = root.to_owned();
        self.done(Request::WriteConfig {
            epoch,
            root,
            config,
        })
        .await
    }

    /// Removes what Pressroom itself keeps in the home.
    pub async fn clean_home(&self, epoch: Epoch) -> Result<()> {
        self.done(Request::CleanHome { epoch }).await
    }
}
