//! A wire that can be cut.

use std::{
    net::SocketAddr,
    sync::{
        Arc,
        atomic::{AtomicI64, AtomicU32, Ordering},
    },
};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{TcpListener, TcpStream},
};

/// Passes connections on to a server, until it is told otherwise.
#[derive(Clone)]
pub struct Wire {
    pub address: SocketAddr,
    state: Arc<State>,
}

struct State {
    /// Bytes, in either direction, that still get through.
    left: AtomicI64,
    /// Connections that were cut or refused.
    cuts: AtomicU32,
}

const WHOLE: i64 = i64::MAX / 2;

impl Wire {
    pub async fn to(server: SocketAddr) -> Self {
        let listener = TcpListener::bind(("127.0.0.1", 0)).await.unwrap();
        let address = listener.local_addr().unwrap();
        let state = Arc::new(State {
            left: AtomicI64::new(WHOLE),
            cuts: AtomicU32::new(0),
        });
        let shared = Arc::clone(&state);
        tokio::spawn(async move {
            while let Ok((near, _)) = listener.accept().await {
                let state = Arc::clone(&shared);
                tokio::spawn(async move { carry(near, server, &state).await });
            }
        });
        Self { address, state }
    }

    /// Cuts every connection, and every later one, once so many bytes have passed.
    pub fn cut_after(&self, bytes: i64) {
        self.state.left.store(bytes, Ordering::SeqCst);
    }

    pub fn mend(&self) {
        self.state.left.store(WHOLE, Ordering::SeqCst);
    }

    pub fn cuts(&self) -> u32 {
        self.state.cuts.load(Ordering::SeqCst)
    }
}

async fn carry(near: TcpStream, server: SocketAddr, state: &State) {
    let Ok(far) = TcpStream::connect(server).await else {
        return;
    };
    let (near_out, near_in) = near.into_split();
    let (far_out, far_in) = far.into_split();
    // Whichever ends first takes the other along.
    tokio::select! {
        () = pump(near_out, far_in, state) => {}
        () = pump(far_out, near_in, state) => {}
    }
}

async fn pump(
    mut from: tokio::net::tcp::OwnedReadHalf,
    mut to: tokio::net::tcp::OwnedWriteHalf,
    state: &State,
) {
    let mut buffer = vec![0; 64 << 10];
    while let Ok(count) = from.read(&mut buffer).await {
        if count == 0 {
            return;
        }
        let passed = i64::try_from(count).unwrap();
        if state.left.fetch_sub(passed, Ordering::SeqCst) < passed {
            state.cuts.fetch_add(1, Ordering::SeqCst);
            return;
        }
        if to.write_all(&buffer[..count]).await.is_err() {
            return;
        }
    }
}
