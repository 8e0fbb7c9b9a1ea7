//! Sites as their account knows them, where none can be reached.

use crate::{
    base::Base,
    statements::{self, Statements},
};
use pressroom_base::{Kind, id::JobId};
use pressroom_fleet::{
    Caller,
    principal::Role,
    sites::{AddSite, EditSite, SiteQuery},
};
use pressroom_jobs::{JobRow, JobState, Runner, RunnerConfig};
use pressroom_store::{EnvironmentState, jobs, sites};
use std::time::Duration;
use tokio_util::sync::CancellationToken;

crate::on_both! {
    statements_do_not_grow_with_the_sites
    what_cannot_be_connected_is_tried_again_and_says_why
    a_site_that_nobody_looks_for_is_found_by_tidying
    roles_decide_who_adds_and_forgets
}

fn new(base: &Base, name: &str, url: &str) -> AddSite {
    AddSite {
        account: base.account,
        name: name.into(),
        url: url.into(),
        method: None,
        ssh: None,
        tags: Vec::new(),
    }
}

async fn statements_do_not_grow_with_the_sites(base: Base) {
    let caller = base.person(Role::Viewer);
    let admin = base.person(Role::Admin);
    let mut counted = Vec::new();
    for numbers in [0..2, 2..30] {
        for number in numbers.clone() {
            base.site(&format!("s{number:02}"), EnvironmentState::Active)
                .await;
            let pending = new(
                &base,
                &format!("p{number:02}"),
                &format!("https://p{number}.example"),
            );
            base.fleet.add_site(&admin, pending).await.unwrap();
        }
        let statements = Statements::default();
        let counting = statements::count(&statements);
        let query = SiteQuery {
            text: Some("example".into()),
            ..SiteQuery::default()
        };
        let (found, total) = base
            .fleet
            .list_sites(&caller, base.account, query, 100, 0)
            .await
            .unwrap();
        drop(counting);
        assert_eq!(
            (found.len(), total),
            (2 * numbers.end, 2 * numbers.end as u64)
        );
        counted.push(statements.get());
    }
    assert_eq!(counted[0], counted[1]);
    assert!((2..=4).contains(&counted[0]), "{counted:?}");
}

/// The job that looks for a site, once it has tried so often.
async fn tried(base: &Base, times: i32) -> JobRow {
    let config = RunnerConfig {
        poll: Duration::from_millis(20),
        ..RunnerConfig::default()
    };
    let shutdown = CancellationToken::new();
    let runner = Runner::new(base.store.clone(), base.fleet.job_kinds(), config);
    let running = tokio::spawn(runner.run(shutdown.clone()));
    let waiting = async {
        loop {
            let found = jobs::unfinished_of_kind(&base.store, "site_connect").await;
            if let Some(row) = found.unwrap().pop()
                && row.state == JobState::Queued
                && row.attempt == times
            {
                return row;
            }
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    };
    let row = tokio::time::timeout(Duration::from_mins(1), waiting)
        .await
        .expect("it is tried");
    shutdown.cancel();
    running.await.unwrap();
    row
}

async fn what_cannot_be_connected_is_tried_again_and_says_why(base: Base) {
    let console = Base::console();
    let domain = Base::new_domain("own.example");
    base.fleet.add_domain(&console, domain).await.unwrap();
    let admin = base.person(Role::Admin);
    let added = base
        .fleet
        .add_site(&admin, new(&base, "Own", "http://own.example"))
        .await
        .unwrap();
    assert!(added.invitation.is_none(), "it is local");
    let row = tried(&base, 1).await;
    let now = base.store.now().await.unwrap();
    let wait = row.run_at.millis() - now.millis();
    assert!((0..=30_000).contains(&wait), "{wait} ms");
    let pending = base.fleet.list_unconnected_sites(&admin).await.unwrap();
    let why = pending[0].trouble.clone().unwrap_or_default();
    assert!(
        why.contains("is not there; place the site's WordPress"),
        "{why}"
    );
    assert!(pending[0].tried_at.is_some());
    // It comes when its time is there, ever later, and says the same once.
    base.store.advance_clock(Duration::from_secs(31));
    let row = tried(&base, 2).await;
    let wait = row.run_at.millis() - base.store.now().await.unwrap().millis();
    assert!((20_000..=60_000).contains(&wait), "{wait} ms");
    let told = pressroom_store::activity::list(
        &base.store,
        &pressroom_store::Scope::All,
        pressroom_store::Page::ALL,
    );
    let told = told.await.unwrap();
    let failed = told
        .iter()
        .filter(|line| line.kind == "site.connect_failed");
    assert_eq!(failed.count(), 1);
    // Another address is tried at once, as if for the first time.
    let id = added.details.site.id;
    let edit = EditSite {
        url: Some("http://own.example/blog".into()),
        ..EditSite::default()
    };
    let edited = base.fleet.edit_site(&admin, id, edit).await.unwrap();
    assert_eq!(edited.site.trouble, None);
    let again = tried(&base, 1).await;
    assert_eq!(again.id, row.id, "there is one for each site");
    // Paused, the job comes to an end by itself; resumed, there is another.
    set_paused(&base, &admin, id, true).await;
    base.store.advance_clock(Duration::from_hours(1));
    assert_eq!(base.ended(again.id).await.state, JobState::Completed);
    base.fleet.tidy().await.unwrap();
    assert!(unfinished(&base).await.is_empty());
    set_paused(&base, &admin, id, false).await;
    assert_eq!(unfinished(&base).await.len(), 1);
    // What is forgotten is looked for once more and not found.
    base.fleet.forget_site(&admin, id).await.unwrap();
    let last = unfinished(&base).await[0];
    assert_eq!(base.ended(last).await.state, JobState::Completed);
}

async fn set_paused(base: &Base, caller: &Caller, id: pressroom_base::id::SiteId, paused: bool) {
    let edit = EditSite {
        paused: Some(paused),
        ..EditSite::default()
    };
    base.fleet.edit_site(caller, id, edit).await.unwrap();
}

async fn unfinished(base: &Base) -> Vec<JobId> {
    let found = jobs::unfinished_of_kind(&base.store, "site_connect").await;
    found.unwrap().into_iter().map(|row| row.id).collect()
}

async fn a_site_that_nobody_looks_for_is_found_by_tidying(base: Base) {
    let admin = base.person(Role::Admin);
    let console = Base::console();
    let added = base
        .fleet
        .add_site(&admin, new(&base, "Far", "https://far.example"))
        .await
        .unwrap();
    assert!(added.invitation.is_some());
    let job = unfinished(&base).await[0];
    base.fleet.cancel_job(&console, job, "test").await.unwrap();
    assert!(unfinished(&base).await.is_empty());
    base.fleet.tidy().await.unwrap();
    assert_eq!(unfinished(&base).await.len(), 1);
    base.fleet.tidy().await.unwrap();
    assert_eq!(unfinished(&base).await.len(), 1);
}

async fn roles_decide_who_adds_and_forgets(base: Base) {
    let admin = base.person(Role::Admin);
    let site = new(&base, "Far", "https://far.example");
    let added = base.fleet.add_site(&admin, site.clone()).await.unwrap();
    let id = added.details.site.id;
    for role in [Role::Viewer, Role::Member] {
        let person = base.person(role);
        let refused = [
            base.fleet.add_site(&person, site.clone()).await.err(),
            base.fleet
                .edit_site(&person, id, EditSite::default())
                .await
                .err(),
            base.fleet.forget_site(&person, id).await.err(),
        ];
        for error in refused {
            assert_eq!(
                error.map(|error| error.kind()),
                Some(Kind::Forbidden),
                "{role:?}"
            );
        }
    }
    let twice = base.fleet.add_site(&admin, site).await.unwrap_err();
    assert_eq!(twice.message(), "url has already been taken");
    base.fleet.forget_site(&admin, id).await.unwrap();
    assert!(sites::known(&base.store, id).await.unwrap().is_none());
}
