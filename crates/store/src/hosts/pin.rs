//! The key a host is known by: learned once, then only compared.

use super::host;
use crate::{Error, HostRow, Result, Tx, sql};
use pressroom_base::id::HostId;
use sea_orm::{ColumnTrait, EntityTrait, QueryFilter, sea_query::Expr};

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

impl HostRow {
    /// The key the host is known by, once there is one.
    pub fn pinned(&self) -> Option<HostKey> {
        let algorithm = self.host_key_algorithm.clone();
        let both = algorithm.zip(self.host_key.clone());
        both.map(|(algorithm, base64)| HostKey { algorithm, base64 })
    }
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
    let none = || Expr::val(None::<String>);
    let change = host::Entity::update_many()
        .col_expr(host::Column::HostKeyAlgorithm, none())
        .col_expr(host::Column::HostKey, none())
        .filter(host::Column::Id.eq(id.get()));
    super::done(tx, change).await
}
