//! Who is shown what can be done to a site.

use super::{fleet_sites, site_page};
use askama::Template;
use pressroom_base::id::JobId;
use pressroom_fleet::{principal::Role, views::Environment};

#[test]
fn buttons_are_shown_to_those_who_may_use_them() {
    let mut blog = fleet_sites().remove(0);
    let page = |blog: &Environment, role| site_page(blog, &[], role).render().unwrap();
    assert!(page(&blog, Role::Member).contains("/sites/1/update"));
    assert!(page(&blog, Role::Member).contains("/sites/1/login"));
    // Looking at files changes nothing.
    let looks = ["files", "check"].map(|look| format!("action=\"/sites/1/{look}\""));
    let mut viewed = page(&blog, Role::Viewer);
    let policy = "href=\"/sites/1/policy\"".to_owned();
    for look in looks.into_iter().chain([policy]) {
        assert!(viewed.contains(&look));
        viewed = viewed.replace(&look, "");
    }
    assert!(!viewed.contains("/sites/1/"));
    blog.busy = Some(JobId::new(9));
    assert_eq!(
        page(&blog, Role::Member).matches("disabled>").count(),
        page(&blog, Role::Member)
            .matches("action=\"/sites/1/")
            .count(),
    );
}
