//! What a site answers.

use pressroom_wordpress::{
    bridge, caches, component, core, database, inventory, journal, maintenance, tree,
};
use serde::{Deserialize, Serialize};

/// The answer to a request, by the same name.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(tag = "op", content = "is", rename_all = "snake_case")]
pub enum Response {
    /// See [`super::Request::Recover`].
    Recover(journal::Recovery),
    /// See [`super::Request::Inspect`].
    Inspect(Box<inventory::Inspection>),
    /// See [`super::Request::TreeHash`]; `None` where there is no such directory.
    TreeHash(Option<tree::TreeHash>),
    /// See [`super::Request::ReadSite`].
    ReadSite(database::SiteFacts),
    /// See [`super::Request::InstallCore`].
    InstallCore(core::InstalledCore),
    /// See [`super::Request::StageComponent`].
    StageComponent(component::Staged),
    /// See [`super::Request::SwapComponent`] and [`super::Request::TakeBack`]: the live tree now.
    Swapped(tree::TreeHash),
    /// See [`super::Request::StageCore`].
    StageCore(Box<core::StagedCore>),
    /// See [`super::Request::SwapCore`] and [`super::Request::TakeBackCore`].
    SwappedCore(core::SwappedCore),
    /// See [`super::Request::Maintain`]: what is there now.
    Maintain(maintenance::Maintenance),
    /// See [`super::Request::FlushCaches`].
    FlushCaches(caches::FlushReport),
    /// See [`super::Request::Bridge`].
    Bridge(bridge::Report),
    /// Done, nothing to say.
    Done,
}
