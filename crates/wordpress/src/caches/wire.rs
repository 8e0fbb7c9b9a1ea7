//! A bounded conversation with a local server.

use crate::{Error, Result, database::connection, names, watch::Watch};
use std::{future::Future, io, net::SocketAddr, time::Duration};
use tokio::{
    io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt},
    net::{TcpStream, UnixStream},
};

/// The longest wait for one answer.
const PATIENCE: Duration = Duration::from_secs(15);

trait Stream: AsyncRead + AsyncWrite + Unpin {}
impl<T: AsyncRead + AsyncWrite + Unpin> Stream for T {}

/// An open connection.
pub(super) struct Wire {
    stream: Box<dyn Stream>,
}

impl Wire {
    /// Connects to an absolute path, or to `host:port`.
    pub(super) async fn connect(address: &str) -> io::Result<Self> {
        within(async {
            let stream: Box<dyn Stream> = if address.starts_with('/') {
                Box::new(UnixStream::connect(address).await?)
            } else {
                let (name, port) = parts(address)?;
                let found = names::addresses(name).await?;
                let found: Vec<SocketAddr> = found.iter().map(|ip| (*ip, port).into()).collect();
                Box::new(TcpStream::connect(&*found).await?)
            };
            Ok(Self { stream })
        })
        .await
    }

    pub(super) async fn send(&mut self, bytes: &[u8]) -> io::Result<()> {
        within(self.stream.write_all(bytes)).await
    }

    /// Some bytes; none at the end.
    pub(super) async fn receive(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        within(self.stream.read(buffer)).await
    }
}

/// `host:port`, `[v6]:port` in parts.
fn parts(address: &str) -> io::Result<(&str, u16)> {
    let wrong = || io::Error::new(io::ErrorKind::InvalidInput, "invalid socket address");
    let (name, port) = address.rsplit_once(':').ok_or_else(wrong)?;
    let bare = name
        .strip_prefix('[')
        .and_then(|name| name.strip_suffix(']'));
    Ok((bare.unwrap_or(name), port.parse().map_err(|_| wrong())?))
}

/// Runs a conversation; what failed in it is a reason, what the watch says an error.
pub(super) fn talk<T>(
    watch: &Watch,
    conversation: impl Future<Output = io::Result<T>>,
) -> Result<std::result::Result<T, String>> {
    let ended = connection::run(watch, async {
        Ok(conversation.await.map_err(|why| why.to_string()))
    });
    match ended {
        Err(why @ (Error::Deadline | Error::Cancelled)) => Err(why),
        Err(why) => Ok(Err(why.to_string())),
        Ok(ended) => Ok(ended),
    }
}

/// A refusal of what a server said.
pub(super) fn bad(why: impl Into<String>) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, why.into())
}

async fn within<T>(act: impl Future<Output = io::Result<T>>) -> io::Result<T> {
    match tokio::time::timeout(PATIENCE, act).await {
        Ok(ended) => ended,
        Err(_) => Err(io::Error::new(
            io::ErrorKind::TimedOut,
            format!("no answer within {} s", PATIENCE.as_secs()),
        )),
    }
}
