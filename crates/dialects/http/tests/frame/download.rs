//! Links to download: who may make one, and what each gives.

use crate::{
    fleet::{TestFleet, on_both},
    kept,
};
use axum::{
    body::{Body, to_bytes},
    http::{HeaderMap, Method, Request, StatusCode},
};
use pressroom_base::{
    Kind,
    id::{AccountId, EnvironmentId, UserId},
};
use pressroom_dialect_http::download::{self, ROUTES};
use pressroom_fleet::{
    Caller, Principal,
    principal::{Grants, Identity, Role},
    snapshots::LinkSnapshot,
};
use pressroom_store::{Page, Scope, SnapshotRow, activity, snapshots};
use std::{fs, time::Duration};
use tower::ServiceExt as _;

const SITE: EnvironmentId = EnvironmentId::new(7);

/// A fleet with two accounts, and a snapshot of each.
struct World {
    test: TestFleet,
    own: SnapshotRow,
    foreign: SnapshotRow,
}

/// An answer with as much of its body as came.
struct Got {
    status: StatusCode,
    headers: HeaderMap,
    /// `None` when the transfer was broken off.
    body: Option<Vec<u8>>,
}

impl Got {
    fn header(&self, name: &str) -> &str {
        self.headers
            .get(name)
            .map_or("", |value| value.to_str().expect("plain text"))
    }
}

/// Longer than several blocks, and never the same twice.
fn bytes() -> Vec<u8> {
    (0..900_000_u32)
        .map(|at| u8::try_from((at.wrapping_mul(2_654_435_761)) >> 24).expect("eight bits"))
        .collect()
}

impl World {
    async fn new(test: TestFleet) -> Self {
        let console = Caller::new(Principal::console());
        let mut accounts = Vec::new();
        for (email, account) in [("ana@example.com", "Acme"), ("fred@example.com", "Other")] {
            let user = pressroom_fleet::users::NewUser {
                email: email.into(),
                name: "Somebody".into(),
                operator: false,
                password: pressroom_base::Secret::new("correct horse".into()),
            };
            test.fleet.add_user(&console, user).await.expect("a user");
            let added = test.fleet.add_account(&console, account, email).await;
            accounts.push(added.expect("an account").id);
        }
        let own = kept::snapshot(&test, accounts[0], SITE, &bytes(), None).await;
        let foreign = kept::snapshot(&test, accounts[1], SITE, b"theirs", None).await;
        Self { test, own, foreign }
    }

    /// The path of a link to a snapshot.
    async fn link(&self, row: &SnapshotRow, new: LinkSnapshot) -> String {
        let console = Caller::new(Principal::console());
        let made = self.test.fleet.link_snapshot(&console, &row.public_id, new);
        made.await.expect("a link").path.expose().clone()
    }

    async fn ask(&self, method: Method, path: &str, headers: &[(&str, &str)]) -> Got {
        let mut request = Request::builder().method(method).uri(path);
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        let request = request.body(Body::empty()).expect("a request");
        let router = download::router(self.test.fleet.clone());
        let response = router.oneshot(request).await.expect("an answer");
        let (parts, body) = response.into_parts();
        Got {
            status: parts.status,
            headers: parts.headers,
            body: to_bytes(body, usize::MAX).await.ok().map(Into::into),
        }
    }

    async fn get(&self, path: &str) -> Got {
        self.ask(Method::GET, path, &[]).await
    }

    /// Kinds of what is in the activity log.
    async fn activity(&self) -> Vec<String> {
        self.test.fleet.deliver_events().await.expect("delivered");
        let rows = activity::list(&self.test.store, &Scope::All, Page::first(100)).await;
        rows.expect("a list")
            .into_iter()
            .map(|row| row.kind)
            .collect()
    }
}

fn once() -> LinkSnapshot {
    LinkSnapshot {
        once: true,
        ..LinkSnapshot::default()
    }
}

fn person(account: AccountId, role: Role, grants: Grants) -> Caller {
    Caller::new(Principal {
        identity: Identity::User {
            id: UserId::new(1),
            email: "p@example.com".into(),
            operator: false,
            token: None,
            session: None,
            family: None,
        },
        grants,
        memberships: vec![(account, role)],
        account: None,
    })
}

#[tokio::test]
async fn a_link_gives_the_whole_snapshot_and_says_what_it_is() {
    on_both(async |test| {
        let world = World::new(test).await;
        let path = world.link(&world.own, LinkSnapshot::default()).await;
        for _ in 0..2 {
            let got = world.get(&path).await;
            assert_eq!(got.status, StatusCode::OK);
            assert!(got.body.as_deref() == Some(&bytes()[..]), "other bytes");
            assert_eq!(got.header("content-length"), "900000");
            assert_eq!(got.header("content-type"), "application/zstd");
            let day = world.own.created_at.to_rfc3339();
            assert_eq!(
                got.header("content-disposition"),
                format!(
                    "attachment; filename=\"site-{}-{}.tar.zst\"",
                    &day[..10],
                    world.own.public_id
                )
            );
            assert_eq!(got.header("accept-ranges"), "none");
            assert!(got.header("repr-digest").starts_with("sha-256=:"));
        }
        // A part has no hash to be held against: the whole comes.
        let part = world
            .ask(Method::GET, &path, &[("range", "bytes=5-9")])
            .await;
        assert_eq!(part.status, StatusCode::OK);
        assert_eq!(part.body.map(|body| body.len()), Some(900_000));
        let kinds = world.activity().await;
        let count = |kind| kinds.iter().filter(|one| *one == kind).count();
        assert_eq!(count("snapshot.link_created"), 1);
        assert_eq!(count("snapshot.download_started"), 3);
    })
    .await;
}

#[tokio::test]
async fn a_once_link_is_used_up_by_one_download_and_by_no_look() {
    on_both(async |test| {
        let world = World::new(test).await;
        let path = world.link(&world.own, once()).await;
        for _ in 0..3 {
            let look = world.ask(Method::HEAD, &path, &[]).await;
            assert_eq!(look.status, StatusCode::OK);
            assert_eq!(look.header("content-length"), "900000");
            assert_eq!(look.body.as_deref(), Some(&[][..]));
        }
        // Any number at once: one gets it.
        let all = (0..6).map(|_| world.get(&path));
        let all = futures_util::future::join_all(all).await;
        let given: Vec<_> = all
            .iter()
            .filter(|got| got.status == StatusCode::OK)
            .collect();
        assert_eq!(given.len(), 1);
        assert_eq!(given[0].body.as_ref().map(Vec::len), Some(900_000));
        assert!(
            all.iter()
                .all(|got| [StatusCode::OK, StatusCode::NOT_FOUND].contains(&got.status))
        );
        let look = world.ask(Method::HEAD, &path, &[]).await;
        assert_eq!(look.status, StatusCode::NOT_FOUND);
        let kinds = world.activity().await;
        let used = kinds
            .iter()
            .filter(|kind| *kind == "snapshot.download_started");
        assert_eq!(used.count(), 1);
    })
    .await;
}

/// Every route × whatever is sent along × every link there can be. The link alone
/// decides; all that give nothing are answered alike.
#[tokio::test]
async fn every_route_permits_and_refuses_by_the_link_alone() {
    on_both(async |test| {
        let world = World::new(test).await;
        let soon = world
            .test
            .store
            .now()
            .await
            .expect("a clock")
            .plus(HOUR / 2);
        let account = world.own.account_id;
        let passing = kept::snapshot(&world.test, account, SITE, b"passing", Some(soon)).await;
        let removed = kept::snapshot(&world.test, account, SITE, b"removed", None).await;
        let short = LinkSnapshot {
            lasts: HOUR / 2,
            ..LinkSnapshot::default()
        };
        let long = || LinkSnapshot {
            lasts: HOUR * 48,
            ..LinkSnapshot::default()
        };
        let good = world.link(&world.own, long()).await;
        let theirs = world.link(&world.foreign, long()).await;
        let spent = world.link(&world.own, once()).await;
        assert_eq!(world.get(&spent).await.status, StatusCode::OK);
        let of_removed = world.link(&removed, long()).await;
        let console = Caller::new(Principal::console());
        let gone = world
            .test
            .fleet
            .remove_snapshot(&console, &removed.public_id);
        gone.await.expect("removed");
        let over = world.link(&world.own, short).await;
        let of_passing = world.link(&passing, long()).await;
        world.test.store.advance_clock(HOUR);
        // The mark of one link under the content of another.
        let (of_good, of_theirs) = (good.rsplit_once('.'), theirs.rsplit_once('.'));
        let crossed = of_good.zip(of_theirs).expect("links have marks");
        let crossed = format!("{}.{}", crossed.0.0, crossed.1.1);
        let forged = format!("{}A", &good[..good.len() - 1]);
        let links = [
            ("good", good.clone(), true),
            ("theirs", theirs, true),
            ("spent", spent, false),
            ("of removed", of_removed, false),
            ("over", over, false),
            ("of passed", of_passing, false),
            ("crossed", crossed, false),
            ("cut", good[..good.len() - 5].to_owned(), false),
            (
                "changed",
                if forged == good {
                    format!("{good}A")
                } else {
                    forged
                },
                false,
            ),
            ("none", "/download/snapshots/x".to_owned(), false),
            (
                "a name",
                format!("/download/snapshots/{}", world.own.public_id),
                false,
            ),
        ];
        for route in ROUTES {
            let mut refusals = Vec::new();
            for (what, path, gives) in &links {
                for sent in [
                    &[][..],
                    &[("authorization", "Bearer wsp_unknown")],
                    &[("cookie", "pressroom_session=none")],
                ] {
                    assert!(path.starts_with(route.path), "{what}");
                    let got = world.ask(route.method.clone(), path, sent).await;
                    let case = format!("{} {what} {sent:?}", route.row);
                    let expected = if *gives { 200 } else { 404 };
                    assert_eq!(got.status.as_u16(), expected, "{case}");
                    assert_eq!(got.header("cache-control"), "no-store", "{case}");
                    assert_eq!(got.header("referrer-policy"), "no-referrer", "{case}");
                    assert_eq!(got.header("x-content-type-options"), "nosniff", "{case}");
                    if !gives {
                        refusals.push((got.headers, got.body));
                    }
                }
            }
            assert!(
                refusals.windows(2).all(|two| two[0] == two[1]),
                "{}: they differ",
                route.row
            );
        }
        for method in [Method::POST, Method::DELETE, Method::OPTIONS] {
            let got = world.ask(method, &good, &[]).await;
            assert_eq!(got.status, StatusCode::METHOD_NOT_ALLOWED);
        }
    })
    .await;
}

const HOUR: Duration = Duration::from_hours(1);

#[test]
fn each_row_of_the_matrix_is_there() {
    let rows: Vec<_> = ROUTES.iter().map(|route| route.row).collect();
    assert_eq!(rows, ["snapshot", "snapshot_head"]);
}

#[tokio::test]
async fn only_those_who_may_read_a_snapshot_make_links_to_it() {
    let world = World::new(TestFleet::sqlite().await).await;
    let (ours, theirs) = (world.own.account_id, world.foreign.account_id);
    let name = &world.own.public_id;
    let fleet = &world.test.fleet;
    let make = async |caller: Caller, name: &str, new: LinkSnapshot| {
        let made = fleet.link_snapshot(&caller, name, new).await;
        made.map(|_| ()).map_err(|error| error.kind())
    };
    let usual = LinkSnapshot::default;
    for (role, expected) in [
        (Role::Viewer, Err(Kind::Forbidden)),
        (Role::Member, Ok(())),
        (Role::Admin, Ok(())),
        (Role::Owner, Ok(())),
    ] {
        assert_eq!(
            make(person(ours, role, Grants::All), name, usual()).await,
            expected
        );
        let foreign = make(person(theirs, role, Grants::All), name, usual()).await;
        assert_eq!(foreign, Err(Kind::NotFound));
        let reading = make(person(ours, role, Grants::Read), name, usual()).await;
        assert_eq!(reading, Err(Kind::Forbidden));
    }
    let owner = || person(ours, Role::Owner, Grants::All);
    assert_eq!(make(owner(), "nothing", usual()).await, Err(Kind::NotFound));
    for (lasts, expected) in [
        (Duration::ZERO, Err(Kind::Invalid)),
        (HOUR * 24 * 7, Ok(())),
        (HOUR * 24 * 7 + Duration::from_secs(1), Err(Kind::Invalid)),
    ] {
        let new = LinkSnapshot { lasts, ..usual() };
        assert_eq!(make(owner(), name, new).await, expected, "{lasts:?}");
    }
    let of_another_site = LinkSnapshot {
        environment: Some(EnvironmentId::new(8)),
        ..usual()
    };
    assert_eq!(
        make(owner(), name, of_another_site).await,
        Err(Kind::Conflict)
    );
}

#[tokio::test]
async fn a_link_never_outlives_its_snapshot_and_begins_with_the_public_address() {
    let world = World::new(TestFleet::sqlite().await).await;
    let soon = world.test.store.now().await.expect("a clock").plus(HOUR);
    let account = world.own.account_id;
    let passing = kept::snapshot(&world.test, account, SITE, b"x", Some(soon)).await;
    let new = LinkSnapshot {
        lasts: HOUR * 24,
        ..LinkSnapshot::default()
    };
    let console = Caller::new(Principal::console());
    let made = world
        .test
        .fleet
        .link_snapshot(&console, &passing.public_id, new)
        .await;
    let made = made.expect("a link");
    assert_eq!(made.expires_at.seconds(), soon.seconds());
    let url = made.url.expose();
    assert!(
        url.starts_with("https://press.example/download/snapshots/"),
        "{url}"
    );
    assert!(!format!("{made:?}").contains("/download/"), "{made:?}");
}

#[tokio::test]
async fn what_is_damaged_never_arrives_whole() {
    on_both(async |test| {
        let world = World::new(test).await;
        let file = kept::file(&world.test, &world.own);
        let sound = fs::read(&file).expect("an object");
        for at in [0, sound.len() / 2, sound.len() - 1] {
            let mut damaged = sound.clone();
            damaged[at] ^= 0x40;
            fs::write(&file, damaged).expect("written");
            let path = world.link(&world.own, LinkSnapshot::default()).await;
            let got = world.get(&path).await;
            assert_eq!(got.status, StatusCode::OK, "it is found on the way");
            assert_eq!(got.body, None, "changed at {at}");
        }
        let row = snapshots::get(&world.test.store, world.own.id).await;
        let row = row.expect("found").expect("a snapshot");
        assert_eq!(row.verified_at, None);
        assert!(row.fault.is_some());

        // Other than it was at first sight: nothing is begun, and no link is lost.
        let path = world.link(&world.own, once()).await;
        fs::write(&file, &sound[..sound.len() - 1]).expect("written");
        let got = world.get(&path).await;
        assert_eq!(got.status, StatusCode::BAD_GATEWAY);
        let said = String::from_utf8(got.body.expect("a text")).expect("text");
        assert!(!said.contains("snapshots/"), "{said}");
        fs::write(&file, &sound).expect("written");
        assert!(world.get(&path).await.body.as_deref() == Some(&sound[..]));
    })
    .await;
}

#[tokio::test]
async fn one_link_is_not_used_without_end() {
    let world = World::new(TestFleet::sqlite().await).await;
    let path = world.link(&world.foreign, LinkSnapshot::default()).await;
    let mut seen = Vec::new();
    for _ in 0..32 {
        seen.push(world.get(&path).await.status.as_u16());
    }
    assert_eq!(seen.iter().filter(|status| **status == 200).count(), 30);
    let refused = world.get(&path).await;
    assert_eq!(refused.status, StatusCode::TOO_MANY_REQUESTS);
    assert_eq!(refused.header("retry-after"), "60");
    // Another link to the same is not concerned.
    let other = world.link(&world.foreign, once()).await;
    assert_eq!(world.get(&other).await.status, StatusCode::OK);
}
