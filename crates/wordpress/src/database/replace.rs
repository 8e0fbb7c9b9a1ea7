//! Search-replace over a site's tables, serialized values included.
//!
//! What may be replaced in a value is [`pressroom_phpdata::serialized`]'s to say; this
//! module finds the values and writes them back. A table is read in ranges of its
//! key, the server sends only rows that may hold a search text, and a row is written
//! only while it still holds what was read. Text is taken as the site's WordPress reads
//! it, mostly as UTF-8: a column in another character set is converted on both ways, and
//! a row whose new text does not fit its set is refused and named.
//!
//! Which columns are looked at, and what is special:
//!
//! - tables that begin with the site's prefix and are not those of another WordPress
//!   with a longer prefix in the same database; on a network those of all its sites.
//!   Views are not looked at.
//! - columns of text, and of bytes when [`ReplaceOptions::blobs`] says so. Generated
//!   columns and parts of the key that names a row stay; what they hold is counted.
//! - a table without a key that names every row cannot be written safely row by row:
//!   it is left, and said so with the number of its rows that hold a search text.
//! - `posts.guid` is an identity, not an address, and stays unless asked for.
//! - `blogs` and `site` of a network hold a domain and a path where pages hold an
//!   address: see [`Domains`].

mod charset;
mod domains;
mod job;
mod options;
mod plan;
mod progress;
mod row;
mod run;
mod schema;
mod sql;
mod table;
mod verify;
mod work;
mod write;

pub use domains::Domains;
pub use options::{
    ColumnReport, ObjectRule, ReplaceOptions, ReplaceReport, RowFailure, TableReport, TextPair,
};
pub use run::search_replace;
