//! `pressroom webhook list`

use super::ENDPOINT;
use crate::{Exit, Failure, Printer, table::Table};
use clap::Args;
use pressroom_fleet::{Caller, Fleet, webhooks::WebhookEndpoint};
use serde_json::{Value, json};

/// Lists receivers, newest first, and how it goes with them.
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  pressroom webhook list
  pressroom --json webhook list")]
pub struct List {}

impl List {
    pub(in crate::commands) async fn run(
        self,
        fleet: &Fleet,
        caller: &Caller,
        printer: &mut Printer,
    ) -> Result<Exit, Failure> {
        show(&fleet.all_webhook_endpoints(caller).await?, printer);
        Ok(Exit::Done)
    }
}

fn show(endpoints: &[WebhookEndpoint], printer: &mut Printer) {
    let mut table = Table::new(&[
        "id", "account", "state", "failures", "last", "events", "url",
    ])
    .cut_except(&[0]);
    for endpoint in endpoints {
        table.row([
            format!("{ENDPOINT}{}", endpoint.id),
            endpoint.account.clone(),
            state(endpoint),
            endpoint.failure_count.to_string(),
            last(endpoint),
            endpoint.events.join(","),
            endpoint.url.clone(),
        ]);
    }
    let values: Vec<Value> = endpoints.iter().map(shown).collect();
    printer.many(&values, &table);
}

fn state(endpoint: &WebhookEndpoint) -> String {
    match (&endpoint.disabled_reason, endpoint.active) {
        (_, true) => "on".to_owned(),
        (None, false) => "off".to_owned(),
        (Some(reason), false) => format!("off: {reason}"),
    }
}

/// The last event, and what was answered.
fn last(endpoint: &WebhookEndpoint) -> String {
    let Some(last) = &endpoint.last_delivery else {
        return "-".to_owned();
    };
    let status = last
        .status
        .map_or("no answer".to_owned(), |status| status.to_string());
    format!("{} {status}", last.event)
}

/// A receiver for programs.
pub(super) fn shown(endpoint: &WebhookEndpoint) -> Value {
    json!({
        "id": format!("{ENDPOINT}{}", endpoint.id),
        "account": endpoint.account,
        "url": endpoint.url,
        "description": endpoint.description,
        "events": endpoint.events,
        "active": endpoint.active,
        "disabled_reason": endpoint.disabled_reason,
        "secret_last_four": endpoint.secret_last_four,
        "failure_count": endpoint.failure_count,
        "last_delivery": endpoint.last_delivery.as_ref().map(|last| json!({
            "event": last.event, "status": last.status, "at": last.at,
        })),
        "created_at": endpoint.created_at,
        "updated_at": endpoint.updated_at,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use pressroom_base::{
        Timestamp,
        id::{AccountId, ShortId},
    };
    use pressroom_fleet::webhooks::LastDelivery;

    #[test]
    fn one_receiver_a_line_and_why_it_is_off() {
        let at = Timestamp::from_millis(0);
        let endpoint = WebhookEndpoint {
            id: ShortId::stored("0t2a41n5k9d3m7q8x6zc".into()),
            account_id: AccountId::new(1),
            account: "agency".into(),
            url: "https://hooks.example.com/in".into(),
            description: String::new(),
            events: vec!["site.down".into(), "site.recovered".into()],
            active: false,
            disabled_reason: Some("failing".into()),
            secret_last_four: "a2c=".into(),
            failure_count: 41,
            last_delivery: Some(LastDelivery {
                event: "site.down".into(),
                status: None,
                at,
            }),
            created_at: at,
            updated_at: at,
        };
        let (mut printer, captured) = Printer::captured(None);
        show(&[endpoint], &mut printer);
        assert_eq!(
            captured.out(),
            "whe_0t2a41n5k9d3m7q8x6zc\tagency\toff: failing\t41\tsite.down no answer\t\
             site.down,site.recovered\thttps://hooks.example.com/in\n"
        );
    }
}
