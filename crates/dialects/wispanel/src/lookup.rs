//! Finding the installation a request names.

use pressroom_base::Kind;
use pressroom_dialect_http::{Call, Fault};
use pressroom_fleet::{Error, authorize::Action, views::Environment};

/// The installation with this id, for this action. None of the caller's, or not an
/// id at all: the same 404.
pub async fn installation(
    call: &Call,
    id: Option<&str>,
    action: Action,
) -> Result<Environment, Fault> {
    let id = required_id(id)?;
    if !is_installation_id(id) {
        return Err(not_found("Installation").into());
    }
    call.fleet
        .find_environment(&call.caller, action, id)
        .await
        .map_err(|error| named(error, "Installation"))
}

/// The id a request must carry.
pub fn required_id(id: Option<&str>) -> Result<&str, Fault> {
    id.filter(|id| !id.is_empty())
        .ok_or_else(|| Fault::Malformed("Installation ID is required".into()))
}

/// `wp_` and at least nine hex digits.
pub fn is_installation_id(id: &str) -> bool {
    id.strip_prefix("wp_").is_some_and(|digits| {
        (9..=64).contains(&digits.len())
            && digits
                .bytes()
                .all(|b| b.is_ascii_digit() || (b'a'..=b'f').contains(&b))
    })
}

/// A 404 in this dialect's word for the thing.
pub fn named(error: Error, noun: &str) -> Fault {
    match error.kind() {
        Kind::NotFound => not_found(noun).into(),
        _ => error.into(),
    }
}

fn not_found(noun: &str) -> Error {
    Error::not_found(noun)
}

#[cfg(test)]
mod tests {
    use super::is_installation_id;

    #[test]
    fn ids_have_a_shape() {
        assert!(is_installation_id("wp_2f686f6d6") && is_installation_id("wp_2f686f6d6ab"));
        for bad in [
            "",
            "wp_",
            "wp_2f686f6d",
            "wp_2F686F6D6",
            "job_2f686f6d6",
            "wp_2f686f6d6'",
        ] {
            assert!(!is_installation_id(bad), "{bad}");
        }
    }
}
