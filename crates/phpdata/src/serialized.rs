//! PHP's `serialize()` format: read with byte spans, and rewritten in place.
//!
//! [`strings`] reads one value exactly as PHP 8's `unserialize()` would accept it and
//! says where its strings are; [`list_values`] and [`list_keys`] read flat lists,
//! [`number_keys`] the numbers that any array is keyed by.
//! [`Replacer`] replaces text in values as a site's database holds them: plain text,
//! serialized data, serialized data inside strings of serialized data, JSON inside any
//! of them, and serialized data inside JSON. It does not build the value: what is not
//! replaced keeps its bytes.

mod cron;
mod embedded;
mod keys;
mod list;
mod pairs;
mod replace;
mod scan;

pub use cron::merge_cron;
pub use keys::number_keys;
pub use list::{list_keys, list_values};
pub use pairs::{MAX_PAIRS, Pair, PairError, json_forms};
pub use replace::{MAX_FOLDS, Objects, Outcome, Replacer, Rules, Tally};
pub use scan::{Fault, MAX_DEPTH, StringSpan, looks_serialized, strings, trim};
