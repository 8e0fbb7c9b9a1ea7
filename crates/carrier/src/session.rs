//! One method per site operation.

use crate::{
    Error, Place, Result, deadline,
    local::{self, Process},
    pipe::{Pipe, Stream},
};
use pressroom_agent::protocol::{Call, Request, Response, Welcome};
use pressroom_base::Epoch;
use pressroom_wordpress::{
    bridge::{self, Action},
    component::{Staged, Swap, Target},
    config::NewConfig,
    core::InstalledCore,
    database::SiteFacts,
    inventory::Inspection,
    journal::Recovery,
    tree::TreeHash,
};
use std::{sync::Arc, time::Duration};
use tokio::{
    io::{AsyncRead, AsyncWrite},
    time,
};
use tokio_util::sync::CancellationToken;

/// The data that goes along with a call.
enum Data<'a> {
    /// None but the answer.
    None,
    /// Read here and sent to the agent.
    Up(&'a mut (dyn AsyncRead + Unpin + Send)),
    /// Given by the agent and written here.
    Down(&'a mut (dyn AsyncWrite + Unpin + Send)),
}

/// A session with one site. Clones share it; dropping the last one closes the pipe,
/// upon which the agent completes or undoes its current act and exits.
#[derive(Debug, Clone)]
pub struct Session {
    link: Arc<Link>,
    deadline: Option<Duration>,
}

#[derive(Debug)]
struct Link {
    pipe: Pipe,
    process: Process,
    welcome: Welcome,
    cancel: CancellationToken,
}

impl Session {
    /// Starts an agent at the place. When `cancel` fires, requests under way are
    /// withdrawn and later ones fail with [`Error::Cancelled`].
    pub async fn open(place: &Place, cancel: CancellationToken) -> Result<Self> {
        if cancel.is_cancelled() {
            return Err(Error::Cancelled);
        }
        let started = local::start(place)?;
        let opened = tokio::select! {
            opened = local::greet(started) => opened,
            () = cancel.cancelled() => Err(Error::Cancelled),
        };
        let (pipe, process, welcome) = opened?;
        tracing::debug!(
            process.id = process.id(),
            agent.release = welcome.release,
            "agent started"
        );
        Ok(Self {
            link: Arc::new(Link {
                pipe,
                process,
                welcome,
                cancel,
            }),
            deadline: None,
        })
    }

    /// The same session with another deadline for each operation.
    #[must_use]
    pub fn with_deadline(&self, deadline: Duration) -> Self {
        Self {
            link: Arc::clone(&self.link),
            deadline: Some(deadline),
        }
    }

    /// What the agent said of itself.
    pub fn welcome(&self) -> &Welcome {
        &self.link.welcome
    }

    /// The agent's process on this machine.
    pub fn process_id(&self) -> u32 {
        self.link.process.id()
    }

    /// Closes the pipe and waits until the agent is gone: after this no request of
    /// this session, or of its clones, touches the site any more.
    pub async fn close(self) {
        self.link.pipe.hang_up("closed by this side");
        self.link.process.gone().await;
    }

    /// Whether the agent is there; answered even while it is busy.
    pub async fn ping(&self) -> Result<()> {
        let after = deadline::GRACE;
        match time::timeout(after, self.link.pipe.ping()).await {
            Ok(answered) => answered,
            Err(_) => Err(Error::Timeout { op: "ping", after }),
        }
    }

    /// Takes the fence and settles what an earlier session left: the first call of
    /// every writing session.
    pub async fn recover(&self, epoch: Epoch) -> Result<Recovery> {
        match self.call(Request::Recover { epoch }, Data::None).await? {
            Response::Recover(recovery) => Ok(recovery),
            _ => Err(mismatch("recover")),
        }
    }

    /// Reads version, components and configuration without running PHP.
    pub async fn inspect(&self, root: &str) -> Result<Inspection> {
        let root = root.to_owned();
        match self.call(Request::Inspect { root }, Data::None).await? {
            Response::Inspect(inspection) => Ok(*inspection),
            _ => Err(mismatch("inspect")),
        }
    }

    /// Hashes a directory; `None` where there is none.
    pub async fn tree_hash(&self, path: &str) -> Result<Option<TreeHash>> {
        let path = path.to_owned();
        match self.call(Request::TreeHash { path }, Data::None).await? {
            Response::TreeHash(hash) => Ok(hash),
            _ => Err(mismatch("tree_hash")),
        }
    }

    /// Reads options and administrators from the site's database.
    pub async fn read_site(&self, root: &str, options: &[&str]) -> Result<SiteFacts> {
        let request = Request::ReadSite {
            root: root.to_owned(),
            options: options.iter().map(ToString::to_string).collect(),
        };
        match self.call(request, Data::None).await? {
            Response::ReadSite(facts) => Ok(facts),
            _ => Err(mismatch("read_site")),
        }
    }

    /// Sends a WordPress zip and unpacks it into an empty root.
    pub async fn install_core(
        &self,
        epoch: Epoch,
        root: &str,
        mut package: impl AsyncRead + Unpin + Send,
    ) -> Result<InstalledCore> {
        let root = root.to_owned();
        let request = Request::InstallCore { epoch, root };
        match self.call(request, Data::Up(&mut package)).await? {
            Response::InstallCore(core) => Ok(core),
            _ => Err(mismatch("install_core")),
        }
    }

    /// Writes `wp-config.php` with fresh salts.
    pub async fn write_config(&self, epoch: Epoch, root: &str, config: NewConfig) -> Result<()> {
        let root = root.to_owned();
        self.done(Request::WriteConfig {
            epoch,
            root,
            config,
        })
        .await
    }

    /// Removes what [`Session::install_core`] put there.
    pub async fn remove_core(&self, epoch: Epoch, root: &str) -> Result<()> {
        let root = root.to_owned();
        self.done(Request::RemoveCore { epoch, root }).await
    }

    /// Sends a component's zip and unpacks it beside the site.
    pub async fn stage_component(
        &self,
        epoch: Epoch,
        target: Target,
        mut package: impl AsyncRead + Unpin + Send,
    ) -> Result<Staged> {
        let request = Request::StageComponent { epoch, target };
        match self.call(request, Data::Up(&mut package)).await? {
            Response::StageComponent(staged) => Ok(staged),
            _ => Err(mismatch("stage_component")),
        }
    }

    /// Exchanges the staged tree with the live one; answers what is live now.
    pub async fn swap_component(&self, epoch: Epoch, swap: Swap) -> Result<TreeHash> {
        match self
            .call(Request::SwapComponent { epoch, swap }, Data::None)
            .await?
        {
            Response::Swapped(live) => Ok(live),
            _ => Err(mismatch("swap_component")),
        }
    }

    /// Exchanges back; answers what is live now.
    pub async fn take_back(&self, epoch: Epoch, swap: Swap) -> Result<TreeHash> {
        match self
            .call(Request::TakeBack { epoch, swap }, Data::None)
            .await?
        {
            Response::Swapped(live) => Ok(live),
            _ => Err(mismatch("take_back")),
        }
    }

    /// Removes a staged or kept-aside tree and its journal entry.
    pub async fn drop_staged(&self, epoch: Epoch, staged: &str) -> Result<()> {
        let staged = staged.to_owned();
        self.done(Request::DropStaged { epoch, staged }).await
    }

    /// Boots WordPress once and runs actions in it; with an epoch when one writes.
    pub async fn bridge(
        &self,
        epoch: Option<Epoch>,
        root: &str,
        php: &str,
        actions: Vec<Action>,
    ) -> Result<bridge::Report> {
        let request = Request::Bridge {
            epoch,
            root: root.to_owned(),
            php: php.to_owned(),
            actions,
        };
        match self.call(request, Data::None).await? {
            Response::Bridge(report) => Ok(report),
            _ => Err(mismatch("bridge")),
        }
    }

    /// Removes what Pressroom itself keeps in the home.
    pub async fn clean_home(&self, epoch: Epoch) -> Result<()> {
        self.done(Request::CleanHome { epoch }).await
    }

    async fn done(&self, request: Request) -> Result<()> {
        let op = request.name();
        match self.call(request, Data::None).await? {
            Response::Done => Ok(()),
            _ => Err(mismatch(op)),
        }
    }

    async fn call(&self, request: Request, data: Data<'_>) -> Result<Response> {
        let Link { pipe, cancel, .. } = &*self.link;
        let op = request.name();
        let writes = request.epoch().is_some();
        let deadline = self.deadline.unwrap_or_else(|| deadline::of(&request));
        let after = deadline.saturating_add(deadline::GRACE);
        let call = Call {
            deadline_ms: u64::try_from(deadline.as_millis()).unwrap_or(u64::MAX),
            request,
        };
        let mut stream = tokio::select! {
            biased;
            () = cancel.cancelled() => return Err(Error::Cancelled),
            opened = pipe.open_stream(&call) => opened?,
            () = time::sleep(after) => return Err(Error::Timeout { op, after }),
        };
        tokio::select! {
            biased;
            answer = converse(&mut stream, data) => return answer,
            () = cancel.cancelled() => {}
            () = time::sleep(after) => {
                if writes {
                    // What it still does, nobody would know of.
                    self.abandon(op);
                }
                return Err(Error::Timeout { op, after });
            }
        }
        // The current act completes or is undone; only its answer says which.
        stream.cancel();
        match time::timeout(deadline::GRACE, stream.answer()).await {
            Ok(Err(error)) if error.is_cancelled() => Err(Error::Cancelled),
            Ok(answer) => answer,
            Err(_) => {
                if writes {
                    self.abandon(op);
                }
                Err(Error::Cancelled)
            }
        }
    }

    /// Ends an agent that writes and does not answer any more.
    fn abandon(&self, op: &'static str) {
        tracing::warn!(
            process.id = self.process_id(),
            "agent does not answer `{op}` and is killed"
        );
        self.link
            .pipe
            .hang_up(&format!("the agent did not answer `{op}`"));
        self.link.process.kill();
    }
}

/// Moves the data, if there is any, and waits for the answer, which may well come
/// before what was sent is through.
async fn converse(stream: &mut Stream, data: Data<'_>) -> Result<Response> {
    let failed = match data {
        Data::None => None,
        Data::Up(data) => {
            let sender = stream.sender();
            let sending = sender.send(data);
            tokio::select! {
                biased;
                answer = stream.answer() => return answer,
                sent = sending => sent.err().map(Error::Package),
            }
        }
        Data::Down(data) => stream.receive(data).await.err().map(Error::Receive),
    };
    let Some(failed) = failed else {
        return stream.answer().await;
    };
    stream.cancel();
    // Wait, so that nothing is written any more once the caller knows.
    let _ = time::timeout(deadline::GRACE, stream.answer()).await;
    Err(failed)
}

fn mismatch(op: &'static str) -> Error {
    Error::Protocol(format!("the answer to `{op}` is of another kind"))
}
