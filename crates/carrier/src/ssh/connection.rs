//! One connection to a host: reached, recognised, opened, and why it ended.

use super::{
    Address, HostKey, Key, Route, Stop,
    error::{Error, Result},
};
use russh::{
    Channel, ChannelOpenFailure, Disconnect, Preferred,
    client::{self, AuthResult, ChannelOpenHandle, DisconnectReason, Handle, Msg, Session},
    compression,
    keys::{Algorithm, HashAlg, PublicKeyOrCertificate},
};
use std::{
    borrow::Cow,
    future::Future,
    io,
    net::{IpAddr, SocketAddr},
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};
use tokio::{
    io::{AsyncRead, AsyncWrite},
    net::{TcpStream, lookup_host},
    time,
};

/// Silence after which a host is asked for a sign of life.
const KEEP_ALIVE: Duration = Duration::from_secs(15);
/// Signs of life that may fail to appear.
const MISSED: usize = 3;

/// What is offered to make the stream smaller, the best first.
type Compression = &'static [compression::Name];
const COMPRESSED: Compression = &[compression::ZLIB_LEGACY, compression::NONE];
/// For what goes on to another host: it is compressed there.
const PLAIN: Compression = &[compression::NONE];

/// An open connection to a host.
pub(super) struct Connection {
    handle: Handle<Client>,
    ended: Ended,
    /// The connection it goes through, held as long as it is.
    _via: Option<Box<Connection>>,
}

/// Why a connection ended, once it has.
#[derive(Debug, Clone, Default)]
pub(super) struct Ended(Arc<Mutex<Option<String>>>);

impl Ended {
    /// The reason, in a few words; none while the connection lasts.
    pub(super) fn reason(&self) -> Option<String> {
        let reason = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        reason.clone()
    }

    /// The reason, for one who knows that it ended.
    pub(super) fn why(&self) -> String {
        self.reason()
            .unwrap_or_else(|| "the line was cut".to_owned())
    }

    fn set(&self, reason: String) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = Some(reason);
    }
}

impl Connection {
    /// Connects, host by host; each must be reached, recognised and opened within
    /// `patience`.
    pub(super) async fn open(route: &Route, patience: Duration) -> Result<Self> {
        let may_ask = route.may_ask;
        let mut reached = None;
        for stop in &route.via {
            reached = Some(next(reached, stop, PLAIN, may_ask, patience).await?);
        }
        next(reached, &route.host, COMPRESSED, may_ask, patience).await
    }

    /// Whether it is known to be of no use any more.
    pub(super) fn is_closed(&self) -> bool {
        self.handle.is_closed()
    }

    /// Why it ended.
    pub(super) fn ended(&self) -> Ended {
        self.ended.clone()
    }

    /// Opens one more channel.
    pub(super) async fn channel(&self) -> std::result::Result<Channel<Msg>, russh::Error> {
        self.handle.channel_open_session().await
    }

    /// Takes leave.
    pub(super) async fn close(&self) {
        let bye = self.handle.disconnect(Disconnect::ByApplication, "", "");
        let _ = time::timeout(Duration::from_secs(1), bye).await;
    }
}

/// From one host, or from here, to the next, within `patience`.
async fn next(
    via: Option<Connection>,
    stop: &Stop,
    compression: Compression,
    may_ask: fn(IpAddr) -> bool,
    patience: Duration,
) -> Result<Connection> {
    let reached = step(via, stop, compression, may_ask, patience);
    time::timeout(patience, reached).await.unwrap_or_else(|_| {
        Err(Error::Silent {
            address: stop.address.clone(),
            after: patience,
        })
    })
}

async fn step(
    via: Option<Connection>,
    stop: &Stop,
    compression: Compression,
    may_ask: fn(IpAddr) -> bool,
    patience: Duration,
) -> Result<Connection> {
    let address = &stop.address;
    let Some(via) = via else {
        let stream = reach(address, may_ask, patience).await?;
        return recognise(stream, stop, compression, None).await;
    };
    if let Ok(number) = address.host().parse::<IpAddr>()
        && !may_ask(number.to_canonical())
    {
        return Err(Error::AddressRefused {
            address: address.clone(),
            number,
        });
    }
    let port = u32::from(address.port());
    let tunnel = via
        .handle
        .channel_open_direct_tcpip(address.host(), port, "127.0.0.1", 0)
        .await
        .map_err(|source| Error::Tunnel {
            address: address.clone(),
            source: Box::new(source),
        })?;
    let tunnel = tunnel.into_stream();
    recognise(tunnel, stop, compression, Some(Box::new(via))).await
}

/// A stream to the first of the host's addresses that may be asked and answers.
async fn reach(
    address: &Address,
    may_ask: fn(IpAddr) -> bool,
    patience: Duration,
) -> Result<TcpStream> {
    let found = lookup_host((address.host(), address.port())).await;
    let found: Vec<SocketAddr> = found
        .map_err(|source| Error::Unresolved {
            address: address.clone(),
            source,
        })?
        .collect();
    // An IPv4 address in the clothes of IPv6 is that IPv4 address.
    let may = |found: &SocketAddr| may_ask(found.ip().to_canonical());
    let refused = found.iter().find(|found| !may(found));
    let mut failure = match refused {
        Some(refused) => Error::AddressRefused {
            address: address.clone(),
            number: refused.ip(),
        },
        None => unreachable(address, io::ErrorKind::AddrNotAvailable.into()),
    };
    let allowed: Vec<_> = found.into_iter().filter(may).collect();
    // One that is silent leaves time for the others.
    let share = patience / u32::try_from(allowed.len().max(1)).unwrap_or(u32::MAX);
    for number in allowed {
        failure = match time::timeout(share, TcpStream::connect(number)).await {
            Ok(Ok(stream)) => {
                // Only slower without it.
                let _ = stream.set_nodelay(true);
                return Ok(stream);
            }
            Ok(Err(source)) => unreachable(address, source),
            Err(_) => Error::Silent {
                address: address.clone(),
                after: share,
            },
        };
    }
    Err(failure)
}

fn unreachable(address: &Address, source: io::Error) -> Error {
    Error::Unreachable {
        address: address.clone(),
        source,
    }
}

/// Makes sure which host it is, and logs in.
async fn recognise(
    stream: impl AsyncRead + AsyncWrite + Unpin + Send + 'static,
    stop: &Stop,
    compression: Compression,
    via: Option<Box<Connection>>,
) -> Result<Connection> {
    let ended = Ended::default();
    let client = Client {
        stop: stop.clone(),
        ended: ended.clone(),
    };
    let config = Arc::new(config(stop, compression));
    let opened = client::connect_stream(config, stream, client).await;
    let mut handle = opened.map_err(|failure| match failure {
        Failure::Changed { pinned, shown } => Error::HostKeyChanged {
            address: stop.address.clone(),
            pinned,
            shown,
        },
        Failure::Protocol(source) => Error::Handshake {
            address: stop.address.clone(),
            source: Box::new(source),
        },
    })?;
    log_in(&mut handle, stop).await?;
    Ok(Connection {
        handle,
        ended,
        _via: via,
    })
}

async fn log_in(handle: &mut Handle<Client>, stop: &Stop) -> Result<()> {
    let failed = |source| Error::Handshake {
        address: stop.address.clone(),
        source: Box::new(source),
    };
    let hash = rsa_hash(handle, &stop.key).await.map_err(failed)?;
    let signer = stop.key.signer(hash);
    let answer = handle
        .authenticate_publickey(stop.address.user(), signer)
        .await
        .map_err(failed)?;
    match answer {
        AuthResult::Success => Ok(()),
        AuthResult::Failure {
            partial_success: true,
            ..
        } => Err(Error::SecondFactor {
            address: stop.address.clone(),
        }),
        AuthResult::Failure { .. } => Err(Error::KeyRefused {
            address: stop.address.clone(),
            key: stop.key.fingerprint(),
        }),
    }
}

/// With what an RSA key signs here; never SHA-1.
async fn rsa_hash(
    handle: &Handle<Client>,
    key: &Key,
) -> std::result::Result<Option<HashAlg>, russh::Error> {
    if !key.is_rsa() {
        return Ok(None);
    }
    let best = handle.best_supported_rsa_hash().await?;
    Ok(Some(best.flatten().unwrap_or(HashAlg::Sha256)))
}

fn config(stop: &Stop, compression: Compression) -> client::Config {
    let mut keys: Vec<Algorithm> = Preferred::DEFAULT
        .key
        .iter()
        .filter(|algorithm| !matches!(algorithm, Algorithm::Rsa { hash: None }))
        .cloned()
        .collect();
    if let Some(pinned) = stop.pin.key() {
        // A host with several keys is to show the one it is known by.
        let same = |algorithm: &Algorithm| match (algorithm, pinned.algorithm()) {
            (Algorithm::Rsa { .. }, Algorithm::Rsa { .. }) => true,
            (algorithm, pinned) => *algorithm == pinned,
        };
        keys.sort_by_key(|algorithm| !same(algorithm));
    }
    client::Config {
        preferred: Preferred {
            key: Cow::Owned(keys),
            compression: Cow::Borrowed(compression),
            ..Preferred::DEFAULT
        },
        // Also ends what hangs before there are signs of life.
        inactivity_timeout: Some(KEEP_ALIVE * 5),
        keepalive_interval: Some(KEEP_ALIVE),
        keepalive_max: MISSED,
        ..client::Config::default()
    }
}

/// What a host may ask of us: nothing.
struct Client {
    stop: Stop,
    ended: Ended,
}

/// Why there is no connection.
#[derive(Debug)]
enum Failure {
    /// From this fingerprint to that.
    Changed {
        pinned: String,
        shown: String,
    },
    Protocol(russh::Error),
}

impl From<russh::Error> for Failure {
    fn from(error: russh::Error) -> Self {
        Self::Protocol(error)
    }
}

impl client::Handler for Client {
    type Error = Failure;

    async fn check_server_key(
        &mut self,
        shown: &PublicKeyOrCertificate,
    ) -> std::result::Result<bool, Failure> {
        // Certificates are not offered, so that none can come.
        let PublicKeyOrCertificate::PublicKey { key, .. } = shown else {
            return Ok(false);
        };
        let shown = HostKey::of(key);
        match self.stop.pin.check(&shown) {
            Ok(()) => Ok(true),
            Err(pinned) => Err(Failure::Changed {
                pinned: pinned.fingerprint(),
                shown: shown.fingerprint(),
            }),
        }
    }

    async fn disconnected(
        &mut self,
        reason: DisconnectReason<Failure>,
    ) -> std::result::Result<(), Failure> {
        self.ended.set(match reason {
            DisconnectReason::ReceivedDisconnect(info) => {
                format!("the host ended the connection: {}", info.message)
            }
            DisconnectReason::Error(Failure::Protocol(russh::Error::KeepaliveTimeout)) => {
                "the host gives no sign of life".to_owned()
            }
            DisconnectReason::Error(Failure::Protocol(error)) => {
                format!("the connection broke: {error}")
            }
            DisconnectReason::Error(Failure::Changed { .. }) => {
                "the host showed another key".to_owned()
            }
        });
        Ok(())
    }

    // Channels that a host opens towards us are refused, each kind by its own method.

    fn server_channel_open_forwarded_tcpip(
        &mut self,
        _: Channel<Msg>,
        _: &str,
        _: u32,
        _: &str,
        _: u32,
        reply: ChannelOpenHandle,
        _: &mut Session,
    ) -> impl Future<Output = std::result::Result<(), Failure>> + Send {
        refuse(reply)
    }

    fn server_channel_open_forwarded_streamlocal(
        &mut self,
        _: Channel<Msg>,
        _: &str,
        reply: ChannelOpenHandle,
        _: &mut Session,
    ) -> impl Future<Output = std::result::Result<(), Failure>> + Send {
        refuse(reply)
    }

    fn server_channel_open_agent_forward(
        &mut self,
        _: Channel<Msg>,
        reply: ChannelOpenHandle,
        _: &mut Session,
    ) -> impl Future<Output = std::result::Result<(), Failure>> + Send {
        refuse(reply)
    }

    fn server_channel_open_session(
        &mut self,
        _: Channel<Msg>,
        reply: ChannelOpenHandle,
        _: &mut Session,
    ) -> impl Future<Output = std::result::Result<(), Failure>> + Send {
        refuse(reply)
    }

    fn server_channel_open_direct_tcpip(
        &mut self,
        _: Channel<Msg>,
        _: &str,
        _: u32,
        _: &str,
        _: u32,
        reply: ChannelOpenHandle,
        _: &mut Session,
    ) -> impl Future<Output = std::result::Result<(), Failure>> + Send {
        refuse(reply)
    }

    fn server_channel_open_direct_streamlocal(
        &mut self,
        _: Channel<Msg>,
        _: &str,
        reply: ChannelOpenHandle,
        _: &mut Session,
    ) -> impl Future<Output = std::result::Result<(), Failure>> + Send {
        refuse(reply)
    }

    fn server_channel_open_x11(
        &mut self,
        _: Channel<Msg>,
        _: &str,
        _: u32,
        reply: ChannelOpenHandle,
        _: &mut Session,
    ) -> impl Future<Output = std::result::Result<(), Failure>> + Send {
        refuse(reply)
    }
}

async fn refuse(reply: ChannelOpenHandle) -> std::result::Result<(), Failure> {
    reply
        .reject(ChannelOpenFailure::AdministrativelyProhibited)
        .await;
    Ok(())
}
