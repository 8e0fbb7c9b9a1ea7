//! Copies of the whole store: what comes back is what was there.

use crate::{
    base::{Base, count, rows},
    sealing::{self, NEEDLE},
};
use pressroom_base::{catalog::event, keyring::Keyring};
use pressroom_store::{
    Error, JobState, NewEvent, Store, copy, environments, events,
    jobs::{self, NewJob, queue},
    settings, ssh_keys,
};
use sea_orm::ConnectionTrait;
use std::{
    fs::{self, File},
    path::{Path, PathBuf},
    time::Duration,
};

crate::on_both! {
    everything_comes_back_in_either_database
    what_was_under_way_has_ended_and_epochs_rise
    a_damaged_copy_changes_nothing
    nothing_is_loaded_over_anything
    another_key_is_refused
    a_copy_is_of_one_instant
}

async fn write(base: &Base) -> (PathBuf, copy::Summary) {
    let file = base.directory.path().join("all.copy");
    let summary = copy::write(&base.store, File::create(&file).unwrap())
        .await
        .unwrap();
    (file, summary)
}

/// An empty database of the same kind, and one of the other.
async fn elsewhere(base: &Base) -> [String; 2] {
    [
        pressroom_testkit::postgres::database().await.unwrap(),
        format!(
            "sqlite://{}",
            base.directory.path().join("new.db").display()
        ),
    ]
}

/// Bytes, both widths of numbers, and every odd text.
async fn add_oddities(base: &Base) {
    let raw = base.raw().await;
    let bytes = if base.is_sqlite() {
        "x'00ff0a22'"
    } else {
        "'\\x00ff0a22'::bytea"
    };
    raw.execute_unprepared(&format!(
        "INSERT INTO runs (public_id, actor, selector, operation, at_once, per_host, wait_ms, state, created_at) \
         VALUES ('run_1', 'a', 'x', '{{}}', 8, 2, -5, 'open', 9007199254740993); \
         INSERT INTO run_items (run_id, ordinal, environment_id, account_id, panel_id, label, state, \
         dropped_bytes, note, started_at) SELECT id, 0, 1, 1, 'wp_1', \
         'line\nbreak \"quoted\" \\ snow\u{2603} [1]', 'running', 0, '', NULL FROM runs; \
         INSERT INTO run_output (item_id, seq, channel, bytes) SELECT id, 2147483647, 'out', {bytes} \
         FROM run_items"
    ))
    .await
    .unwrap();
}

async fn everything_comes_back_in_either_database(base: Base) {
    let filled = sealing::fill(&base).await;
    add_oddities(&base).await;
    let (file, written) = write(&base).await;
    assert!(
        written.tables.len() > 30 && written.rows() > 8,
        "{written:?}"
    );
    let scratch = base.directory.path().join("scratch.db");
    let checked = copy::check(&base.keyring, &file, &scratch).await.unwrap();
    assert_eq!(checked, written);
    assert!(!scratch.exists(), "the scratch database is gone");

    for url in elsewhere(&base).await {
        let restored = copy::restore(&url, &base.keyring, &file).await.unwrap();
        assert_eq!(restored, written);
        let store = Store::open(&url, base.keyring.clone()).await.unwrap();
        let environment = environments::get(&store, filled.environment.id).await;
        let environment = environment.unwrap().unwrap();
        assert_eq!(environment, filled.environment);
        let opened = environments::db_password(&store, &environment).unwrap();
        assert_eq!(opened.unwrap().expose(), NEEDLE);
        assert_eq!(
            ssh_keys::private(&store, &filled.key).unwrap().expose(),
            NEEDLE
        );
        let new = Base {
            url,
            key: base.key.clone(),
            keyring: base.keyring.clone(),
            store,
            directory: tempfile::tempdir().unwrap(),
        };
        let raw = new.raw().await;
        let found = rows(&raw, "SELECT label FROM run_items").await;
        let label: String = found[0].try_get("", "label").unwrap();
        assert_eq!(label, "line\nbreak \"quoted\" \\ snow\u{2603} [1]");
        let found = rows(&raw, "SELECT bytes FROM run_output").await;
        let bytes: Vec<u8> = found[0].try_get("", "bytes").unwrap();
        assert_eq!(bytes, [0, 255, 10, 34]);
        // Numbers go on where they were.
        let account = new.account("Another").await;
        assert!(account.id.get() > filled.environment.account_id.get());
        // A copy of the copy is the same, but for what ended with it.
        let (again, second) = write(&new).await;
        for table in ["ssh_keys", "environments", "run_output", "users"] {
            assert_eq!(second.tables[table], written.tables[table], "{table}");
        }
        drop(again);
    }
}

async fn what_was_under_way_has_ended_and_epochs_rise(base: Base) {
    let filled = sealing::fill(&base).await;
    add_oddities(&base).await;
    let tx = base.store.begin().await.unwrap();
    let waiting = queue::insert(&tx, NewJob::new("later", serde_json::json!({}))).await;
    let waiting = waiting.unwrap();
    tx.commit().await.unwrap();
    let (file, _) = write(&base).await;
    for url in elsewhere(&base).await {
        copy::restore(&url, &base.keyring, &file).await.unwrap();
        let store = Store::open(&url, base.keyring.clone()).await.unwrap();
        for id in [filled.job.id, waiting.id] {
            let job = jobs::get(&store, id).await.unwrap().unwrap();
            assert_eq!(job.state, JobState::Dead);
            let message = job.error_message.unwrap();
            assert!(message.contains("when the copy was made"), "{message}");
        }
        let lease = Duration::from_mins(1);
        let none = queue::claim(&store, &["test", "later"], "w", lease).await;
        assert_eq!(none.unwrap(), None, "nothing of before is taken up");
        // Sites have seen epochs that the copy knows nothing of.
        let tx = store.begin().await.unwrap();
        queue::insert(&tx, NewJob::new("test", serde_json::json!({})))
            .await
            .unwrap();
        tx.commit().await.unwrap();
        let next = queue::claim(&store, &["test"], "w", lease).await;
        let epoch = next.unwrap().unwrap().epoch.get();
        assert!(epoch > filled.job.epoch.get() + 1_000_000, "{epoch}");
        let raw = sea_orm::Database::connect(&url).await.unwrap();
        let open = "SELECT COUNT(*) FROM runs WHERE state = 'open'";
        assert_eq!(count(&raw, open).await, 0);
        let running = "SELECT COUNT(*) FROM run_items WHERE state <> 'interrupted'";
        assert_eq!(count(&raw, running).await, 0);
    }
}

/// The lines of a copy.
fn lines(file: &Path) -> Vec<String> {
    let bytes = zstd::decode_all(File::open(file).unwrap()).unwrap();
    let text = String::from_utf8(bytes).unwrap();
    text.lines().map(str::to_owned).collect()
}

fn pack(lines: &[String]) -> Vec<u8> {
    let text = lines.join("\n") + "\n";
    zstd::encode_all(text.as_bytes(), 1).unwrap()
}

async fn a_damaged_copy_changes_nothing(base: Base) {
    sealing::fill(&base).await;
    let (file, _) = write(&base).await;
    let whole = fs::read(&file).unwrap();
    let good = lines(&file);
    let changed = |with: &str, by: &str| {
        let at = good.iter().position(|line| line.contains(with)).unwrap();
        let mut lines = good.clone();
        lines[at] = lines[at].replace(with, by);
        pack(&lines)
    };
    let without = |at: usize| {
        let mut lines = good.clone();
        lines.remove(at);
        pack(&lines)
    };
    let row = good.iter().position(|line| line.starts_with('[')).unwrap();
    let mut flipped = whole.clone();
    let middle = flipped.len() / 2;
    flipped[middle] ^= 1;
    let mut twice = good.clone();
    twice.insert(row, good[row].clone());
    let damaged = [
        ("empty", Vec::new()),
        ("not one", b"PRAGMA".to_vec()),
        ("cut", whole[..whole.len() - 20].to_vec()),
        ("a bit", flipped),
        ("changed", changed("Acme", "Evil")),
        ("a row less", without(row)),
        ("a row twice", pack(&twice)),
        ("no end", without(good.len() - 1)),
        (
            "no tables",
            pack(&[good[0].clone(), good[good.len() - 1].clone()]),
        ),
        (
            "newer form",
            changed("\"pressroom_copy\":1", "\"pressroom_copy\":2"),
        ),
        (
            "newer schema",
            changed("\"m0001_people\"", "\"m9999_later\""),
        ),
        ("no schema", changed("\"m0001_people\",", "")),
        (
            "another secret",
            changed("\"SHA256:one\"", "\"SHA256:two\""),
        ),
        (
            "another table",
            changed("{\"table\":\"users\"", "{\"table\":\"losers\""),
        ),
        (
            "another kind",
            changed("[\"email\",\"text\"]", "[\"email\",\"integer\"]"),
        ),
    ];
    let [url, _] = elsewhere(&base).await;
    let store = Store::open(&url, base.keyring.clone()).await.unwrap();
    let tx = store.begin().await.unwrap();
    settings::set(&tx, "kept", "as it was").await.unwrap();
    tx.commit().await.unwrap();
    for (what, bytes) in damaged {
        fs::write(&file, bytes).unwrap();
        let scratch = base.directory.path().join("scratch.db");
        let error = copy::check(&base.keyring, &file, &scratch)
            .await
            .unwrap_err();
        let told = matches!(
            error,
            Error::Copy(_) | Error::Newer { .. } | Error::Database(_)
        );
        assert!(told, "{what}: {error:?}");
        assert!(!scratch.exists());
        copy::restore(&url, &base.keyring, &file).await.unwrap_err();
    }
    let raw = sea_orm::Database::connect(&url).await.unwrap();
    assert_eq!(count(&raw, "SELECT COUNT(*) FROM accounts").await, 0);
    let kept = settings::get(&store, "kept").await.unwrap();
    assert_eq!(
        kept.as_deref(),
        Some("as it was"),
        "what was there is there"
    );
    assert!(Store::pending_migrations(&url).await.unwrap().is_empty());
    drop(store);
    fs::write(&file, whole).unwrap();
    copy::restore(&url, &base.keyring, &file).await.unwrap();
}

async fn nothing_is_loaded_over_anything(base: Base) {
    base.account("Acme").await;
    let (file, _) = write(&base).await;
    let error = copy::restore(&base.url, &base.keyring, &file).await;
    let error = error.unwrap_err();
    assert!(
        matches!(&error, Error::NotEmpty { table } if table == "accounts"),
        "{error:?}"
    );
    base.account("Still here").await;
    let raw = base.raw().await;
    assert_eq!(count(&raw, "SELECT COUNT(*) FROM accounts").await, 2);
}

async fn another_key_is_refused(base: Base) {
    let (file, _) = write(&base).await;
    let other = Keyring::parse(Keyring::generate().expose()).unwrap();
    let [url, _] = elsewhere(&base).await;
    let error = copy::restore(&url, &other, &file).await.unwrap_err();
    assert!(error.to_string().contains("another secret key"), "{error}");

    // One secret that does not open is as bad: the copy would be of no use for it.
    sealing::fill(&base).await;
    let raw = base.raw().await;
    raw.execute_unprepared("UPDATE ssh_keys SET private_sealed = 'v1.AAAA'")
        .await
        .unwrap();
    let (file, _) = write(&base).await;
    let error = copy::restore(&url, &base.keyring, &file).await.unwrap_err();
    assert!(
        error
            .to_string()
            .contains("`ssh_keys.private_sealed` of row 1 does not open"),
        "{error}"
    );
}

/// Writers write while the copy is made: of what one transaction wrote it has all or
/// nothing.
async fn a_copy_is_of_one_instant(base: Base) {
    let account = base.account("Acme").await;
    let (file, written) = tokio::join!(write(&base), async {
        for _ in 0..60 {
            let tx = base.store.begin().await.unwrap();
            for _ in 0..3 {
                let new = NewEvent {
                    kind: event::SITE_TAGGED,
                    account_id: Some(account.id),
                    actor: "ada".into(),
                    payload: serde_json::json!({}),
                    ..NewEvent::default()
                };
                events::emit(&tx, new).await.unwrap();
            }
            tx.commit().await.unwrap();
        }
    })
    .0;
    let tables = &written.tables;
    assert_eq!(tables["events"].rows, tables["activity"].rows);
    assert_eq!(tables["events"].rows % 3, 0);
    let scratch = base.directory.path().join("scratch.db");
    copy::check(&base.keyring, &file, &scratch).await.unwrap();
}
