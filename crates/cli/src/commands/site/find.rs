//! Which site a person means.

use crate::Failure;
use pressroom_base::Kind;
use pressroom_fleet::{
    Caller, Fleet, authorize::Action, environments::EnvironmentFilter, views::Environment,
};

/// The site with this id (`wp_…`), or the only one of this domain.
pub(in crate::commands) async fn find(
    id: &str,
    action: Action,
    fleet: &Fleet,
    caller: &Caller,
) -> Result<Environment, Failure> {
    if id.starts_with("wp_") {
        return Ok(fleet.find_environment(caller, action, id).await?);
    }
    let filter = EnvironmentFilter {
        text: id.to_owned(),
        ..EnvironmentFilter::default()
    };
    only(id, fleet.list_environments(caller, &filter).await?)
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

#[cfg(test)]
pub(super) mod tests {
    use super::*;
    use crate::Exit;
    use pressroom_base::{
        Timestamp,
        id::{AccountId, EnvironmentId, SiteId},
    };
    use pressroom_fleet::views::Component;

    pub(in super::super) fn site(panel_id: &str) -> Environment {
        Environment {
            id: EnvironmentId::new(1),
            site_id: SiteId::new(1),
            site_name: "blog".into(),
            account_id: AccountId::new(1),
            account_name: "agency".into(),
            domain_id: None,
            domain: "blog.example".into(),
            host: None,
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
                offer_unknown: None,
                author: "Automattic".into(),
                description: String::new(),
                parent: None,
            }],
            tags: Vec::new(),
            busy: None,
            inspected_at: None,
            created_at: Timestamp::from_millis(1_779_100_765_000),
        }
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
