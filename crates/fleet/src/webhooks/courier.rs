//! Sends what is due: bounded in all, for each receiver and for each host, and to everybody
//! in turn, so that one that stalls holds up nobody else.

use crate::{Error, Fleet, Result, webhooks::attempt};
use pressroom_base::{id::WebhookEndpointId, token};
use pressroom_store::webhooks::deliveries::{self, Ready};
use std::{
    collections::HashMap,
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};
use tokio::{
    task::JoinSet,
    time::{sleep, timeout},
};
use tokio_util::sync::CancellationToken;
use url::Url;

/// Messages on their way at once, in one process.
const TOTAL: usize = 128;
/// To one receiver.
const PER_ENDPOINT: usize = 4;
/// To one that failed the last time.
const PER_FAILING: usize = 2;
/// To one host, of whosever receivers.
const PER_HOST: usize = 16;
/// A sender that does not say how it went after this time is dead: longer than any attempt.
const LEASE: Duration = Duration::from_mins(1);
/// Between looks at what is due.
const LOOK: Duration = Duration::from_secs(1);
/// After a failure of the store.
const AGAIN: Duration = Duration::from_secs(10);

/// Sends webhooks. Several may, in as many processes.
pub struct Courier {
    fleet: Fleet,
    /// What this one's claims are called.
    name: String,
    claims: u64,
    running: JoinSet<()>,
    busy: Arc<Mutex<Busy>>,
    /// When each receiver had its last turn.
    turns: HashMap<WebhookEndpointId, u64>,
    turn: u64,
}

#[derive(Default)]
struct Busy {
    endpoints: HashMap<WebhookEndpointId, usize>,
    hosts: HashMap<String, usize>,
}

/// A place among those that are sent at once; given back when it is dropped, however the
/// attempt ended.
struct Place {
    busy: Arc<Mutex<Busy>>,
    endpoint: WebhookEndpointId,
    host: String,
}

impl Courier {
    /// One that sends what this fleet's store has.
    pub fn new(fleet: Fleet) -> Self {
        Self {
            fleet,
            name: token::hex(16),
            claims: 0,
            running: JoinSet::new(),
            busy: Arc::default(),
            turns: HashMap::new(),
            turn: 0,
        }
    }

    /// Sends until it is told to stop, then waits for what is on its way.
    pub async fn run(mut self, stop: CancellationToken) {
        let mut signals = self.fleet.parts.store.signals();
        while !stop.is_cancelled() {
            if let Err(error) = self.begin().await {
                tracing::warn!(%error, "webhooks wait, it is tried again");
                let _stopped = timeout(AGAIN, stop.cancelled()).await;
            }
            tokio::select! {
                biased;
                () = stop.cancelled() => {}
                _ = self.running.join_next(), if !self.running.is_empty() => {}
                _ = signals.recv() => {}
                () = sleep(LOOK) => {}
            }
        }
        while self.running.join_next().await.is_some() {}
    }

    /// Sends all that is due and waits for it; says how many attempts these were.
    pub async fn send_due(&mut self) -> Result<usize> {
        let mut sent = 0;
        loop {
            sent += self.begin().await?;
            if self.running.join_next().await.is_none() {
                return Ok(sent);
            }
        }
    }

    /// Begins what is due and there is room for; says how many.
    pub async fn begin(&mut self) -> Result<usize> {
        // Nobody here can write them.
        if self.fleet.post.compose.is_none() {
            return Ok(0);
        }
        while self.running.try_join_next().is_some() {}
        if self.running.len() >= TOTAL {
            return Ok(0);
        }
        let mut ready = deliveries::ready(&self.fleet.parts.store).await?;
        self.turns
            .retain(|endpoint, _| ready.iter().any(|ready| ready.endpoint == *endpoint));
        ready.sort_by_key(|ready| self.turns.get(&ready.endpoint).copied().unwrap_or(0));
        let mut begun = 0;
        for ready in ready {
            begun += self.begin_for(&ready).await?;
        }
        Ok(begun)
    }

    async fn begin_for(&mut self, ready: &Ready) -> Result<usize> {
        let host = host(&ready.url);
        let room = self.room(ready, &host);
        if room == 0 {
            return Ok(0);
        }
        self.turn += 1;
        self.turns.insert(ready.endpoint, self.turn);
        self.claims += 1;
        let claim = format!("{}:{}", self.name, self.claims);
        let most = u64::try_from(room).unwrap_or(u64::MAX);
        let store = &self.fleet.parts.store;
        let rows = deliveries::claim(store, ready.endpoint, most, &claim, LEASE)
            .await
            .map_err(Error::from)?;
        let begun = rows.len();
        for row in rows {
            let place = Place::take(&self.busy, ready.endpoint, &host);
            let fleet = self.fleet.clone();
            self.running.spawn(async move {
                attempt::make(&fleet, &row).await;
                drop(place);
            });
        }
        Ok(begun)
    }

    fn room(&self, ready: &Ready, host: &str) -> usize {
        let busy = self.busy.lock().unwrap_or_else(PoisonError::into_inner);
        let most = if ready.failing {
            PER_FAILING
        } else {
            PER_ENDPOINT
        };
        let left = |most: usize, taken: Option<&usize>| most.saturating_sub(*taken.unwrap_or(&0));
        left(most, busy.endpoints.get(&ready.endpoint))
            .min(left(PER_HOST, busy.hosts.get(host)))
            .min(TOTAL.saturating_sub(self.running.len()))
    }
}

impl Place {
    fn take(busy: &Arc<Mutex<Busy>>, endpoint: WebhookEndpointId, host: &str) -> Self {
        let mut taken = busy.lock().unwrap_or_else(PoisonError::into_inner);
        *taken.endpoints.entry(endpoint).or_default() += 1;
        *taken.hosts.entry(host.to_owned()).or_default() += 1;
        drop(taken);
        Self {
            busy: Arc::clone(busy),
            endpoint,
            host: host.to_owned(),
        }
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        let mut busy = self.busy.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(taken) = busy.endpoints.get_mut(&self.endpoint) {
            *taken -= 1;
        }
        if let Some(taken) = busy.hosts.get_mut(&self.host) {
            *taken -= 1;
        }
        busy.endpoints.retain(|_, taken| *taken > 0);
        busy.hosts.retain(|_, taken| *taken > 0);
    }
}

/// The host and port that an address leads to.
fn host(url: &str) -> String {
    let parsed = Url::parse(url).ok();
    let host = parsed.as_ref().and_then(|url| {
        Some(format!(
            "{}:{}",
            url.host_str()?,
            url.port_or_known_default()?
        ))
    });
    host.unwrap_or_default()
}
