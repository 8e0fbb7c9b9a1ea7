//! T05: installing.

use crate::{
    lookup::named,
    wire::{InstallIn, InstallStartedOut, progress_url},
};
use pressroom_base::Secret;
use pressroom_dialect_http::{Answer, Call, Fault};
use pressroom_fleet::{Error, code, sites::InstallSite};

/// Characters of a given value that the "Missing fields" text repeats.
const ECHO: usize = 200;

/// Starts an installation.
pub async fn start(call: Call) -> Result<Answer, Fault> {
    let started = call
        .fleet
        .install_site(&call.caller, site(call.body()?)?)
        .await
        .map_err(|error| named(error, "Domain"))?;
    Answer::created(&InstallStartedOut {
        success: true,
        message: "WordPress installation started",
        id: started.environment.panel_id,
        progress_url: progress_url(&started.job.public_id),
        job_id: started.job.public_id,
    })
}

fn site(input: InstallIn) -> Result<InstallSite, Fault> {
    let missing = missing_fields(&input);
    let given = |value: Option<String>| value.filter(|text| !text.trim().is_empty());
    let (domain, alias) = (given(input.domain), given(input.domain_name));
    if let (Some(domain), Some(alias)) = (&domain, &alias)
        && domain != alias
    {
        return Err(Fault::Malformed("`domain` and `domain_name` differ".into()));
    }
    let (Some(domain), Some(path), Some(db_name)) =
        (domain.or(alias), given(input.path), given(input.db_name))
    else {
        return Err(Fault::Malformed(missing));
    };
    if !matches!(input.db_host.as_deref(), None | Some("" | "localhost")) {
        return Err(Error::invalid("database host must be `localhost`")
            .with_code(code::UNPROCESSABLE)
            .into());
    }
    Ok(InstallSite {
        domain,
        path,
        db_name,
        db_user: input.db_user,
        db_password: input.db_password.map(Secret::new),
        title: input.title,
        admin_user: input.admin_user,
        admin_password: input.admin_password.map(Secret::new),
        admin_email: input.admin_email,
        version: input.version,
        locale: input.locale,
        table_prefix: input.table_prefix,
    })
}

/// The contract's words, four quoted echoes in this order.
fn missing_fields(input: &InstallIn) -> String {
    let echo = |value: &Option<String>| {
        let text: String = value
            .iter()
            .flat_map(|text| text.chars())
            .take(ECHO)
            .collect();
        serde_json::Value::from(text).to_string()
    };
    format!(
        "Missing fields. Got: domain_name={}, path={}, db_name={}, domain={}",
        echo(&input.domain_name),
        echo(&input.path),
        echo(&input.db_name),
        echo(&input.domain),
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    fn refused(body: &str) -> String {
        let input = serde_json::from_str(body).expect("a body");
        match site(input) {
            Err(Fault::Malformed(text)) => text,
            Err(other) => panic!("{body}: {other:?}"),
            Ok(_) => panic!("{body} was taken"),
        }
    }

    #[test]
    fn what_is_missing_is_told_in_the_contracts_words() {
        assert_eq!(
            refused("{}"),
            r#"Missing fields. Got: domain_name="", path="", db_name="", domain="""#
        );
        assert_eq!(
            refused(r#"{"domain":"blog.com","path":"a\"b","db_name":null}"#),
            r#"Missing fields. Got: domain_name="", path="a\"b", db_name="", domain="blog.com""#
        );
        let two = r#"{"domain":"a.com","domain_name":"b.com","path":"x","db_name":"y"}"#;
        assert!(refused(two).contains("differ"));
    }

    #[test]
    fn the_alias_is_as_good_as_the_name() {
        let body = r#"{"domain_name":"blog.com","path":"public_html","db_name":"wp"}"#;
        let new = site(serde_json::from_str(body).expect("a body")).expect("complete");
        assert_eq!(new.domain, "blog.com");
    }
}
