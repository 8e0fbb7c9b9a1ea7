//! Runs: who may start them, and that each item ends, whatever there is at the sites.

use crate::base::Base;
use pressroom_base::Kind;
use pressroom_fleet::{
    Caller,
    caches::CacheChange,
    code,
    components::{Change, ChangeComponents},
    database::SearchReplace,
    principal::{Grants, Principal, Role},
    runs::{Bounds, Command, NewRun, Operation, Resumed, Run, RunItem},
    security::{Measure, SetSecurity},
};
use pressroom_jobs::{NewJob, enqueue};
use pressroom_store::{
    EnvironmentState, NewAccount, NewDomain, NewEnvironment, NewUser, accounts, domains,
    environments, runs, users,
};
use std::time::Duration;

crate::on_both! {
    only_who_may_do_anything_there_runs_commands
    every_item_ends_and_tells_why
    rights_are_looked_at_again
    a_site_that_is_busy_is_waited_for
    a_run_that_nobody_began_is_stopped_at_once
    what_was_not_begun_is_resumed_and_the_rest_only_when_asked
    other_operations_take_the_same_way
    nonsense_is_refused_before_anything_is_begun
    sites_in_one_place_take_turns
    what_may_be_wrong_with_a_selector_is_told
}

fn command(argv: &[&str]) -> Operation {
    Operation::Command(Command {
        argv: argv.iter().map(ToString::to_string).collect(),
        limit_ms: 5000,
        read_only: false,
    })
}

fn on(selector: &str, operation: Operation) -> NewRun {
    NewRun {
        selector: selector.into(),
        operation,
        bounds: Bounds {
            wait: Duration::ZERO,
            ..Bounds::default()
        },
    }
}

/// Runs jobs until the run is over; its items.
async fn ended(base: &Base, run: &Run) -> (Run, Vec<RunItem>) {
    let row = runs::by_public_id(&base.store, &run.id).await.unwrap();
    base.ended(row.unwrap().job_id.unwrap()).await;
    let console = Base::console();
    let run = base.fleet.find_run(&console, &run.id).await.unwrap();
    assert!(run.is_over() && run.left() == 0, "{run:?}");
    let items = base.fleet.run_items(&console, &run.id, 0, 100).await;
    (run, items.unwrap())
}

fn states(items: &[RunItem]) -> Vec<(&str, &str)> {
    items
        .iter()
        .map(|item| (item.label.as_str(), item.state.as_str()))
        .collect()
}

async fn foreign_site(base: &Base, name: &str) {
    let tx = base.store.begin().await.unwrap();
    let other = NewAccount {
        name: "Other".into(),
        prefix: None,
        capabilities: Vec::new(),
    };
    let account = accounts::create(&tx, other).await.unwrap();
    let site = environments::create_site(&tx, account.id, name, name);
    let site = site.await.unwrap();
    let new = NewEnvironment {
        account_id: account.id,
        ..base.new_environment(site.id, name, EnvironmentState::Active)
    };
    environments::create(&tx, new).await.unwrap();
    tx.commit().await.unwrap();
}

async fn only_who_may_do_anything_there_runs_commands(base: Base) {
    base.site("a", EnvironmentState::Active).await;
    foreign_site(&base, "foreign").await;
    let start = async |caller: &Caller, selector: &str| {
        base.fleet
            .start_run(caller, on(selector, command(&["true"])))
            .await
            .map(|started| started.run)
    };
    for role in [Role::Viewer, Role::Member] {
        let refused = start(&base.person(role), "all").await.unwrap_err();
        assert_eq!(refused.kind(), Kind::Forbidden, "{role:?}");
        assert!(refused.message().contains("`Acme`"), "{refused}");
    }
    let mut reader = base.person(Role::Owner);
    for grants in [Grants::Read, Grants::Nothing] {
        reader.principal.grants = grants;
        let refused = start(&reader, "all").await.unwrap_err();
        assert_eq!(refused.kind(), Kind::Forbidden, "{grants:?}");
    }
    let nothing = base.fleet.list_runs(&Base::console(), 10).await.unwrap();
    assert!(nothing.is_empty());

    // Of `all` and of a foreign name, one's own sites alone are meant.
    let owner = base.person(Role::Admin);
    let run = start(&owner, "all").await.unwrap();
    assert_eq!((run.total(), run.state.as_str()), (1, "waiting"));
    let items = base.fleet.run_items(&owner, &run.id, 0, 10).await.unwrap();
    assert_eq!(states(&items), [("a.example", "waiting")]);
    for selector in ["site:foreign", "account:Other"] {
        let refused = start(&owner, selector).await.unwrap_err();
        assert_eq!(refused.kind(), Kind::NotFound);
    }

    // What operators run is not theirs to see or stop, not even their own site's part.
    let all = start(&Base::console(), "all").await.unwrap();
    assert_eq!(all.total(), 2);
    let found = base.fleet.find_run(&owner, &all.id).await.unwrap_err();
    assert_eq!(
        (found.kind(), found.code()),
        (Kind::NotFound, Some(code::FOREIGN))
    );
    assert!(base.fleet.run_items(&owner, &all.id, 0, 9).await.is_err());
    assert!(base.fleet.run_output(&owner, &all.id, 1, 0).await.is_err());
    assert!(base.fleet.cancel_run(&owner, &all.id, "").await.is_err());
    assert!(base.fleet.resume_run(&owner, &all.id, true).await.is_err());
    let listed = base.fleet.list_runs(&owner, 10).await.unwrap();
    assert_eq!(listed.len(), 1);
    // A one-time right to look is none to stop.
    let mut reader = owner.clone();
    reader.principal.grants = Grants::Read;
    assert!(base.fleet.find_run(&reader, &run.id).await.is_ok());
    let refused = base.fleet.cancel_run(&reader, &run.id, "").await;
    assert_eq!(refused.unwrap_err().kind(), Kind::Forbidden);
    assert!(
        !base
            .fleet
            .find_run(&owner, &run.id)
            .await
            .unwrap()
            .is_over()
    );

    // Nonsense is refused before anything is recorded.
    for bad in [command(&[]), command(&[""]), command(&["a\0"])] {
        let refused = base.fleet.start_run(&Base::console(), on("all", bad)).await;
        assert_eq!(refused.unwrap_err().kind(), Kind::Invalid);
    }
    let mut wide = on("all", command(&["true"]));
    wide.bounds.at_once = 0;
    let refused = base.fleet.start_run(&Base::console(), wide).await;
    assert_eq!(refused.unwrap_err().kind(), Kind::Invalid);
    let refused = start(&Base::console(), "plugn:x").await.unwrap_err();
    assert_eq!(refused.kind(), Kind::Invalid);
    assert!(refused.message().contains("plugn"), "{refused}");
}

async fn every_item_ends_and_tells_why(base: Base) {
    for name in ["a", "b", "c"] {
        base.site(name, EnvironmentState::Active).await;
    }
    base.site("d", EnvironmentState::Deleting).await;
    base.site("e", EnvironmentState::Broken).await;
    let mut new = on("all", command(&["true"]));
    new.bounds.at_once = 2;
    let run = base
        .fleet
        .start_run(&Base::console(), new)
        .await
        .unwrap()
        .run;
    let (run, items) = ended(&base, &run).await;
    // None of them has a directory: that is each one's own failure.
    assert_eq!(
        states(&items),
        [
            ("a.example", "failed"),
            ("b.example", "failed"),
            ("c.example", "failed"),
            ("d.example", "skipped"),
            ("e.example", "failed"),
        ]
    );
    assert!(items[0].note.contains("no directory"), "{items:?}");
    assert_eq!(items[3].note, "the site is being removed");
    assert!(items[3].started_at.is_none());
    assert_eq!((run.state.as_str(), run.count("failed")), ("ended", 4));
    assert!(!run.is_success());
}

async fn rights_are_looked_at_again(base: Base) {
    base.site("a", EnvironmentState::Active).await;
    // This person is in no table: as if they had been removed while the run waited.
    let gone = base.person(Role::Owner);
    let new = on("all", command(&["true"]));
    let run = base.fleet.start_run(&gone, new).await.unwrap().run;
    let (_, items) = ended(&base, &run).await;
    assert_eq!(states(&items), [("a.example", "skipped")]);
    assert!(items[0].note.contains("may not sign in"), "{items:?}");

    let tx = base.store.begin().await.unwrap();
    let person = NewUser {
        email: "weak@press.example".into(),
        name: "Weak".into(),
        password_hash: "x".into(),
        is_operator: false,
    };
    let person = users::create(&tx, person).await.unwrap();
    let role = pressroom_store::Role::Viewer;
    accounts::set_member(&tx, base.account, person.id, role)
        .await
        .unwrap();
    tx.commit().await.unwrap();
    let mut weaker = base.person(Role::Admin);
    if let pressroom_fleet::principal::Identity::User { id, .. } = &mut weaker.principal.identity {
        *id = person.id;
    }
    let new = on("all", command(&["true"]));
    let run = base.fleet.start_run(&weaker, new).await.unwrap().run;
    let (_, items) = ended(&base, &run).await;
    assert_eq!(states(&items), [("a.example", "skipped")]);
    assert!(items[0].note.contains("any more"), "{items:?}");
}

async fn a_site_that_is_busy_is_waited_for(base: Base) {
    let busy = base.site("a", EnvironmentState::Active).await;
    base.site("b", EnvironmentState::Active).await;
    let tx = base.store.begin().await.unwrap();
    let mut job = NewJob::new("of_another_process", serde_json::Value::Null);
    job.environment = Some(busy.id);
    let job = enqueue(&tx, job).await.unwrap();
    tx.commit().await.unwrap();
    let new = on("all", command(&["true"]));
    let run = base
        .fleet
        .start_run(&Base::console(), new)
        .await
        .unwrap()
        .run;
    let (_, items) = ended(&base, &run).await;
    assert_eq!(
        states(&items),
        [("a.example", "skipped"), ("b.example", "failed")]
    );
    assert!(items[0].note.contains("another operation"), "{items:?}");

    // With patience its turn comes; what only looks need not wait.
    let mut patient = on("site:a", command(&["true"]));
    patient.bounds.wait = Duration::from_mins(1);
    let patient = base
        .fleet
        .start_run(&Base::console(), patient)
        .await
        .unwrap()
        .run;
    let looking = Operation::Command(Command {
        argv: vec!["true".into()],
        limit_ms: 1000,
        read_only: true,
    });
    let looking = base
        .fleet
        .start_run(&Base::console(), on("site:a", looking))
        .await;
    let (_, items) = ended(&base, &looking.unwrap().run).await;
    assert_eq!(states(&items), [("a.example", "failed")]);
    let waiting = base
        .fleet
        .find_run(&Base::console(), &patient.id)
        .await
        .unwrap();
    assert_eq!(waiting.count("waiting"), 1, "{waiting:?}");
    let tx = base.store.begin().await.unwrap();
    pressroom_store::jobs::queue::request_cancel(
        &tx,
        job,
        "done with",
        pressroom_store::jobs::Cancellation::default(),
    )
    .await
    .unwrap();
    tx.commit().await.unwrap();
    let (_, items) = ended(&base, &patient).await;
    assert_eq!(states(&items), [("a.example", "failed")]);
}

async fn a_run_that_nobody_began_is_stopped_at_once(base: Base) {
    base.site("a", EnvironmentState::Active).await;
    let console = Base::console();
    let new = on("all", command(&["true"]));
    let run = base.fleet.start_run(&console, new).await.unwrap().run;
    let run = base
        .fleet
        .cancel_run(&console, &run.id, "wrong")
        .await
        .unwrap();
    assert!(run.is_over());
    assert_eq!(
        (run.state.as_str(), run.count("cancelled")),
        ("cancelled", 1)
    );
    // Once more changes nothing.
    let again = base
        .fleet
        .cancel_run(&console, &run.id, "wrong")
        .await
        .unwrap();
    assert_eq!(again.ended_at, run.ended_at);

    // Stopped as a job it ends as well, by a worker.
    let new = on("all", command(&["true"]));
    let run = base.fleet.start_run(&console, new).await.unwrap().run;
    let row = runs::by_public_id(&base.store, &run.id)
        .await
        .unwrap()
        .unwrap();
    let job = row.job_id.unwrap();
    base.fleet.cancel_job(&console, job, "wrong").await.unwrap();
    let (run, items) = ended(&base, &run).await;
    assert_eq!(run.state, "cancelled");
    assert_eq!(states(&items), [("a.example", "cancelled")]);
    let nobody = Caller::new(Principal {
        grants: Grants::Nothing,
        ..Principal::console()
    });
    assert!(base.fleet.list_runs(&nobody, 1).await.is_err());
}

async fn what_was_not_begun_is_resumed_and_the_rest_only_when_asked(base: Base) {
    base.site("a", EnvironmentState::Active).await;
    base.site("b", EnvironmentState::Deleting).await;
    let console = Base::console();
    let new = on("all", command(&["true"]));
    let first = base.fleet.start_run(&console, new).await.unwrap().run;
    let resume = async |run: &Run, again| base.fleet.resume_run(&console, &run.id, again).await;
    assert!(matches!(resume(&first, false).await, Ok(Resumed::Open(_))));
    let (first, items) = ended(&base, &first).await;
    assert_eq!(
        states(&items),
        [("a.example", "failed"), ("b.example", "skipped")]
    );
    let Ok(Resumed::Started(rest)) = resume(&first, false).await else {
        panic!("nothing was started");
    };
    assert_eq!(rest.resumes.as_deref(), Some(first.id.as_str()));
    let (_, items) = ended(&base, &rest).await;
    assert_eq!(states(&items), [("b.example", "skipped")]);
    let Ok(Resumed::Started(all)) = resume(&first, true).await else {
        panic!("nothing was started");
    };
    let (all, items) = ended(&base, &all).await;
    assert_eq!(items.len(), 2);
    // Where everything was begun there is nothing to do unasked.
    let tx = base.store.begin().await.unwrap();
    let b = runs::by_public_id(&tx, &all.id).await.unwrap().unwrap();
    let b = runs::items(
        &tx,
        b.id,
        &pressroom_store::Scope::All,
        pressroom_store::Page::ALL,
    );
    let b = b.await.unwrap().pop().unwrap();
    environments::remove(&tx, b.environment_id).await.unwrap();
    tx.commit().await.unwrap();
    assert!(matches!(resume(&all, false).await, Ok(Resumed::Nothing(_))));
    // Nor of the first one again: its rest was begun, and ended, by the others.
    assert!(matches!(
        resume(&first, false).await,
        Ok(Resumed::Nothing(_))
    ));
}

async fn other_operations_take_the_same_way(base: Base) {
    base.site("a", EnvironmentState::Active).await;
    base.site("b", EnvironmentState::Installing).await;
    let console = Base::console();
    // One looks at the site before it begins, the other begins and finds nothing.
    for (operation, state) in [
        (Operation::Caches(CacheChange::Flush), "skipped"),
        (Operation::Snapshot, "failed"),
    ] {
        let new = on("all", operation);
        let run = base.fleet.start_run(&console, new).await.unwrap().run;
        let (_, items) = ended(&base, &run).await;
        assert_eq!(items[0].state, state, "{items:?}");
        let begun = items[0].started_at.is_some();
        assert_eq!(begun, state == "failed", "{items:?}");
        assert!(!items[0].note.is_empty());
        assert_eq!(items[1].state, "skipped");
    }
    // A weaker right suffices than for commands.
    let member = base.person(Role::Member);
    let new = on("all", Operation::Maintenance { enabled: true });
    assert!(base.fleet.start_run(&member, new).await.is_ok());
}

async fn nonsense_is_refused_before_anything_is_begun(base: Base) {
    base.site("a", EnvironmentState::Active).await;
    let install = |names: &[&str], source: Option<&str>| {
        Operation::ChangeComponents(ChangeComponents {
            kind: "plugin".into(),
            names: names.iter().map(ToString::to_string).collect(),
            change: Change::Install {
                version: None,
                source: source.map(ToOwned::to_owned),
                activate: false,
            },
        })
    };
    let secret = "https://press.example/x.zip?key=hunter2";
    for operation in [
        install(&[], None),
        install(&["../up"], None),
        install(&["x"], Some(secret)),
        Operation::SearchReplace(SearchReplace::default()),
        Operation::Security(SetSecurity {
            slug: Some("side-door".into()),
            ..SetSecurity::new(Measure::Debug, Some(true))
        }),
    ] {
        let new = on("all", operation);
        let refused = base.fleet.start_run(&Base::console(), new).await;
        let refused = refused.unwrap_err();
        assert_eq!(refused.kind(), Kind::Invalid, "{refused}");
        assert!(!refused.message().contains("hunter2"));
    }
    let mut endless = on("all", command(&["true"]));
    endless.bounds.wait = Duration::from_hours(25);
    let refused = base.fleet.start_run(&Base::console(), endless).await;
    assert_eq!(refused.unwrap_err().kind(), Kind::Invalid);
    assert!(
        base.fleet
            .list_runs(&Base::console(), 10)
            .await
            .unwrap()
            .is_empty()
    );
}

/// However short the time is for which others are waited for.
async fn sites_in_one_place_take_turns(base: Base) {
    let tx = base.store.begin().await.unwrap();
    let domain = NewDomain {
        account_id: base.account,
        name: "shared.example".into(),
        root: "/sites/shared.example".into(),
    };
    let domain = domains::create(&tx, domain).await.unwrap();
    for name in ["a", "b", "c"] {
        let site = environments::create_site(&tx, base.account, name, name);
        let site = site.await.unwrap();
        let new = NewEnvironment {
            domain_id: Some(domain.id),
            root: format!("/sites/shared.example/{name}"),
            path: name.into(),
            ..base.new_environment(site.id, name, EnvironmentState::Active)
        };
        environments::create(&tx, new).await.unwrap();
    }
    tx.commit().await.unwrap();
    let new = on("all", command(&["true"]));
    let run = base
        .fleet
        .start_run(&Base::console(), new)
        .await
        .unwrap()
        .run;
    let (_, items) = ended(&base, &run).await;
    assert_eq!(items.len(), 3);
    for item in &items {
        // There is no such directory; each of them got as far as that.
        assert_eq!(item.state, "failed", "{item:?}");
        assert!(item.started_at.is_some());
    }
}

async fn what_may_be_wrong_with_a_selector_is_told(base: Base) {
    base.site("a", EnvironmentState::Active).await;
    let new = on("-tag:shpo", command(&["true"]));
    let started = base.fleet.start_run(&Base::console(), new).await.unwrap();
    assert_eq!(started.hint.as_deref(), Some("no site has the tag `shpo`"));
    let (console, operation) = (Base::console(), command(&["true"]));
    let targets = base.fleet.run_targets(&console, "-tag:shpo", &operation);
    assert!(targets.await.unwrap().hint.is_some());
}
