//! A key as people see it: everything but the private half.

use pressroom_base::{Timestamp, id::SshKeyId};
use pressroom_store::SshKeyRow;
use serde::Serialize;

/// A key of an account.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct SshKey {
    /// Row id.
    pub id: SshKeyId,
    /// The account's name.
    pub account: String,
    /// What its owner calls it.
    pub label: String,
    /// `ed25519` or `rsa`.
    pub kind: &'static str,
    /// The line that belongs into a login's `authorized_keys`.
    pub public_line: String,
    /// `SHA256:…`, as OpenSSH prints it.
    pub fingerprint: String,
    /// Whether hosts that name no key are opened with it.
    pub primary: bool,
    /// When it was added.
    pub created_at: Timestamp,
}

impl SshKey {
    pub(super) fn new(row: SshKeyRow, account: String) -> Self {
        Self {
            id: row.id,
            account,
            label: row.label,
            kind: row.kind.as_str(),
            public_line: row.public_line,
            fingerprint: row.fingerprint,
            primary: row.is_primary,
            created_at: row.created_at,
        }
    }
}
