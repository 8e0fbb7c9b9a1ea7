use crate::base::Base;
use pressroom_base::id::{AccountId, EnvironmentId, SiteId};
use pressroom_store::{
    Error, Lookup, NewFinding, NewPicture, NewPipeline, NewTarget, Page, PictureMoment, PictureRow,
    PipelineFilter, PipelinePatch, PipelineRow, PipelineState, Scope, TargetPatch, TargetState,
    environments, pipelines,
};
use serde_json::json;
use std::time::Duration;

crate::on_both! {
    a_site_has_one_that_is_not_over
    of_many_that_change_it_one_does
    targets_and_findings_go_with_it
    lists_are_scoped_and_newest_first
    pictures_are_there_once_kept_and_scoped
    pictures_outlive_no_pipeline
    an_approved_one_waits_for_its_time
    a_snapshot_is_found_with_its_pipeline
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

async fn a_snapshot_is_found_with_its_pipeline(base: Base) {
    let account = base.account("Acme").await.id;
    let (one, other) = (
        site(&base, account, "a").await,
        site(&base, account, "b").await,
    );
    let row = made(&base, new(one, account)).await.unwrap();
    made(&base, new(other, account)).await.unwrap();
    let taken = row.short_id.clone();
    let tx = base.store.begin().await.unwrap();
    let patch = PipelinePatch {
        snapshot_id: Some(taken.to_string()),
        ..PipelinePatch::default()
    };
    let pending = [PipelineState::Pending];
    pipelines::change(&tx, row.id, &pending, patch)
        .await
        .unwrap();
    tx.commit().await.unwrap();
    let asked = [taken.clone()];
    let found = pipelines::of_snapshots(&base.store, one, &asked)
        .await
        .unwrap();
    assert_eq!(found.get(taken.as_str()), Some(&row.short_id));
    let found = pipelines::of_snapshots(&base.store, other, &asked)
        .await
        .unwrap();
    assert!(found.is_empty());
    let of_one = PipelineFilter {
        site_ids: Some(vec![one]),
        ..PipelineFilter::default()
    };
    let list = pipelines::list(&base.store, &Scope::All, &of_one, Page::first(9)).await;
    assert_eq!(list.unwrap().len(), 1);
    let nobody = PipelineFilter {
        site_ids: Some(Vec::new()),
        ..PipelineFilter::default()
    };
    let list = pipelines::list(&base.store, &Scope::All, &nobody, Page::first(9)).await;
    assert!(list.unwrap().is_empty());
}

/// Two of a page, written and kept.
async fn pictured(base: &Base, of: &PipelineRow, target: Option<&str>) -> Vec<PictureRow> {
    let mut rows = Vec::new();
    for moment in [PictureMoment::Before, PictureMoment::After] {
        let new = NewPicture {
            pipeline_id: of.id,
            account_id: of.account_id,
            environment_id: of.environment_id,
            stage: "rehearsal".into(),
            target: target.map(Into::into),
            page: "/".into(),
            screen: "desktop".into(),
            moment,
            shot: "1-desktop-1".into(),
            width: 1280,
            height: 900,
            areas: json!([]),
            changed: false,
            size: 3_000_000_000,
        };
        let tx = base.store.begin().await.unwrap();
        let row = pipelines::add_picture(&tx, new).await.unwrap();
        assert!(pipelines::keep_picture(&tx, row.id).await.unwrap());
        tx.commit().await.unwrap();
        rows.push(row);
    }
    rows
}

/// Those that are to be removed.
async fn loose(base: &Base, lasts: Duration, writing: Duration) -> Vec<PictureRow> {
    pipelines::loose_pictures(&base.store, lasts, writing, 10)
        .await
        .unwrap()
}

async fn pictures_are_there_once_kept_and_scoped(base: Base) {
    let (acme, other) = (
        base.account("Acme").await.id,
        base.account("Other").await.id,
    );
    let site = site(&base, acme, "a").await;
    let row = made(&base, new(site, acme)).await.unwrap();
    let kept = pictured(&base, &row, None).await;
    let blamed = pictured(&base, &row, Some("plugin a")).await;
    let found = pipelines::pictures(&base.store, row.id).await.unwrap();
    let ids: Vec<_> = found.iter().map(|it| it.id).collect();
    let expected: Vec<_> = kept.iter().chain(&blamed).map(|it| it.id).collect();
    assert_eq!(ids, expected, "in the order in which they were kept");
    assert_eq!(found[0].size, 3_000_000_000);

    let id = &kept[0].short_id;
    for (scope, is_own) in [
        (Scope::All, true),
        (Scope::Accounts(vec![acme]), true),
        (Scope::Accounts(vec![other]), false),
        (Scope::Accounts(Vec::new()), false),
    ] {
        let found = pipelines::picture(&base.store, &scope, id).await.unwrap();
        match found {
            Lookup::Found(found) => assert!(is_own && found.id == kept[0].id, "{scope:?}"),
            Lookup::Foreign => assert!(!is_own, "{scope:?}"),
            Lookup::Missing => panic!("it is there: {scope:?}"),
        }
    }

    // Those of one target go, then those of the stage.
    let tx = base.store.begin().await.unwrap();
    let dropped = pipelines::drop_pictures_of(&tx, row.id, "rehearsal", Some("plugin a")).await;
    assert_eq!(dropped.unwrap(), 2);
    assert!(!pipelines::keep_picture(&tx, blamed[0].id).await.unwrap());
    tx.commit().await.unwrap();
    let left = pipelines::pictures(&base.store, row.id).await.unwrap();
    assert_eq!(left.len(), 2);
    let gone = &blamed[0].short_id;
    let gone = pipelines::picture(&base.store, &Scope::All, gone).await;
    assert!(matches!(gone.unwrap(), Lookup::Missing));
    let tx = base.store.begin().await.unwrap();
    assert_eq!(
        pipelines::drop_pictures_of(&tx, row.id, "upgrade", None)
            .await
            .unwrap(),
        0
    );
    pipelines::drop_pictures(&tx, row.id, "rehearsal")
        .await
        .unwrap();
    tx.commit().await.unwrap();
    let left = pipelines::pictures(&base.store, row.id).await.unwrap();
    assert_eq!(left, []);
    let day = Duration::from_hours(24);
    assert_eq!(
        loose(&base, day, day).await.len(),
        4,
        "their bytes are to go"
    );
}

async fn pictures_outlive_no_pipeline(base: Base) {
    let account = base.account("Acme").await.id;
    let site = site(&base, account, "a").await;
    let row = made(&base, new(site, account)).await.unwrap();
    let kept = pictured(&base, &row, None).await;
    let (day, soon) = (Duration::from_hours(24), Duration::from_millis(1));
    assert_eq!(loose(&base, soon, soon).await, [], "it is not over");

    // What nobody finished writing is to go, once no writer can be at it any more.
    let tx = base.store.begin().await.unwrap();
    let half = NewPicture {
        pipeline_id: row.id,
        account_id: account,
        environment_id: row.environment_id,
        stage: "verification".into(),
        target: None,
        page: "/".into(),
        screen: "phone".into(),
        moment: PictureMoment::After,
        shot: "1-phone-1".into(),
        width: 390,
        height: 844,
        areas: json!([]),
        changed: false,
        size: 1,
    };
    let half = pipelines::add_picture(&tx, half).await.unwrap();
    tx.commit().await.unwrap();
    tokio::time::sleep(Duration::from_millis(5)).await;
    assert_eq!(loose(&base, day, day).await, []);
    let written: Vec<_> = loose(&base, day, soon).await;
    assert_eq!(
        written.iter().map(|it| it.id).collect::<Vec<_>>(),
        [half.id]
    );
    assert_eq!(
        pipelines::pictures(&base.store, row.id)
            .await
            .unwrap()
            .len(),
        2
    );

    assert!(to(&base, &row, PipelineState::ALL, PipelineState::Completed).await);
    tokio::time::sleep(Duration::from_millis(5)).await;
    assert_eq!(loose(&base, day, day).await, []);
    assert_eq!(
        loose(&base, soon, day).await.len(),
        3,
        "it was over for long"
    );
    let tx = base.store.begin().await.unwrap();
    pipelines::prune(&tx, Duration::from_millis(1))
        .await
        .unwrap();
    tx.commit().await.unwrap();
    // The rows stay until the bytes are gone: nothing else says where they are.
    let orphaned = loose(&base, day, day).await;
    assert_eq!(orphaned.len(), 3);
    let tx = base.store.begin().await.unwrap();
    for picture in &orphaned {
        pipelines::forget_picture(&tx, picture.id).await.unwrap();
    }
    tx.commit().await.unwrap();
    assert_eq!(loose(&base, soon, soon).await, []);
    let gone = pipelines::picture(&base.store, &Scope::All, &kept[0].short_id).await;
    assert!(matches!(gone.unwrap(), Lookup::Missing));
}
