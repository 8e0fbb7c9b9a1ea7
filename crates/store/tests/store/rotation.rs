//! Exchanging the key while the store is used.

use crate::{
    base::{Base, rows},
    sealing::{self, NEEDLE},
};
use pressroom_base::{Secret, keyring::Keyring};
use pressroom_store::{Store, environments, sealed, settings};
use std::{collections::HashSet, fs};

crate::on_both! {
    every_sealed_column_is_known
    everything_is_sealed_anew_and_the_old_key_opens_nothing
    a_running_process_takes_the_new_key_up
}

async fn every_sealed_column_is_known(base: Base) {
    let raw = base.raw().await;
    let sql = if base.is_sqlite() {
        "SELECT m.name AS t, c.name AS c FROM sqlite_master m, pragma_table_info(m.name) c \
         WHERE m.type = 'table' AND c.name LIKE '%sealed%'"
    } else {
        "SELECT CAST(table_name AS text) AS t, CAST(column_name AS text) AS c \
         FROM information_schema.columns \
         WHERE table_schema = current_schema() AND column_name LIKE '%sealed%'"
    };
    let known: HashSet<_> = sealed::columns().collect();
    let found = rows(&raw, sql).await;
    assert!(found.len() > 4);
    for row in found {
        let table: String = row.try_get("", "t").unwrap();
        let column: String = row.try_get("", "c").unwrap();
        assert!(
            known.contains(&format!("{table}.{column}")),
            "`{table}.{column}` would not open after the key was exchanged"
        );
    }
}

async fn filled(base: &Base) -> sealing::Filled {
    let filled = sealing::fill(base).await;
    let place = "settings.value/signing_key.x";
    let tx = base.store.begin().await.unwrap();
    let secret = base.store.seal(place, &Secret::new(NEEDLE.into()));
    settings::set(&tx, "signing_key.x", &secret).await.unwrap();
    settings::set(&tx, "plain", "v2 is no secret")
        .await
        .unwrap();
    tx.commit().await.unwrap();
    filled
}

async fn everything_is_sealed_anew_and_the_old_key_opens_nothing(base: Base) {
    let filled = filled(&base).await;
    let before = sealed::look(&base.store).await.unwrap();
    assert_eq!((before.older, before.shut.len()), (0, 0), "{before:?}");
    assert!(before.current >= 6, "{before:?}");

    let (old, new) = (fresh(), fresh());
    let both = Keyring::parse(&format!("{new}\n{old}")).unwrap();
    // The rows are sealed with another key than either.
    let store = Store::open(&base.url, both).await.unwrap();
    let shut = sealed::look(&store).await.unwrap();
    assert_eq!(shut.shut.len() as u64, before.current, "{shut:?}");
    assert_eq!(
        sealed::renew(&store).await.unwrap(),
        shut,
        "nothing is lost"
    );
    let again = sealed::look(&base.store).await.unwrap();
    assert_eq!(again, before);

    // `base`'s own key, then a new one before it.
    drop(store);
    let joined = Store::open(&base.url, joined(&base, &new)).await.unwrap();
    let renewed = sealed::renew(&joined).await.unwrap();
    assert_eq!((renewed.older, renewed.current), (before.current, 0));
    let settled = sealed::look(&joined).await.unwrap();
    assert_eq!((settled.older, settled.current), (0, before.current));
    let alone = Store::open(&base.url, Keyring::parse(&new).unwrap())
        .await
        .unwrap();
    let row = environments::get(&alone, filled.environment.id)
        .await
        .unwrap()
        .unwrap();
    let opened = environments::db_password(&alone, &row).unwrap().unwrap();
    assert_eq!(opened.expose(), NEEDLE);
    assert!(
        environments::db_password(&base.store, &row).is_err(),
        "the old key alone"
    );
}

async fn a_running_process_takes_the_new_key_up(base: Base) {
    let filled = filled(&base).await;
    let file = base.directory.path().join("keys");
    fs::write(&file, "not a key").unwrap();
    base.store.keep_keys_in(&file);
    assert!(
        base.store.look_for_keys().is_err(),
        "what is no key is not taken up"
    );
    let new = fresh();
    let rotating = Store::open(&base.url, joined(&base, &new)).await.unwrap();
    sealed::renew(&rotating).await.unwrap();
    let row = environments::get(&base.store, filled.environment.id)
        .await
        .unwrap()
        .unwrap();
    assert!(environments::db_password(&base.store, &row).is_err());
    fs::write(&file, format!("{new}\n")).unwrap();
    let opened = environments::db_password(&base.store, &row)
        .unwrap()
        .unwrap();
    assert_eq!(opened.expose(), NEEDLE);
    // And seals with it from then on.
    let sealed = base.store.seal("x", &Secret::new("1".into()));
    assert!(Keyring::parse(&new).unwrap().open("x", &sealed).is_ok());
}

fn fresh() -> String {
    Keyring::generate().into_inner()
}

/// A new key, and the one the base was made with.
fn joined(base: &Base, new: &str) -> Keyring {
    Keyring::parse(&format!("{new}\n{}", base.key)).unwrap()
}
