//! An empty database of its own for each test.

use pressroom_base::{id::AccountId, keyring::Keyring};
use pressroom_store::{
    AccountRow, EnvironmentKind, EnvironmentRow, EnvironmentState, NewAccount, NewEnvironment,
    Store, accounts, environments,
};
use sea_orm::{ConnectionTrait, Database, DatabaseConnection, DbBackend, QueryResult, Statement};

pub struct Base {
    pub url: String,
    /// The key's text.
    pub key: String,
    pub keyring: Keyring,
    pub store: Store,
    pub directory: tempfile::TempDir,
}

impl Base {
    pub async fn sqlite() -> Self {
        let directory = tempfile::tempdir().unwrap();
        let url = format!("sqlite://{}/pressroom.db", directory.path().display());
        Self::open(url, directory).await
    }

    pub async fn postgres() -> Self {
        let url = pressroom_testkit::postgres::database().await.unwrap();
        Self::open(url, tempfile::tempdir().unwrap()).await
    }

    async fn open(url: String, directory: tempfile::TempDir) -> Self {
        let key = Keyring::generate().into_inner();
        let keyring = Keyring::parse(&key).unwrap();
        let store = Store::open(&url, keyring.clone()).await.unwrap();
        Self {
            url,
            key,
            keyring,
            store,
            directory,
        }
    }

    /// The database without the store's code.
    pub async fn raw(&self) -> DatabaseConnection {
        Database::connect(&self.url).await.unwrap()
    }

    pub fn is_sqlite(&self) -> bool {
        self.url.starts_with("sqlite:")
    }

    pub async fn account(&self, name: &str) -> AccountRow {
        let tx = self.store.begin().await.unwrap();
        let new = NewAccount {
            name: name.into(),
            prefix: None,
            capabilities: vec!["fleet".into(), "hosting".into()],
        };
        let account = accounts::create(&tx, new).await.unwrap();
        tx.commit().await.unwrap();
        account
    }

    pub async fn environment(&self, account: AccountId, root: &str) -> EnvironmentRow {
        let tx = self.store.begin().await.unwrap();
        let site = environments::create_site(&tx, account, root, root)
            .await
            .unwrap();
        let row = environments::create(&tx, new_environment(account, site.id, root))
            .await
            .unwrap();
        tx.commit().await.unwrap();
        row
    }
}

pub fn new_environment(
    account: AccountId,
    site: pressroom_base::id::SiteId,
    root: &str,
) -> NewEnvironment {
    NewEnvironment {
        site_id: site,
        account_id: account,
        domain_id: None,
        host_id: None,
        kind: EnvironmentKind::Production,
        panel_id: format!("wp_{}", pressroom_base::token::hex(9)),
        root: root.into(),
        path: "public_html".into(),
        url: "https://example.org".into(),
        origin_addr: None,
        origin_host: None,
        unix_user: None,
        state: EnvironmentState::Installing,
        db_name: "acme_wp".into(),
        db_user: "acme_wp".into(),
        db_host: "localhost".into(),
        db_password: None,
        table_prefix: "wp_".into(),
        core_version: String::new(),
        locale: "en_US".into(),
        title: "Example".into(),
    }
}

pub async fn rows(raw: &DatabaseConnection, sql: &str) -> Vec<QueryResult> {
    let backend: DbBackend = raw.get_database_backend();
    raw.query_all_raw(Statement::from_string(backend, sql.to_owned()))
        .await
        .unwrap()
}

pub async fn count(raw: &DatabaseConnection, sql: &str) -> usize {
    let count: i64 = rows(raw, sql).await[0].try_get_by_index(0).unwrap();
    usize::try_from(count).unwrap()
}
