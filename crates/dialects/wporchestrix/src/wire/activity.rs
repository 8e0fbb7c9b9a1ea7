//! W25.

use super::id;
use pressroom_fleet::activity::Line;
use serde::Serialize;
use serde_json::{Map, Value};
use utoipa::ToSchema;

/// Something that happened.
#[derive(Serialize, ToSchema)]
pub struct ActivityLogOut {
    id: String,
    /// What happened, e.g. `user.signed_in`.
    event: String,
    actor: ActorOut,
    subject: SubjectOut,
    /// The site it concerns, also when that is gone.
    site_id: Option<String>,
    ip_address: Option<String>,
    /// Its particulars.
    metadata: Map<String, Value>,
    created_at: String,
}

/// Who did it.
#[derive(Serialize, ToSchema)]
pub struct ActorOut {
    /// `user`, `api_token` or `system`.
    #[serde(rename = "type")]
    kind: String,
    /// The person, also when it was a token of theirs.
    id: Option<String>,
    name: String,
}

/// What it is about.
#[derive(Serialize, ToSchema)]
pub struct SubjectOut {
    #[serde(rename = "type")]
    kind: String,
    id: Option<String>,
}

impl From<Line> for ActivityLogOut {
    fn from(line: Line) -> Self {
        // What an event without a subject of its own begins with is what it is about.
        let kind = line.subject_kind.unwrap_or_else(|| {
            let first = line.kind.split('.').next();
            first.unwrap_or_default().to_owned()
        });
        let subject = line
            .subject_id
            .and_then(|subject| id::of_subject(&kind, &subject));
        Self {
            id: id::log(&line.id),
            event: line.kind,
            actor: ActorOut {
                kind: line.actor_kind,
                id: line
                    .actor_id
                    .and_then(|actor| id::of_subject("user", &actor)),
                name: line.actor_name,
            },
            subject: SubjectOut { kind, id: subject },
            site_id: line.site_id.map(|site| id::site(&site)),
            ip_address: line.address,
            metadata: particulars(line.metadata),
            created_at: line.at.to_rfc3339(),
        }
    }
}

/// Without numbers of rows, which are nobody's business.
fn particulars(metadata: Value) -> Map<String, Value> {
    match metadata {
        Value::Object(members) => members
            .into_iter()
            .filter(|(name, _)| name != "id" && !name.ends_with("_id"))
            .collect(),
        _ => Map::new(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn numbers_of_rows_are_not_told() {
        let told = particulars(json!({ "token_id": 7, "id": 1, "kind": "api" }));
        assert_eq!(Value::Object(told), json!({ "kind": "api" }));
        assert!(particulars(Value::Null).is_empty());
    }
}
