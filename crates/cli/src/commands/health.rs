//! `pressroom health …`

mod check;
mod limit;
mod list;
mod show;

pub use check::Check;
pub use limit::Limit;
pub use list::List;
pub use show::Show;

use crate::{Exit, Failure, Printer};
use clap::Subcommand;
use pressroom_base::id::ShortId;
use pressroom_fleet::{Caller, Fleet};

/// How sites are.
#[derive(Debug, Subcommand)]
#[command(after_help = "Examples:
  pressroom health check blog.example
  pressroom health check --on 'status:down'
  pressroom health list blog.example --status failed")]
pub enum Health {
    /// Look at a site now, from outside and from inside
    Check(Check),
    /// List the looks at a site, newest first
    List(List),
    /// Show one look, with all that was looked at
    Show(Show),
    /// Say from when on a site counts as slow
    Limit(Limit),
}

impl Health {
    pub(super) async fn run(
        self,
        fleet: &Fleet,
        caller: &Caller,
        printer: &mut Printer,
    ) -> Result<Exit, Failure> {
        match self {
            Self::Check(check) => check.run(fleet, caller, printer).await,
            Self::List(list) => list.run(fleet, caller, printer).await,
            Self::Show(show) => show.run(fleet, caller, printer).await,
            Self::Limit(limit) => limit.run(fleet, caller, printer).await,
        }
    }
}

/// Reads a look's id, with `hc_` before it or without.
fn parse_id(text: &str) -> Result<ShortId, String> {
    let bare = text.strip_prefix("hc_").unwrap_or(text);
    ShortId::parse(bare).ok_or_else(|| "a health check is named like `hc_4f0c…`".to_owned())
}
