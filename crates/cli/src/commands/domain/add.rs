//! `pressroom domain add`

use crate::{Exit, Failure, Printer};
use clap::Args;
use pressroom_fleet::{Caller, Fleet, domains::NewDomain};
use std::path::PathBuf;

/// Gives a domain to an account; prints the id.
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  pressroom domain add blog.example --account agency
  pressroom domain add shop.example --account agency --root /srv/shop.example")]
pub struct Add {
    /// The domain
    pub name: String,
    /// The account it is given to
    #[arg(long, value_name = "NAME")]
    pub account: String,
    /// Its directory, when it is not the one named for it in the sites directory
    #[arg(long, value_name = "DIR")]
    pub root: Option<PathBuf>,
}

impl Add {
    pub(in crate::commands) async fn run(
        self,
        fleet: &Fleet,
        caller: &Caller,
        printer: &mut Printer,
    ) -> Result<Exit, Failure> {
        let root = match self.root {
            // The path is stored and used by processes started elsewhere.
            Some(root) => Some(std::path::absolute(&root).map_err(|error| {
                Failure::usage(format!("`{}` is no path", root.display())).because(&error)
            })?),
            None => None,
        };
        let new = NewDomain {
            name: self.name,
            account: self.account,
            root,
        };
        let domain = fleet.add_domain(caller, new).await?;
        printer.one(&domain, &domain.id.to_string());
        printer.note(&format!(
            "`{}` installs into `{}`",
            domain.name, domain.root
        ));
        Ok(Exit::Done)
    }
}
