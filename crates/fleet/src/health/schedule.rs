//! Whose turn it is, and looking at many sites at once.
//!
//! Turns are rows of the store: each process takes some that are due and holds them by a
//! lease, so that several never look at one site together, and what a process that died
//! held is taken by another. A site that hangs holds one place; when an address has as
//! many as it may, the turns of its other sites are put off.

use super::{
    ask::{FULL_LEASE, LEASE},
    record::Occasion,
};
use crate::{Caller, Fleet, Principal, Result};
use pressroom_base::catalog::metric;
use pressroom_store::{CheckKind, Turn, health};
use std::{
    collections::HashMap,
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};
use tokio::{sync::Semaphore, task::JoinSet, time::sleep};

/// Between looks for what is due.
const PAUSE: Duration = Duration::from_secs(1);
/// Turns taken by one statement.
const BATCH: usize = 64;
/// Closer looks at once: each starts programs at its site.
const CLOSER: usize = 4;
/// How long a turn waits whose address has no place.
const CROWDED: Duration = Duration::from_secs(3);
/// A site that was just added is worked on: the closer look can wait.
const SETTLE: Duration = Duration::from_mins(10);

/// How many sites are looked at at once, by this process.
#[derive(Debug, Clone)]
pub struct Pace {
    places: Arc<Semaphore>,
    closer: Arc<Semaphore>,
    hosts: Arc<Hosts>,
}

impl Pace {
    /// So many in all, and of those at one address.
    pub fn new(concurrency: usize, per_host: usize) -> Self {
        Self {
            places: Arc::new(Semaphore::new(concurrency)),
            closer: Arc::new(Semaphore::new(CLOSER)),
            hosts: Arc::new(Hosts {
                most: per_host.max(1),
                busy: Mutex::default(),
            }),
        }
    }
}

/// How many sites of each address are being looked at.
#[derive(Debug)]
struct Hosts {
    most: usize,
    busy: Mutex<HashMap<String, usize>>,
}

impl Hosts {
    /// A place at an address, unless all are taken.
    fn enter(self: &Arc<Self>, host: &str) -> Option<Place> {
        let mut busy = self.busy.lock().unwrap_or_else(PoisonError::into_inner);
        let count = busy.entry(host.to_owned()).or_default();
        if *count >= self.most {
            return None;
        }
        *count += 1;
        Some(Place {
            hosts: Arc::clone(self),
            host: host.to_owned(),
        })
    }
}

/// A place at an address; dropped, it is free.
#[derive(Debug)]
struct Place {
    hosts: Arc<Hosts>,
    host: String,
}

impl Drop for Place {
    fn drop(&mut self) {
        let mut busy = self
            .hosts
            .busy
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        if let Some(count) = busy.get_mut(&self.host) {
            *count -= 1;
            if *count == 0 {
                busy.remove(&self.host);
            }
        }
    }
}

impl Fleet {
    /// Looks at sites when it is time, until it is dropped; then what is under way is
    /// given up, and is taken again when its lease is over.
    pub async fn watch_health(&self) {
        let settings = &self.parts.settings.health;
        if settings.concurrency == 0 {
            return std::future::pending().await;
        }
        let pace = Pace::new(settings.concurrency, settings.per_host);
        let mut looks = JoinSet::new();
        loop {
            while looks.try_join_next().is_some() {}
            match self.begin_due(&pace, &mut looks).await {
                // There may be more.
                Ok(begun) if begun >= BATCH => tokio::task::yield_now().await,
                Ok(_) => sleep(PAUSE).await,
                Err(error) => {
                    tracing::warn!(%error, "sites are not looked at, it is tried again");
                    sleep(PAUSE * 10).await;
                }
            }
        }
    }

    /// Looks at every site that is due now, as [`Fleet::watch_health`] does, and waits for
    /// it; says how many turns were taken.
    pub async fn check_due_sites(&self, pace: &Pace) -> Result<usize> {
        let mut looks = JoinSet::new();
        let mut taken = 0;
        loop {
            let begun = self.begin_due(pace, &mut looks).await?;
            if begun == 0 && looks.is_empty() {
                return Ok(taken);
            }
            taken += begun;
            if begun == 0 {
                looks.join_next().await;
            }
        }
    }

    async fn begin_due(&self, pace: &Pace, looks: &mut JoinSet<()>) -> Result<usize> {
        health::enrol(&self.parts.store, SETTLE).await?;
        let most = pace.places.available_permits().min(BATCH);
        metrics::gauge!(metric::HEALTH_CHECKS_RUNNING).set(count(looks.len()));
        if most == 0 {
            // As soon as one ends there is room.
            tokio::select! {
                _ = looks.join_next() => {}
                () = sleep(PAUSE) => {}
            }
            return Ok(0);
        }
        let turns = health::claim_due(&self.parts.store, most, LEASE).await?;
        let taken = turns.len();
        for turn in turns {
            let Ok(seat) = Arc::clone(&pace.places).acquire_owned().await else {
                break;
            };
            let (fleet, pace) = (self.clone(), pace.clone());
            looks.spawn(async move {
                let _seat = seat;
                if let Err(error) = fleet.take_turn(turn.clone(), &pace).await {
                    tracing::warn!(site.id = %turn.site_id, %error, "the site was not looked at");
                }
            });
        }
        Ok(taken)
    }

    async fn take_turn(&self, turn: Turn, pace: &Pace) -> Result<()> {
        let store = &self.parts.store;
        let settings = &self.parts.settings.health;
        let Some(target) = self.health_target(turn.site_id).await? else {
            return Ok(health::put_off(store, &turn, settings.light).await?);
        };
        let Some(_place) = pace.hosts.enter(&target.host()) else {
            return Ok(health::put_off(store, &turn, CROWDED).await?);
        };
        // Visitors first: where there is no place for a closer look, it is made next time.
        let closer = pace.closer.try_acquire().ok();
        let turn = Turn {
            full: turn.full && closer.is_some(),
            ..turn
        };
        let lease = if turn.full {
            if !health::prolong(store, &turn, FULL_LEASE).await? {
                return Ok(());
            }
            FULL_LEASE
        } else {
            drop(closer);
            LEASE
        };
        let Ok(found) = tokio::time::timeout(lease, self.look_over(&turn, &target)).await else {
            tracing::warn!(site.id = %turn.site_id, "a look at the site takes too long");
            return Ok(health::put_off(store, &turn, settings.light).await?);
        };
        let caller = Caller::new(Principal::worker());
        let occasion = Occasion {
            caller: &caller,
            kind: CheckKind::Scheduled,
            pipeline: None,
        };
        self.record_look(&turn, &target, &found?, &occasion).await?;
        Ok(())
    }
}

#[expect(clippy::cast_precision_loss, reason = "there are never so many")]
const fn count(looks: usize) -> f64 {
    looks as f64
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_has_so_many_places_and_no_more() {
        let pace = Pace::new(8, 2);
        let first = pace.hosts.enter("192.0.2.1").unwrap();
        let _second = pace.hosts.enter("192.0.2.1").unwrap();
        assert!(pace.hosts.enter("192.0.2.1").is_none());
        assert!(
            pace.hosts.enter("192.0.2.2").is_some(),
            "others are not kept waiting"
        );
        drop(first);
        assert!(pace.hosts.enter("192.0.2.1").is_some());
    }
}
