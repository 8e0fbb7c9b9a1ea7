//! `pressroom site adopt`

use crate::{Exit, Failure, Printer};
use clap::Args;
use pressroom_fleet::{
    Caller, Fleet,
    sites::{AdoptSite, Adopted},
};

/// Takes a WordPress under management that is there already, on this machine or on a host.
/// It is looked at and recorded, and goes on as it is; prints its id. One that is managed
/// already is left alone.
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  pressroom site adopt /home/shop/public_html --url https://shop.example --account agency
  pressroom site adopt /home/shop/public_html --host web1
  pressroom site adopt /srv/www/blog --host web1 --user blog --php /usr/bin/php8.2
  pressroom site adopt /home/dev/www --host lab --origin http://192.0.2.7:8080")]
pub struct Adopt {
    /// The directory of WordPress, as its machine names it
    pub path: String,
    /// Its address, when it is not the one that the site calls itself by
    #[arg(long)]
    pub url: Option<String>,
    /// The account it belongs to; on a host, that of the host
    #[arg(long, value_name = "NAME")]
    pub account: Option<String>,
    /// What to call it, when not by its title
    #[arg(long)]
    pub name: Option<String>,
    /// The host it is on, when not on this machine
    #[arg(long, value_name = "HOST")]
    pub host: Option<String>,
    /// The user it belongs to, when the login cannot see that
    #[arg(long, requires = "host")]
    pub user: Option<String>,
    /// The `php` to work on it with, when not the first one of its machine
    #[arg(long, value_name = "PROGRAM")]
    pub php: Option<String>,
    /// Where its web server is asked, such as `http://192.0.2.7:80`, when not where its name
    /// or its host leads
    #[arg(long, value_name = "ADDRESS")]
    pub origin: Option<String>,
}

impl Adopt {
    pub(in crate::commands) async fn run(
        self,
        fleet: &Fleet,
        caller: &Caller,
        printer: &mut Printer,
    ) -> Result<Exit, Failure> {
        let new = AdoptSite {
            path: self.path,
            url: self.url,
            account: self.account,
            name: self.name,
            host: self.host,
            user: self.user,
            php: self.php,
            origin: self.origin,
        };
        let adopted = fleet.adopt_site(caller, new).await?;
        printer.one(&adopted, &adopted.environment.panel_id);
        tell(&adopted, printer);
        Ok(Exit::Done)
    }
}

/// What became of one site, for people.
pub(in crate::commands) fn tell(adopted: &Adopted, printer: &mut Printer) {
    let site = &adopted.environment;
    if !adopted.is_new {
        printer.note(&format!("{} is managed already", site.url));
        return;
    }
    let version = match site.core_version.as_str() {
        "" => "of an unknown version",
        version => version,
    };
    printer.note(&format!("{} is managed now: WordPress {version}", site.url));
    if let Some(trouble) = &adopted.trouble {
        let origin = site.origin.as_deref().unwrap_or_default();
        printer.note(&format!(
            "asked at {origin}, it does not work: {trouble}; when that is not its web server, \
             release it and adopt it with `--origin`"
        ));
    }
}
