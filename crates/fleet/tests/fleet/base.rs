//! A fleet over an empty store, with a worker that starts when a test wants it.

use pressroom_archive::Objects;
use pressroom_base::{
    id::{AccountId, EnvironmentId, JobId, SiteId, UserId},
    keyring::Keyring,
};
use pressroom_fleet::{
    Caller, Fleet, Parts, Selecting, Settings,
    caches::RedisSettings,
    domains::NewDomain,
    principal::{Grants, Identity, Principal, Role},
    sites::InstallSite,
};
use pressroom_jobs::{JobRow, JobState, Runner, RunnerConfig};
use pressroom_providers::{
    hosting::{HostingConfig, InitChoice, LocalHosting},
    probe::Prober,
};
use pressroom_store::{
    EnvironmentKind, EnvironmentRow, EnvironmentState, NewAccount, NewEnvironment, SiteRow, Store,
    accounts, environments, health, jobs,
};
use pressroom_testkit::{Scratch, packages, place, sql::Raw};
use std::{fs, net::SocketAddr, path::Path, time::Duration};
use tokio_util::sync::CancellationToken;

/// What every account may keep, in bytes, where there is no site.
pub const QUOTA: u64 = 1000;

/// How long what a restore displaced may stay.
pub const KEEP_ASIDE: Duration = Duration::from_hours(10 * 24);

pub struct Base {
    pub fleet: Fleet,
    /// The same, as a process that goes on: it answers selectors from a picture.
    pub lasting: Fleet,
    pub store: Store,
    pub account: AccountId,
    pub hosting: LocalHosting,
    prober: Prober,
    keyring: Keyring,
    url: String,
    dir: Scratch,
}

/// Another process over the same store.
pub struct Other {
    pub fleet: Fleet,
    pub store: Store,
}

/// WordPress in a domain.
pub fn site_in(domain: &str) -> InstallSite {
    InstallSite {
        domain: domain.into(),
        path: "public_html".into(),
        db_name: "tables".into(),
        db_user: None,
        db_password: None,
        title: None,
        admin_user: None,
        admin_password: None,
        admin_email: None,
        version: Some("6.5.5".into()),
        locale: None,
        table_prefix: None,
    }
}

/// Ends the database server as a crash would.
pub fn kill_mariadb(hosting: &LocalHosting) {
    let file = hosting.config().dir.join("mariadb/data/mariadbd.pid");
    let pid = fs::read_to_string(file).unwrap().trim().parse().unwrap();
    let pid = rustix::process::Pid::from_raw(pid).unwrap();
    rustix::process::kill_process(pid, rustix::process::Signal::KILL).unwrap();
}

impl Base {
    pub async fn sqlite() -> Self {
        let dir = Scratch::new().unwrap();
        let url = format!("sqlite://{}", dir.path().join("pressroom.db").display());
        Self::over(&url, dir, Some(QUOTA), None).await
    }

    /// Over a file, with a Redis that sites share.
    pub async fn redis(redis: RedisSettings) -> Self {
        let dir = Scratch::new().unwrap();
        let url = format!("sqlite://{}", dir.path().join("pressroom.db").display());
        Self::over(&url, dir, None, Some(redis)).await
    }

    pub async fn postgres() -> Self {
        let url = pressroom_testkit::postgres::database().await.unwrap();
        Self::over(&url, Scratch::new().unwrap(), Some(QUOTA), None).await
    }

    async fn over(
        url: &str,
        dir: Scratch,
        quota: Option<u64>,
        redis: Option<RedisSettings>,
    ) -> Self {
        let keyring = Keyring::parse(Keyring::generate().expose()).unwrap();
        let store = Store::open(url, keyring.clone()).await.unwrap();
        let acme = NewAccount {
            name: "Acme".into(),
            prefix: None,
            capabilities: Vec::new(),
        };
        let tx = store.begin().await.unwrap();
        let account = accounts::create(&tx, acme).await.unwrap().id;
        tx.commit().await.unwrap();
        let mut parts = parts(store.clone(), dir.path(), quota);
        parts.settings.redis.clone_from(&redis);
        let mut lasting = self::parts(store.clone(), dir.path(), quota);
        lasting.settings.redis = redis;
        lasting.settings.selecting = Selecting::FromPicture;
        let (hosting, prober) = (parts.hosting.clone(), parts.prober.clone());
        Self {
            hosting,
            fleet: Fleet::new(parts),
            lasting: Fleet::new(lasting),
            keyring,
            url: url.to_owned(),
            store,
            account,
            prober,
            dir,
        }
    }

    /// Over a file, with a web stack that runs, an agent, and WordPress to install.
    pub async fn hosting() -> Self {
        let dir = Scratch::new().unwrap();
        let url = format!("sqlite://{}", dir.path().join("pressroom.db").display());
        let base = Self::over(&url, dir, None, None).await;
        let dir = base.dir.path();
        packages::directory(&dir.join("packages")).unwrap();
        let agent = place::binary("pressroom-agent").unwrap();
        fs::copy(agent, dir.join("pressroom-agent")).unwrap();
        base.hosting.up().await.unwrap();
        base.prober.register(base.hosting.http_addr().unwrap());
        base
    }

    /// Installs WordPress into a new domain.
    pub async fn install(&self, domain: &str) -> EnvironmentId {
        let console = Self::console();
        let new = Self::new_domain(domain);
        self.fleet.add_domain(&console, new).await.unwrap();
        let started = self.fleet.install_site(&console, site_in(domain)).await;
        let started = started.unwrap();
        let ended = self.ended(started.job.id).await;
        assert_eq!(ended.state, JobState::Completed, "{ended:#?}");
        started.environment.id
    }

    /// What is beneath the archive.
    pub fn objects(&self) -> Objects {
        Objects::directory(self.dir.path().join("archive")).unwrap()
    }

    /// Where the store is.
    pub fn url(&self) -> &str {
        &self.url
    }

    /// Runs a statement as somebody would who has the database and none of our code.
    pub async fn raw(&self, sql: &str) {
        Raw::open(&self.url).await.unwrap().run(sql).await.unwrap();
    }

    /// The same store, as another process has it open.
    pub async fn other_process(&self) -> Store {
        let opened = Store::open(&self.url, self.keyring.clone()).await;
        opened.unwrap()
    }

    /// The same store and the same use cases, in another process.
    pub async fn another_process(&self) -> Other {
        let store = self.other_process().await;
        let fleet = Fleet::new(parts(store.clone(), self.dir.path(), None));
        Other { fleet, store }
    }

    /// A site that answers there, by no name.
    pub async fn served_site(&self, name: &str, addr: SocketAddr) -> SiteId {
        let tx = self.store.begin().await.unwrap();
        let site = environments::create_site(&tx, self.account, name, name)
            .await
            .unwrap();
        let new = NewEnvironment {
            url: format!("http://{addr}"),
            origin_addr: Some(addr.to_string()),
            origin_host: Some(addr.to_string()),
            ..self.new_environment(site.id, name, EnvironmentState::Active)
        };
        environments::create(&tx, new).await.unwrap();
        tx.commit().await.unwrap();
        site.id
    }

    /// What visitors of a site see.
    pub async fn environment_of(&self, site: &SiteRow) -> EnvironmentId {
        let found = health::production(&self.store, site.id).await.unwrap();
        found.unwrap().id
    }

    /// Says whether anybody is to look at a site.
    pub async fn pause(&self, site: &SiteRow, paused: bool) {
        let id = site.id;
        self.raw(&format!(
            "UPDATE sites SET paused = {paused} WHERE id = {id}"
        ))
        .await;
    }

    pub fn new_domain(name: &str) -> NewDomain {
        NewDomain {
            name: name.into(),
            account: "Acme".into(),
            root: None,
        }
    }

    pub async fn site(&self, name: &str, state: EnvironmentState) -> EnvironmentRow {
        let tx = self.store.begin().await.unwrap();
        let site = environments::create_site(&tx, self.account, name, name)
            .await
            .unwrap();
        let new = self.new_environment(site.id, name, state);
        let row = environments::create(&tx, new).await.unwrap();
        tx.commit().await.unwrap();
        row
    }

    pub fn new_environment(
        &self,
        site: SiteId,
        name: &str,
        state: EnvironmentState,
    ) -> NewEnvironment {
        NewEnvironment {
            site_id: site,
            account_id: self.account,
            domain_id: None,
            host_id: None,
            kind: EnvironmentKind::Production,
            panel_id: format!("wp_{name}"),
            // Their order is not that of the names.
            root: format!("/sites/{}-{name}", 255 - name.as_bytes()[0]),
            path: "public_html".into(),
            url: format!("https://{name}.example"),
            origin_addr: None,
            origin_host: None,
            unix_user: None,
            state,
            db_name: name.into(),
            db_user: name.into(),
            db_host: "localhost".into(),
            db_password: None,
            table_prefix: "wp_".into(),
            core_version: String::new(),
            locale: "en_US".into(),
            title: name.into(),
        }
    }

    /// Somebody of the account.
    pub fn person(&self, role: Role) -> Caller {
        Caller::new(Principal {
            identity: Identity::User {
                id: UserId::new(1),
                email: "p@example".into(),
                operator: false,
                token: None,
                session: None,
                family: None,
            },
            grants: Grants::All,
            memberships: vec![(self.account, role)],
            account: None,
        })
    }

    pub fn console() -> Caller {
        Caller::new(Principal::console())
    }

    /// Runs jobs until this one is over.
    pub async fn ended(&self, job: JobId) -> JobRow {
        let config = RunnerConfig {
            poll: Duration::from_millis(20),
            ..RunnerConfig::default()
        };
        let shutdown = CancellationToken::new();
        let runner = Runner::new(self.store.clone(), self.fleet.job_kinds(), config);
        let running = tokio::spawn(runner.run(shutdown.clone()));
        let over = async {
            loop {
                let row = jobs::get(&self.store, job).await.unwrap().unwrap();
                if row.state.is_final() {
                    return row;
                }
                tokio::time::sleep(Duration::from_millis(20)).await;
            }
        };
        let row = tokio::time::timeout(Duration::from_mins(1), over)
            .await
            .expect("the job ends");
        shutdown.cancel();
        running.await.unwrap();
        row
    }
}

fn parts(store: Store, dir: &Path, quota: Option<u64>) -> Parts {
    let mut parts = Parts::below(dir, store).unwrap();
    parts.hosting = LocalHosting::new(HostingConfig {
        http_addr: ([127, 0, 0, 1], place::free_port().unwrap()).into(),
        init: InitChoice::Direct,
        ..HostingConfig::new(dir.join("hosting"), dir.join("sites"))
    });
    parts.settings = Settings {
        snapshot_quota: quota,
        keep_aside: KEEP_ASIDE,
        selecting: Selecting::Directly,
        ..parts.settings
    };
    parts
}
