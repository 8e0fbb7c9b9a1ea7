//! `pressroom policy …`

mod clear;
mod set;
mod show;

pub use clear::Clear;
pub use set::Set;
pub use show::Show;

use super::selector;
use crate::{Exit, Failure, Printer};
use clap::{Args, Subcommand};
use pressroom_fleet::{Caller, Fleet, policies::PolicyTarget};

/// What is updated by itself, when, and what is not. A site says it for itself; what it does not
/// say is its account's, and what neither says is: nothing is updated by itself.
#[derive(Debug, Subcommand)]
#[command(after_help = "Examples:
  pressroom policy set --account acme --automatic on --hold-days 7 --window 'mon-fri 01:00-05:00'
  pressroom policy set site:shop.example --exclude plugin:woocommerce --auto-approve off
  pressroom policy show site:shop.example
  pressroom policy clear site:shop.example")]
pub enum Policy {
    /// Show what applies, who says so, and what that means now
    Show(Show),
    /// Say something of it
    Set(Set),
    /// Say nothing of it any more
    Clear(Clear),
}

impl Policy {
    pub(super) async fn run(
        self,
        fleet: &Fleet,
        caller: &Caller,
        printer: &mut Printer,
    ) -> Result<Exit, Failure> {
        match self {
            Self::Show(show) => show.run(fleet, caller, printer).await,
            Self::Set(set) => Box::pin(set.run(fleet, caller, printer)).await,
            Self::Clear(clear) => clear.run(fleet, caller, printer).await,
        }
    }
}

/// Whose policy is meant.
#[derive(Debug, Args)]
#[group(required = true, multiple = false)]
pub struct Whose {
    /// Which sites, such as `env:production tag:shop`, quoted; docs/selectors.md tells all of it
    #[arg(value_name = "SELECTOR", allow_hyphen_values = true)]
    pub on: Option<String>,
    /// An account, by its name: what its sites do not say
    #[arg(long, value_name = "NAME")]
    pub account: Option<String>,
}

/// One whose policy is meant, as people call it.
struct Meant {
    name: String,
    target: PolicyTarget,
}

impl Whose {
    /// The account, or every site, that is meant; none where a selector names none.
    async fn find(
        &self,
        fleet: &Fleet,
        caller: &Caller,
        printer: &mut Printer,
    ) -> Result<Vec<Meant>, Failure> {
        if let Some(name) = &self.account {
            let account = fleet.account_named(caller, name).await?;
            return Ok(vec![Meant {
                name: account.name,
                target: PolicyTarget::Account(account.id),
            }]);
        }
        let on = self.on.as_deref().unwrap_or_default();
        let refused = |error| selector::refusal(on, error);
        let selected = fleet.select_sites(caller, on).await.map_err(refused)?;
        selector::doubts(selected.undecided, selected.hint.as_deref(), printer);
        if selected.environments.is_empty() {
            printer.note("the selector names no site");
        }
        let sites = selected.environments.into_iter();
        Ok(sites
            .map(|site| Meant {
                name: site.domain,
                target: PolicyTarget::Site(site.id),
            })
            .collect())
    }
}
