//! A name server that leads every name to one address.

use anyhow::Result;
use std::{
    net::{Ipv4Addr, SocketAddr},
    sync::{Arc, Mutex, PoisonError},
};
use tokio::{net::UdpSocket, task::JoinHandle};

/// Header of a message (RFC 1035, 4.1.1), bytes.
const HEADER: usize = 12;
const TYPE_A: [u8; 2] = [0, 1];

/// A running name server; it ends with this.
#[derive(Debug)]
pub struct NameServer {
    /// Where it is asked.
    pub address: SocketAddr,
    leads_to: Arc<Mutex<Ipv4Addr>>,
    server: JoinHandle<()>,
}

impl Drop for NameServer {
    fn drop(&mut self) {
        self.server.abort();
    }
}

impl NameServer {
    /// Every name leads there.
    pub async fn start(to: Ipv4Addr) -> Result<Self> {
        let socket = UdpSocket::bind(("127.0.0.1", 0)).await?;
        let address = socket.local_addr()?;
        let leads_to = Arc::new(Mutex::new(to));
        let current = Arc::clone(&leads_to);
        let server = tokio::spawn(async move {
            let mut bytes = [0; 1500];
            while let Ok((length, from)) = socket.recv_from(&mut bytes).await {
                let to = *current.lock().unwrap_or_else(PoisonError::into_inner);
                if let Some(answer) = answer(&bytes[..length], to) {
                    // Who asked may be gone.
                    let _ = socket.send_to(&answer, from).await;
                }
            }
        });
        Ok(Self {
            address,
            leads_to,
            server,
        })
    }

    /// From now on every name leads there.
    pub fn lead_to(&self, to: Ipv4Addr) {
        *self.leads_to.lock().unwrap_or_else(PoisonError::into_inner) = to;
    }
}

/// The question again, and where it leads if that was asked; there is nothing else.
fn answer(asked: &[u8], to: Ipv4Addr) -> Option<Vec<u8>> {
    let name = asked.get(HEADER..)?.iter().position(|byte| *byte == 0)?;
    let question = asked.get(HEADER..HEADER + name + 5)?;
    let is_address = question.get(name + 1..name + 3)? == TYPE_A;
    let mut answer = asked.get(..2)?.to_vec();
    // An answer, with recursion; one question, one record or none, nothing more.
    answer.extend([0x81, 0x80, 0, 1, 0, u8::from(is_address), 0, 0, 0, 0]);
    answer.extend(question);
    if is_address {
        // The question's name; A, IN, for a minute, four bytes.
        answer.extend([0xc0, 0x0c, 0, 1, 0, 1, 0, 0, 0, 60, 0, 4]);
        answer.extend(to.octets());
    }
    Some(answer)
}
