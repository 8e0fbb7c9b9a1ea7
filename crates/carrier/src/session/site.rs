//! The site as a whole: recovery, what is there, its configuration, WordPress itself.

use super::{Data, Session, answer};
use crate::Result;
use pressroom_agent::protocol::Request;
use pressroom_base::Epoch;
use pressroom_wordpress::{
    bridge::{self, Action},
    caches::{FlushOptions, FlushReport},
    config::NewConfig,
    database::SiteFacts,
    inventory::Inspection,
    journal::Recovery,
    tree::TreeHash,
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

    /// Hashes a directory; `None` where there is none.
    pub async fn tree_hash(&self, path: &str) -> Result<Option<TreeHash>> {
        let path = path.to_owned();
        answer!(self.call(Request::TreeHash { path }, Data::None), TreeHash)
    }

    /// Reads options and administrators from the site's database.
    pub async fn read_site(&self, root: &str, options: &[&str]) -> Result<SiteFacts> {
        let request = Request::ReadSite {
            root: root.to_owned(),
            options: options.iter().map(ToString::to_string).collect(),
        };
        answer!(self.call(request, Data::None), ReadSite)
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

    /// Boots WordPress once and runs actions in it; with an epoch when one writes.
    pub async fn bridge(
        &self,
        epoch: Option<Epoch>,
        root: &str,
        php: &str,
        actions: Vec<Action>,
    ) -> Result<bridge::Report> {
        let request = Request::Bridge {
            epoch,
            root: root.to_owned(),
            php: php.to_owned(),
            actions,
        };
        answer!(self.call(request, Data::None), Bridge)
    }

    /// Flushes the site's caches without PHP of the site.
    pub async fn flush_caches(
        &self,
        epoch: Epoch,
        root: &str,
        options: FlushOptions,
    ) -> Result<FlushReport> {
        let request = Request::FlushCaches {
            epoch,
            root: root.to_owned(),
            options,
        };
        answer!(self.call(request, Data::None), FlushCaches)
    }

    /// Removes what Pressroom itself keeps in the home.
    pub async fn clean_home(&self, epoch: Epoch) -> Result<()> {
        self.done(Request::CleanHome { epoch }).await
    }
}
