//! Stops the acts of [`super`] as a killed process would, in tests.

use rustix::{fs::RenameFlags, io::Errno};
use std::cell::Cell;

thread_local! {
    static LEFT: Cell<Option<usize>> = const { Cell::new(None) };
    static PLAIN: Cell<bool> = const { Cell::new(false) };
}

/// Lets this thread do `count` more acts; every later one fails, so that nothing
/// that tidies up after a failure runs either.
pub(crate) fn stop_after(count: usize) {
    LEFT.set(Some(count));
}

/// Whether the limit was met since [`stop_after`]; takes the limit away.
pub(crate) fn stopped() -> bool {
    LEFT.take() == Some(0)
}

/// Pretends that the file system knows only plain renames.
pub(crate) fn plain_renames_only(plain: bool) {
    PLAIN.set(plain);
}

pub(super) fn pass(flags: RenameFlags) -> Result<(), Errno> {
    if PLAIN.get() && !flags.is_empty() {
        return Err(Errno::INVAL);
    }
    match LEFT.get() {
        None => Ok(()),
        Some(0) => Err(Errno::IO),
        Some(left) => {
            LEFT.set(Some(left - 1));
            Ok(())
        }
    }
}
