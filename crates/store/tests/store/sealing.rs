use crate::base::{Base, new_environment, rows};
use pressroom_base::Secret;
use pressroom_store::{
    EnvironmentRow, Error, JobRow, NewSshKey, SshKeyKind, SshKeyRow, environments,
    jobs::{self, NewJob, queue, record},
    ssh_keys,
};
use std::time::Duration;

crate::on_both! {
    secrets_cannot_be_read_in_the_raw_database
    a_secret_of_a_job_is_given_once
}

pub const NEEDLE: &str = "needle-in-the-haystack";

/// Every value of every table, as text.
async fn dump(base: &Base) -> String {
    let raw = base.raw().await;
    let mut text = String::new();
    let tables = [
        "environments",
        "jobs",
        "idempotency",
        "job_steps",
        "events",
        "ssh_keys",
    ];
    for table in tables {
        let sql = if base.is_sqlite() {
            let columns: Vec<String> = rows(
                &raw,
                &format!("SELECT name FROM pragma_table_info('{table}')"),
            )
            .await
            .iter()
            .map(|row| {
                format!(
                    "COALESCE({}, '')",
                    row.try_get::<String>("", "name").unwrap()
                )
            })
            .collect();
            format!(
                "SELECT {} AS line FROM {table}",
                columns.join(" || '|' || ")
            )
        } else {
            format!("SELECT CAST(t AS TEXT) AS line FROM {table} t")
        };
        for row in rows(&raw, &sql).await {
            text.push_str(&row.try_get::<String>("", "line").unwrap());
            text.push('\n');
        }
    }
    if base.is_sqlite() {
        for file in std::fs::read_dir(base.directory.path()).unwrap() {
            let bytes = std::fs::read(file.unwrap().path()).unwrap();
            text.push_str(&String::from_utf8_lossy(&bytes));
        }
    }
    text
}

/// What holds secrets, each sealed for its place.
pub struct Filled {
    pub environment: EnvironmentRow,
    pub key: SshKeyRow,
    /// A job that a worker has claimed.
    pub job: JobRow,
}

/// Rows with a secret in every kind of place but people's.
pub async fn fill(base: &Base) -> Filled {
    let account = base.account("Acme").await;
    let secret = || Secret::new(NEEDLE.to_owned());
    let tx = base.store.begin().await.unwrap();
    let site = environments::create_site(&tx, account.id, "uuid", "x")
        .await
        .unwrap();
    let mut new = new_environment(account.id, site.id, "/srv/a");
    new.db_password = Some(secret());
    let environment = environments::create(&tx, new).await.unwrap();
    let mut job = NewJob::new("test", serde_json::json!({ "seen": "in the clear" }));
    job.secrets = Some(secret());
    let job = queue::insert(&tx, job).await.unwrap();
    let key = NewSshKey {
        account_id: account.id,
        label: "seen in the clear too".into(),
        kind: SshKeyKind::Ed25519,
        public_line: "ssh-ed25519 AAAA".into(),
        fingerprint: "SHA256:one".into(),
        private: secret(),
    };
    let key = ssh_keys::create(&tx, key).await.unwrap();
    tx.commit().await.unwrap();
    let lease = Duration::from_mins(1);
    let row = queue::claim(&base.store, &["test"], "w", lease)
        .await
        .unwrap()
        .unwrap();
    let tx = base.store.begin().await.unwrap();
    record::keep_secret(&tx, job.id, row.epoch, &secret())
        .await
        .unwrap();
    tx.commit().await.unwrap();
    let claim = pressroom_store::idempotency::claim(&base.store, "u", "k", "f", "h", lease);
    let pressroom_store::idempotency::Claim::Fresh(id) = claim.await.unwrap() else {
        panic!("not fresh");
    };
    pressroom_store::idempotency::finish(&base.store, id, "h", 200, NEEDLE)
        .await
        .unwrap();
    Filled {
        environment,
        key,
        job: row,
    }
}

async fn secrets_cannot_be_read_in_the_raw_database(base: Base) {
    let Filled {
        environment,
        key,
        job: row,
    } = fill(&base).await;
    let text = dump(&base).await;
    assert!(
        text.contains("in the clear") && text.contains("seen in the clear too"),
        "the dump shows what is not sealed"
    );
    assert!(!text.contains(NEEDLE));

    let opened = environments::db_password(&base.store, &environment)
        .unwrap()
        .unwrap();
    assert_eq!(opened.expose(), NEEDLE);
    let opened = queue::secrets(&base.store, &row).unwrap().unwrap();
    assert_eq!(opened.expose(), NEEDLE);

    let opened = ssh_keys::private(&base.store, &key).unwrap();
    assert_eq!(opened.expose(), NEEDLE);

    // Copied into another row, it does not open.
    let mut moved = key;
    moved.fingerprint = "SHA256:two".into();
    let refused = ssh_keys::private(&base.store, &moved);
    assert!(matches!(refused, Err(Error::Sealed(_))));
    let mut moved = environment;
    moved.panel_id = "wp_000000000".into();
    let refused = environments::db_password(&base.store, &moved);
    assert!(matches!(refused, Err(Error::Sealed(_))));
}

async fn a_secret_of_a_job_is_given_once(base: Base) {
    let within = Duration::from_mins(15);
    let finished = async || {
        let tx = base.store.begin().await.unwrap();
        queue::insert(&tx, NewJob::new("test", serde_json::Value::Null))
            .await
            .unwrap();
        tx.commit().await.unwrap();
        let lease = Duration::from_mins(1);
        let row = queue::claim(&base.store, &["test"], "w", lease)
            .await
            .unwrap()
            .unwrap();
        let tx = base.store.begin().await.unwrap();
        let secret = Secret::new(NEEDLE.to_owned());
        record::keep_secret(&tx, row.id, row.epoch, &secret)
            .await
            .unwrap();
        assert_eq!(
            record::take_secret(&tx, row.id, within).await.unwrap(),
            None,
            "not over"
        );
        queue::complete(&tx, row.id, row.epoch, &serde_json::json!({}))
            .await
            .unwrap();
        tx.commit().await.unwrap();
        row.id
    };
    let take = async |job| {
        let tx = base.store.begin().await.unwrap();
        let taken = record::take_secret(&tx, job, within).await.unwrap();
        tx.commit().await.unwrap();
        taken.map(Secret::into_inner)
    };

    let job = finished().await;
    let many = futures_util::future::join_all((0..10).map(|_| take(job))).await;
    assert_eq!(many.iter().flatten().collect::<Vec<_>>(), [NEEDLE]);

    let late = finished().await;
    base.store.advance_clock(Duration::from_mins(16));
    assert_eq!(take(late).await, None);
    let unread = finished().await;
    base.store.advance_clock(Duration::from_mins(16));
    let tx = base.store.begin().await.unwrap();
    assert_eq!(record::drop_secrets(&tx, within).await.unwrap(), 1);
    tx.commit().await.unwrap();
    let row = jobs::get(&base.store, unread).await.unwrap().unwrap();
    assert_eq!(row.result_sealed, None);
}
