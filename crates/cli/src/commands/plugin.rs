//! `pressroom plugin …`

use super::component::{Named, NamedOrAll};
use crate::{Exit, Failure, Printer};
use clap::{Args, Subcommand};
use pressroom_fleet::{Caller, Fleet, components::Change};

/// Plugins of a site.
#[derive(Debug, Subcommand)]
#[command(after_help = "Examples:
  pressroom plugin install blog.example akismet --activate
  pressroom plugin update blog.example
  pressroom plugin delete blog.example akismet --force")]
pub enum Plugin {
    /// Install plugins from the package source or an address
    Install(Install),
    /// Activate plugins
    Activate(Activate),
    /// Deactivate plugins
    Deactivate(Deactivate),
    /// Update plugins; what breaks the site is taken back
    Update(Update),
    /// Run plugins' uninstall routines and remove their files
    Delete(Delete),
}

/// Installs plugins. A failed installation leaves nothing; one that is there stays as it is.
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  pressroom plugin install blog.example akismet hello-dolly
  pressroom plugin install blog.example akismet --version 1.2 --activate
  pressroom plugin install blog.example akismet --source https://downloads.example/akismet.zip")]
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

/// Activates plugins. One that breaks the site is deactivated again.
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  pressroom plugin activate blog.example akismet
  pressroom plugin activate --on tag:shop akismet")]
pub struct Activate {
    /// Which
    #[command(flatten)]
    pub of: Named,
}

/// Deactivates plugins, their own routines included.
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  pressroom plugin deactivate blog.example akismet
  pressroom plugin deactivate --on plugin:hello-dolly hello-dolly")]
pub struct Deactivate {
    /// Which
    #[command(flatten)]
    pub of: Named,
}

/// Updates plugins, all of them where none is named. Each is verified; one that breaks the
/// site is taken back.
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  pressroom plugin update blog.example
  pressroom plugin update blog.example akismet hello-dolly
  pressroom plugin update --on 'plugin:akismet<5.3' akismet")]
pub struct Update {
    /// Which
    #[command(flatten)]
    pub of: NamedOrAll,
}

/// Runs the plugins' uninstall routines and removes their files.
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  pressroom plugin delete blog.example akismet --force")]
pub struct Delete {
    /// Which
    #[command(flatten)]
    pub of: Named,
    /// Deactivate those that are active first
    #[arg(long)]
    pub force: bool,
}

impl Plugin {
    pub(in crate::commands) async fn run(
        self,
        fleet: &Fleet,
        caller: &Caller,
        printer: &mut Printer,
    ) -> Result<Exit, Failure> {
        let (place, operation) = match self {
            Self::Install(install) => install.of.change(
                "plugin",
                Change::Install {
                    version: install.version,
                    source: install.source,
                    activate: install.activate,
                },
            ),
            Self::Activate(activate) => activate.of.change("plugin", Change::Activate),
            Self::Deactivate(deactivate) => deactivate.of.change("plugin", Change::Deactivate),
            Self::Delete(delete) => delete.of.change(
                "plugin",
                Change::Delete {
                    force: delete.force,
                },
            ),
            Self::Update(update) => update.of.update("plugin"),
        };
        place.carry_out(operation, fleet, caller, printer).await
    }
}
