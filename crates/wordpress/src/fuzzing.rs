//! Parsers of foreign bytes that are no part of this crate's interface, opened for
//! the fuzz targets in `fuzz/` and for nobody else.
//!
//! They stay private because callers should have the acts, not the parsers; the
//! targets live outside because this crate, which goes to customers' hosts, must
//! not know a fuzzer.

pub use crate::{
    bridge::fuzzing::{Scanned, scan},
    caches::fuzzing::{fastcgi, resp},
    cage::fuzzing::{messages, passes},
    database::fuzzing::{Understood, marks, split, tokens, understand, unwrapped},
    journal::entry_again,
};
