//! A fleet over an empty store of either kind. No site is ever reached through it.

use pressroom_base::{Secret, keyring::Keyring};
use pressroom_fleet::{Fleet, Parts};
use pressroom_providers::hosting::LocalHosting;
use pressroom_store::Store;
use pressroom_testkit::Scratch;
use std::path::Path;

/// Bytes that may be sent as a snapshot.
pub const UPLOAD_LIMIT: u64 = 4 << 20;

/// A fleet with what it stands on.
pub struct TestFleet {
    /// The use cases.
    pub fleet: Fleet,
    /// What is kept.
    pub store: Store,
    /// This machine as a host; nothing of it runs until a test starts it.
    pub hosting: LocalHosting,
    /// Where sites and packages would be.
    pub dir: Scratch,
}

impl TestFleet {
    /// Over a new file.
    pub async fn sqlite() -> Self {
        let dir = Scratch::new().expect("a temporary directory");
        let url = format!("sqlite://{}", dir.path().join("pressroom.db").display());
        Self::over(&url, dir).await
    }

    /// Over a new database of a private PostgreSQL server.
    pub async fn postgres() -> Self {
        let dir = Scratch::new().expect("a temporary directory");
        let url = pressroom_testkit::postgres::database()
            .await
            .expect("a PostgreSQL database");
        Self::over(&url, dir).await
    }

    async fn over(url: &str, dir: Scratch) -> Self {
        let key: Secret<String> = Keyring::generate();
        let keyring = Keyring::parse(key.expose()).expect("a generated key");
        let store = Store::open(url, keyring).await.expect("an empty store");
        let parts = parts(store.clone(), dir.path());
        let hosting = parts.hosting.clone();
        let fleet = Fleet::new(parts);
        Self {
            fleet,
            store,
            hosting,
            dir,
        }
    }
}

fn parts(store: Store, dir: &Path) -> Parts {
    let mut parts = Parts::below(dir, store).expect("a directory");
    parts.settings.upload_limit = UPLOAD_LIMIT;
    parts
}

/// Runs a test over both kinds of store.
pub async fn on_both<T: AsyncFn(TestFleet)>(test: T) {
    test(TestFleet::sqlite().await).await;
    test(TestFleet::postgres().await).await;
}
