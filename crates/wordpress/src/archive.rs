//! Archives of a site's files: `tar.zst` and `zip`, streamed, with a manifest.
//!
//! An archive holds one or more trees below a prefix each (`files/…`), files that
//! were made for it (`database.sql`), and as its last entry `manifest.json`, which
//! has the hash of everything before it. [`Packer`] writes one while it reads the
//! site; [`unpack`] lays one out in the staging directory after checking every
//! name, size and hash; [`verify()`] only checks; [`inspect()`] does so with archives of
//! anybody's, and says what is in them; [`exchange()`] puts an unpacked tree
//! in the place of the live one and can take that back.
//!
//! Start reading at [`manifest`], the format, and [`names`], what an entry may be
//! called.

mod add_tree;
pub(crate) mod ahead;
mod exchange;
pub(crate) mod excludes;
mod glance;
mod inspect;
mod intake;
mod limits;
pub mod manifest;
pub mod names;
mod pack;
pub(crate) mod planned;
mod read;
mod read_tar;
mod read_zip;
mod stage;
mod switch;
mod tree_hash;
mod unpack;
mod verify;
pub(crate) mod walk;
mod write;

pub(crate) use exchange::look as look_at_exchange;
pub use exchange::{
    Exchanged, LiveTree, RecoveredExchange, drop_unpacked, exchange, take_back_exchange,
};
pub use excludes::USUAL_EXCLUDES;
pub use inspect::{Inspected, inspect};
pub use intake::Checked;
pub use limits::{Limits, MOST_ENTRIES};
pub use manifest::{
    Content, Digest, EntryPath, LeftOut, Manifest, ManifestEntry, PackedTree, Summary, Totals, Why,
};
pub use pack::{Format, PackOptions, Packer, PackerOptions, TreeOptions, pack};
pub(crate) use planned::staging_dir as staged_path;
pub use planned::{Exchange, Method};
pub use unpack::{OutsideLinks, UnpackOptions, Unpacked, unpack};
pub use verify::{verify, verify_zip};

#[cfg(test)]
mod tests;
