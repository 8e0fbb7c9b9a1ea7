//! `pressroom site show`

use super::list::updates;
use crate::{
    Exit, Failure, Printer,
    table::{Table, plain},
};
use clap::Args;
use pressroom_base::{Kind, Timestamp};
use pressroom_fleet::{
    Caller, Fleet, authorize::Action, environments::EnvironmentFilter, views::Environment,
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
        let site = if self.id.starts_with("wp_") {
            fleet
                .find_environment(caller, Action::SiteRead, &self.id)
                .await?
        } else {
            let filter = EnvironmentFilter {
                text: self.id.clone(),
                ..EnvironmentFilter::default()
            };
            only(&self.id, fleet.list_environments(caller, &filter).await?)?
        };
        show(&site, printer);
        Ok(Exit::Done)
    }
}

/// The one site of a domain.
fn only(domain: &str, found: Vec<Environment>) -> Result<Environment, Failure> {
    let folded = domain.to_lowercase();
    let mut of_domain: Vec<_> = found
        .into_iter()
        .filter(|site| site.domain == folded)
        .collect();
    match (of_domain.pop(), of_domain.as_slice()) {
        (None, _) => Err(Failure::new(
            Kind::NotFound,
            format!("no site has the domain `{domain}`"),
        )
        .with_hint("`pressroom site list` lists all of them")),
        (Some(site), []) => Ok(site),
        (Some(last), others) => {
            let ids = others
                .iter()
                .chain([&last])
                .map(|site| format!("`{}`", site.panel_id));
            let ids = ids.collect::<Vec<_>>().join(", ");
            Err(
                Failure::new(Kind::Conflict, format!("`{domain}` has several sites"))
                    .with_hint(format!("name one by its id: {ids}")),
            )
        }
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
        ("directory", site.root.clone()),
        ("WordPress", site.core_version.clone()),
        ("PHP", site.php_version.clone()),
        (
            "database",
            format!("{} as {} at {}", site.db_name, site.db_user, site.db_host),
        ),
        ("table prefix", site.table_prefix.clone()),
        ("updates", updates(site).to_string()),
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
                part.new_version.clone().unwrap_or_default(),
                part.status.clone(),
            ]);
        }
        printer.line("");
        printer.many(&site.components, &table);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use insta::assert_snapshot;
    use pressroom_base::id::{AccountId, EnvironmentId, SiteId};
    use pressroom_fleet::views::Component;

    fn site(panel_id: &str) -> Environment {
        Environment {
            id: EnvironmentId::new(1),
            site_id: SiteId::new(1),
            site_name: "blog".into(),
            account_id: AccountId::new(1),
            account_name: "agency".into(),
            domain_id: None,
            domain: "blog.example".into(),
            kind: "production".into(),
            panel_id: panel_id.into(),
            state: "active".into(),
            root: "/srv/blog.example/public_html".into(),
            url: "http://blog.example:8081".into(),
            origin: Some("127.0.0.1:8081".into()),
            title: "My \u{1b}[31mblog".into(),
            core_version: "6.5.5".into(),
            php_version: "8.2.29".into(),
            db_name: "agency_blog".into(),
            db_user: "agency_u1".into(),
            db_host: "localhost:/d/mysqld.sock".into(),
            table_prefix: "wp_a1b2_".into(),
            debug: false,
            multisite: false,
            components: vec![Component {
                kind: "plugin".into(),
                slug: "akismet".into(),
                file: "akismet/akismet.php".into(),
                name: "Akismet".into(),
                version: "5.3".into(),
                status: "inactive".into(),
                new_version: Some("5.4".into()),
                author: "Automattic".into(),
                description: String::new(),
            }],
            busy: None,
            inspected_at: None,
            created_at: Timestamp::from_millis(1_779_100_765_000),
        }
    }

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
    fn a_domain_names_its_only_site() {
        assert!(only("Blog.example", vec![site("wp_1")]).is_ok());
        let none = only("log.example", vec![site("wp_1")]).expect_err("no such domain");
        assert_eq!(none.exit(), Exit::NotFound);
        let several = only("blog.example", vec![site("wp_1"), site("wp_2")]);
        let several = several.expect_err("two of them");
        assert_eq!(several.exit(), Exit::Conflict);
        assert!(several.to_text().contains("`wp_1`, `wp_2`"));
    }
}
