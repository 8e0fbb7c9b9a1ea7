//! The task that writes to the agent.

use super::Queued;
use pressroom_agent::frame::Frame;
use tokio::{
    io::{AsyncWrite, AsyncWriteExt},
    sync::mpsc::{Receiver, UnboundedReceiver},
};
use tokio_util::sync::CancellationToken;

/// Writes frames until it is told to hang up, urgent ones first, and closes the
/// output.
pub(super) async fn run(
    mut output: impl AsyncWrite + Unpin,
    mut queue: UnboundedReceiver<Queued>,
    mut urgent: Receiver<Frame>,
    hang_up: CancellationToken,
) {
    let writing = async {
        loop {
            let frame = tokio::select! {
                biased;
                Some(frame) = urgent.recv() => Queued {
                    bytes: frame.encode().unwrap_or_default(),
                    _room: None,
                },
                Some(frame) = queue.recv() => frame,
                else => return,
            };
            let written = async {
                output.write_all(&frame.bytes).await?;
                output.flush().await
            };
            if written.await.is_err() {
                // The reading task sees the end and says what happened.
                return;
            }
        }
    };
    hang_up.run_until_cancelled(writing).await;
    // Best effort: dropping it does the same where the output is a pipe.
    let _ = output.shutdown().await;
}
