//! What items printed: bytes, for a command may print anything.

use super::RunPiece;
use crate::{Read, Result, Tx, sql};
use pressroom_base::id::RunItemId;

/// Appends to an item's output.
pub async fn append_output(tx: &Tx, item: RunItemId, channel: &str, bytes: &[u8]) -> Result<()> {
    sql::run(
        tx,
        "INSERT INTO run_output (item_id, seq, channel, bytes) \
         SELECT $1, COALESCE(MAX(seq), 0) + 1, $2, $3 FROM run_output WHERE item_id = $4",
        [
            item.get().into(),
            channel.into(),
            bytes.to_vec().into(),
            item.get().into(),
        ],
    )
    .await?;
    Ok(())
}

/// At most `limit` pieces of an item's output after piece `seq`, in order.
pub async fn output_after(
    from: &impl Read,
    item: RunItemId,
    seq: i32,
    limit: i64,
) -> Result<Vec<RunPiece>> {
    let rows = sql::all(
        from,
        "SELECT seq, channel, bytes FROM run_output WHERE item_id = $1 AND seq > $2 \
         ORDER BY seq LIMIT $3",
        [item.get().into(), seq.into(), limit.into()],
    )
    .await?;
    rows.iter()
        .map(|row| {
            Ok(RunPiece {
                seq: row.try_get("", "seq")?,
                channel: row.try_get("", "channel")?,
                bytes: row.try_get("", "bytes")?,
            })
        })
        .collect()
}
