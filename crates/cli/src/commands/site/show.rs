//! `pressroom site show`

use super::{find, list::updates};
use crate::{
    Exit, Failure, Printer,
    table::{Table, plain},
};
use clap::Args;
use pressroom_base::Timestamp;
use pressroom_fleet::{
    Caller, Fleet,
    authorize::Action,
    views::{Component, Environment},
};

/// Shows one site and what is installed on it.
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  pressroom site show blog.example
  pressroom --json site show wp_2f686f6d6")]
pub struct Show {
    /// The site's id (`wp_…`) or domain
    pub id: String,
}

impl Show {
    pub(in crate::commands) async fn run(
        self,
        fleet: &Fleet,
        caller: &Caller,
        printer: &mut Printer,
    ) -> Result<Exit, Failure> {
        let site = find(&self.id, Action::SiteRead, fleet, caller).await?;
        show(&site, printer);
        Ok(Exit::Done)
    }
}

fn show(site: &Environment, printer: &mut Printer) {
    if printer.json() {
        return printer.json_line(site);
    }
    let rows = [
        ("id", site.panel_id.clone()),
        ("domain", site.domain.clone()),
        ("account", site.account_name.clone()),
        ("kind", site.kind.clone()),
        ("state", site.state.clone()),
        (
            "busy with",
            site.busy
                .map_or_else(String::new, |job| format!("job {job}")),
        ),
        ("title", site.title.clone()),
        ("address", site.url.clone()),
        ("answers at", site.origin.clone().unwrap_or_default()),
        ("host", site.host.clone().unwrap_or_default()),
        ("directory", site.root.clone()),
        ("WordPress", site.core_version.clone()),
        ("PHP", site.php_version.clone()),
        (
            "database",
            format!("{} as {} at {}", site.db_name, site.db_user, site.db_host),
        ),
        ("table prefix", site.table_prefix.clone()),
        ("updates", updates(site).to_string()),
        ("tags", site.tags.join(" ")),
        (
            "inspected",
            site.inspected_at
                .map_or_else(String::new, Timestamp::to_rfc3339),
        ),
        ("recorded", site.created_at.to_rfc3339()),
    ];
    for (name, value) in rows {
        if !value.is_empty() {
            printer.line(&format!("{:<13} {}", format!("{name}:"), plain(&value)));
        }
    }
    if !site.components.is_empty() {
        let mut table = Table::new(&["kind", "component", "version", "newer", "status"]);
        for part in &site.components {
            table.row([
                part.kind.clone(),
                part.slug.clone(),
                part.version.clone(),
                newer(part),
                part.status.clone(),
            ]);
        }
        printer.line("");
        printer.many(&site.components, &table);
    }
}

/// The newer version of a component, if any; `unknown` where nobody can tell.
fn newer(part: &Component) -> String {
    match (&part.new_version, &part.offer_unknown) {
        (Some(version), _) => version.clone(),
        (None, Some(_)) => "unknown".to_owned(),
        (None, None) => String::new(),
    }
}

#[cfg(test)]
mod tests {
    use super::{super::find::tests::site, *};
    use insta::assert_snapshot;

    #[test]
    fn a_site_for_a_person() {
        let (mut printer, captured) = Printer::captured(None);
        show(&site("wp_2f686f6d6"), &mut printer);
        assert_snapshot!(captured.out(), @r"
        id:           wp_2f686f6d6
        domain:       blog.example
        account:      agency
        kind:         production
        state:        active
        title:        My  [31mblog
        address:      http://blog.example:8081
        answers at:   127.0.0.1:8081
        directory:    /srv/blog.example/public_html
        WordPress:    6.5.5
        PHP:          8.2.29
        database:     agency_blog as agency_u1 at localhost:/d/mysqld.sock
        table prefix: wp_a1b2_
        updates:      1
        recorded:     2026-05-18T10:39:25Z

        plugin	akismet	5.3	5.4	inactive
        ");
    }

    #[test]
    fn a_component_whose_updates_nobody_knows_is_unknown() {
        let mut site = site("wp_2f686f6d6");
        let part = &mut site.components[0];
        part.new_version = None;
        part.offer_unknown = Some("only its vendor knows".into());
        let (mut printer, captured) = Printer::captured(None);
        show(&site, &mut printer);
        let out = captured.out();
        assert!(
            out.contains("plugin\takismet\t5.3\tunknown\tinactive"),
            "{out}"
        );
        site.tags = vec!["eu-west".into(), "shop".into()];
        show(&site, &mut printer);
        assert!(captured.out().contains("tags:         eu-west shop\n"));
        let json = serde_json::to_value(&site).expect("JSON");
        assert_eq!(json["tags"], serde_json::json!(["eu-west", "shop"]));
        assert_eq!(
            json["components"][0]["offer_unknown"],
            "only its vendor knows"
        );
    }
}
