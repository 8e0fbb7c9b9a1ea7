//! From what happened to mails to the people concerned.

use super::words::{Alert, Disabled, at};
use crate::{Fleet, Result, accounts};
use pressroom_base::{catalog::event, id::AccountId};
use pressroom_store::{
    EventRow, NewMail, Role, Tx, accounts as stored, activity, deliveries, events, mails, users,
};
use serde_json::Value;

/// Events turned into mails in one transaction.
const BATCH: u64 = 50;

impl Fleet {
    /// Writes the mails that waiting events ask for; says how many events these were.
    pub async fn write_mails(&self) -> Result<usize> {
        if !deliveries::waiting(&self.parts.store, events::MAIL).await? {
            return Ok(0);
        }
        let tx = self.parts.store.begin().await?;
        let happened = deliveries::take(&tx, events::MAIL, BATCH).await?;
        // Without a server nobody ever took them away again.
        if self.smtp.is_some() {
            for event in &happened {
                self.write_mail(&tx, event).await?;
            }
        }
        tx.commit().await?;
        Ok(happened.len())
    }

    async fn write_mail(&self, tx: &Tx, event: &EventRow) -> Result<()> {
        let Some(account) = event.account_id else {
            return Ok(());
        };
        let name = accounts::name_of(tx, account).await?;
        let link = self.parts.settings.public_url.clone();
        let words = if event.kind == event::WEBHOOK_ENDPOINT_DISABLED {
            Disabled {
                account: name,
                url: said(event, "url"),
                gone: said(event, "reason") == "gone",
                given_up: event.payload["given_up"].as_u64().unwrap_or(0),
                link,
            }
            .words()
        } else {
            if !is_critical(event) {
                return Ok(());
            }
            let site = activity::site_of(tx, event.id).await?;
            let site = site.unwrap_or_else(|| said(event, "name"));
            Alert {
                account: name,
                what: what(&event.kind),
                site,
                at: at(event.at),
                details: details(&event.payload),
                link,
            }
            .words()
        };
        for recipient in owners(tx, account).await? {
            let new = NewMail {
                kind: event.kind.clone(),
                account_id: Some(account),
                recipient,
                subject: words.subject.clone(),
                plain: words.plain.clone(),
                html: words.html.clone(),
                secret: None,
                good_until: None,
            };
            mails::enqueue(tx, new).await?;
        }
        Ok(())
    }
}

/// Known holes come by the dozen: only the worst get somebody up at night.
fn is_critical(event: &EventRow) -> bool {
    event.kind != "security.vulnerability_found" || said(event, "severity") == "critical"
}

/// The addresses of those who own an account.
async fn owners(tx: &Tx, account: AccountId) -> Result<Vec<String>> {
    let mut addresses = Vec::new();
    for member in stored::members(tx, account).await? {
        if member.role == Role::Owner
            && let Some(user) = users::get(tx, member.user_id).await?
        {
            addresses.push(user.email);
        }
    }
    Ok(addresses)
}

fn what(kind: &str) -> &'static str {
    match kind {
        "site.down" => "is down",
        "site.recovered" => "is back",
        "upgrade.failed" => "could not be upgraded",
        "security.vulnerability_found" => "has a critical hole",
        _ => "needs somebody",
    }
}

fn said(event: &EventRow, member: &str) -> String {
    let found = event.payload.get(member).and_then(Value::as_str);
    found.unwrap_or_default().to_owned()
}

/// What an event's particulars say in words, one line each.
fn details(payload: &Value) -> Vec<String> {
    const TOLD: &[(&str, &str)] = &[
        ("error", "Error"),
        ("http_status", "Status"),
        ("failing_since", "Failing since"),
        ("downtime_seconds", "Seconds down"),
        ("stage", "Stage"),
        ("title", "Hole"),
        ("cve", "CVE"),
        ("fixed_in", "Fixed in"),
    ];
    TOLD.iter()
        .filter_map(|(member, label)| match payload.get(member)? {
            Value::String(text) if !text.is_empty() => Some(format!("{label}: {text}")),
            Value::Number(number) => Some(format!("{label}: {number}")),
            _ => None,
        })
        .collect()
}
