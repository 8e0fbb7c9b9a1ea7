use crate::base::Base;
use pressroom_base::id::{AccountId, EnvironmentId, SiteId};
use pressroom_store::{
    Error, NewFinding, NewPipeline, NewTarget, Page, PipelineFilter, PipelinePatch, PipelineRow,
    PipelineState, Scope, TargetPatch, TargetState, environments, pipelines,
};
use serde_json::json;
use std::time::Duration;

crate::on_both! {
    a_site_has_one_that_is_not_over
    of_many_that_change_it_one_does
    targets_and_findings_go_with_it
    lists_are_scoped_and_newest_first
    an_approved_one_waits_for_its_time
}

async fn site(base: &Base, account: AccountId, name: &str) -> SiteId {
    let tx = base.store.begin().await.unwrap();
    let site = environments::create_site(&tx, account, name, name).await;
    let id = site.unwrap().id;
    tx.commit().await.unwrap();
    id
}

fn new(site: SiteId, account: AccountId) -> NewPipeline {
    NewPipeline {
        site_id: site,
        account_id: account,
        environment_id: EnvironmentId::new(1),
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

fn target(slug: &str) -> NewTarget {
    NewTarget {
        kind: "plugin".into(),
        slug: slug.into(),
        wanted: None,
    }
}

async fn made(base: &Base, new: NewPipeline) -> Result<PipelineRow, Error> {
    let tx = base.store.begin().await.unwrap();
    let row = pipelines::create(&tx, new, vec![target("b"), target("a")]).await?;
    tx.commit().await.unwrap();
    Ok(row)
}

async fn to(base: &Base, row: &PipelineRow, from: &[PipelineState], status: PipelineState) -> bool {
    let tx = base.store.begin().await.unwrap();
    let patch = PipelinePatch {
        status: Some(status),
        ..PipelinePatch::default()
    };
    let changed = pipelines::change(&tx, row.id, from, patch).await.unwrap();
    tx.commit().await.unwrap();
    changed.is_some()
}

async fn a_site_has_one_that_is_not_over(base: Base) {
    let account = base.account("Acme").await.id;
    let site = site(&base, account, "a").await;
    let row = made(&base, new(site, account)).await.unwrap();
    let second = made(&base, new(site, account)).await;
    assert!(matches!(second, Err(Error::Exists { .. })), "{second:?}");
    let open = pipelines::open_of(&base.store, site).await.unwrap();
    assert_eq!(open.map(|row| row.id), Some(row.id));

    let pending = [PipelineState::Pending];
    assert!(to(&base, &row, &pending, PipelineState::Preflight).await);
    let begun = pipelines::get(&base.store, row.id).await.unwrap().unwrap();
    assert!(begun.started_at.is_some() && begun.finished_at.is_none());
    assert!(
        to(
            &base,
            &row,
            &[PipelineState::Preflight],
            PipelineState::Failed
        )
        .await
    );
    let over = pipelines::get(&base.store, row.id).await.unwrap().unwrap();
    assert!(over.finished_at.is_some());
    assert_eq!(pipelines::open_of(&base.store, site).await.unwrap(), None);
    made(&base, new(site, account)).await.unwrap();
}

async fn of_many_that_change_it_one_does(base: Base) {
    let account = base.account("Acme").await.id;
    let site = site(&base, account, "a").await;
    let row = made(&base, new(site, account)).await.unwrap();
    let pending = [PipelineState::Pending];
    let tries = (0..8).map(|_| to(&base, &row, &pending, PipelineState::Cancelled));
    let changed = futures_util::future::join_all(tries).await;
    assert_eq!(changed.into_iter().filter(|it| *it).count(), 1);
}

async fn an_approved_one_waits_for_its_time(base: Base) {
    let account = base.account("Acme").await.id;
    let site = site(&base, account, "a").await;
    let row = made(&base, new(site, account)).await.unwrap();
    let pending = [PipelineState::Pending];
    assert!(to(&base, &row, &pending, PipelineState::Approved).await);
    let waiting = || async { pipelines::waiting(&base.store).await.unwrap().len() };
    assert_eq!(waiting().await, 1);
    let hour = Duration::from_hours(1);
    let tx = base.store.begin().await.unwrap();
    let patch = PipelinePatch {
        scheduled_at: Some(tx.now().await.unwrap().plus(hour)),
        ..PipelinePatch::default()
    };
    let approved = [PipelineState::Approved];
    let changed = pipelines::change(&tx, row.id, &approved, patch).await;
    assert!(changed.unwrap().is_some());
    tx.commit().await.unwrap();
    assert_eq!(waiting().await, 0);
    base.store.advance_clock(hour);
    assert_eq!(waiting().await, 1);
}

async fn targets_and_findings_go_with_it(base: Base) {
    let account = base.account("Acme").await.id;
    let site = site(&base, account, "a").await;
    let row = made(&base, new(site, account)).await.unwrap();
    let targets = pipelines::targets(&base.store, row.id).await.unwrap();
    let slugs: Vec<_> = targets.iter().map(|it| it.slug.as_str()).collect();
    assert_eq!(
        slugs,
        ["b", "a"],
        "in the order in which they were asked for"
    );
    let tx = base.store.begin().await.unwrap();
    let patch = TargetPatch {
        ordinal: Some(0),
        active: Some(true),
        status: Some(TargetState::Updated),
        detail: Some(json!({ "hash": "x" })),
        ..TargetPatch::default()
    };
    let set = pipelines::set_target(&tx, targets[1].id, patch)
        .await
        .unwrap();
    assert_eq!(
        (set.active, &set.detail),
        (Some(true), &json!({ "hash": "x" }))
    );
    assert_eq!(pipelines::skip_others(&tx, row.id, "why").await.unwrap(), 1);
    let finding = NewFinding {
        stage: "rehearsal".into(),
        target: Some("plugin a".into()),
        what: "fatal_error".into(),
        severity: "blocking".into(),
        place: "/".into(),
        was: "200".into(),
        now: "500".into(),
        message: "it died".into(),
    };
    pipelines::add_findings(&tx, row.id, vec![finding])
        .await
        .unwrap();
    tx.commit().await.unwrap();
    let targets = pipelines::targets(&base.store, row.id).await.unwrap();
    let told: Vec<_> = targets
        .iter()
        .map(|it| (it.slug.as_str(), it.status))
        .collect();
    assert_eq!(
        told,
        [("a", TargetState::Updated), ("b", TargetState::Skipped)]
    );
    assert_eq!(targets[1].error.as_deref(), Some("why"));
    let found = pipelines::findings(&base.store, row.id).await.unwrap();
    assert_eq!(found[0].message, "it died");

    assert!(to(&base, &row, PipelineState::ALL, PipelineState::Completed).await);
    let tx = base.store.begin().await.unwrap();
    let kept = pipelines::prune(&tx, Duration::from_hours(1))
        .await
        .unwrap();
    tx.commit().await.unwrap();
    assert_eq!(kept, 0);
    tokio::time::sleep(Duration::from_millis(5)).await;
    // A transaction's clock stands still.
    let tx = base.store.begin().await.unwrap();
    let gone = pipelines::prune(&tx, Duration::from_millis(1))
        .await
        .unwrap();
    tx.commit().await.unwrap();
    assert_eq!(gone, 1);
    assert!(
        pipelines::findings(&base.store, row.id)
            .await
            .unwrap()
            .is_empty()
    );
    assert!(
        pipelines::targets(&base.store, row.id)
            .await
            .unwrap()
            .is_empty()
    );
}

async fn lists_are_scoped_and_newest_first(base: Base) {
    let (acme, other) = (
        base.account("Acme").await.id,
        base.account("Other").await.id,
    );
    let mut rows = Vec::new();
    for (account, name) in [(acme, "a"), (acme, "b"), (other, "c")] {
        let site = site(&base, account, name).await;
        rows.push(made(&base, new(site, account)).await.unwrap());
    }
    let filter = PipelineFilter::default();
    let own = Scope::Accounts(vec![acme]);
    let page = Page::first(10);
    let list = pipelines::list(&base.store, &own, &filter, page)
        .await
        .unwrap();
    let ids: Vec<_> = list.iter().map(|row| row.id).collect();
    assert_eq!(ids, [rows[1].id, rows[0].id]);
    assert_eq!(
        pipelines::count(&base.store, &own, &filter).await.unwrap(),
        2
    );
    let foreign = pipelines::by_short_id(&base.store, &own, &rows[2].short_id).await;
    assert!(matches!(foreign.unwrap(), pressroom_store::Lookup::Foreign));
    assert!(
        to(
            &base,
            &rows[0],
            PipelineState::ALL,
            PipelineState::Cancelled
        )
        .await
    );
    let open = PipelineFilter {
        open: true,
        ..PipelineFilter::default()
    };
    let list = pipelines::list(&base.store, &Scope::All, &open, page)
        .await
        .unwrap();
    assert_eq!(list.len(), 2);
}
