//! Places for connections: so many in all, and so many for one address, so that nobody
//! who keeps them without using them keeps others out.

use crate::forwarded::Proxies;
use pressroom_base::address::network;
use pressroom_cli::config::Http;
use std::{
    collections::HashMap,
    net::IpAddr,
    sync::{Arc, Mutex, PoisonError},
    time::{Duration, Instant},
};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

/// Between two words about an address that has too many.
const QUIET: Duration = Duration::from_mins(1);

/// Places for connections.
#[derive(Clone)]
pub struct Places {
    free: Arc<Semaphore>,
    each: usize,
    seats: Arc<Mutex<Seats>>,
    proxies: Proxies,
}

#[derive(Default)]
struct Seats {
    taken: HashMap<IpAddr, usize>,
    told: Option<Instant>,
}

/// A place that is taken until this is dropped.
pub struct Place {
    _permit: OwnedSemaphorePermit,
    _seat: Option<Seat>,
}

struct Seat {
    network: IpAddr,
    seats: Arc<Mutex<Seats>>,
}

impl Places {
    /// As many as configured. A proxy that is believed speaks for many and may have all.
    pub fn new(http: &Http, proxies: Proxies) -> Self {
        Self {
            free: Arc::new(Semaphore::new(http.max_connections)),
            each: http.max_connections_per_address,
            seats: Arc::default(),
            proxies,
        }
    }

    /// Waits until there is one for somebody.
    pub async fn any(&self) -> OwnedSemaphorePermit {
        match Arc::clone(&self.free).acquire_owned().await {
            Ok(permit) => permit,
            // Closed, it has none any more.
            Err(_) => std::future::pending().await,
        }
    }

    /// Gives it to this address; `None` if that has its share.
    pub fn take(&self, permit: OwnedSemaphorePermit, peer: IpAddr) -> Option<Place> {
        let peer = peer.to_canonical();
        let seat = if self.proxies.believes(peer) {
            None
        } else {
            Some(self.seat(network(peer))?)
        };
        Some(Place {
            _permit: permit,
            _seat: seat,
        })
    }

    fn seat(&self, network: IpAddr) -> Option<Seat> {
        let mut seats = self.seats.lock().unwrap_or_else(PoisonError::into_inner);
        let taken = seats.taken.entry(network).or_default();
        if *taken >= self.each {
            if seats.told.is_none_or(|told| told.elapsed() > QUIET) {
                seats.told = Some(Instant::now());
                tracing::warn!(
                    address = %network,
                    "has {} connections and gets no more; a proxy belongs into \
                     `http.trusted_proxies`",
                    self.each
                );
            }
            return None;
        }
        *taken += 1;
        Some(Seat {
            network,
            seats: Arc::clone(&self.seats),
        })
    }
}

impl Drop for Seat {
    fn drop(&mut self) {
        let mut seats = self.seats.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(taken) = seats.taken.get_mut(&self.network) {
            *taken -= 1;
            if *taken == 0 {
                seats.taken.remove(&self.network);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn places(all: usize, each: usize) -> Places {
        Places {
            free: Arc::new(Semaphore::new(all)),
            each,
            seats: Arc::default(),
            proxies: Proxies::new(vec!["10.0.0.0/8".parse().expect("a network")]),
        }
    }

    async fn take(places: &Places, peer: &str) -> Option<Place> {
        let permit = places.any().await;
        places.take(permit, peer.parse().expect("an address"))
    }

    #[tokio::test]
    async fn an_address_has_its_share_and_a_believed_proxy_what_there_is() {
        let places = places(8, 2);
        let mut held = Vec::new();
        for (peer, has_place) in [
            ("192.0.2.1", true),
            ("::ffff:192.0.2.1", true),
            ("192.0.2.1", false),
            ("192.0.2.2", true),
            ("2001:db8::1", true),
            ("2001:db8::2", true),
            ("2001:db8::3", false),
            ("10.0.0.1", true),
            ("10.0.0.1", true),
            ("10.0.0.1", true),
        ] {
            let place = take(&places, peer).await;
            assert_eq!(place.is_some(), has_place, "{peer}");
            held.extend(place);
        }
        assert_eq!(places.free.available_permits(), 0);
        held.clear();
        assert_eq!(places.free.available_permits(), 8);
        assert!(places.seats.lock().expect("ours").taken.is_empty());
        assert!(take(&places, "192.0.2.1").await.is_some());
    }
}
