//! Plugins and themes: staged, exchanged, taken back.

use super::{Data, Session, answer};
use crate::Result;
use pressroom_agent::protocol::Request;
use pressroom_base::Epoch;
use pressroom_wordpress::{
    component::{Exchanged, Staged, Swap, Target},
    tree::TreeHash,
};
use tokio::io::AsyncRead;

impl Session {
    /// Sends a component's zip and unpacks it beside the site.
    pub async fn stage_component(
        &self,
        epoch: Epoch,
        target: Target,
        mut package: impl AsyncRead + Unpin + Send,
    ) -> Result<Staged> {
        let request = Request::StageComponent { epoch, target };
        answer!(self.call(request, Data::Up(&mut package)), StageComponent)
    }

    /// Hashes a component that is live, wherever the site has it; `None` when there is
    /// none.
    pub async fn hash_component(&self, target: Target) -> Result<Option<TreeHash>> {
        answer!(
            self.call(Request::HashComponent { target }, Data::None),
            TreeHash
        )
    }

    /// Exchanges the staged tree with the live one; answers what is live now.
    pub async fn swap_component(&self, epoch: Epoch, swap: Swap) -> Result<Exchanged> {
        answer!(
            self.call(Request::SwapComponent { epoch, swap }, Data::None),
            Swapped
        )
    }

    /// Exchanges back; answers what is live now.
    pub async fn take_back(&self, epoch: Epoch, swap: Swap) -> Result<Exchanged> {
        answer!(
            self.call(Request::TakeBack { epoch, swap }, Data::None),
            Swapped
        )
    }

    /// Removes a staged or kept-aside tree and its journal entry.
    pub async fn drop_staged(&self, epoch: Epoch, staged: &str) -> Result<()> {
        let staged = staged.to_owned();
        self.done(Request::DropStaged { epoch, staged }).await
    }
}
