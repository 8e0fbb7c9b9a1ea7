//! Looks at sites that a test answers for, over both stores and by two processes at once.

use crate::base::Base;
use pressroom_base::id::SiteId;
use pressroom_fleet::{
    Fleet,
    health::{CheckStatus, HealthQuery, Pace},
};
use pressroom_store::{Page, Scope, SiteRow, SiteStatus, activity, environments};
use std::{
    collections::HashSet,
    net::SocketAddr,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpListener,
};

const LIGHT: Duration = Duration::from_mins(6);
/// A second look is due.
const RECHECK: Duration = Duration::from_secs(31);

/// How a server answers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(usize)]
enum Mood {
    Well,
    /// WordPress is dead, and a cache answers those who are not signed in.
    DeadBehindCache,
    Dead,
    Silent,
}

/// A web server whose mood a test sets.
struct Server {
    addr: SocketAddr,
    mood: Arc<AtomicUsize>,
    asked: Arc<AtomicUsize>,
}

impl Server {
    async fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let addr = listener.local_addr().unwrap();
        let (mood, asked) = (Arc::new(AtomicUsize::new(0)), Arc::new(AtomicUsize::new(0)));
        let (own_mood, own_asked) = (Arc::clone(&mood), Arc::clone(&asked));
        tokio::spawn(async move {
            while let Ok((mut stream, _)) = listener.accept().await {
                let (mood, asked) = (Arc::clone(&own_mood), Arc::clone(&own_asked));
                tokio::spawn(async move {
                    let mut read = vec![0; 8192];
                    let length = stream.read(&mut read).await.unwrap_or(0);
                    let text = String::from_utf8_lossy(&read[..length]).to_ascii_lowercase();
                    asked.fetch_add(1, Ordering::SeqCst);
                    let signed_in = text.contains("wordpress_logged_in_");
                    let (head, body) = match mood.load(Ordering::SeqCst) {
                        0 => ("200 OK", "<title>Home</title></html>"),
                        1 if !signed_in => ("200 OK", "<title>Cached</title></html>"),
                        1 | 2 => (
                            "500 Internal Server Error",
                            "<p>There has been a critical error on this website.</p>",
                        ),
                        _ => return std::future::pending().await,
                    };
                    let answer = format!(
                        "HTTP/1.1 {head}\r\nContent-Length: {}\r\nConnection: close\r\n\r\n{body}",
                        body.len()
                    );
                    let _gone = stream.write_all(answer.as_bytes()).await;
                });
            }
        });
        Self { addr, mood, asked }
    }

    fn is(&self, mood: Mood) {
        self.mood.store(mood as usize, Ordering::SeqCst);
    }

    fn asked(&self) -> usize {
        self.asked.load(Ordering::SeqCst)
    }
}

/// A site that the server answers for.
async fn site(base: &Base, name: &str, server: &Server) -> SiteRow {
    let id = base.served_site(name, server.addr).await;
    row(base, id).await
}

async fn row(base: &Base, id: SiteId) -> SiteRow {
    environments::get_site(&base.store, id)
        .await
        .unwrap()
        .unwrap()
}

async fn status(base: &Base, site: &SiteRow) -> SiteStatus {
    row(base, site.id).await.status
}

/// Looks at all that is due, after so much time.
async fn later(fleet: &Fleet, base: &Base, by: Duration) -> usize {
    base.store.advance_clock(by);
    fleet.check_due_sites(&Pace::new(16, 8)).await.unwrap()
}

/// What was told of sites, oldest first.
async fn news(base: &Base) -> Vec<String> {
    let lines = activity::list(&base.store, &Scope::All, Page::ALL)
        .await
        .unwrap();
    let mut kinds: Vec<_> = lines
        .into_iter()
        .filter(|line| line.kind.starts_with("site."))
        .map(|line| line.kind)
        .collect();
    kinds.reverse();
    kinds
}

async fn on_both<T: AsyncFn(Base)>(test: T) {
    test(Base::sqlite().await).await;
    test(Base::postgres().await).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn dead_php_behind_a_warm_cache_is_found_within_two_looks() {
    on_both(async |base| {
        let server = Server::start().await;
        let shop = site(&base, "shop", &server).await;
        assert_eq!(later(&base.fleet, &base, Duration::ZERO).await, 1);
        assert_eq!(status(&base, &shop).await, SiteStatus::Healthy);
        assert_eq!(
            later(&base.fleet, &base, RECHECK).await,
            0,
            "not yet its turn"
        );

        server.is(Mood::DeadBehindCache);
        assert_eq!(later(&base.fleet, &base, LIGHT).await, 1);
        assert_eq!(
            status(&base, &shop).await,
            SiteStatus::Healthy,
            "one may be bad luck"
        );
        assert_eq!(
            later(&base.fleet, &base, RECHECK).await,
            1,
            "the second look comes soon"
        );
        assert_eq!(status(&base, &shop).await, SiteStatus::Down);
        assert_eq!(later(&base.fleet, &base, LIGHT).await, 1);
        assert_eq!(news(&base).await, ["site.down"]);

        let console = Base::console();
        let query = HealthQuery {
            status: Some(CheckStatus::Failed),
            ..HealthQuery::default()
        };
        let (failed, total) = base
            .fleet
            .list_health_checks(&console, &shop.short_id, query, 2, 0)
            .await
            .unwrap();
        assert_eq!((failed.len(), total), (2, 3));
        assert_eq!(failed[0].http_status, Some(200), "visitors get a page");
        let error = failed[0].error.as_deref().unwrap();
        assert!(error.contains("from a cache"), "{error}");

        server.is(Mood::Well);
        later(&base.fleet, &base, LIGHT).await;
        // A closer look has come due by now, and there is no agent here to go inside with.
        assert_eq!(status(&base, &shop).await, SiteStatus::Degraded);
        assert_eq!(news(&base).await, ["site.down", "site.recovered"]);
        let lines = activity::list(&base.store, &Scope::All, Page::ALL)
            .await
            .unwrap();
        let back = lines
            .iter()
            .find(|line| line.kind == "site.recovered")
            .unwrap();
        assert!(
            back.metadata["downtime_seconds"].as_i64() > Some(360),
            "{}",
            back.metadata
        );
        assert!(
            back.metadata["health_check_id"]
                .as_str()
                .unwrap()
                .starts_with("hc_")
        );
        assert_eq!(back.site_id.as_deref(), Some(shop.short_id.as_str()));
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn two_processes_look_at_each_site_once_and_tell_of_it_once() {
    on_both(async |base| {
        let server = Server::start().await;
        let mut sites = Vec::new();
        for number in 0..24 {
            sites.push(site(&base, &format!("site{number}"), &server).await);
        }
        let other = base.another_process().await;
        let both = async |by| {
            base.store.advance_clock(by);
            other.store.advance_clock(by);
            let pace = || Pace::new(16, 32);
            let (one, two) = (pace(), pace());
            let (one, two) = tokio::join!(
                base.fleet.check_due_sites(&one),
                other.fleet.check_due_sites(&two)
            );
            (one.unwrap(), two.unwrap())
        };
        let before = server.asked();
        let (one, two) = both(Duration::ZERO).await;
        assert_eq!(one + two, 24);
        assert_eq!(server.asked() - before, 48, "two pages for each site");
        server.is(Mood::Dead);
        for by in [LIGHT, RECHECK] {
            let (one, two) = both(by).await;
            assert_eq!(one + two, 24);
        }
        server.is(Mood::Well);
        both(LIGHT).await;
        let told = news(&base).await;
        for kind in ["site.down", "site.recovered"] {
            assert_eq!(
                told.iter().filter(|told| *told == kind).count(),
                24,
                "{kind}"
            );
        }
        let console = Base::console();
        for site in &sites {
            let query = HealthQuery::default();
            let looks = base
                .fleet
                .list_health_checks_of(&console, site.id, query, 50);
            assert_eq!(looks.await.unwrap().1, 4);
        }
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_site_that_hangs_keeps_no_other_waiting() {
    let base = Base::sqlite().await;
    let hanging = Server::start().await;
    let server = Server::start().await;
    let stuck = site(&base, "stuck", &hanging).await;
    let other = site(&base, "other", &server).await;
    hanging.is(Mood::Silent);
    let fleet = base.fleet.clone();
    let looking = tokio::spawn(async move { fleet.check_due_sites(&Pace::new(4, 4)).await });
    let seen = async {
        while status(&base, &other).await != SiteStatus::Healthy {
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    };
    // Long before the other one is given up.
    tokio::time::timeout(Duration::from_secs(8), seen)
        .await
        .expect("it is looked at");
    assert_eq!(status(&base, &stuck).await, SiteStatus::Pending);
    looking.abort();
    let _aborted = looking.await;
    // What was held is taken again, and not before its time.
    hanging.is(Mood::Well);
    assert_eq!(later(&base.fleet, &base, Duration::from_secs(1)).await, 0);
    later(&base.fleet, &base, Duration::from_mins(10)).await;
    assert_eq!(status(&base, &stuck).await, SiteStatus::Healthy);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn what_is_paused_or_worked_on_is_no_alarm() {
    let base = Base::sqlite().await;
    let server = Server::start().await;
    let shop = site(&base, "shop", &server).await;
    later(&base.fleet, &base, Duration::ZERO).await;
    server.is(Mood::Dead);
    let epoch = pressroom_base::Epoch::new(1);
    let environment = base.environment_of(&shop).await;
    let tx = base.store.begin().await.unwrap();
    pressroom_store::maintenance::want(&tx, environment, epoch)
        .await
        .unwrap();
    tx.commit().await.unwrap();
    for _ in 0..3 {
        assert_eq!(later(&base.fleet, &base, LIGHT).await, 1);
    }
    assert_eq!(status(&base, &shop).await, SiteStatus::Healthy);
    let query = HealthQuery::default();
    let (looks, _) = base
        .fleet
        .list_health_checks(&Base::console(), &shop.short_id, query, 1, 0)
        .await
        .unwrap();
    assert_eq!(
        looks[0].status,
        CheckStatus::Warning,
        "it is not well either"
    );
    assert_eq!(
        looks[0].error.as_deref(),
        Some("the site is in maintenance on purpose")
    );
    let tx = base.store.begin().await.unwrap();
    pressroom_store::maintenance::forget(&tx, environment)
        .await
        .unwrap();
    tx.commit().await.unwrap();
    base.pause(&shop, true).await;
    assert_eq!(later(&base.fleet, &base, LIGHT).await, 0);
    let refused = base
        .fleet
        .check_site(&Base::console(), shop.id)
        .await
        .unwrap_err();
    assert_eq!(refused.kind(), pressroom_base::Kind::Conflict);
    assert!(news(&base).await.is_empty());
    base.pause(&shop, false).await;
    later(&base.fleet, &base, LIGHT).await;
    later(&base.fleet, &base, RECHECK).await;
    assert_eq!(status(&base, &shop).await, SiteStatus::Down);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn looks_are_forgotten_but_for_one_an_hour() {
    on_both(async |base| {
        let server = Server::start().await;
        let shop = site(&base, "shop", &server).await;
        for _ in 0..24 {
            later(&base.fleet, &base, Duration::from_mins(15)).await;
        }
        let console = Base::console();
        let looks = async || {
            let query = HealthQuery::default();
            let looks = base
                .fleet
                .list_health_checks_of(&console, shop.id, query, 50);
            looks.await.unwrap().0
        };
        let all = looks().await;
        assert_eq!(all.len(), 24);
        base.fleet.sweep_health_checks().await.unwrap();
        assert_eq!(looks().await.len(), 24, "nothing is old yet");
        base.store.advance_clock(Duration::from_hours(49));
        base.fleet.sweep_health_checks().await.unwrap();
        // The first of every hour. The closer ones find no REST and no login page on this
        // server, and stay whenever they were.
        let mut hours = HashSet::new();
        let kept: HashSet<_> = all
            .iter()
            .rev()
            .filter(|look| {
                let first = hours.insert(look.at.millis().div_euclid(3_600_000));
                first || look.status != CheckStatus::Passed
            })
            .map(|look| look.id.clone())
            .collect();
        assert!((6..=7).contains(&hours.len()) && kept.len() < 16);
        let left: HashSet<_> = looks().await.into_iter().map(|look| look.id).collect();
        assert_eq!(left, kept);
        base.store.advance_clock(Duration::from_hours(24 * 91));
        base.fleet.sweep_health_checks().await.unwrap();
        assert!(looks().await.is_empty());
    })
    .await;
}
