//! When a safe update goes on, and when not: rights that were withdrawn, windows that are closed.

use crate::base::Base;
use pressroom_base::id::{AccountId, UserId};
use pressroom_fleet::{
    Caller,
    pipelines::Approved,
    policies::{Day, PolicyTarget, SetPolicy},
    principal::{Identity, Role},
};
use pressroom_store::{
    EnvironmentRow, EnvironmentState, NewPipeline, NewTarget, NewUser, PipelinePatch, PipelineRow,
    PipelineState, Role as Stored, accounts, pipelines, policies, users,
};
use serde_json::json;
use std::time::Duration;

crate::on_both! {
    who_asked_and_may_not_any_more_is_not_obeyed
    a_policy_lasts_as_long_as_its_setters_rights
    what_is_approved_waits_for_its_window
    a_window_of_unknown_clocks_is_closed
    what_is_approved_is_set_out_once_and_not_beside_other_work
}

/// A pipeline to be, of one plugin.
pub fn new_pipeline(site: &EnvironmentRow, account: AccountId) -> NewPipeline {
    NewPipeline {
        site_id: site.site_id,
        account_id: account,
        environment_id: site.id,
        options: json!({}),
        stages: json!([]),
        requires_approval: true,
        scheduled_at: None,
        rollout: None,
        canary: false,
        created_by: None,
        actor: "test".into(),
    }
}

/// What it is for.
pub fn plugin(slug: &str) -> NewTarget {
    NewTarget {
        kind: "plugin".into(),
        slug: slug.into(),
        wanted: None,
    }
}

/// One that a policy began.
fn by_policy(site: &EnvironmentRow, account: AccountId) -> NewPipeline {
    NewPipeline {
        options: json!({
            "strategy": "canary", "rollback": "auto", "snapshot": true, "paths": [], "note": "",
            "by_policy": true,
        }),
        requires_approval: false,
        ..new_pipeline(site, account)
    }
}

async fn create(base: &Base, new: NewPipeline) -> PipelineRow {
    let tx = base.store.begin().await.unwrap();
    let row = pipelines::create(&tx, new, vec![plugin("shop")]).await;
    let row = row.unwrap();
    tx.commit().await.unwrap();
    row
}

/// With a yes to it: this person's, or nobody's, as none was needed.
async fn approved(base: &Base, new: NewPipeline, by: Option<&str>) -> PipelineRow {
    let row = create(base, new).await;
    let yes = Approved {
        by: by.map(str::to_owned),
        user_id: None,
        at: base.store.now().await.unwrap(),
        note: None,
    };
    let patch = PipelinePatch {
        status: Some(PipelineState::Approved),
        approval: serde_json::to_value(yes).ok(),
        ..PipelinePatch::default()
    };
    let tx = base.store.begin().await.unwrap();
    let from = [PipelineState::Pending];
    let row = pipelines::change(&tx, row.id, &from, patch).await;
    let row = row.unwrap().unwrap();
    tx.commit().await.unwrap();
    row
}

async fn now(base: &Base, row: &PipelineRow) -> PipelineRow {
    pipelines::get(&base.store, row.id).await.unwrap().unwrap()
}

/// An admin whom the store knows.
async fn somebody(base: &Base) -> (UserId, Caller) {
    let tx = base.store.begin().await.unwrap();
    let new = NewUser {
        email: "p@example".into(),
        name: "P".into(),
        password_hash: "none".into(),
        is_operator: false,
    };
    let id = users::create(&tx, new).await.unwrap().id;
    tx.commit().await.unwrap();
    becomes(base, id, Stored::Admin).await;
    let mut caller = base.person(Role::Admin);
    if let Identity::User { id: own, .. } = &mut caller.principal.identity {
        *own = id;
    }
    (id, caller)
}

async fn becomes(base: &Base, id: UserId, role: Stored) {
    let tx = base.store.begin().await.unwrap();
    let set = accounts::set_member(&tx, base.account, id, role);
    set.await.unwrap();
    tx.commit().await.unwrap();
}

async fn who_asked_and_may_not_any_more_is_not_obeyed(base: Base) {
    let site = base.site("a", EnvironmentState::Active).await;
    let (id, _caller) = somebody(&base).await;
    let asked = || NewPipeline {
        created_by: Some(id),
        ..new_pipeline(&site, base.account)
    };
    let row = create(&base, asked()).await;
    assert_eq!(base.fleet.attend_to_pipelines().await.unwrap(), 1);
    let begun = now(&base, &row).await;
    assert!(begun.job_id.is_some(), "while they may: {begun:?}");
    base.ended(begun.job_id.unwrap()).await;

    let row = approved(&base, asked(), Some("another")).await;
    becomes(&base, id, Stored::Viewer).await;
    assert_eq!(base.fleet.attend_to_pipelines().await.unwrap(), 1);
    let over = now(&base, &row).await;
    assert_eq!(over.status, PipelineState::Cancelled, "{over:?}");
    assert_eq!(over.job_id, None);
    let why = over.error.unwrap();
    assert_eq!(why, "whoever asked for it may not do it any more");
}

async fn a_policy_lasts_as_long_as_its_setters_rights(base: Base) {
    let site = base.site("a", EnvironmentState::Active).await;
    let (id, caller) = somebody(&base).await;
    let set = SetPolicy {
        automatic: Some(true),
        auto_approve: Some(true),
        ..SetPolicy::default()
    };
    let of = PolicyTarget::Account(base.account);
    base.fleet
        .set_update_policy(&caller, of, set)
        .await
        .unwrap();

    let row = approved(&base, by_policy(&site, base.account), None).await;
    assert_eq!(base.fleet.attend_to_pipelines().await.unwrap(), 1);
    let job = now(&base, &row).await.job_id;
    base.ended(job.expect("while they may")).await;

    let row = approved(&base, by_policy(&site, base.account), None).await;
    becomes(&base, id, Stored::Viewer).await;
    base.fleet.attend_to_pipelines().await.unwrap();
    let over = now(&base, &row).await;
    assert_eq!(over.status, PipelineState::Cancelled, "{over:?}");
    assert_eq!(over.job_id, None);
    let why = over.error.unwrap();
    assert_eq!(why, "its policy does not permit it without a yes any more");

    // A person's yes needs no policy's.
    let row = approved(&base, by_policy(&site, base.account), Some("a person")).await;
    base.fleet.attend_to_pipelines().await.unwrap();
    assert!(now(&base, &row).await.job_id.is_some());
}

async fn what_is_approved_waits_for_its_window(base: Base) {
    let site = base.site("a", EnvironmentState::Active).await;
    let console = Base::console();
    let said = |windows: &[String]| SetPolicy {
        automatic: Some(true),
        auto_approve: Some(true),
        windows: Some(windows.to_vec()),
        time_zone: Some("UTC".into()),
        ..SetPolicy::default()
    };
    // The first of January 1970 was a Thursday.
    let today = base.store.now().await.unwrap();
    let days = usize::try_from(today.seconds() / 86_400).unwrap();
    let in_three_days = Day::ALL[(days + 3 + 3) % 7].as_str();
    let window = format!("{in_three_days} 02:00-04:00");
    let of = PolicyTarget::Site(site.id);
    let set = base.fleet.set_update_policy(&console, of, said(&[window]));
    set.await.unwrap();

    let row = approved(&base, by_policy(&site, base.account), None).await;
    assert_eq!(base.fleet.attend_to_pipelines().await.unwrap(), 0);
    let held = now(&base, &row).await;
    assert_eq!(held.status, PipelineState::Approved, "{held:?}");
    assert_eq!(held.job_id, None);
    let until = held.scheduled_at.unwrap();
    let day = Duration::from_hours(24);
    assert!(until > today.plus(day * 2), "{until:?}");
    assert!(until < today.plus(day * 4), "{until:?}");
    let opens = until.seconds() % 86_400 / 60;
    assert!((120..240).contains(&opens), "at minute {opens} of the day");

    // Whoever opens the window need not wait.
    let set = base.fleet.set_update_policy(&console, of, said(&[]));
    set.await.unwrap();
    assert_eq!(base.fleet.attend_to_pipelines().await.unwrap(), 1);
    assert!(now(&base, &row).await.job_id.is_some());
}

/// Whose zone is not known: what would be in a window by UTC may be outside of it there.
async fn a_window_of_unknown_clocks_is_closed(base: Base) {
    let site = base.site("a", EnvironmentState::Active).await;
    let set = SetPolicy {
        automatic: Some(true),
        auto_approve: Some(true),
        windows: Some(vec!["00:00-24:00".into()]),
        ..SetPolicy::default()
    };
    let of = PolicyTarget::Site(site.id);
    let console = Base::console();
    let view = base.fleet.set_update_policy(&console, of, set);
    assert_eq!(view.await.unwrap().now, None);

    let row = approved(&base, by_policy(&site, base.account), None).await;
    assert_eq!(base.fleet.attend_to_pipelines().await.unwrap(), 0);
    let held = now(&base, &row).await;
    assert_eq!((held.status, held.job_id), (PipelineState::Approved, None));
    assert!(held.scheduled_at > Some(base.store.now().await.unwrap()));
    // Now it has told them.
    policies::enrol(&base.store).await.unwrap();
    policies::set_zone(&base.store, site.site_id, "Europe/Berlin")
        .await
        .unwrap();
    base.store.advance_clock(Duration::from_mins(2));
    assert_eq!(base.fleet.attend_to_pipelines().await.unwrap(), 1);
    assert!(now(&base, &row).await.job_id.is_some());
}

async fn what_is_approved_is_set_out_once_and_not_beside_other_work(base: Base) {
    let site = base.site("a", EnvironmentState::Active).await;
    let first = approved(&base, new_pipeline(&site, base.account), Some("one")).await;
    assert_eq!(base.fleet.attend_to_pipelines().await.unwrap(), 1);
    let job = now(&base, &first).await.job_id.unwrap();
    // Once is enough, however often one looks.
    assert_eq!(base.fleet.attend_to_pipelines().await.unwrap(), 0);
    assert_eq!(now(&base, &first).await.job_id, Some(job));
    // That job is other work to what comes next.
    base.raw("UPDATE pipelines SET status = 'completed', finished_at = 1")
        .await;
    let second = approved(&base, new_pipeline(&site, base.account), Some("one")).await;
    assert_eq!(base.fleet.attend_to_pipelines().await.unwrap(), 0);
    assert_eq!(now(&base, &second).await.job_id, None);
    base.raw("UPDATE jobs SET state = 'failed', finished_at = 1")
        .await;
    assert_eq!(base.fleet.attend_to_pipelines().await.unwrap(), 1);
    assert_ne!(now(&base, &second).await.job_id, Some(job));
}
