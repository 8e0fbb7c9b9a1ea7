//! `pressroom host add`

use crate::{Exit, Failure, Printer};
use clap::Args;
use pressroom_base::id::SshKeyId;
use pressroom_fleet::{Caller, Fleet, hosts::NewHost};

/// Adds a host; prints the id. Nothing is asked of it before `pressroom host test`.
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  pressroom host add deploy@web1.example --account agency
  pressroom host add shop@[2001:db8::7]:2222 --account agency --label shop
  pressroom host add deploy@10.0.0.7 --account agency --via web1.example --key 2")]
pub struct Add {
    /// `USER@HOST` or `USER@HOST:PORT`
    pub address: String,
    /// The account it belongs to
    #[arg(long, value_name = "NAME")]
    pub account: String,
    /// What to call it, when not by its name
    #[arg(long)]
    pub label: Option<String>,
    /// The number of the key that opens it, when it is not the account's primary one
    #[arg(long, value_name = "ID")]
    pub key: Option<SshKeyId>,
    /// The host through which it is reached
    #[arg(long, value_name = "HOST")]
    pub via: Option<String>,
}

impl Add {
    pub(in crate::commands) async fn run(
        self,
        fleet: &Fleet,
        caller: &Caller,
        printer: &mut Printer,
    ) -> Result<Exit, Failure> {
        let new = NewHost {
            address: self.address,
            account: self.account,
            label: self.label,
            key: self.key,
            via: self.via,
        };
        let host = fleet.add_host(caller, new).await?;
        printer.one(&host, &host.id.to_string());
        printer.note(&format!(
            "`{}` is {}; reach it with `pressroom host test {}`",
            host.label, host.address, host.id
        ));
        Ok(Exit::Done)
    }
}
