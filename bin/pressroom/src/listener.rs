//! The socket that every face answers at, with TLS where a certificate is configured.

mod certificates;

pub use certificates::Certificates;

use axum::{
    extract::connect_info::Connected,
    serve::{IncomingStream, Listener as Accepts},
};
use std::{io, net::SocketAddr, sync::Arc, time::Duration};
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
    tls: Option<Handshakes>,
}

/// Connections that are not encrypted yet. They are never waited for: who stays silent
/// keeps nobody else out.
struct Handshakes {
    current: watch::Receiver<Arc<ServerConfig>>,
    under_way: JoinSet<Option<(TlsStream<TcpStream>, SocketAddr)>>,
}

impl Listener {
    /// Plain HTTP.
    pub fn plain(socket: TcpListener) -> Self {
        Self { socket, tls: None }
    }

    /// HTTPS, each connection with the certificate that is current when it comes.
    pub fn tls(socket: TcpListener, current: watch::Receiver<Arc<ServerConfig>>) -> Self {
        let tls = Some(Handshakes {
            current,
            under_way: JoinSet::new(),
        });
        Self { socket, tls }
    }
}

impl Handshakes {
    fn begin(&mut self, stream: TcpStream, peer: SocketAddr) {
        let acceptor = TlsAcceptor::from(Arc::clone(&self.current.borrow()));
        self.under_way.spawn(async move {
            match timeout(HANDSHAKE, acceptor.accept(stream)).await {
                Ok(Ok(stream)) => Some((stream, peer)),
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

impl Accepts for Listener {
    type Io = Either<TcpStream, TlsStream<TcpStream>>;
    type Addr = SocketAddr;

    async fn accept(&mut self) -> (Self::Io, Self::Addr) {
        let Some(tls) = &mut self.tls else {
            let (stream, peer) = Accepts::accept(&mut self.socket).await;
            return (Either::Left(stream), peer);
        };
        loop {
            let has_room = tls.under_way.len() < HANDSHAKES;
            tokio::select! {
                (stream, peer) = Accepts::accept(&mut self.socket), if has_room => {
                    tls.begin(stream, peer);
                }
                Some(done) = tls.under_way.join_next() => {
                    if let Ok(Some((stream, peer))) = done {
                        return (Either::Right(stream), peer);
                    }
                }
            }
        }
    }

    fn local_addr(&self) -> io::Result<SocketAddr> {
        self.socket.local_addr()
    }
}

/// The other end of a connection: a client's, or that of a proxy before it.
#[derive(Debug, Clone, Copy)]
pub struct Peer(pub SocketAddr);

impl Connected<IncomingStream<'_, Listener>> for Peer {
    fn connect_info(stream: IncomingStream<'_, Listener>) -> Self {
        Self(*stream.remote_addr())
    }
}
