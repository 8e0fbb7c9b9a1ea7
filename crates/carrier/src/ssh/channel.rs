//! A command under way at the other end of a channel.

use super::{
    Address,
    connection::Ended,
    error::{Error, Result},
    hosts::Slot,
};
use crate::process::Tail;
use russh::{ChannelMsg, ChannelReadHalf, ChannelWriteHalf, Sig, client::Msg};
use std::time::Duration;
use tokio::{
    io::{AsyncWrite, AsyncWriteExt, DuplexStream},
    sync::watch,
    time,
};

/// Bytes of output that wait to be read here.
const WAITING: usize = 256 * 1024;
/// How long the other end may take to confirm something small.
const MOMENT: Duration = Duration::from_secs(5);
/// The kind of extended data that is standard error.
const STDERR: u32 = 1;

/// A command that runs on a host.
pub(super) struct Running {
    /// Its standard input.
    pub(super) input: Box<dyn AsyncWrite + Unpin + Send>,
    /// Its standard output.
    pub(super) output: DuplexStream,
    /// The end of its standard error.
    pub(super) errors: Tail,
    /// How it ends.
    pub(super) exit: Exit,
    /// What ends it.
    pub(super) control: Control,
}

/// How a command ends.
#[derive(Clone)]
pub(super) struct Exit {
    state: watch::Receiver<State>,
    ended: Ended,
}

#[derive(Debug, Clone, Copy, Default)]
struct State {
    status: Option<u32>,
    over: bool,
}

/// What ends a command, at the latest when it is dropped. Holds its place among the
/// host's channels.
pub(super) struct Control(Option<Held>);

struct Held {
    channel: ChannelWriteHalf<Msg>,
    exit: Exit,
    _slot: Slot,
}

/// Runs a command in a channel, within `patience` from asking until it is begun.
pub(super) async fn run(
    address: &Address,
    mut slot: Slot,
    command: String,
    patience: Duration,
) -> Result<Running> {
    let lost = |why: String| Error::Lost {
        address: address.clone(),
        why,
    };
    let Some(channel) = slot.take_channel() else {
        return Err(lost("its channel was used already".to_owned()));
    };
    let (mut read, write) = channel.split();
    let input = write.make_writer();
    let ended = slot.ended();
    let (says, state) = watch::channel(State::default());
    let exit = Exit {
        state,
        ended: ended.clone(),
    };
    let control = Control(Some(Held {
        channel: write,
        exit: exit.clone(),
        _slot: slot,
    }));
    let begun = async {
        control.exec(command).await.map_err(|_| lost(ended.why()))?;
        loop {
            match read.wait().await {
                Some(ChannelMsg::Success) => return Ok(()),
                Some(ChannelMsg::Failure) => {
                    return Err(Error::NoChannel {
                        address: address.clone(),
                        what: "to run a command",
                    });
                }
                Some(ChannelMsg::Close) | None => return Err(lost(ended.why())),
                Some(_) => {}
            }
        }
    };
    match time::timeout(patience, begun).await {
        Ok(begun) => begun?,
        Err(_) => {
            return Err(Error::Silent {
                address: address.clone(),
                after: patience,
            });
        }
    }
    let (to, output) = tokio::io::duplex(WAITING);
    let errors = Tail::new();
    tokio::spawn(listen(read, to, errors.clone(), says, ended));
    Ok(Running {
        input: Box::new(input),
        output,
        errors,
        exit,
        control,
    })
}

/// Takes everything that comes, whether or not somebody still reads it: the other
/// channels of the connection wait behind it.
async fn listen(
    mut from: ChannelReadHalf,
    to: DuplexStream,
    errors: Tail,
    says: watch::Sender<State>,
    ended: Ended,
) {
    let mut to = Some(to);
    loop {
        match from.wait().await {
            Some(ChannelMsg::Data { data }) => {
                if let Some(open) = &mut to
                    && open.write_all(&data).await.is_err()
                {
                    to = None;
                }
            }
            Some(ChannelMsg::ExtendedData { data, ext: STDERR }) => errors.push(&data),
            Some(ChannelMsg::ExitStatus { exit_status }) => {
                says.send_modify(|state| state.status = Some(exit_status));
            }
            Some(ChannelMsg::ExitSignal { signal_name, .. }) => {
                errors.push(format!("\nended by signal {signal_name:?}").as_bytes());
            }
            Some(ChannelMsg::Eof) => to = None,
            Some(ChannelMsg::Close) => break,
            None => {
                if says.borrow().status.is_none() {
                    errors.push(format!("\n{}", ended.why()).as_bytes());
                }
                break;
            }
            Some(_) => {}
        }
    }
    errors.end();
    says.send_modify(|state| state.over = true);
}

impl Exit {
    /// Why nothing more is heard of it, when that is the connection's doing.
    pub(super) fn cut(&self) -> Option<String> {
        self.ended.reason()
    }

    /// Waits until nothing more comes.
    pub(super) async fn over(&self) {
        let mut state = self.state.clone();
        // Gone without a word is over as well.
        let _ = state.wait_for(|state| state.over).await;
    }

    /// The exit status, should one come within a moment.
    pub(super) async fn status(&self) -> Option<u32> {
        let mut state = self.state.clone();
        let known = state.wait_for(|state| state.over || state.status.is_some());
        time::timeout(MOMENT, known).await.ok()?.ok()?.status
    }
}

impl Control {
    async fn exec(&self, command: String) -> std::result::Result<(), russh::Error> {
        match &self.0 {
            Some(held) => held.channel.exec(true, command).await,
            None => Err(russh::Error::WrongChannel),
        }
    }

    /// Ends the command if it is not over: by a signal, which not every server passes
    /// on, and by taking its pipes away. Gives its place free.
    pub(super) async fn end(mut self) {
        if let Some(held) = self.0.take() {
            held.end().await;
        }
    }
}

impl Drop for Control {
    fn drop(&mut self) {
        if let Some(held) = self.0.take() {
            tokio::spawn(held.end());
        }
    }
}

impl Held {
    async fn end(self) {
        let over = async {
            // A command that ended a moment ago is to say how, before it is killed.
            if time::timeout(MOMENT / 10, self.exit.over()).await.is_err() {
                let _ = self.channel.signal(Sig::KILL).await;
                let _ = time::timeout(MOMENT / 2, self.exit.over()).await;
            }
            let _ = self.channel.close().await;
            self.exit.over().await;
        };
        let _ = time::timeout(MOMENT, over).await;
    }
}
