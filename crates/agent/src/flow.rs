//! Credit: how many bytes may be on their way before the other side has used them.
//!
//! Each stream has its own credit in each direction, [`INITIAL_CREDIT`] to begin
//! with. Whoever receives grants more as the bytes are *used*, so a slow request
//! stalls its own sender only, and the thread that reads the pipe never waits.

use crate::protocol::INITIAL_CREDIT;
use std::{
    sync::{Condvar, Mutex, MutexGuard, PoisonError},
    time::Instant,
};

/// Used bytes that are worth a credit frame.
const GRANT_STEP: u32 = INITIAL_CREDIT / 4;

/// The receiving side of a stream.
#[derive(Debug)]
pub struct ReceiveWindow {
    open: u32,
    used: u32,
}

impl Default for ReceiveWindow {
    fn default() -> Self {
        Self {
            open: INITIAL_CREDIT,
            used: 0,
        }
    }
}

impl ReceiveWindow {
    /// Notes bytes that arrived; an error when the sender had no credit for them.
    pub fn receive(&mut self, bytes: usize) -> Result<(), Overrun> {
        self.open = u32::try_from(bytes)
            .ok()
            .and_then(|bytes| self.open.checked_sub(bytes))
            .ok_or(Overrun)?;
        Ok(())
    }

    /// Notes bytes that were used; the credit to grant, when it is time for it.
    #[must_use]
    pub fn consume(&mut self, bytes: usize) -> Option<u32> {
        self.used = self
            .used
            .saturating_add(u32::try_from(bytes).unwrap_or(u32::MAX));
        if self.used < GRANT_STEP {
            return None;
        }
        let grant = std::mem::take(&mut self.used);
        self.open = self.open.saturating_add(grant);
        Some(grant)
    }
}

/// Data came for which no credit was granted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("data beyond the credit granted")]
pub struct Overrun;

/// The sending side of a stream, for threads.
#[derive(Debug)]
pub struct SendWindow {
    /// `None` once closed.
    credit: Mutex<Option<u32>>,
    changed: Condvar,
}

impl Default for SendWindow {
    fn default() -> Self {
        Self {
            credit: Mutex::new(Some(INITIAL_CREDIT)),
            changed: Condvar::new(),
        }
    }
}

impl SendWindow {
    /// Adds what the other side granted.
    pub fn grant(&self, bytes: u32) {
        let mut credit = self.lock();
        *credit = credit.map(|credit| credit.saturating_add(bytes));
        self.changed.notify_all();
    }

    /// Nothing more is wanted: every waiting and later [`Self::take`] gets `None`.
    pub fn close(&self) {
        *self.lock() = None;
        self.changed.notify_all();
    }

    /// Waits for credit and takes up to `most` bytes of it; `None` when closed or
    /// when the deadline passes first.
    pub fn take(&self, most: usize, deadline: Instant) -> Option<usize> {
        let mut credit = self.lock();
        loop {
            let open = (*credit)?;
            if open > 0 {
                let taken = open.min(u32::try_from(most).unwrap_or(u32::MAX));
                *credit = Some(open - taken);
                return usize::try_from(taken).ok();
            }
            let left = deadline.checked_duration_since(Instant::now())?;
            credit = self
                .changed
                .wait_timeout(credit, left)
                .unwrap_or_else(PoisonError::into_inner)
                .0;
        }
    }

    fn lock(&self) -> MutexGuard<'_, Option<u32>> {
        self.credit.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::{thread, time::Duration};

    const ALL: usize = INITIAL_CREDIT as usize;

    #[test]
    fn a_receiver_grants_exactly_what_was_used() {
        let mut window = ReceiveWindow::default();
        assert_eq!(window.receive(ALL), Ok(()));
        assert_eq!(window.receive(1), Err(Overrun));
        assert_eq!(window.consume(10), None);
        assert_eq!(window.consume(ALL / 2), Some(INITIAL_CREDIT / 2 + 10));
        assert_eq!(window.receive(ALL / 2 + 10), Ok(()));
        assert_eq!(window.receive(1), Err(Overrun));
    }

    #[test]
    fn a_sender_waits_for_credit_and_stops_when_closed() {
        let soon = Instant::now() + Duration::from_secs(20);
        let window = SendWindow::default();
        assert_eq!(window.take(ALL * 2, soon), Some(ALL));
        assert_eq!(window.take(1, Instant::now()), None);
        thread::scope(|scope| {
            let waiting = scope.spawn(|| window.take(100, soon));
            window.grant(7);
            assert_eq!(waiting.join().unwrap(), Some(7));
            let waiting = scope.spawn(|| window.take(100, soon));
            window.close();
            assert_eq!(waiting.join().unwrap(), None);
        });
        window.grant(5);
        assert_eq!(window.take(1, soon), None);
    }
}
