//! What is updated by itself.

use super::frame;
use crate::{
    frame::Section,
    pages::policy::{PolicyPage, Typed},
};
use askama::Template;
use pressroom_base::id::{AccountId, EnvironmentId};
use pressroom_fleet::policies::{
    Hindrance, Origin, PolicyField, PolicyTarget, PolicyView, Standing, UpdatePolicy, Window,
};

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
        account_id: AccountId::new(1),
        own_exclusions: vec![name.into()],
        actor: Some(name.into()),
        said_at: Some(super::ago(86_400)),
        hindrance: None,
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
        let target = PolicyTarget::Account(AccountId::new(1));
        PolicyPage::new(frame, target, &view(name, Origin::Account), None, true)
    };
    let site = |may| {
        let frame = frame("Update policy", Section::Sites);
        let target = PolicyTarget::Site(EnvironmentId::new(1));
        let wider = view(name, Origin::Account);
        PolicyPage::new(frame, target, &view(name, Origin::Site), Some(wider), may)
    };
    let mut saved = site(true);
    saved.saved = true;
    let mut refused = account();
    refused.problem = Some("Time zone `Berlin` is not known".into());
    refused.typed = Typed {
        time_zone: name.into(),
        windows: name.into(),
        ..Typed::default()
    };
    let mut lapsed = view(name, Origin::Site);
    lapsed.hindrance = Some(Hindrance::SetterMayNot);
    let lapsed = PolicyPage::new(
        frame("Update policy", Section::Sites),
        PolicyTarget::Site(EnvironmentId::new(1)),
        &lapsed,
        Some(view(name, Origin::Account)),
        true,
    );
    vec![
        ("policy-account", account().render()),
        ("policy-refused", refused.render()),
        ("policy-site", saved.render()),
        ("policy-viewer", site(false).render()),
        ("policy-lapsed", lapsed.render()),
    ]
}
