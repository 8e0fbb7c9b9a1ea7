//! `pressroom webhook …`

mod add;
mod deliveries;
mod enable;
mod list;
mod remove;
mod replay;
mod rotate;
mod test;

use crate::{Exit, Failure, Printer};
use clap::Subcommand;
use pressroom_base::id::ShortId;
use pressroom_fleet::{Caller, Fleet};

/// Receivers that are told what happens to sites.
#[derive(Debug, Subcommand)]
#[command(after_help = "Examples:
  pressroom webhook add https://hooks.example.com/in --account agency --event site.down
  pressroom webhook list
  pressroom webhook test whe_0t2a41n5k9d3m7q8x6zc
  pressroom webhook deliveries whe_0t2a41n5k9d3m7q8x6zc --state given_up
  pressroom webhook replay --all whe_0t2a41n5k9d3m7q8x6zc")]
pub enum Webhook {
    /// Have an account's events told somewhere; prints the secret, once
    Add(add::Add),
    /// List receivers and how it goes with them
    List(list::List),
    /// Send a signed test message now, and show what is answered
    Test(test::Test),
    /// List what went to a receiver, and what was given up
    Deliveries(deliveries::Deliveries),
    /// Send again what was delivered or given up
    Replay(replay::Replay),
    /// Switch a receiver on again
    Enable(enable::Enable),
    /// Give a receiver another secret; prints it, once
    Rotate(rotate::Rotate),
    /// Tell a receiver nothing any more, and forget it
    Remove(remove::Remove),
}

impl Webhook {
    pub(super) async fn run(
        self,
        fleet: &Fleet,
        caller: &Caller,
        printer: &mut Printer,
    ) -> Result<Exit, Failure> {
        match self {
            Self::Add(add) => add.run(fleet, caller, printer).await,
            Self::List(list) => list.run(fleet, caller, printer).await,
            Self::Test(test) => test.run(fleet, caller, printer).await,
            Self::Deliveries(list) => list.run(fleet, caller, printer).await,
            Self::Replay(replay) => replay.run(fleet, caller, printer).await,
            Self::Enable(enable) => enable.run(fleet, caller, printer).await,
            Self::Rotate(rotate) => rotate.run(fleet, caller, printer).await,
            Self::Remove(remove) => remove.run(fleet, caller, printer).await,
        }
    }
}

/// What receivers are called here and in the API.
const ENDPOINT: &str = "whe_";
/// What deliveries are called here and to receivers.
const DELIVERY: &str = "evt_";

fn endpoint(text: &str) -> Result<ShortId, String> {
    read(ENDPOINT, text).ok_or_else(|| {
        "a receiver is named as `pressroom webhook list` shows it: `whe_…`".to_owned()
    })
}

fn delivery(text: &str) -> Result<ShortId, String> {
    read(DELIVERY, text).ok_or_else(|| {
        "a delivery is named as `pressroom webhook deliveries` shows it: `evt_…`".to_owned()
    })
}

fn read(prefix: &str, text: &str) -> Option<ShortId> {
    ShortId::parse(text.strip_prefix(prefix)?)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn receivers_and_deliveries_are_not_taken_for_each_other() {
        let id = ShortId::random();
        assert_eq!(endpoint(&format!("whe_{id}")), Ok(id.clone()));
        assert_eq!(delivery(&format!("evt_{id}")), Ok(id.clone()));
        for wrong in [
            format!("evt_{id}"),
            id.to_string(),
            "whe_1".into(),
            String::new(),
        ] {
            assert!(endpoint(&wrong).is_err(), "{wrong}");
        }
    }
}
