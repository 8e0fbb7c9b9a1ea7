//! The key a host is known by: learned once, then only compared.

use crate::{Error, Result, Tx, sql};
use pressroom_base::id::HostId;

/// The public key that a host proves itself with.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HostKey {
    /// E.g. `ssh-ed25519`.
    pub algorithm: String,
    /// The key as in `known_hosts`, in base64.
    pub base64: String,
}

/// How a key that was shown stands to the pinned one.
#[derive(Debug, Clone, PartialEq, Eq)]
#[must_use = "another key than the pinned one must stop the connection"]
pub enum Pin {
    /// It is the pinned one, since now or since long.
    Same,
    /// Another one is pinned, and stays so.
    Other(HostKey),
}

/// Pins the key that a host has shown unless one is pinned already, and compares. Of two
/// that learn at once, the second is told of the first.
pub async fn learn_key(tx: &Tx, id: HostId, shown: &HostKey) -> Result<Pin> {
    let row = sql::one(
        tx,
        "UPDATE hosts SET host_key_algorithm = COALESCE(host_key_algorithm, $2), \
         host_key = COALESCE(host_key, $3) WHERE id = $1 \
         RETURNING host_key_algorithm, host_key",
        [
            id.get().into(),
            shown.algorithm.as_str().into(),
            shown.base64.as_str().into(),
        ],
    )
    .await?
    .ok_or(Error::NotFound { what: "host" })?;
    let pinned = HostKey {
        algorithm: row.try_get("", "host_key_algorithm")?,
        base64: row.try_get("", "host_key")?,
    };
    Ok(if pinned == *shown {
        Pin::Same
    } else {
        Pin::Other(pinned)
    })
}

/// Forgets the key a host is known by: the next one it shows will be learned. Only ever
/// on somebody's word that it was changed on purpose.
pub async fn forget_key(tx: &Tx, id: HostId) -> Result<()> {
    let touched = sql::run(
        tx,
        "UPDATE hosts SET host_key_algorithm = NULL, host_key = NULL WHERE id = $1",
        [id.get().into()],
    );
    match touched.await? {
        0 => Err(Error::NotFound { what: "host" }),
        _ => Ok(()),
    }
}
