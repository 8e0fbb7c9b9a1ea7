//! What makes a copy a site of its own: credentials and salts, no mail, no visitors
//! from search engines.

use super::{address::Change, payload::Payload};
use crate::{Error, Fleet, Result};
use pressroom_agent::protocol::Boot;
use pressroom_base::{Kind, Secret};
use pressroom_carrier::Session;
use pressroom_jobs::JobContext;
use pressroom_store::EnvironmentRow;
use pressroom_wordpress::{
    bridge::Action,
    config::{ConfigValue, Edit, ListedConstant, NewConfig},
    database::SiteFacts,
};
use serde_json::Value;

/// The name of the block in `wp-config.php` that keeps mail from going out.
const NO_MAIL: &str = "Pressroom no outgoing mail";
/// WordPress takes hooks that are there before it starts. `pre_wp_mail` with anything
/// but null is the end of a mail (since WordPress 5.7). Written so that the rest of the
/// file can still be read without being run.
const NO_MAIL_CODE: &str = "$wp_filter['pre_wp_mail'][10]['pressroom_no_mail'] = \
     [ 'function' => '__return_false', 'accepted_args' => 0 ];";

/// Constants that are the site's own, and that a copy gets anew.
const OWN: [&str; 5] = ["ABSPATH", "DB_NAME", "DB_USER", "DB_PASSWORD", "DB_HOST"];
/// What tells the objects of one site from those of another in a cache that both reach:
/// with the source's, the copy would write into the source's.
const OBJECTS: [&str; 2] = ["WP_REDIS_PREFIX", "WP_CACHE_KEY_SALT"];
/// How the tables are read: a new configuration has values for them already.
const READING: [&str; 2] = ["DB_CHARSET", "DB_COLLATE"];

/// What a configuration is made of.
pub(super) struct Config<'a> {
    pub(super) told: &'a Payload,
    pub(super) change: &'a Change<'a>,
    pub(super) password: &'a Secret<String>,
    /// What the source's defines.
    pub(super) constants: &'a [ListedConstant],
}

/// Writes a configuration with fresh salts that lets no mail out. Plain constants follow
/// the source's, with its address and directory made the copy's; secrets do not, and are
/// told.
pub(super) async fn write_config(
    fleet: &Fleet,
    ctx: &JobContext,
    session: &Session,
    row: &EnvironmentRow,
    config: Config<'_>,
) -> Result<()> {
    let place = &config.told.place;
    let (mut kept, mut reading, mut left) = (Vec::new(), Vec::new(), Vec::new());
    for constant in config.constants {
        let name = constant.name.as_str();
        if OWN.contains(&name) || OBJECTS.contains(&name) || is_salt(name) {
            continue;
        }
        let plain = constant.value.as_ref().filter(|_| !constant.secret);
        match plain.and_then(|value| config.change.constant(name, value)) {
            Some(value) if READING.contains(&name) => reading.push(Edit::Set {
                name: name.to_owned(),
                value,
            }),
            Some(value) => kept.push((name.to_owned(), value)),
            None => left.push(name),
        }
    }
    let new = NewConfig {
        db_name: place.db_name.clone(),
        db_user: place.db_user.clone(),
        db_password: config.password.expose().clone(),
        db_host: place.db_host.clone(),
        table_prefix: place.table_prefix.clone(),
        constants: kept,
    };
    session.write_config(ctx.epoch(), &place.path, new).await?;
    let mut edits = reading;
    edits.extend(OBJECTS.map(|name| Edit::Set {
        name: name.to_owned(),
        value: ConfigValue::Text(format!("{}:", place.db_name)),
    }));
    edits.push(Edit::Block {
        name: NO_MAIL.to_owned(),
        code: NO_MAIL_CODE.to_owned(),
    });
    session
        .edit_config(ctx.epoch(), fleet.site_ref(row), edits)
        .await?;
    ctx.line(format!(
        "the copy sends no mail; take the block `{NO_MAIL}` out of its `wp-config.php` to let it"
    ));
    if !left.is_empty() {
        ctx.line(format!(
            "not in the copy's `wp-config.php`, being secret, computed or bound to the source: {}",
            left.join(", ")
        ));
    }
    Ok(())
}

fn is_salt(name: &str) -> bool {
    ["AUTH", "SECURE_AUTH", "LOGGED_IN", "NONCE"]
        .iter()
        .any(|what| name == format!("{what}_KEY") || name == format!("{what}_SALT"))
}

/// Asks search engines to stay away, from every site of a network, and looks whether the
/// tables say so.
pub(super) async fn hide(
    fleet: &Fleet,
    ctx: &JobContext,
    session: &Session,
    row: &EnvironmentRow,
    source: &SiteFacts,
) -> Result<()> {
    const OPTION: &str = "blog_public";
    let failed = || {
        Error::new(
            Kind::Remote,
            "search engines could not be asked to stay away",
        )
    };
    let blogs: Vec<Option<u64>> = match &source.network {
        None => vec![None],
        Some(network) => network.blogs.iter().map(|blog| Some(blog.id)).collect(),
    };
    for blog in blogs {
        let mut boot = Boot::new(&row.path, fleet.php_of(row));
        boot.options.blog = blog;
        let set = Action::SetOption {
            name: OPTION.to_owned(),
            value: Value::String("0".to_owned()),
            autoload: None,
            network: false,
            force: false,
        };
        let report = session
            .bridge_with(Some(ctx.epoch()), boot, vec![set])
            .await?;
        if report.fatal.is_some() || !report.outcomes.iter().all(|outcome| outcome.ok) {
            return Err(failed());
        }
    }
    let facts = session.read_site(&row.path, &[OPTION]).await?;
    if facts.options.get(OPTION).map(String::as_str) == Some("0") {
        return Ok(());
    }
    Err(failed())
}

#[cfg(test)]
mod tests {
    use super::is_salt;

    #[test]
    fn salts_are_told_from_keys_of_others() {
        assert!(is_salt("SECURE_AUTH_SALT") && is_salt("NONCE_KEY"));
        assert!(!is_salt("MY_KEY") && !is_salt("AUTH_KEYS"));
    }
}
