use crate::base::{Base, count};
use pressroom_base::{catalog::event, id::AccountId};
use pressroom_store::{
    ActivityFilter, ActivityRow, By, NewEvent, NewUser, Page, activity, environments, events, users,
};
use sea_orm::ConnectionTrait;

crate::on_both! {
    the_line_is_written_with_the_event
    who_and_what_stay_when_they_go
    filters_narrow_the_log_of_an_account
    nothing_in_it_is_changed_or_removed
}

async fn emit(base: &Base, new: NewEvent) {
    let tx = base.store.begin().await.unwrap();
    events::emit(&tx, new).await.unwrap();
    tx.commit().await.unwrap();
}

async fn log(base: &Base, account: AccountId, filter: ActivityFilter) -> Vec<ActivityRow> {
    let (rows, total) = activity::of_account(&base.store, account, &filter, Page::ALL)
        .await
        .unwrap();
    assert_eq!(rows.len() as u64, total);
    rows
}

fn happened(account: AccountId, kind: &'static str) -> NewEvent {
    NewEvent {
        kind,
        account_id: Some(account),
        actor: "ada@example.org".into(),
        payload: serde_json::json!({}),
        ..NewEvent::default()
    }
}

async fn the_line_is_written_with_the_event(base: Base) {
    let acme = base.account("Acme").await;
    let tx = base.store.begin().await.unwrap();
    events::emit(&tx, happened(acme.id, event::DOMAIN_CREATED))
        .await
        .unwrap();
    tx.rollback().await.unwrap();
    assert_eq!(log(&base, acme.id, ActivityFilter::default()).await, []);
    emit(&base, happened(acme.id, event::DOMAIN_CREATED)).await;
    let rows = log(&base, acme.id, ActivityFilter::default()).await;
    assert_eq!(rows.len(), 1);
    assert_eq!(rows[0].text, "A domain was given to an account");
    assert_eq!(rows[0].actor_kind, "system");
    // The delivery finds it there.
    pressroom_store::deliveries::deliver_pending(&base.store, events::ACTIVITY, 10)
        .await
        .unwrap();
    assert_eq!(log(&base, acme.id, ActivityFilter::default()).await, rows);
}

async fn who_and_what_stay_when_they_go(base: Base) {
    let acme = base.account("Acme").await;
    let environment = base.environment(acme.id, "/srv/x").await;
    let site = environments::get_site(&base.store, environment.site_id)
        .await
        .unwrap()
        .unwrap();
    let tx = base.store.begin().await.unwrap();
    let new = NewUser {
        email: "a@b.c".into(),
        name: "Ada".into(),
        password_hash: "x".into(),
        is_operator: false,
    };
    let ada = users::create(&tx, new).await.unwrap();
    tx.commit().await.unwrap();
    let new = NewEvent {
        environment_id: Some(environment.id),
        by: By::Token(ada.id),
        address: Some("192.0.2.1".into()),
        ..happened(acme.id, event::SITE_ADOPTED)
    };
    emit(&base, new).await;
    let raw = base.raw().await;
    raw.execute_unprepared("DELETE FROM environments; DELETE FROM sites; DELETE FROM users")
        .await
        .unwrap();
    let rows = log(&base, acme.id, ActivityFilter::default()).await;
    let [row] = &rows[..] else { panic!("{rows:?}") };
    assert_eq!(row.actor_kind, "api_token");
    assert_eq!(row.actor_id.as_deref(), Some(ada.short_id.as_str()));
    assert_eq!(row.actor_name.as_deref(), Some("Ada"));
    assert_eq!(row.subject_kind.as_deref(), Some("site"));
    assert_eq!(row.subject_id.as_deref(), Some(site.short_id.as_str()));
    assert_eq!(row.site_id.as_deref(), Some(site.short_id.as_str()));
    assert_eq!(row.address.as_deref(), Some("192.0.2.1"));
}

async fn filters_narrow_the_log_of_an_account(base: Base) {
    let acme = base.account("Acme").await;
    let other = base.account("Other").await;
    emit(&base, happened(acme.id, event::DOMAIN_CREATED)).await;
    base.store.advance_clock(std::time::Duration::from_hours(1));
    emit(&base, happened(acme.id, event::DOMAIN_REMOVED)).await;
    emit(&base, happened(other.id, event::DOMAIN_CREATED)).await;
    let all = log(&base, acme.id, ActivityFilter::default()).await;
    let kinds: Vec<_> = all.iter().map(|row| row.kind.as_str()).collect();
    assert_eq!(kinds, ["domain.removed", "domain.created"]);
    for (kind, found) in [
        ("domain.created", 1),
        ("domain.*", 2),
        ("domain", 0),
        ("d_main.*", 0),
        ("domai.*", 0),
        (".*", 0),
    ] {
        let filter = ActivityFilter {
            kind: Some(kind.into()),
            ..ActivityFilter::default()
        };
        assert_eq!(log(&base, acme.id, filter).await.len(), found, "{kind}");
    }
    let since = ActivityFilter {
        from: Some(all[0].at),
        ..ActivityFilter::default()
    };
    assert_eq!(log(&base, acme.id, since).await.len(), 1);
    let until = ActivityFilter {
        to: Some(all[1].at),
        ..ActivityFilter::default()
    };
    assert_eq!(log(&base, acme.id, until).await.len(), 1);
    for filter in [
        ActivityFilter {
            site: Some("x".into()),
            ..ActivityFilter::default()
        },
        ActivityFilter {
            actor: Some("x".into()),
            ..ActivityFilter::default()
        },
    ] {
        assert_eq!(log(&base, acme.id, filter).await, []);
    }
}

async fn nothing_in_it_is_changed_or_removed(base: Base) {
    let acme = base.account("Acme").await;
    emit(&base, happened(acme.id, event::DOMAIN_CREATED)).await;
    let raw = base.raw().await;
    for statement in [
        "UPDATE activity SET text = 'nothing happened'",
        "DELETE FROM activity",
    ] {
        let refused = raw.execute_unprepared(statement).await.unwrap_err();
        assert!(
            refused.to_string().contains("only appended to"),
            "{refused}"
        );
    }
    assert_eq!(count(&raw, "SELECT COUNT(*) FROM activity").await, 1);
}
