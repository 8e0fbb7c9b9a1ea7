//! The socket that every face answers at, with TLS where a certificate is configured.

mod certificates;
mod places;

pub use certificates::Certificates;
pub use places::Places;

use axum::serve::Listener as _;
use places::Place;
use std::{net::SocketAddr, sync::Arc, time::Duration};
use tokio::{
    net::{TcpListener, TcpStream},
    sync::watch,
    task::JoinSet,
    time::timeout,
};
use tokio_rustls::{TlsAcceptor, rustls::ServerConfig, server::TlsStream};
use tokio_util::either::Either;

/// What a client gets to agree on a key.
const HANDSHAKE: Duration = Duration::from_secs(10);
/// Clients that are agreeing at the same time; more wait in the kernel's queue.
const HANDSHAKES: usize = 1024;

/// Accepts connections.
pub struct Listener {
    socket: TcpListener,
    places: Places,
    tls: Option<Handshakes>,
}

/// What was accepted.
pub struct Connection {
    /// The bytes, as they were before they were encrypted.
    pub stream: Either<TcpStream, TlsStream<TcpStream>>,
    /// The other end: a client, or a proxy before it.
    pub peer: SocketAddr,
    /// What is spoken.
    pub protocol: Protocol,
    /// Its place among others; given up when this is dropped.
    pub place: Place,
}

/// What is spoken on a connection.
#[derive(Debug, Clone, Copy)]
pub enum Protocol {
    /// HTTP/1.0 and 1.1.
    Http1,
    /// HTTP/2, as both agreed at the handshake.
    Http2,
}

/// Connections that are not encrypted yet. They are never waited for: who stays silent
/// keeps nobody else out.
struct Handshakes {
    current: watch::Receiver<Arc<ServerConfig>>,
    under_way: JoinSet<Option<Connection>>,
}

impl Listener {
    /// Plain HTTP.
    pub fn plain(socket: TcpListener, places: Places) -> Self {
        Self {
            socket,
            places,
            tls: None,
        }
    }

    /// HTTPS, each connection with the certificate that is current when it comes.
    pub fn tls(
        socket: TcpListener,
        places: Places,
        current: watch::Receiver<Arc<ServerConfig>>,
    ) -> Self {
        let tls = Some(Handshakes {
            current,
            under_way: JoinSet::new(),
        });
        Self {
            socket,
            places,
            tls,
        }
    }

    /// Waits for the next connection. Dropping the future loses none that was accepted.
    pub async fn accept(&mut self) -> Connection {
        loop {
            let Some(tls) = &mut self.tls else {
                let (stream, peer, place) = incoming(&mut self.socket, &self.places).await;
                return Connection {
                    stream: Either::Left(stream),
                    peer,
                    protocol: Protocol::Http1,
                    place,
                };
            };
            let has_room = tls.under_way.len() < HANDSHAKES;
            tokio::select! {
                (stream, peer, place) = incoming(&mut self.socket, &self.places), if has_room => {
                    tls.begin(stream, peer, place);
                }
                Some(done) = tls.under_way.join_next() => {
                    if let Ok(Some(connection)) = done {
                        return connection;
                    }
                }
            }
        }
    }
}

/// The next client that there is a place for; others are turned away.
async fn incoming(socket: &mut TcpListener, places: &Places) -> (TcpStream, SocketAddr, Place) {
    loop {
        let free = places.any().await;
        let (stream, peer) = socket.accept().await;
        if let Some(place) = places.take(free, peer.ip()) {
            return (stream, peer, place);
        }
    }
}

impl Handshakes {
    fn begin(&mut self, stream: TcpStream, peer: SocketAddr, place: Place) {
        let acceptor = TlsAcceptor::from(Arc::clone(&self.current.borrow()));
        self.under_way.spawn(async move {
            match timeout(HANDSHAKE, acceptor.accept(stream)).await {
                Ok(Ok(stream)) => {
                    let protocol = match stream.get_ref().1.alpn_protocol() {
                        Some(b"h2") => Protocol::Http2,
                        _ => Protocol::Http1,
                    };
                    Some(Connection {
                        stream: Either::Right(stream),
                        peer,
                        protocol,
                        place,
                    })
                }
                Ok(Err(error)) => {
                    tracing::debug!(%peer, %error, "a client did not come to speak TLS");
                    None
                }
                Err(_) => {
                    tracing::debug!(%peer, "a client took too long to speak TLS");
                    None
                }
            }
        });
    }
}
