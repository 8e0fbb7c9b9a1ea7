//! A message as its receiver gets it (§6.1 to §6.3).
//!
//! Its body depends on nothing but the event, so that every attempt says the same. It is
//! signed twice: in the product's own header, and as the Standard Webhooks say.

use crate::wire::id;
use data_encoding::BASE64;
use hmac::{Hmac, KeyInit, Mac};
use pressroom_base::Secret;
use pressroom_fleet::webhooks::{Letter, Message};
use serde::Serialize;
use serde_json::{Map, Value};
use sha2::Sha256;

const EVENT: &str = "x-wpsentinel-event";
/// The product's older name; it stays.
const SIGNATURE: &str = "x-wpsentinel-signature";
const USER_AGENT: &str = "WPOrchestrix-Webhook/1";
const SECRET_PREFIX: &str = "whsec_";

/// What each event says, in the contract's order. What is not known is null.
const DATA: &[(&str, &[&str])] = &[
    (
        "site.down",
        &["health_check_id", "http_status", "error", "failing_since"],
    ),
    ("site.recovered", &["health_check_id", "downtime_seconds"]),
    (
        "site.connected",
        &["wp_version", "php_version", "connection_method"],
    ),
    ("site.disconnected", &["reason"]),
    (
        "security.vulnerability_found",
        &[
            "vulnerability_id",
            "severity",
            "cvss_score",
            "cve",
            "title",
            "component",
            "fixed_in",
        ],
    ),
    ("security.scan_completed", &["scanned", "open"]),
    (
        "performance.degraded",
        &["health_check_id", "response_time_ms", "threshold_ms"],
    ),
    (
        "performance.check_completed",
        &["health_check_id", "response_time_ms", "ttfb_ms"],
    ),
    ("dns.changed", &["record", "before", "after"]),
    ("upgrade.started", &["pipeline_id", "targets"]),
    (
        "upgrade.completed",
        &["pipeline_id", "targets", "updated", "duration_seconds"],
    ),
    (
        "upgrade.failed",
        &["pipeline_id", "stage", "error", "will_roll_back"],
    ),
    (
        "upgrade.rolled_back",
        &["pipeline_id", "snapshot_id", "reason"],
    ),
    ("upgrade.awaiting_approval", &["pipeline_id", "targets"]),
    ("snapshot.created", &["snapshot_id", "kind", "size_bytes"]),
    ("snapshot.expired", &["snapshot_id"]),
];

/// What some events call by another name.
const ALSO: &[(&str, &str)] = &[("snapshot_id", "snapshot"), ("size_bytes", "bytes")];

#[derive(Serialize)]
struct Envelope<'l> {
    event: &'l str,
    timestamp: String,
    site: Option<Site<'l>>,
    data: Value,
}

#[derive(Serialize)]
struct Site<'l> {
    id: String,
    name: Option<&'l str>,
    url: Option<&'l str>,
}

/// Writes and signs a message.
pub fn compose(letter: &Letter<'_>) -> Message {
    let envelope = Envelope {
        event: letter.event,
        timestamp: letter.at.to_rfc3339(),
        site: letter.site.map(|site| Site {
            id: id::site(site.id),
            name: site.name,
            url: site.url,
        }),
        data: data(letter.event, letter.payload),
    };
    // Texts, and values that were read from JSON, always serialize.
    let body = serde_json::to_string(&envelope).unwrap_or_default();
    let (id, now) = (id::delivery(letter.id), letter.now.seconds().to_string());
    let signed = format!("{id}.{now}.{body}");
    let secrets = [Some(letter.secret), letter.old_secret];
    let standard: Vec<String> = secrets
        .into_iter()
        .flatten()
        .map(|secret| format!("v1,{}", BASE64.encode(&mac(&key(secret), &signed))))
        .collect();
    // It carries one value: whoever has not changed yet goes on with the old one.
    let own = letter.old_secret.unwrap_or(letter.secret);
    let own = hex::encode(mac(own.expose().as_bytes(), &body));
    let headers = vec![
        ("content-type", "application/json".to_owned()),
        ("user-agent", USER_AGENT.to_owned()),
        (EVENT, letter.event.to_owned()),
        (SIGNATURE, own),
        ("webhook-id", id),
        ("webhook-timestamp", now),
        ("webhook-signature", standard.join(" ")),
    ];
    Message { headers, body }
}

/// What the contract names of an event's particulars, and nothing else. An event that it
/// does not name says all that is said of it.
fn data(event: &str, payload: &Value) -> Value {
    let Some((_, members)) = DATA.iter().find(|(known, _)| *known == event) else {
        return payload.clone();
    };
    let told: Map<String, Value> = members
        .iter()
        .map(|member| ((*member).to_owned(), value(member, payload)))
        .collect();
    Value::Object(told)
}

fn value(member: &str, payload: &Value) -> Value {
    let also = ALSO.iter().find(|(name, _)| *name == member);
    let found = payload
        .get(member)
        .or_else(|| payload.get(also?.1))
        .cloned()
        .unwrap_or_default();
    match &found {
        // A row's number is nobody's business.
        Value::Number(_) if member.ends_with("_id") => Value::Null,
        Value::String(text) => id::of_member(member, text).map_or(found, Value::String),
        _ => found,
    }
}

/// What the part after the prefix stands for; a secret of another shape is its own key.
fn key(secret: &Secret<String>) -> Vec<u8> {
    let text = secret.expose();
    let encoded = text.strip_prefix(SECRET_PREFIX);
    encoded
        .and_then(|encoded| BASE64.decode(encoded.as_bytes()).ok())
        .unwrap_or_else(|| text.as_bytes().to_vec())
}

fn mac(key: &[u8], text: &str) -> Vec<u8> {
    match Hmac::<Sha256>::new_from_slice(key) {
        Ok(mac) => mac
            .chain_update(text.as_bytes())
            .finalize()
            .into_bytes()
            .to_vec(),
        // HMAC takes keys of every length.
        Err(_) => Vec::new(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use pressroom_base::{Timestamp, catalog::webhook, id::ShortId};
    use pressroom_fleet::webhooks::LetterSite;
    use serde_json::json;

    fn letter<'l>(
        id: &'l ShortId,
        event: &'l str,
        payload: &'l Value,
        secret: &'l Secret<String>,
    ) -> Letter<'l> {
        Letter {
            id,
            event,
            at: Timestamp::from_millis(1_773_748_800_000),
            site: Some(LetterSite {
                id: "0123456789abcdefghij",
                name: Some("Blog"),
                url: Some("https://blog.example"),
            }),
            payload,
            secret,
            old_secret: None,
            now: Timestamp::from_millis(1_773_748_805_000),
        }
    }

    #[test]
    fn every_event_has_its_members() {
        let known: Vec<&str> = webhook::ALL.iter().map(|(name, _)| *name).collect();
        let written: Vec<&str> = DATA.iter().map(|(name, _)| *name).collect();
        assert_eq!(known, written);
        let told = data(
            "snapshot.created",
            &json!({ "snapshot": "a1", "bytes": 7, "url": "x" }),
        );
        assert_eq!(
            told,
            json!({ "snapshot_id": "snap_a1", "kind": null, "size_bytes": 7 })
        );
        let told = data("site.down", &json!({ "health_check_id": 5, "error": "x" }));
        assert_eq!(told["health_check_id"], Value::Null);
        let told = data("site.recovered", &json!({ "health_check_id": "hc_1" }));
        assert_eq!(told["health_check_id"], "hc_1");
    }

    /// Computed with `openssl dgst -sha256 -hmac`, and once more with `-mac HMAC -macopt
    /// hexkey:…` for the decoded key.
    #[test]
    fn a_message_is_as_the_contract_says() {
        let id = ShortId::parse("abcdefghij0123456789").expect("an id");
        let secret = Secret::new(format!("whsec_{}", BASE64.encode(&[7; 32])));
        let payload = json!({ "reason": "no_heartbeat" });
        let letter = letter(&id, "site.disconnected", &payload, &secret);
        let message = compose(&letter);
        assert_eq!(
            message.body,
            r#"{"event":"site.disconnected","timestamp":"2026-03-17T12:00:00Z","site":{"id":"site_0123456789abcdefghij","name":"Blog","url":"https://blog.example"},"data":{"reason":"no_heartbeat"}}"#
        );
        let headers: Vec<String> = message
            .headers
            .iter()
            .map(|(name, value)| format!("{name}: {value}"))
            .collect();
        insta::assert_snapshot!(headers.join("\n"), @r"
        content-type: application/json
        user-agent: WPOrchestrix-Webhook/1
        x-wpsentinel-event: site.disconnected
        x-wpsentinel-signature: 511a7f54e43178073f89680f7b29b7db92750948979eb5284f90ebde8eb5b37c
        webhook-id: evt_abcdefghij0123456789
        webhook-timestamp: 1773748805
        webhook-signature: v1,wHwihsCnUz22hf0wtdq8qAA+3UdaKl/qA6q/nwuyI4s=
        ");
    }

    #[test]
    fn while_two_secrets_hold_both_sign() {
        let id = ShortId::random();
        let (new, old) = (
            Secret::new("whsec_bmV3".to_owned()),
            Secret::new("whsec_b2xk".to_owned()),
        );
        let payload = Value::Null;
        let mut letter = letter(&id, "webhook.test", &payload, &new);
        let header = |message: &Message, wanted: &str| {
            let found = message.headers.iter().find(|(name, _)| *name == wanted);
            found.map(|(_, value)| value.clone()).expect("a header")
        };
        let alone = compose(&letter);
        letter.old_secret = Some(&old);
        let both = compose(&letter);
        let signatures = header(&both, "webhook-signature");
        assert_eq!(signatures.split(' ').count(), 2);
        assert!(signatures.starts_with(&header(&alone, "webhook-signature")));
        let of_old = hex::encode(mac(b"whsec_b2xk", &both.body));
        assert_eq!(header(&both, SIGNATURE), of_old);
        assert_ne!(header(&alone, SIGNATURE), of_old);
    }
}
