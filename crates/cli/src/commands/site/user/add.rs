//! `pressroom site user add`

use super::follow;
use crate::{
    Exit, Failure, Printer,
    commands::{site::find, user::read_password},
};
use clap::Args;
use pressroom_fleet::{Caller, Fleet, authorize::Action, sites::NewSiteUser};

/// Adds a user to a site; no mail is sent. Without a password one is made up, and
/// printed once the user was seen in the site's tables.
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  pressroom site user add blog.example ops ops@example.com
  pressroom site user add blog.example jo jo@example.com --role editor --password-stdin < password.txt")]
pub struct Add {
    /// The site's id (`wp_…`) or domain
    pub site: String,
    /// Login name
    pub login: String,
    /// Mail address
    pub email: String,
    /// Role on the site
    #[arg(long, default_value = "administrator")]
    pub role: String,
    /// Read the password from standard input, up to the first line break
    #[arg(long)]
    pub password_stdin: bool,
}

impl Add {
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
        let new = NewSiteUser {
            login: self.login,
            email: self.email,
            password,
            role: Some(self.role),
        };
        let job = fleet.add_site_user(caller, site.id, new).await?;
        follow(&job, fleet, caller, printer).await
    }
}
