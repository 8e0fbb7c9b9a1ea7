//! Waiting for a condition with a deadline, instead of sleeping and hoping.

use anyhow::{Result, anyhow};
use std::fmt::Display;
use std::future::Future;
use std::time::{Duration, Instant};

/// How often a condition is looked at again.
const PAUSE: Duration = Duration::from_millis(50);

/// Calls `look` until it answers `Ok`, and gives up with its last error after
/// `within`.
pub async fn eventually<T, F, Fut>(what: impl Display, within: Duration, look: F) -> Result<T>
where
    F: FnMut() -> Fut,
    Fut: Future<Output = Result<T>>,
{
    eventually_every(PAUSE, what, within, look).await
}

/// [`eventually`] with another pause between looks, for what counts its requests.
pub async fn eventually_every<T, F, Fut>(
    pause: Duration,
    what: impl Display,
    within: Duration,
    mut look: F,
) -> Result<T>
where
    F: FnMut() -> Fut,
    Fut: Future<Output = Result<T>>,
{
    let started = Instant::now();
    loop {
        // A look that hangs must not outlast the deadline either.
        let left = within.saturating_sub(started.elapsed()).max(PAUSE);
        let error = match tokio::time::timeout(left, look()).await {
            Ok(Ok(value)) => return Ok(value),
            Ok(Err(error)) => error,
            Err(_) => anyhow!("the look itself did not come back"),
        };
        if started.elapsed() >= within {
            return Err(error.context(format!("{what} did not happen within {within:?}")));
        }
        tokio::time::sleep(pause).await;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::atomic::{AtomicU32, Ordering};

    #[tokio::test]
    async fn answers_as_soon_as_the_condition_holds() {
        let looks = AtomicU32::new(0);
        let third = eventually("the third look", Duration::from_secs(5), || async {
            let look = looks.fetch_add(1, Ordering::Relaxed) + 1;
            anyhow::ensure!(look == 3, "only look {look}");
            Ok(look)
        })
        .await
        .expect("the third look comes");
        assert_eq!(third, 3);
    }

    #[tokio::test]
    async fn tells_the_last_error_at_the_deadline() {
        let error = eventually("luck", Duration::from_millis(80), || async {
            anyhow::bail!("not today");
            #[expect(unreachable_code, reason = "fixes the type of the answer")]
            Ok(())
        })
        .await
        .expect_err("it never holds");
        assert!(format!("{error:#}").contains("not today"), "{error:#}");
    }
}
