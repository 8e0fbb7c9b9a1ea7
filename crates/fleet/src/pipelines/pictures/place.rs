//! Where a picture is in the archive.

use crate::Result;
use pressroom_archive::Key;
use pressroom_store::PictureRow;

/// Bytes of the largest file that is kept.
pub(super) const LARGEST: usize = 1 << 20;

/// `pictures/<account>/<environment>/<id>.png`: a name alone never reaches another's picture.
pub(super) fn key_of(row: &PictureRow) -> Result<Key> {
    let text = format!(
        "pictures/{}/{}/{}.png",
        row.account_id, row.environment_id, row.short_id
    );
    Ok(Key::parse(&text)?)
}
