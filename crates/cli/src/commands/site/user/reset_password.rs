//! `pressroom site user reset-password`

use super::follow;
use crate::{
    Exit, Failure, Printer,
    commands::{site::find, user::read_password},
};
use clap::Args;
use pressroom_fleet::{
    Caller, Fleet,
    authorize::Action,
    sites::{ResetPassword as Wanted, UserName},
};

/// Gives a user of a site another password and logs them out everywhere; no mail is
/// sent. Without a password one is made up and printed.
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  pressroom site user reset-password blog.example editor
  pressroom site user reset-password blog.example editor --password-stdin < password.txt")]
pub struct ResetPassword {
    /// The site's id (`wp_…`) or domain
    pub site: String,
    /// The user's login name
    pub login: String,
    /// Read the password from standard input, up to the first line break
    #[arg(long)]
    pub password_stdin: bool,
}

impl ResetPassword {
    pub(in crate::commands) async fn run(
        self,
        fleet: &Fleet,
        caller: &Caller,
        printer: &mut Printer,
    ) -> Result<Exit, Failure> {
        let site = find(&self.site, Action::SiteUsers, fleet, caller).await?;
        let password = self
            .password_stdin
            .then(|| read_password(std::io::stdin().lock()))
            .transpose()?;
        let reset = Wanted {
            user: UserName::Login(self.login),
            password,
        };
        let job = fleet.reset_site_password(caller, site.id, reset).await?;
        follow(&job, fleet, caller, printer).await
    }
}
