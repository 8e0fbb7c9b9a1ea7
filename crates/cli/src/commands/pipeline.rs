//! `pressroom pipeline …`

mod approve;
mod cancel;
mod follow;
mod list;
mod show;
mod watch;

pub use approve::Approve;
pub use cancel::Cancel;
pub(super) use follow::follow;
pub use list::List;
pub use show::Show;
pub use watch::Watch;

use crate::{Exit, Failure, Printer};
use clap::Subcommand;
use pressroom_base::id::ShortId;
use pressroom_fleet::{Caller, Fleet};

/// Safe updates: what was asked for, how far it came, what it found.
#[derive(Debug, Subcommand)]
#[command(after_help = "Examples:
  pressroom pipeline list --open
  pressroom pipeline show pipe_0a1b2c3d4e5f6g7h8i9j
  pressroom pipeline approve pipe_0a1b2c3d4e5f6g7h8i9j --note 'looks fine'")]
pub enum Pipeline {
    /// List safe updates, newest first
    List(List),
    /// Show one, with its plan, its stages and what it found
    Show(Show),
    /// Say yes to updates that were tried
    Approve(Approve),
    /// Stop one; what is settled stays, what is under way is taken back
    Cancel(Cancel),
    /// Follow one until it is over, or waits for somebody
    Watch(Watch),
}

impl Pipeline {
    pub(super) async fn run(
        self,
        fleet: &Fleet,
        caller: &Caller,
        printer: &mut Printer,
    ) -> Result<Exit, Failure> {
        match self {
            Self::List(list) => list.run(fleet, caller, printer).await,
            Self::Show(show) => show.run(fleet, caller, printer).await,
            Self::Approve(approve) => approve.run(fleet, caller, printer).await,
            Self::Cancel(cancel) => cancel.run(fleet, caller, printer).await,
            Self::Watch(watch) => watch.run(fleet, caller, printer).await,
        }
    }
}

/// Reads a pipeline's id, with `pipe_` before it or without.
fn parse_id(text: &str) -> Result<ShortId, String> {
    let bare = text.strip_prefix("pipe_").unwrap_or(text);
    ShortId::parse(bare).ok_or_else(|| "a pipeline is named like `pipe_4f0c…`".to_owned())
}
