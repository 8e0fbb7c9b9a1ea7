//! `pressroom webhook add`

use super::{ENDPOINT, list::shown};
use crate::{Exit, Failure, Printer};
use clap::Args;
use pressroom_fleet::{Caller, Fleet, webhooks::NewWebhookEndpoint};

/// Has an account's events told somewhere. Prints the secret that signs the messages: it is
/// shown only now.
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  pressroom webhook add https://hooks.example.com/in --account agency
  pressroom webhook add https://hooks.example.com/in --account agency --event site.down --event site.recovered")]
pub struct Add {
    /// Where messages are posted
    pub url: String,
    /// The account whose events they are
    #[arg(long, value_name = "NAME")]
    pub account: String,
    /// An event to tell of; may come again; all, unless one is named
    #[arg(long = "event", value_name = "EVENT", default_value = "*")]
    pub events: Vec<String>,
    /// What it is for
    #[arg(long, default_value = "")]
    pub description: String,
}

impl Add {
    pub(in crate::commands) async fn run(
        self,
        fleet: &Fleet,
        caller: &Caller,
        printer: &mut Printer,
    ) -> Result<Exit, Failure> {
        let account = fleet.find_account(caller, &self.account).await?;
        let new = NewWebhookEndpoint {
            url: self.url,
            events: self.events,
            description: self.description,
            active: true,
        };
        let (endpoint, secret) = fleet.add_webhook_endpoint(caller, account, new).await?;
        let mut value = shown(&endpoint);
        value["secret"] = secret.expose().clone().into();
        printer.one(&value, secret.expose());
        printer.note(&format!(
            "`{ENDPOINT}{}` is told of {}; its messages are signed with this secret, which is not shown again",
            endpoint.id,
            endpoint.events.join(", ")
        ));
        Ok(Exit::Done)
    }
}
