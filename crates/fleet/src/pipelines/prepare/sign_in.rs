//! Being somebody in a clone who may see wp-admin.

use crate::pipelines::course::Course;
use pressroom_agent::protocol::Boot;
use pressroom_base::{Secret, token};
use pressroom_carrier::Session;
use pressroom_wordpress::{
    bridge::Action,
    rehearsal::{Rehearsal, Visit},
};

/// Seconds in which the login is redeemed.
const LIFETIME_S: u32 = 60;
/// Milliseconds that its page may take, and bytes of it that are read.
const TIMEOUT_MS: u64 = 20_000;
const LIMIT: u64 = 4096;

/// Cookies of an administrator of the clone, as a browser would send them. Their session is in
/// the clone's own tables: they are good for nothing at the site. `None` where none are to be
/// had, and the look goes without: an update is held against how it was before.
pub(super) async fn sign_in(
    course: &Course<'_>,
    session: &Session,
    clone: &Rehearsal,
) -> Option<Secret<String>> {
    match redeemed(course, session, clone).await {
        Ok(Some(cookies)) => Some(cookies),
        Ok(None) => {
            let text = "nobody could sign in to the clone: wp-admin is seen from outside";
            course.ctx.line(text);
            None
        }
        Err(error) => {
            course.ctx.line(format!(
                "nobody could sign in to the clone, wp-admin is seen from outside: {error}"
            ));
            None
        }
    }
}

async fn redeemed(
    course: &Course<'_>,
    session: &Session,
    clone: &Rehearsal,
) -> Result<Option<Secret<String>>, pressroom_carrier::Error> {
    let secret = token::hex(48);
    let issue = Action::IssueLogin {
        user: None,
        token_hash: token::digest(&secret),
        lifetime_s: LIFETIME_S,
        redirect: "/wp-admin/".to_owned(),
    };
    let boot = Boot::new(&clone.root, course.fleet.php_of(&course.site));
    let epoch = Some(course.ctx.epoch());
    session.bridge_with(epoch, boot, vec![issue]).await?;
    let home = url::Url::parse(&course.site.url).ok();
    let base = home.map(|url| url.path().trim_end_matches('/').to_owned());
    let visit = Visit {
        method: "GET".to_owned(),
        path: format!("{}/?wisp_login={secret}", base.unwrap_or_default()),
        headers: Vec::new(),
        body: Vec::new(),
        timeout_ms: TIMEOUT_MS,
        limit: LIMIT,
    };
    let answer = session.visit(&clone.handle, visit).await?;
    let cookies = jar(&answer.headers);
    let is_somebody = cookies.contains("wordpress_logged_in_");
    Ok(is_somebody.then(|| Secret::new(cookies)))
}

/// `name=value` of the cookies that are set; one that is set again is the last of both, and one
/// that is taken away is none.
fn jar(headers: &[(String, String)]) -> String {
    let mut kept: Vec<(&str, &str)> = Vec::new();
    for (name, value) in headers {
        if !name.eq_ignore_ascii_case("set-cookie") {
            continue;
        }
        let pair = value.split(';').next().unwrap_or_default();
        if let Some((name, value)) = pair.split_once('=') {
            let (name, value) = (name.trim(), value.trim());
            kept.retain(|(known, _)| *known != name);
            kept.push((name, value));
        }
    }
    // WordPress clears a cookie by a blank.
    kept.retain(|(_, value)| !matches!(*value, "" | "+" | "%20" | "deleted"));
    let pairs: Vec<_> = kept
        .iter()
        .map(|(name, value)| format!("{name}={value}"))
        .collect();
    pairs.join("; ")
}

#[cfg(test)]
mod tests {
    use super::jar;

    #[test]
    fn the_last_of_each_cookie_is_kept() {
        let set = |value: &str| ("Set-Cookie".to_owned(), value.to_owned());
        let headers = [
            set("wordpress_1=%20; expires=Thu, 01-Jan-1970"),
            set("wordpressuser_1=%20; path=/"),
            set("wordpress_1=a%7Cb; path=/wp-admin; HttpOnly"),
            ("Location".to_owned(), "/wp-admin/".to_owned()),
            set("wordpress_logged_in_1=c; path=/"),
        ];
        assert_eq!(jar(&headers), "wordpress_1=a%7Cb; wordpress_logged_in_1=c");
    }
}
