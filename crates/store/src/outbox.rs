//! Rows that wait to be sent. Whoever sends one holds it by a claim that lapses; what the
//! sender writes afterwards counts only while the claim is its own.

use crate::{Result, Store, Tx, sql};
use sea_orm::{QueryResult, Value};
use std::time::Duration;

/// A table of such rows. It has `id`, `state` (`pending` while a row waits), `due_at`,
/// `claim`, `lease_until` and `attempts`.
pub(crate) struct Outbox(pub &'static str);

/// What is due at `$1` and nobody sends.
pub(crate) const DUE: &str = "state = 'pending' AND due_at <= $1 \
                              AND (lease_until IS NULL OR lease_until <= $1)";

/// Somebody's hold on rows.
#[derive(Clone, Copy)]
pub(crate) struct Hold<'a> {
    /// Whose, unlike any other's.
    pub claim: &'a str,
    /// How long; afterwards somebody else may have them.
    pub lease: Duration,
}

impl Outbox {
    /// Whether anything is due. Mostly nothing is, and that is one look at an index.
    pub async fn has_due(&self, store: &Store) -> Result<bool> {
        let any = format!("SELECT id FROM {} WHERE {DUE} LIMIT 1", self.0);
        let now = store.now().await?.millis();
        Ok(sql::one(store, any, [now.into()]).await?.is_some())
    }

    /// Takes hold of at most `most` of what is due and also `only`, whose parameters count
    /// from `$3`; the oldest first, as they were before.
    pub async fn claim(
        &self,
        store: &Store,
        only: (&str, Vec<Value>),
        most: u64,
        hold: Hold<'_>,
    ) -> Result<Vec<QueryResult>> {
        let tx = store.begin().await?;
        let now = tx.now().await?;
        let (only, rest) = only;
        let most = i64::try_from(most).unwrap_or(i64::MAX);
        let mut values: Vec<Value> = vec![now.millis().into(), most.into()];
        values.extend(rest);
        let lock = store.lock_clause("FOR UPDATE SKIP LOCKED");
        let select = format!(
            "SELECT * FROM {} WHERE {DUE} AND {only} ORDER BY due_at, id LIMIT $2 {lock}",
            self.0
        );
        let rows = sql::all(&tx, select, values).await?;
        let update = format!(
            "UPDATE {} SET claim = $1, lease_until = $2 WHERE id = $3",
            self.0
        );
        let until = now.plus(hold.lease).millis();
        for row in &rows {
            let id: i64 = row.try_get("", "id")?;
            let values = [hold.claim.into(), until.into(), id.into()];
            sql::run(&tx, &update, values).await?;
        }
        tx.commit().await?;
        Ok(rows)
    }

    /// Ends an attempt at `row` by what `set` says, if the claim still holds and `only` is
    /// true of it; `false` otherwise. Parameters count from `$3`.
    pub async fn end(
        &self,
        tx: &Tx,
        (id, claim): (i64, Option<&str>),
        set: &str,
        only: &str,
        rest: impl IntoIterator<Item = Value>,
    ) -> Result<bool> {
        let update = format!(
            "UPDATE {} SET attempts = attempts + 1, claim = NULL, lease_until = NULL, {set} \
             WHERE id = $1 AND claim = $2 AND {only}",
            self.0
        );
        let mut values: Vec<Value> = vec![id.into(), claim.map(str::to_owned).into()];
        values.extend(rest);
        Ok(sql::run(tx, update, values).await? > 0)
    }
}
