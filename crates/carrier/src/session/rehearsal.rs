//! Throw-away clones of the site: made, looked at, dropped.

use super::{Data, Session, answer};
use crate::Result;
use pressroom_agent::protocol::{Request, SiteRef};
use pressroom_base::Epoch;
use pressroom_wordpress::rehearsal::{Answer, Rehearsal, RehearsalLog, RehearsalOptions, Visit};

/// What a visitor of a clone got.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Visited {
    /// The status.
    pub status: u16,
    /// Headers in their order, names as they were sent.
    pub headers: Vec<(String, String)>,
    /// The body, up to the limit that was given.
    pub body: Vec<u8>,
    /// Bytes beyond the limit.
    pub cut: u64,
    /// Whether the body ended before the length that was announced.
    pub truncated: bool,
    /// Milliseconds from the request to the end of the body, at the site.
    pub ms: u64,
}

impl Session {
    /// Makes a clone. Its [`Rehearsal::root`] is the `root` of every other operation.
    pub async fn make_rehearsal(
        &self,
        epoch: Epoch,
        site: SiteRef,
        options: RehearsalOptions,
    ) -> Result<Rehearsal> {
        let request = Request::MakeRehearsal {
            epoch,
            site,
            options,
        };
        let made: Result<Box<Rehearsal>> = answer!(self.call(request, Data::None), MakeRehearsal);
        made.map(|made| *made)
    }

    /// Asks a clone for a page. Several may be asked for at once.
    pub async fn visit(&self, handle: &str, visit: Visit) -> Result<Visited> {
        let mut body = Vec::new();
        let request = Request::Visit {
            handle: handle.to_owned(),
            visit,
        };
        let answer: Result<Box<Answer>> = answer!(self.call(request, Data::Down(&mut body)), Visit);
        let answer = *answer?;
        Ok(Visited {
            status: answer.status,
            headers: answer.headers,
            body,
            cut: answer.cut,
            truncated: answer.truncated,
            ms: answer.ms,
        })
    }

    /// What happened in a clone so far.
    pub async fn rehearsal_log(&self, handle: &str) -> Result<RehearsalLog> {
        let handle = handle.to_owned();
        let log: Result<Box<RehearsalLog>> = answer!(
            self.call(Request::RehearsalLog { handle }, Data::None),
            RehearsalLog
        );
        log.map(|log| *log)
    }

    /// Removes a clone with its processes and tables; one that is gone is fine.
    pub async fn drop_rehearsal(&self, epoch: Epoch, handle: &str) -> Result<()> {
        let handle = handle.to_owned();
        self.done(Request::DropRehearsal { epoch, handle }).await
    }
}
