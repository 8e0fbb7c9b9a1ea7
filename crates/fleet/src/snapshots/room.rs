//! How much room an account's archive has left for a snapshot.
//!
//! What is set aside while snapshots are made is a guess, and only decides whether one
//! more may begin: a guess that was too large must not fail a neighbour that fits, one
//! that was too small must not fail the snapshot itself. What counts is what is kept, and
//! that is looked at again in the transaction in which a snapshot becomes `ready`.

use crate::{Error, Fleet, Result, code};
use pressroom_archive::quota::{Refusal, promise};
use pressroom_base::{Kind, id::AccountId};
use pressroom_store::{EnvironmentRow, Read, SnapshotContents, SnapshotRow, Tx, snapshots};

/// What a site is guessed to need of which no snapshot was taken yet.
const FIRST: u64 = 1024 * 1024 * 1024;
/// With less than this left on its disk the archive takes nothing more: the smallest
/// WordPress needs it.
const LEAST: u64 = 16 * 1024 * 1024;

impl Fleet {
    /// Bytes to set aside for a snapshot of an environment; 0 where nothing is counted.
    /// The account's row is held until `tx` ends.
    ///
    /// Refused with `NO_ROOM` where the quota is used up, or the archive's disk surely
    /// cannot take it.
    pub(super) async fn set_aside(
        &self,
        tx: &Tx,
        row: &EnvironmentRow,
        contents: SnapshotContents,
    ) -> Result<i64> {
        let account = row.account_id;
        snapshots::lock_account(tx, account).await?;
        let last = snapshots::last_size(tx, row.id, contents).await?.map(count);
        refuse_full_disk(self.parts.archive.objects().free_bytes()?, last)?;
        let Some(quota) = self.parts.settings.snapshot_quota else {
            return Ok(0);
        };
        let kept = kept(tx, account).await?;
        let total = count(snapshots::total_bytes(tx, account).await?);
        let promised = total.saturating_sub(kept);
        match promise(Some(quota), kept, promised, expected(last, quota)) {
            Ok(bytes) => Ok(bytes.map_or(0, |bytes| i64::try_from(bytes).unwrap_or(i64::MAX))),
            Err(Refusal::Full) => Err(full(
                "the account keeps as many bytes of snapshots as it may",
            )),
            Err(Refusal::Promised) => Err(Error::new(
                Kind::Busy,
                "other snapshots of this account are being taken and may need what it has left",
            )
            .with_hint("wait until they have finished; `pressroom job list` shows them")),
        }
    }

    /// How many bytes a snapshot may come to: all that its account does not keep yet.
    pub(super) async fn room_for(&self, snapshot: &SnapshotRow) -> Result<Option<u64>> {
        let Some(quota) = self.parts.settings.snapshot_quota else {
            return Ok(None);
        };
        let kept = kept(&self.parts.store, snapshot.account_id).await?;
        Ok(Some(quota.saturating_sub(kept)))
    }

    /// Refuses a snapshot of this size for which no room is left by now. The account's
    /// row is held until `tx` ends, so that nobody else is given the same room.
    pub(super) async fn refuse_without_room(
        &self,
        tx: &Tx,
        snapshot: &SnapshotRow,
        size: u64,
    ) -> Result<()> {
        match self.parts.settings.snapshot_quota {
            Some(quota) => refuse_over(quota, tx, snapshot.account_id, size).await,
            None => Ok(()),
        }
    }
}

/// The same, for this quota.
async fn refuse_over(quota: u64, tx: &Tx, account: AccountId, size: u64) -> Result<()> {
    snapshots::lock_account(tx, account).await?;
    let left = quota.saturating_sub(kept(tx, account).await?);
    if size <= left {
        return Ok(());
    }
    Err(full(&format!(
        "the snapshot has {size} bytes, and the account may keep only {left} more"
    )))
}

async fn kept(from: &impl Read, account: AccountId) -> Result<u64> {
    Ok(count(snapshots::kept_bytes(from, account).await?))
}

/// What is left on a disk must hold as much as the last snapshot had: that one was no
/// guess. `None` where nobody knows, as with a service.
pub(super) fn refuse_full_disk(free: Option<u64>, last: Option<u64>) -> Result<()> {
    let needed = last.unwrap_or(0).max(LEAST);
    match free {
        Some(free) if free < needed => Err(Error::new(
            Kind::Limited,
            format!("the archive's disk has {free} bytes left, and at least {needed} are needed"),
        )
        .with_code(code::NO_ROOM)
        .with_hint("remove a snapshot with `pressroom snapshot remove`, or make the disk larger")),
        _ => Ok(()),
    }
}

/// Half as much again as the last one had: sites grow. The first may not keep others
/// from beginning on an account with little room.
fn expected(last: Option<u64>, quota: u64) -> u64 {
    match last {
        Some(last) => last.saturating_add(last / 2).max(1),
        None => FIRST.min(quota / 4).max(1),
    }
}

fn count(bytes: i64) -> u64 {
    u64::try_from(bytes).unwrap_or(0)
}

fn full(why: &str) -> Error {
    Error::new(Kind::Limited, why)
        .with_code(code::NO_ROOM)
        .with_hint("remove one with `pressroom snapshot remove`, or raise `archive.quota_gb`")
}

#[cfg(test)]
mod tests {
    use super::*;
    use pressroom_base::{id::EnvironmentId, keyring::Keyring};
    use pressroom_store::{
        NewAccount, NewSnapshot, SnapshotFormat, Store, StoredSnapshot, accounts,
    };

    /// Records snapshots of one account: those that are ready, and those being made.
    async fn record(tx: &Tx, account: AccountId, ready: &[i64], creating: &[i64]) {
        let sizes = ready.iter().chain(creating);
        for (at, size) in sizes.enumerate() {
            let new = NewSnapshot {
                public_id: format!("s{at}"),
                environment_id: EnvironmentId::new(1),
                account_id: account,
                format: SnapshotFormat::TarZst,
                reserved: *size,
                job_id: None,
                created_by: None,
                note: String::new(),
                store: "directory".into(),
                object_key: format!("s{at}"),
                expires_at: None,
                contents: SnapshotContents::Full,
                panel_id: "wp_2f686f6d6".into(),
                domain: "blog.example".into(),
            };
            let row = snapshots::begin(tx, new).await.unwrap();
            if at < ready.len() {
                let stored = StoredSnapshot {
                    size: *size,
                    sha256: "ab".repeat(32),
                    wordpress_version: String::new(),
                };
                snapshots::finish(tx, row.id, stored).await.unwrap();
            }
        }
    }

    #[tokio::test]
    async fn what_is_kept_decides_at_the_end_not_what_was_guessed() {
        let dir = pressroom_testkit::Scratch::new().unwrap();
        let url = format!("sqlite://{}", dir.path().join("s.db").display());
        let keyring = Keyring::parse(Keyring::generate().expose()).unwrap();
        let store = Store::open(&url, keyring).await.unwrap();
        let tx = store.begin().await.unwrap();
        let acme = NewAccount {
            name: "Acme".into(),
            prefix: None,
            capabilities: Vec::new(),
        };
        let account = accounts::create(&tx, acme).await.unwrap().id;
        record(&tx, account, &[30, 30], &[25, 900]).await;
        refuse_over(100, &tx, account, 40).await.unwrap();
        let error = refuse_over(100, &tx, account, 41).await.unwrap_err();
        assert_eq!(error.kind(), Kind::Limited);
        assert!(error.message().contains("only 40 more"), "{error}");
        assert!(error.hint().is_some());
        tx.rollback().await.unwrap();
    }

    #[test]
    fn a_disk_must_hold_what_the_last_one_had() {
        assert!(refuse_full_disk(None, Some(u64::MAX)).is_ok());
        assert!(refuse_full_disk(Some(LEAST), None).is_ok());
        assert!(refuse_full_disk(Some(3 * LEAST), Some(3 * LEAST)).is_ok());
        for (free, last) in [(LEAST - 1, None), (3 * LEAST - 1, Some(3 * LEAST))] {
            let error = refuse_full_disk(Some(free), last).unwrap_err();
            assert_eq!(
                (error.kind(), error.code()),
                (Kind::Limited, Some(code::NO_ROOM))
            );
        }
    }

    #[test]
    fn what_is_expected_follows_the_last_one() {
        assert_eq!(expected(Some(100), 1000), 150);
        assert_eq!(expected(Some(u64::MAX), 1000), u64::MAX);
        assert_eq!(expected(None, u64::MAX), FIRST);
        assert_eq!(expected(None, 1000), 250);
        // Nothing set aside would mean that nothing is counted.
        assert_eq!((expected(Some(0), 1000), expected(None, 0)), (1, 1));
    }
}
