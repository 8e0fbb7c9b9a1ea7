//! Work on several threads ahead of one that takes the results in order.

use crate::Result;
use std::{
    sync::{
        Mutex, PoisonError,
        mpsc::{Receiver, SyncSender, sync_channel},
    },
    thread,
};

/// Jobs that may be under way or waiting; with the pieces of each it bounds memory.
const JOBS: usize = 16;
/// Results of one job that may wait.
const PIECES: usize = 2;

/// Where a job puts its results; false once nobody wants them any more.
pub(crate) type Give<'a, P> = &'a mut dyn FnMut(P) -> bool;

/// The processors there are, but no more than help here.
pub(crate) fn processors() -> usize {
    thread::available_parallelism().map_or(2, |count| count.get().min(8))
}

/// Runs `work` on several threads for every job that `feed` hands out, and `take`
/// on this one for every result, in the order of the jobs. The first failure of
/// `take` stops everything; that of `feed` is told after what came before it.
pub(crate) fn ordered<J: Send, P: Send>(
    threads: usize,
    feed: impl FnOnce(Give<'_, J>) -> Result<()> + Send,
    work: impl Fn(J, Give<'_, P>) + Sync,
    mut take: impl FnMut(P) -> Result<()>,
) -> Result<()> {
    let (to_workers, jobs) = sync_channel::<(J, SyncSender<P>)>(JOBS);
    let (to_taker, order) = sync_channel::<Receiver<P>>(JOBS);
    let jobs = Mutex::new(jobs);
    thread::scope(|scope| {
        // Moved in, so that it is gone when this scope's body ends.
        let order = order;
        for _ in 0..threads.max(1) {
            scope.spawn(|| {
                loop {
                    let next = jobs.lock().unwrap_or_else(PoisonError::into_inner).recv();
                    let Ok((job, results)) = next else {
                        return;
                    };
                    work(job, &mut |piece| results.send(piece).is_ok());
                }
            });
        }
        let feeder = scope.spawn(move || {
            feed(&mut |job| {
                let (results, pieces) = sync_channel(PIECES);
                to_taker.send(pieces).is_ok() && to_workers.send((job, results)).is_ok()
            })
        });
        let taken = order.into_iter().flatten().try_for_each(&mut take);
        let joined = feeder.join();
        taken?;
        // A panic over there is a bug here; it goes on.
        joined.unwrap_or_else(|panic| std::panic::resume_unwind(panic))
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Error;

    #[test]
    fn results_come_in_order_and_a_failure_ends_it() {
        let mut seen = Vec::new();
        ordered(
            4,
            |give| {
                (0..500).for_each(|n| assert!(give(n)));
                Ok(())
            },
            |n: u32, give| {
                // Later jobs are done first.
                for part in 0..(500 - n) % 7 {
                    give((n, part));
                }
            },
            |piece| {
                seen.push(piece);
                Ok(())
            },
        )
        .unwrap();
        assert!(seen.is_sorted());
        assert!(seen.len() > 1000);

        let endless = ordered(
            2,
            |give| {
                while give(1) {}
                Ok(())
            },
            |n, give| while give(n) {},
            |_| Err(Error::Cancelled),
        );
        assert!(matches!(endless, Err(Error::Cancelled)));
        let unfed = ordered(
            1,
            |_| Err(Error::Deadline),
            |_: u32, _: Give<'_, u32>| {},
            |_| Ok(()),
        );
        assert!(matches!(unfed, Err(Error::Deadline)));
    }
}
