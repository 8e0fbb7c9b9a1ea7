use crate::base::{Base, rows};
use pressroom_base::keyring::Keyring;
use pressroom_store::{Error, Store};
use sea_orm::ConnectionTrait;
use std::{collections::BTreeSet, os::unix::fs::PermissionsExt};

crate::on_both! {
    applying_every_migration_again_changes_nothing
    a_newer_schema_is_refused
    opening_at_once_from_many_sides_works
}

/// Everything the schema consists of, as the database tells it.
async fn schema(base: &Base) -> BTreeSet<String> {
    let raw = base.raw().await;
    let sql = if base.is_sqlite() {
        "SELECT type || ' ' || name || ' ' || COALESCE(sql, '') AS line FROM sqlite_schema"
    } else {
        "SELECT 'column ' || table_name || '.' || column_name || ' ' || data_type || ' ' \
         || is_nullable || ' ' || COALESCE(column_default, '') AS line \
         FROM information_schema.columns WHERE table_schema = 'public' \
         UNION ALL SELECT indexdef FROM pg_indexes WHERE schemaname = 'public' \
         UNION ALL SELECT conname || ' ' || pg_get_constraintdef(oid) FROM pg_constraint \
         WHERE connamespace = 'public'::regnamespace"
    };
    rows(&raw, sql)
        .await
        .iter()
        .map(|row| row.try_get("", "line").unwrap())
        .collect()
}

async fn applying_every_migration_again_changes_nothing(base: Base) {
    let fresh = schema(&base).await;
    assert!(fresh.len() > 60, "a schema of {} parts", fresh.len());

    // Opening again applies nothing.
    Store::open(&base.url, base.keyring.clone()).await.unwrap();
    assert_eq!(schema(&base).await, fresh);

    // Each step over a schema that is there already, as after a lost record of it.
    let raw = base.raw().await;
    raw.execute_unprepared("DELETE FROM seaql_migrations WHERE version > 'm0001_people'")
        .await
        .unwrap();
    Store::open(&base.url, base.keyring.clone()).await.unwrap();
    raw.execute_unprepared("DELETE FROM seaql_migrations")
        .await
        .unwrap();
    Store::open(&base.url, base.keyring.clone()).await.unwrap();
    assert_eq!(schema(&base).await, fresh);
    assert_eq!(rows(&raw, "SELECT * FROM counters").await.len(), 1);
}

async fn a_newer_schema_is_refused(base: Base) {
    base.raw()
        .await
        .execute_unprepared(
            "INSERT INTO seaql_migrations (version, applied_at) VALUES ('m9999_future', 0)",
        )
        .await
        .unwrap();
    let refused = Store::open(&base.url, base.keyring.clone()).await.err();
    let Some(Error::Newer { migration }) = refused else {
        panic!("not refused: {refused:?}");
    };
    assert_eq!(migration, "m9999_future");
}

async fn opening_at_once_from_many_sides_works(base: Base) {
    let raw = base.raw().await;
    let recorded = "SELECT version FROM seaql_migrations";
    let every = rows(&raw, recorded).await.len();
    raw.execute_unprepared("DELETE FROM seaql_migrations")
        .await
        .unwrap();
    let opened = (0..6).map(|_| Store::open(&base.url, base.keyring.clone()));
    for store in futures_util::future::join_all(opened).await {
        store.unwrap().ping().await.unwrap();
    }
    assert_eq!(rows(&raw, recorded).await.len(), every);
}

/// What `.cargo/config.toml` asks of SQLite; without it every `LIMIT ?` is planned
/// anew each time.
#[tokio::test]
async fn sqlite_is_compiled_as_asked() {
    let raw = Base::sqlite().await.raw().await;
    let options = rows(&raw, "PRAGMA compile_options").await;
    let options: BTreeSet<String> = options
        .iter()
        .map(|row| row.try_get("", "compile_options").unwrap())
        .collect();
    assert!(options.contains("ENABLE_QPSG"), "{options:?}");
    assert!(options.contains("DEFAULT_MEMSTATUS=0"), "{options:?}");
    assert!(!options.contains("ENABLE_MEMORY_MANAGEMENT"), "{options:?}");
}

#[tokio::test]
async fn both_databases_have_the_same_columns() {
    let columns = async |base: Base, sql: &str| -> BTreeSet<String> {
        let found = rows(&base.raw().await, sql).await;
        found
            .iter()
            .map(|row| row.try_get("", "line").unwrap())
            .filter(|line: &String| !line.starts_with("seaql") && !line.starts_with("sqlite"))
            .collect()
    };
    let sqlite = columns(
        Base::sqlite().await,
        "SELECT t.name || '.' || c.name || CASE WHEN c.\"notnull\" = 1 THEN '' ELSE '?' END AS line \
         FROM sqlite_schema t, pragma_table_info(t.name) c WHERE t.type = 'table'",
    );
    let postgres = columns(
        Base::postgres().await,
        "SELECT table_name || '.' || column_name || \
         CASE is_nullable WHEN 'NO' THEN '' ELSE '?' END AS line \
         FROM information_schema.columns WHERE table_schema = 'public'",
    );
    assert_eq!(sqlite.await, postgres.await);
}

#[tokio::test]
async fn an_existing_sqlite_database_is_copied_before_its_migration() {
    let base = Base::sqlite().await;
    base.account("Acme").await;
    let raw = base.raw().await;
    let steps = rows(&raw, "SELECT * FROM seaql_migrations").await;
    let steps: Vec<String> = steps
        .iter()
        .map(|row| row.try_get("", "version").unwrap())
        .collect();
    let last = steps.iter().max().unwrap();
    let forget = format!("DELETE FROM seaql_migrations WHERE version = '{last}'");
    raw.execute_unprepared(&forget).await.unwrap();
    let copy = base
        .directory
        .path()
        .join(format!("pressroom.db.before-{last}"));
    assert!(!copy.exists(), "a new database needs no copy");

    Store::open(&base.url, base.keyring.clone()).await.unwrap();
    let of_copy = sea_orm::Database::connect(format!("sqlite://{}", copy.display()))
        .await
        .unwrap();
    assert_eq!(rows(&of_copy, "SELECT * FROM accounts").await.len(), 1);
    assert_eq!(
        rows(&of_copy, "SELECT * FROM seaql_migrations").await.len(),
        steps.len() - 1,
        "the copy is from before"
    );
    for file in [copy, base.directory.path().join("pressroom.db")] {
        let mode = file.metadata().unwrap().permissions().mode() & 0o777;
        assert_eq!(mode, 0o600, "{}", file.display());
    }

    // A second time, the first copy stays as it is.
    raw.execute_unprepared(&forget).await.unwrap();
    Store::open(&base.url, base.keyring.clone()).await.unwrap();
    assert!(
        base.directory
            .path()
            .join(format!("pressroom.db.before-{last}-2"))
            .exists()
    );
}

#[tokio::test]
async fn other_databases_are_refused() {
    let keyring = Keyring::parse(Keyring::generate().expose()).unwrap();
    let refused = Store::open("mysql://localhost/x", keyring).await;
    assert!(matches!(refused.err(), Some(Error::BadUrl)));
}
