//! Commands of somebody's own.

use super::{Data, Session, answer};
use crate::Result;
use pressroom_agent::protocol::Request;
use pressroom_base::Epoch;
use pressroom_wordpress::command::{Channel, Command, CommandEnd, Records};
use std::{
    io,
    pin::Pin,
    task::{Context, Poll},
};
use tokio::io::AsyncWrite;

impl Session {
    /// Runs a command and hands on what it prints, as it comes. With an epoch, a worker who
    /// comes later ends it; without, it runs beside whatever else writes.
    pub async fn run_command(
        &self,
        epoch: Option<Epoch>,
        command: Command,
        output: impl FnMut(Channel, &[u8]) + Unpin + Send,
    ) -> Result<CommandEnd> {
        let request = Request::RunCommand { epoch, command };
        let mut out = Handed {
            records: Records::default(),
            output,
        };
        answer!(self.call(request, Data::Down(&mut out)), RunCommand)
    }
}

/// Takes records apart as they come.
struct Handed<F> {
    records: Records,
    output: F,
}

impl<F: FnMut(Channel, &[u8]) + Unpin> AsyncWrite for Handed<F> {
    fn poll_write(
        self: Pin<&mut Self>,
        _: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        let Self { records, output } = self.get_mut();
        let fed = records.feed(bytes, output);
        Poll::Ready(match fed {
            Ok(()) => Ok(bytes.len()),
            Err(error) => Err(io::Error::new(io::ErrorKind::InvalidData, error)),
        })
    }

    fn poll_flush(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }

    fn poll_shutdown(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }
}
