//! `pressroom webhook deliveries`

use super::{DELIVERY, endpoint};
use crate::{Exit, Failure, Printer, table::Table};
use clap::{Args, ValueEnum};
use pressroom_base::id::ShortId;
use pressroom_fleet::{
    Caller, Fleet,
    webhooks::{WebhookDelivery, WebhookState},
};
use serde_json::{Value, json};

/// Lists what went to a receiver, newest first.
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  pressroom webhook deliveries whe_0t2a41n5k9d3m7q8x6zc
  pressroom webhook deliveries whe_0t2a41n5k9d3m7q8x6zc --state given_up --limit 500")]
pub struct Deliveries {
    /// The receiver
    #[arg(value_parser = endpoint)]
    pub id: ShortId,
    /// Only what is in this state
    #[arg(long)]
    pub state: Option<State>,
    /// At most so many
    #[arg(long, value_name = "COUNT", default_value_t = 50, value_parser = clap::value_parser!(u64).range(1..=100_000))]
    pub limit: u64,
}

/// How far a delivery is.
#[derive(Debug, Clone, Copy, ValueEnum)]
#[value(rename_all = "snake_case")]
pub enum State {
    /// It is to be sent, or sent again
    Pending,
    /// It arrived
    Delivered,
    /// It is not sent again
    GivenUp,
}

impl Deliveries {
    pub(in crate::commands) async fn run(
        self,
        fleet: &Fleet,
        caller: &Caller,
        printer: &mut Printer,
    ) -> Result<Exit, Failure> {
        let state = self.state.map(|state| match state {
            State::Pending => WebhookState::Pending,
            State::Delivered => WebhookState::Delivered,
            State::GivenUp => WebhookState::GivenUp,
        });
        let found = fleet
            .list_webhook_deliveries(caller, &self.id, state, self.limit)
            .await?;
        show(&found, printer);
        Ok(Exit::Done)
    }
}

fn show(deliveries: &[WebhookDelivery], printer: &mut Printer) {
    let mut table =
        Table::new(&["id", "event", "happened", "state", "attempts", "last"]).cut_except(&[0]);
    for delivery in deliveries {
        table.row([
            format!("{DELIVERY}{}", delivery.id),
            delivery.event.clone(),
            delivery.at.to_rfc3339(),
            delivery.state.to_owned(),
            delivery.attempts.to_string(),
            last(delivery),
        ]);
    }
    let values: Vec<Value> = deliveries
        .iter()
        .map(|delivery| {
            let mut value = json!(delivery);
            value["id"] = format!("{DELIVERY}{}", delivery.id).into();
            value
        })
        .collect();
    printer.many(&values, &table);
}

fn last(delivery: &WebhookDelivery) -> String {
    match (&delivery.last_error, delivery.last_status) {
        (Some(error), _) => error.clone(),
        (None, Some(status)) => format!("answered {status}"),
        (None, None) => "-".to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use pressroom_base::Timestamp;

    #[test]
    fn one_delivery_a_line_and_why_it_failed() {
        let delivery = WebhookDelivery {
            id: ShortId::stored("abcdefghij0123456789".into()),
            event: "site.down".into(),
            at: Timestamp::from_millis(0),
            state: "given_up",
            attempts: 8,
            due_at: None,
            last_status: None,
            last_error: Some("no answer within 10s".into()),
            ended_at: Some(Timestamp::from_millis(0)),
        };
        let (mut printer, captured) = Printer::captured(None);
        show(std::slice::from_ref(&delivery), &mut printer);
        assert_eq!(
            captured.out(),
            "evt_abcdefghij0123456789\tsite.down\t1970-01-01T00:00:00Z\tgiven_up\t8\tno answer within 10s\n"
        );
        let (mut printer, captured) = Printer::captured(None);
        printer.set_json(true);
        show(&[delivery], &mut printer);
        assert!(
            captured
                .out()
                .contains("\"id\":\"evt_abcdefghij0123456789\"")
        );
    }
}
