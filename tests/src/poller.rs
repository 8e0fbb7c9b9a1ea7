//! A visitor who asks for the front page again and again.

use anyhow::{Context, Result, ensure};
use pressroom_testkit::site::Site;
use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::{Duration, Instant},
};
use tokio::task::JoinHandle;

/// Between two visits.
const PAUSE: Duration = Duration::from_millis(20);

/// Visits going on.
#[derive(Debug)]
pub struct Poller {
    is_over: Arc<AtomicBool>,
    visiting: JoinHandle<Result<Downtime>>,
}

/// What the visitor met.
#[derive(Debug, Clone, Copy, Default)]
pub struct Downtime {
    /// All visits.
    pub visits: u32,
    /// Those that met the announced maintenance.
    pub turned_away: u32,
    /// From the first of these in a row to the next page, the longest time.
    pub longest: Duration,
    /// The same, all added up.
    pub whole: Duration,
}

impl Poller {
    /// Begins to visit. Whatever is neither a whole page nor the announced maintenance is
    /// told at the end.
    pub fn start(site: Site) -> Self {
        let is_over = Arc::new(AtomicBool::new(false));
        let until = Arc::clone(&is_over);
        let visiting = tokio::spawn(async move {
            let mut met = Downtime::default();
            let mut since: Option<Instant> = None;
            while !until.load(Ordering::SeqCst) {
                let at = Instant::now();
                let page = site.get("/").await?;
                met.visits += 1;
                match page.status {
                    200 => {
                        ensure!(page.body.contains("</html>"), "half a page: {}", page.body);
                        if let Some(since) = since.take() {
                            let down = since.elapsed();
                            met.longest = met.longest.max(down);
                            met.whole += down;
                        }
                    }
                    503 => {
                        ensure!(page.body.contains("maintenance"), "503: {}", page.body);
                        met.turned_away += 1;
                        since.get_or_insert(at);
                    }
                    status => anyhow::bail!("visit {}: {status}: {}", met.visits, page.body),
                }
                tokio::time::sleep(PAUSE).await;
            }
            ensure!(since.is_none(), "the site was left in maintenance");
            Ok(met)
        });
        Self { is_over, visiting }
    }

    /// Ends the visits; what they met.
    pub async fn stop(self) -> Result<Downtime> {
        self.is_over.store(true, Ordering::SeqCst);
        self.visiting.await.context("the visitor died")?
    }
}
