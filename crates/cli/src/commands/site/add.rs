//! `pressroom site add`

use crate::{Exit, Failure, Printer};
use clap::{Args, ValueEnum};
use pressroom_base::Kind;
use pressroom_fleet::{
    Caller, Fleet,
    sites::{AddSite, SshAt},
};

/// Adds a site that is there already, by its address; prints its id. Whether it can be
/// connected is found out behind that, and tried again until it can: on a host of the
/// account, or where its domain is one of the account on this machine.
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  pressroom site add https://shop.example --name Shop --account agency
  pressroom site add https://blog.example --name Blog --account agency --host web1
  pressroom site add https://blog.example/de --name Blog --account agency --host web1 --path /srv/www/de")]
pub struct Add {
    /// Its address
    pub url: String,
    /// What to call it
    #[arg(long)]
    pub name: String,
    /// The account it belongs to
    #[arg(long, value_name = "NAME")]
    pub account: String,
    /// How it is reached, when not by what the other words say
    #[arg(long, value_enum, value_name = "HOW")]
    pub connection: Option<Connection>,
    /// The host it is on, when not on this machine
    #[arg(long, value_name = "HOST")]
    pub host: Option<String>,
    /// The directory of WordPress there, when it is not to be looked for
    #[arg(long, requires = "host", value_name = "DIR")]
    pub path: Option<String>,
    /// A word to select it by; may be given several times
    #[arg(long = "tag", value_name = "TAG")]
    pub tags: Vec<String>,
}

/// How a site is reached.
#[derive(Debug, Clone, Copy, ValueEnum)]
pub enum Connection {
    /// It is below a domain's directory on this machine
    Local,
    /// It is on a host
    Ssh,
}

impl Add {
    pub(in crate::commands) async fn run(
        self,
        fleet: &Fleet,
        caller: &Caller,
        printer: &mut Printer,
    ) -> Result<Exit, Failure> {
        let named = self.account.to_lowercase();
        let accounts = fleet.list_accounts(caller).await?;
        let account = accounts
            .into_iter()
            .find(|account| account.name.to_lowercase() == named)
            .ok_or_else(|| {
                Failure::new(Kind::NotFound, "account not found")
                    .with_hint("`pressroom account list` lists all of them")
            })?;
        let new = AddSite {
            account: account.id,
            name: self.name,
            url: self.url,
            method: self.connection.map(|connection| match connection {
                Connection::Local => "local".to_owned(),
                Connection::Ssh => "ssh".to_owned(),
            }),
            ssh: self.host.map(|host| SshAt {
                host,
                path: self.path,
            }),
            tags: self.tags,
        };
        let added = fleet.add_site(caller, new).await?;
        let site = &added.details.site;
        printer.one(&added.details, site.short_id.as_str());
        printer.note(&match site.method {
            Some(_) => format!(
                "{} is being connected; until then `pressroom site list --pending` tells why not",
                site.url
            ),
            None => format!(
                "{} is recorded; to be connected it needs a host (`--host`), or its domain on this \
                 machine (`pressroom domain add`)",
                site.url
            ),
        });
        Ok(Exit::Done)
    }
}
