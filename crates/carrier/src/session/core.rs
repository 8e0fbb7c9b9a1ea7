//! WordPress itself: installed, updated, removed.

use super::{Data, Session, answer};
use crate::Result;
use pressroom_agent::protocol::Request;
use pressroom_base::Epoch;
use pressroom_wordpress::{
    core::{CoreSwap, InstalledCore, InstalledTranslation, StagedCore, SwappedCore},
    database::UpdaterLock,
    maintenance::Maintenance,
};
use std::time::Duration;
use tokio::io::AsyncRead;

impl Session {
    /// Sends a WordPress zip and unpacks it into an empty root.
    pub async fn install_core(
        &self,
        epoch: Epoch,
        root: &str,
        mut package: impl AsyncRead + Unpin + Send,
    ) -> Result<InstalledCore> {
        let root = root.to_owned();
        let request = Request::InstallCore { epoch, root };
        answer!(self.call(request, Data::Up(&mut package)), InstallCore)
    }

    /// Removes what [`Session::install_core`] put there.
    pub async fn remove_core(&self, epoch: Epoch, root: &str) -> Result<()> {
        let root = root.to_owned();
        self.done(Request::RemoveCore { epoch, root }).await
    }

    /// Takes everything in a directory for what [`Session::install_core`] put there.
    pub async fn adopt_core(&self, epoch: Epoch, root: &str) -> Result<()> {
        let root = root.to_owned();
        self.done(Request::AdoptCore { epoch, root }).await
    }

    /// Sends a WordPress zip and unpacks it beside the site.
    pub async fn stage_core(
        &self,
        epoch: Epoch,
        root: &str,
        mut package: impl AsyncRead + Unpin + Send,
    ) -> Result<StagedCore> {
        let root = root.to_owned();
        let request = Request::StageCore { epoch, root };
        let staged: Result<Box<StagedCore>> =
            answer!(self.call(request, Data::Up(&mut package)), StageCore);
        staged.map(|staged| *staged)
    }

    /// The translations of `WordPress` at the site, by locale.
    pub async fn list_translations(&self, root: &str) -> Result<Vec<InstalledTranslation>> {
        let root = root.to_owned();
        let request = Request::ListTranslations { root };
        answer!(self.call(request, Data::None), ListTranslations)
    }

    /// Sends a language pack and unpacks it beside a staged core: the plan with its files.
    pub async fn stage_translation(
        &self,
        epoch: Epoch,
        swap: CoreSwap,
        locale: &str,
        mut pack: impl AsyncRead + Unpin + Send,
    ) -> Result<CoreSwap> {
        let locale = locale.to_owned();
        let request = Request::StageTranslation {
            epoch,
            swap,
            locale,
        };
        answer!(self.call(request, Data::Up(&mut pack)), StageTranslation)
    }

    /// Exchanges the live core with the staged one, under maintenance. Safe to repeat.
    pub async fn swap_core(&self, epoch: Epoch, swap: CoreSwap) -> Result<SwappedCore> {
        answer!(
            self.call(Request::SwapCore { epoch, swap }, Data::None),
            SwappedCore
        )
    }

    /// Exchanges cores back. Safe to repeat.
    pub async fn take_back_core(&self, epoch: Epoch, swap: CoreSwap) -> Result<SwappedCore> {
        answer!(
            self.call(Request::TakeBackCore { epoch, swap }, Data::None),
            SwappedCore
        )
    }

    /// Removes a staged or kept-aside core and its journal entry.
    pub async fn drop_staged_core(&self, epoch: Epoch, staged: &str) -> Result<()> {
        let staged = staged.to_owned();
        self.done(Request::DropStagedCore { epoch, staged }).await
    }

    /// Puts the site into maintenance, or prolongs ours; it lapses by itself after
    /// `lease` (whole seconds).
    pub async fn enter_maintenance(
        &self,
        epoch: Epoch,
        root: &str,
        lease: Duration,
    ) -> Result<Maintenance> {
        self.maintain(epoch, root, Some(lease.as_secs())).await
    }

    /// Ends maintenance that is ours; somebody else's stays, and is told.
    pub async fn leave_maintenance(&self, epoch: Epoch, root: &str) -> Result<Maintenance> {
        self.maintain(epoch, root, None).await
    }

    /// Prolongs our maintenance to `lease` (whole seconds) from now; refused as missing
    /// when there is none of ours in force.
    pub async fn renew_maintenance(
        &self,
        epoch: Epoch,
        root: &str,
        lease: Duration,
    ) -> Result<Maintenance> {
        let request = Request::RenewMaintenance {
            epoch,
            root: root.to_owned(),
            lease_s: lease.as_secs(),
        };
        answer!(self.call(request, Data::None), Maintain)
    }

    /// Whether the site is in maintenance, and whose.
    pub async fn maintenance(&self, root: &str) -> Result<Maintenance> {
        let root = root.to_owned();
        answer!(
            self.call(Request::MaintenanceStatus { root }, Data::None),
            Maintain
        )
    }

    /// Holds `WordPress`' own automatic updater off for an hour from now, unless somebody else
    /// does. `holder` is 1 to 15 digits, the last of which is not 0.
    pub async fn hold_updater(
        &self,
        epoch: Epoch,
        root: &str,
        holder: &str,
    ) -> Result<Option<UpdaterLock>> {
        self.updater(epoch, root, holder, false).await
    }

    /// Lets it be, where this one held it off.
    pub async fn release_updater(&self, epoch: Epoch, root: &str, holder: &str) -> Result<()> {
        self.updater(epoch, root, holder, true).await.map(drop)
    }

    async fn updater(
        &self,
        epoch: Epoch,
        root: &str,
        holder: &str,
        release: bool,
    ) -> Result<Option<UpdaterLock>> {
        let request = Request::HoldUpdater {
            epoch,
            root: root.to_owned(),
            holder: holder.to_owned(),
            release,
        };
        answer!(self.call(request, Data::None), HoldUpdater)
    }

    async fn maintain(
        &self,
        epoch: Epoch,
        root: &str,
        lease_s: Option<u64>,
    ) -> Result<Maintenance> {
        let request = Request::Maintain {
            epoch,
            root: root.to_owned(),
            lease_s,
        };
        answer!(self.call(request, Data::None), Maintain)
    }
}
