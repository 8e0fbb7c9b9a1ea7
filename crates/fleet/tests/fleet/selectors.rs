//! What selectors are told of a site, from the rows that a store keeps.

use crate::base::Base;
use pressroom_base::Timestamp;
use pressroom_fleet::selector::{Facts, Rows, Selector, Truth};
use pressroom_store::{
    EnvironmentPatch, EnvironmentRow, EnvironmentState, NewComponent, NewEnvironment, NewHost,
    Scope, accounts, components, environments, hosts,
};

crate::on_both! {
    facts_are_what_the_rows_say
    what_was_never_seen_is_unknown
    a_site_elsewhere_is_found_by_its_host
}

async fn facts(base: &Base, environment: &EnvironmentRow) -> Facts {
    let store = &base.store;
    let account = accounts::get(store, environment.account_id).await.unwrap();
    let site = environments::get_site(store, environment.site_id).await;
    let mut components = components::versions(store, &Scope::All).await.unwrap();
    components.retain(|row| row.environment_id == environment.id);
    let host = match environment.host_id {
        Some(id) => hosts::get(store, id).await.unwrap(),
        None => None,
    };
    Facts::of(Rows {
        environment,
        account: &account.unwrap(),
        site: &site.unwrap().unwrap(),
        domain: None,
        host: host.as_ref(),
        components: &components,
        tags: &[],
        snapshot: None,
    })
}

#[track_caller]
fn check(facts: &Facts, expected: Truth, selectors: &[&str]) {
    for text in selectors {
        let selector: Selector = text.parse().unwrap();
        let found = selector.matches(facts, Timestamp::now());
        assert_eq!(found, expected, "{text} of {facts:#?}");
    }
}

async fn facts_are_what_the_rows_say(base: Base) {
    let site = base.site("shop", EnvironmentState::Active).await;
    let tx = base.store.begin().await.unwrap();
    let seen = EnvironmentPatch {
        core_version: Some("6.4.3".into()),
        php_version: Some("8.2.28".into()),
        inspected_at: Some(tx.now().await.unwrap()),
        ..EnvironmentPatch::default()
    };
    let site = environments::update(&tx, site.id, seen).await.unwrap();
    let plugin =
        |slug: &str, version: &str, new: Option<&str>, unknown: Option<&str>| NewComponent {
            kind: "plugin".into(),
            place: "normal".into(),
            slug: slug.into(),
            version: version.into(),
            status: "active".into(),
            new_version: new.map(str::to_owned),
            offer_unknown: unknown.map(str::to_owned),
            ..NewComponent::default()
        };
    let theme = NewComponent {
        kind: "theme".into(),
        ..plugin("storefront", "4.0", None, None)
    };
    let all = vec![
        plugin("woocommerce", "9.3", Some("9.4"), None),
        plugin("bought", "", None, Some("the source does not know it")),
        theme,
    ];
    components::replace_all(&tx, site.id, all).await.unwrap();
    tx.commit().await.unwrap();

    let facts = facts(&base, &site).await;
    let found = [
        "account:acme site:shop site:wp_shop domain:shop.example host:local",
        "env:production status:active",
        "wp:6.4 php:8.2 php>=8.2.28",
        "plugin:woocommerce<9.4 theme:storefront -theme:woocommerce",
        "updates>0 snapshot>24h",
    ];
    check(&facts, Truth::Yes, &found);
    check(&facts, Truth::Unknown, &["plugin:bought<2", "updates>1"]);
    check(&facts, Truth::No, &["plugin:akismet", "updates=0"]);
}

async fn what_was_never_seen_is_unknown(base: Base) {
    let site = base.site("new", EnvironmentState::Installing).await;
    let facts = facts(&base, &site).await;
    let open = ["wp<6.5", "php:8", "plugin:akismet", "updates=0"];
    check(&facts, Truth::Unknown, &open);
    check(&facts, Truth::Yes, &["status:installing site:new"]);
}

async fn a_site_elsewhere_is_found_by_its_host(base: Base) {
    let tx = base.store.begin().await.unwrap();
    let new = NewHost {
        account_id: base.account,
        label: "Web 1".into(),
        address: "web1.example".into(),
        port: 22,
        login: "deploy".into(),
        key_id: None,
        jump_id: None,
    };
    let host = hosts::create(&tx, new).await.unwrap();
    let site = environments::create_site(&tx, base.account, "uuid", "far")
        .await
        .unwrap();
    let new = NewEnvironment {
        host_id: Some(host.id),
        ..base.new_environment(site.id, "far", EnvironmentState::Active)
    };
    let row = environments::create(&tx, new).await.unwrap();
    tx.commit().await.unwrap();
    let facts = facts(&base, &row).await;
    check(&facts, Truth::Yes, &["host:\"web 1\" host:WEB1.example"]);
    check(&facts, Truth::No, &["host:local"]);
}
