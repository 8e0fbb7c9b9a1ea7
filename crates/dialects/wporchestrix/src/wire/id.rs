//! Ids of this dialect: a prefix, and the 20 characters that are stored. Nothing else
//! puts them together or takes them apart.

use pressroom_base::id::ShortId;

const USER: &str = "user_";
const ACCOUNT: &str = "acct_";
const SITE: &str = "site_";
const LOG: &str = "log_";
const WEBHOOK_ENDPOINT: &str = "whe_";
const DELIVERY: &str = "evt_";
const HEALTH_CHECK: &str = "hc_";
const PIPELINE: &str = "pipe_";
const SNAPSHOT: &str = "snap_";

/// A person's.
pub fn user(id: &ShortId) -> String {
    format!("{USER}{id}")
}

/// An account's.
pub fn account(id: &ShortId) -> String {
    format!("{ACCOUNT}{id}")
}

/// A site's.
pub fn site(id: &str) -> String {
    format!("{SITE}{id}")
}

/// A line's of the activity log.
pub fn log(id: &str) -> String {
    format!("{LOG}{id}")
}

/// A webhook endpoint's.
pub fn webhook_endpoint(id: &ShortId) -> String {
    format!("{WEBHOOK_ENDPOINT}{id}")
}

/// A webhook's, the same at every attempt.
pub fn delivery(id: &ShortId) -> String {
    format!("{DELIVERY}{id}")
}

/// What an event's particulars name by this member, unless it is no id of this dialect's or
/// is one already.
pub fn of_member(member: &str, id: &str) -> Option<String> {
    let prefix = match member {
        "health_check_id" => "hc_",
        "snapshot_id" => "snap_",
        "pipeline_id" => "pipe_",
        "vulnerability_id" => "vuln_",
        _ => return None,
    };
    (!id.starts_with(prefix)).then(|| format!("{prefix}{id}"))
}

/// A health check's.
pub fn health_check(id: &str) -> String {
    format!("{HEALTH_CHECK}{id}")
}

/// A snapshot's.
pub fn snapshot(id: &str) -> String {
    format!("{SNAPSHOT}{id}")
}

/// An upgrade pipeline's.
pub fn pipeline(id: &str) -> String {
    format!("{PIPELINE}{id}")
}

/// Something's that the activity log is about; what has no prefix here has no id here.
pub fn of_subject(kind: &str, id: &str) -> Option<String> {
    let prefix = match kind {
        "user" => USER,
        "account" => ACCOUNT,
        "site" => SITE,
        "webhook_endpoint" => WEBHOOK_ENDPOINT,
        "snapshot" => SNAPSHOT,
        "upgrade_pipeline" => PIPELINE,
        _ => return None,
    };
    Some(format!("{prefix}{id}"))
}

/// The person that is meant, if it is the id of one.
pub fn read_user(text: &str) -> Option<ShortId> {
    ShortId::parse(text.strip_prefix(USER)?)
}

/// The account that is meant.
pub fn read_account(text: &str) -> Option<ShortId> {
    ShortId::parse(text.strip_prefix(ACCOUNT)?)
}

/// The site that is meant.
pub fn read_site(text: &str) -> Option<ShortId> {
    ShortId::parse(text.strip_prefix(SITE)?)
}

/// The webhook endpoint that is meant.
pub fn read_webhook_endpoint(text: &str) -> Option<ShortId> {
    ShortId::parse(text.strip_prefix(WEBHOOK_ENDPOINT)?)
}

/// The snapshot that is meant.
pub fn read_snapshot(text: &str) -> Option<ShortId> {
    ShortId::parse(text.strip_prefix(SNAPSHOT)?)
}

/// The upgrade pipeline that is meant.
pub fn read_pipeline(text: &str) -> Option<ShortId> {
    ShortId::parse(text.strip_prefix(PIPELINE)?)
}

/// The health check that is meant.
pub fn read_health_check(text: &str) -> Option<ShortId> {
    ShortId::parse(text.strip_prefix(HEALTH_CHECK)?)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_are_read_as_they_are_written() {
        let id = ShortId::random();
        assert_eq!(read_user(&user(&id)), Some(id.clone()));
        assert_eq!(read_account(&account(&id)), Some(id.clone()));
        assert_eq!(read_site(&site(id.as_str())), Some(id.clone()));
        let check = health_check(id.as_str());
        assert_eq!(read_health_check(&check), Some(id.clone()));
        assert_eq!(read_snapshot(&snapshot(id.as_str())), Some(id.clone()));
        assert_eq!(read_pipeline(&pipeline(id.as_str())), Some(id.clone()));
        assert_eq!(read_account(&user(&id)), None);
        for bad in ["", "user_", "user_1", "user_ABCDEFGHIJKLMNOPQRST"] {
            assert_eq!(read_user(bad), None, "{bad}");
        }
        assert_eq!(of_subject("token", "x"), None);
    }
}
