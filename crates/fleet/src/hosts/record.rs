//! What is on record of a host, as others spell it.

use crate::{Error, Result};
use pressroom_carrier::ssh::Address;
use pressroom_store::{HostKey, HostRow};

/// Who logs in, and where.
pub(super) fn address(row: &HostRow) -> Result<Address> {
    Address::new(&row.login, &row.address, row.port).map_err(Error::internal)
}

/// A key as `known_hosts` has it behind the name.
pub(super) fn line(key: &HostKey) -> String {
    format!("{} {}", key.algorithm, key.base64)
}

/// What names a host on the command line: its label where that is one plain word.
pub(super) fn spoken(row: &HostRow) -> String {
    let is_plain = |letter: char| letter.is_ascii_alphanumeric() || "._-".contains(letter);
    if row.label.chars().all(is_plain) && !row.label.starts_with('-') {
        row.label.clone()
    } else {
        row.id.to_string()
    }
}
