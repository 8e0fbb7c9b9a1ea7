//! What is updated by itself.

use super::frame;
use crate::{
    frame::Section,
    pages::policy::{PolicyPage, Typed},
};
use askama::Template;
use pressroom_fleet::policies::{Origin, PolicyField, PolicyView, Standing, UpdatePolicy, Window};

fn view(name: &str, here: Origin) -> PolicyView {
    PolicyView {
        account: name.into(),
        site: (here == Origin::Site).then(|| "https://blog.nordlicht.example".into()),
        policy: UpdatePolicy {
            automatic: true,
            hold_days: 7,
            exclusions: vec!["core".into(), "plugin:woo*".into()],
            windows: Window::parse("sat,sun 22:00-04:00").into_iter().collect(),
            ..UpdatePolicy::default()
        },
        from: PolicyField::ALL
            .into_iter()
            .map(|field| (field, here))
            .collect(),
        own_exclusions: vec![name.into()],
        zone: Some("Europe/Berlin".into()),
        now: (here == Origin::Site).then(|| Standing {
            open: false,
            until: Some(super::now()),
        }),
    }
}

/// An account of this name, and a site of it.
pub(super) fn policy_pages(name: &str) -> Vec<(&'static str, askama::Result<String>)> {
    let account = || {
        let frame = frame("Update policy", Section::People);
        let of = ("/people/1".into(), name.into());
        let mut page = PolicyPage::new(frame, of, &view(name, Origin::Account), None);
        page.may = true;
        page
    };
    let site = || {
        let frame = frame("Update policy", Section::Sites);
        let of = ("/sites/1".into(), name.into());
        let wider = ("/people/1".into(), view(name, Origin::Account));
        PolicyPage::new(frame, of, &view(name, Origin::Site), Some(wider))
    };
    let mut saved = site();
    (saved.may, saved.saved) = (true, true);
    let mut refused = account();
    refused.problem = Some("Time zone `Berlin` is not known".into());
    refused.typed = Typed {
        time_zone: name.into(),
        windows: name.into(),
        ..Typed::default()
    };
    vec![
        ("policy-account", account().render()),
        ("policy-refused", refused.render()),
        ("policy-site", saved.render()),
        ("policy-viewer", site().render()),
    ]
}
