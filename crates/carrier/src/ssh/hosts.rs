//! One connection per host, shared by many channels.
//!
//! Hosts have nothing in common but a limit that is reached after a host has answered:
//! one that is dead, silent or crowded delays nobody who goes elsewhere.

use super::{
    Address, Route, RunAs,
    connection::{Connection, Ended},
    error::{Error, Result},
};
use pressroom_base::{Kind, id::HostId};
use russh::{Channel, client::Msg};
use std::{
    collections::HashMap,
    fmt,
    sync::{Arc, Mutex, PoisonError, Weak},
    time::{Duration, Instant},
};
use tokio::{
    sync::{self, OwnedSemaphorePermit, Semaphore},
    time,
};

/// What is open at once, and how long is waited.
#[derive(Debug, Clone, Copy)]
pub struct Limits {
    /// Channels to one host; servers allow ten unless told otherwise.
    pub channels_per_host: usize,
    /// Channels to all hosts.
    pub channels: usize,
    /// For one of these to become free.
    pub wait: Duration,
    /// For each host on the way to be reached, recognised and opened, and for a channel.
    pub connect: Duration,
    /// After a first failure; doubled with each that follows.
    pub rest: Duration,
    /// After many.
    pub longest_rest: Duration,
    /// Until a connection that nobody uses is closed.
    pub idle: Duration,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            channels_per_host: 8,
            channels: 256,
            wait: Duration::from_mins(1),
            connect: Duration::from_secs(15),
            rest: Duration::from_secs(2),
            longest_rest: Duration::from_mins(5),
            idle: Duration::from_mins(5),
        }
    }
}

/// The connections to all hosts. Clones share them.
#[derive(Clone)]
pub struct Hosts(Arc<Shared>);

struct Shared {
    limits: Limits,
    channels: Arc<Semaphore>,
    hosts: Mutex<HashMap<HostId, Arc<Host>>>,
}

struct Host {
    link: sync::Mutex<Link>,
    channels: Arc<Semaphore>,
    used: Mutex<Instant>,
    uploads: Arc<Uploads>,
    obstacles: Mutex<Obstacles>,
}

/// Why an agent could not run, and when that was seen.
type Obstacles = HashMap<Whose, (Instant, String)>;

/// So long nobody tries again to bring an agent where it could not run.
const BARRED: Duration = Duration::from_mins(10);

/// Whom an agent is for, and its hash.
pub(super) type Whose = (RunAs, String);

/// When an agent was last put in place; locked while one is on its way.
pub(super) type Uploads = sync::Mutex<HashMap<Whose, Instant>>;

#[derive(Default)]
struct Link {
    open: Option<Open>,
    failures: u32,
    rest: Option<Rest>,
}

#[derive(Clone)]
struct Open {
    connection: Arc<Connection>,
    route: Route,
}

/// A route that failed, which is not tried again before its time. Another one, with a
/// new key for example, is tried at once.
struct Rest {
    route: Route,
    until: Instant,
    why: String,
    kind: Kind,
    changed: Option<Address>,
}

impl Hosts {
    /// No connection yet.
    pub fn new(limits: Limits) -> Self {
        Self(Arc::new(Shared {
            limits,
            channels: Arc::new(Semaphore::new(limits.channels)),
            hosts: Mutex::default(),
        }))
    }

    /// Forgets a host: its connection, once nobody uses it, and its failures, so that
    /// the next session tries at once.
    pub fn forget(&self, id: HostId) {
        self.lock().remove(&id);
    }

    pub(super) fn limits(&self) -> &Limits {
        &self.0.limits
    }

    pub(super) fn uploads(&self, id: HostId) -> Arc<Uploads> {
        Arc::clone(&self.host(id).uploads)
    }

    /// What stood in the agent's way a while ago.
    pub(super) fn obstacle(&self, id: HostId, whose: &Whose) -> Option<String> {
        let host = self.host(id);
        let obstacles = host.obstacles.lock();
        let obstacles = obstacles.unwrap_or_else(PoisonError::into_inner);
        let (seen, why) = obstacles.get(whose)?;
        (seen.elapsed() < BARRED).then(|| why.clone())
    }

    pub(super) fn note_obstacle(&self, id: HostId, whose: Whose, why: &str) {
        let host = self.host(id);
        let obstacles = host.obstacles.lock();
        let mut obstacles = obstacles.unwrap_or_else(PoisonError::into_inner);
        obstacles.insert(whose, (Instant::now(), why.to_owned()));
    }

    /// One more channel to a host, over the connection there is or a new one.
    pub(super) async fn channel(&self, id: HostId, route: &Route) -> Result<Slot> {
        let limits = &self.0.limits;
        let address = &route.host.address;
        let host = self.host(id);
        let on_host = self
            .place(&host.channels, limits.channels_per_host, || {
                format!("on `{address}`")
            })
            .await?;
        // A connection may turn out to be dead only when it is used.
        let mut again = true;
        loop {
            let (open, fresh) = host.connect(route, limits).await?;
            // Only now: nobody else is to wait for the host's answer.
            let in_all = self
                .place(&self.0.channels, limits.channels, || {
                    "on all hosts".to_owned()
                })
                .await?;
            let opening = Opened::open(Arc::clone(&open.connection));
            let failure = match time::timeout(limits.connect, opening).await {
                Ok(Ok(channel)) => {
                    return Ok(Slot {
                        channel,
                        ended: open.connection.ended(),
                        host,
                        _connection: open.connection,
                        _places: [on_host, in_all],
                    });
                }
                Ok(Err(russh::Error::ChannelOpenFailure(_))) => {
                    return Err(Error::NoChannel {
                        address: address.clone(),
                        what: "one more session",
                    });
                }
                Ok(Err(_)) => Error::Lost {
                    address: address.clone(),
                    why: open.connection.ended().why(),
                },
                Err(_) => Error::Silent {
                    address: address.clone(),
                    after: limits.connect,
                },
            };
            let silent = matches!(failure, Error::Silent { .. });
            host.drop_link(
                &open.connection,
                limits,
                (fresh || silent).then_some(&failure),
            )
            .await;
            if fresh || silent || !again {
                return Err(failure);
            }
            again = false;
        }
    }

    async fn place(
        &self,
        places: &Arc<Semaphore>,
        limit: usize,
        which: impl FnOnce() -> String,
    ) -> Result<OwnedSemaphorePermit> {
        let after = self.0.limits.wait;
        match time::timeout(after, Arc::clone(places).acquire_owned()).await {
            Ok(Ok(place)) => Ok(place),
            _ => Err(Error::Crowded {
                which: which(),
                limit,
                after,
            }),
        }
    }

    fn host(&self, id: HostId) -> Arc<Host> {
        let channels = self.0.limits.channels_per_host;
        let mut hosts = self.lock();
        let host = hosts.entry(id).or_insert_with(|| {
            Arc::new(Host {
                link: sync::Mutex::default(),
                channels: Arc::new(Semaphore::new(channels)),
                used: Mutex::new(Instant::now()),
                uploads: Arc::default(),
                obstacles: Mutex::default(),
            })
        });
        Arc::clone(host)
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, HashMap<HostId, Arc<Host>>> {
        self.0.hosts.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl fmt::Debug for Hosts {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Hosts")
            .field("limits", &self.0.limits)
            .finish_non_exhaustive()
    }
}

impl Host {
    /// The connection, and whether it was made for this caller. Whoever comes meanwhile
    /// waits for the same attempt.
    async fn connect(self: &Arc<Self>, route: &Route, limits: &Limits) -> Result<(Open, bool)> {
        let address = &route.host.address;
        let mut link = self.link.lock().await;
        if let Some(open) = &link.open {
            if !open.connection.is_closed() && route.is_served_by(&open.route) {
                return Ok((open.clone(), false));
            }
            link.open = None;
        }
        if let Some(rest) = &link.rest
            && rest.route.is_same(route)
        {
            let again_in = rest.until.saturating_duration_since(Instant::now());
            if !again_in.is_zero() {
                return Err(Error::Resting {
                    address: address.clone(),
                    why: rest.why.clone(),
                    kind: rest.kind,
                    changed: rest.changed.clone().map(Box::new),
                    again_in,
                });
            }
        }
        match Box::pin(Connection::open(route, limits.connect)).await {
            Ok(connection) => {
                tracing::debug!(host = %address, "connected");
                let open = Open {
                    connection: Arc::new(connection),
                    route: route.clone(),
                };
                link.failures = 0;
                link.rest = None;
                link.open = Some(open.clone());
                let connection = Arc::downgrade(&open.connection);
                tokio::spawn(close_when_idle(Arc::downgrade(self), connection, *limits));
                Ok((open, true))
            }
            Err(failure) => {
                link.fail(route, limits, &failure);
                Err(failure)
            }
        }
    }

    /// Gives a connection up that failed when it was used.
    async fn drop_link(&self, failed: &Arc<Connection>, limits: &Limits, failure: Option<&Error>) {
        let mut link = self.link.lock().await;
        let ours = link
            .open
            .take_if(|open| Arc::ptr_eq(&open.connection, failed));
        if let (Some(open), Some(failure)) = (ours, failure) {
            link.fail(&open.route, limits, failure);
        }
    }
}

impl Link {
    fn fail(&mut self, route: &Route, limits: &Limits, failure: &Error) {
        let doubled = 2_u32.saturating_pow(self.failures.min(16));
        let rest = limits.rest.saturating_mul(doubled).min(limits.longest_rest);
        self.failures = self.failures.saturating_add(1);
        self.rest = Some(Rest {
            route: route.clone(),
            until: Instant::now() + rest,
            why: failure.to_string(),
            kind: failure.kind(),
            changed: failure.changed_host().cloned(),
        });
        tracing::info!(
            host = %route.host.address,
            rest_ms = u64::try_from(rest.as_millis()).unwrap_or(u64::MAX),
            error = failure as &dyn std::error::Error,
            "host fails and is left alone for a while"
        );
    }
}

/// Closes a connection that nobody has used for a while.
async fn close_when_idle(host: Weak<Host>, connection: Weak<Connection>, limits: Limits) {
    loop {
        time::sleep(limits.idle).await;
        // Both may be gone by themselves.
        let (Some(host), Some(connection)) = (host.upgrade(), connection.upgrade()) else {
            return;
        };
        // Nobody gets a place and then this connection while the link is locked.
        let mut link = host.link.lock().await;
        let unused = host.channels.available_permits() == limits.channels_per_host
            && host.last_used().elapsed() >= limits.idle;
        if unused || connection.is_closed() {
            link.open
                .take_if(|open| Arc::ptr_eq(&open.connection, &connection));
            connection.close().await;
            return;
        }
    }
}

impl Host {
    fn last_used(&self) -> Instant {
        *self.used.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A channel, and its places among all; they are free again when it is dropped.
pub(super) struct Slot {
    channel: Opened,
    ended: Ended,
    host: Arc<Host>,
    _connection: Arc<Connection>,
    _places: [OwnedSemaphorePermit; 2],
}

impl Slot {
    /// The channel, once.
    pub(super) fn take_channel(&mut self) -> Option<Channel<Msg>> {
        self.channel.0.take()
    }

    /// Why the connection ended, once it has.
    pub(super) fn ended(&self) -> Ended {
        self.ended.clone()
    }
}

impl Drop for Slot {
    fn drop(&mut self) {
        *self
            .host
            .used
            .lock()
            .unwrap_or_else(PoisonError::into_inner) = Instant::now();
    }
}

/// A channel that is closed unless somebody takes it.
struct Opened(Option<Channel<Msg>>);

impl Opened {
    /// Opens a channel. It is opened to the end even when nobody waits for it any more:
    /// the host would otherwise count it for ever.
    async fn open(connection: Arc<Connection>) -> std::result::Result<Self, russh::Error> {
        let opening =
            tokio::spawn(async move { connection.channel().await.map(|open| Self(Some(open))) });
        opening.await.unwrap_or(Err(russh::Error::Disconnect))
    }
}

impl Drop for Opened {
    fn drop(&mut self) {
        if let Some(channel) = self.0.take() {
            tokio::spawn(async move {
                // The connection may be gone, and the channel with it.
                let _ = channel.close().await;
            });
        }
    }
}
