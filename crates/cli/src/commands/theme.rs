//! `pressroom theme …`

use super::component::{Named, NamedOrAll};
use crate::{Exit, Failure, Printer};
use clap::{Args, Subcommand};
use pressroom_fleet::{Caller, Fleet, components::Change};

/// Themes of a site.
#[derive(Debug, Subcommand)]
#[command(after_help = "Examples:
  pressroom theme install blog.example twentytwentyfour --activate
  pressroom theme update blog.example
  pressroom theme delete blog.example twentytwentyfour")]
pub enum Theme {
    /// Install themes from the package source or an address
    Install(Install),
    /// Switch to a theme
    Activate(Activate),
    /// Switch from a theme to the newest default theme
    Deactivate(Deactivate),
    /// Update themes; what breaks the site is taken back
    Update(Update),
    /// Remove themes that are not in use
    Delete(Delete),
}

/// Installs themes. A failed installation leaves nothing; one that is there stays as it is.
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  pressroom theme install blog.example twentytwentyfour twentytwentythree
  pressroom theme install blog.example twentytwentyfour --version 1.2 --activate
  pressroom theme install blog.example twentytwentyfour --source https://downloads.example/twentytwentyfour.zip")]
pub struct Install {
    /// Which
    #[command(flatten)]
    pub of: Named,
    /// A certain version instead of the one that is offered
    #[arg(long)]
    pub version: Option<String>,
    /// An `https` address of a zip on a public host
    #[arg(long, value_name = "URL", conflicts_with_all = ["version", "on"])]
    pub source: Option<String>,
    /// Activate as well; when that fails it is not installed either
    #[arg(long)]
    pub activate: bool,
}

/// Switches to a theme. One that breaks the site is switched back.
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  pressroom theme activate blog.example twentytwentyfour")]
pub struct Activate {
    /// Which
    #[command(flatten)]
    pub of: Named,
}

/// Switches from a theme to the newest default theme (`twenty…`) that is installed.
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  pressroom theme deactivate blog.example twentytwentyfour")]
pub struct Deactivate {
    /// Which
    #[command(flatten)]
    pub of: Named,
}

/// Updates themes, all of them where none is named. Each is verified; one that breaks the
/// site is taken back.
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  pressroom theme update blog.example
  pressroom theme update blog.example twentytwentyfour twentytwentythree
  pressroom theme update --on env:production")]
pub struct Update {
    /// Which
    #[command(flatten)]
    pub of: NamedOrAll,
}

/// Removes themes that are not in use.
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  pressroom theme delete blog.example twentytwentyfour")]
pub struct Delete {
    /// Which
    #[command(flatten)]
    pub of: Named,
}

impl Theme {
    pub(in crate::commands) async fn run(
        self,
        fleet: &Fleet,
        caller: &Caller,
        printer: &mut Printer,
    ) -> Result<Exit, Failure> {
        let (place, operation) = match self {
            Self::Install(install) => install.of.change(
                "theme",
                Change::Install {
                    version: install.version,
                    source: install.source,
                    activate: install.activate,
                },
            ),
            Self::Activate(activate) => activate.of.change("theme", Change::Activate),
            Self::Deactivate(deactivate) => deactivate.of.change("theme", Change::Deactivate),
            Self::Delete(delete) => delete.of.change("theme", Change::Delete { force: false }),
            Self::Update(update) => update.of.update("theme"),
        };
        place.carry_out(operation, fleet, caller, printer).await
    }
}
