//! Why a host could not be asked, or cannot do what was asked.

use super::{Address, Restriction};
use pressroom_base::Kind;
use std::{io, net::IpAddr, path::PathBuf, time::Duration};

/// The result of asking a host.
pub type Result<T> = std::result::Result<T, Error>;

/// Why a host could not be asked, or cannot do what was asked: what happened, and what
/// to do.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// Its name is not known.
    #[error("the host of `{address}` has no address; check its name")]
    Unresolved {
        /// The host.
        address: Address,
        /// Why.
        #[source]
        source: io::Error,
    },
    /// Its address is one that is never asked.
    #[error("the host of `{address}` is at {number}, which Pressroom does not connect to")]
    AddressRefused {
        /// The host.
        address: Address,
        /// What its name stands for.
        number: IpAddr,
    },
    /// Nobody listens there.
    #[error("nothing answers at `{address}`; check the port and the firewall")]
    Unreachable {
        /// The host.
        address: Address,
        /// Why.
        #[source]
        source: io::Error,
    },
    /// No answer came in time.
    #[error("`{address}` did not answer within {} s; check that the host is up", after.as_secs_f32())]
    Silent {
        /// The host.
        address: Address,
        /// How long was waited.
        after: Duration,
    },
    /// The host before it does not let us through.
    #[error("the host on the way does not connect to `{address}`; check its `AllowTcpForwarding`")]
    Tunnel {
        /// The host behind.
        address: Address,
        /// Why.
        #[source]
        source: Box<russh::Error>,
    },
    /// Somebody listens there who does not speak SSH as we do.
    #[error("no SSH connection with `{address}` came about")]
    Handshake {
        /// The host.
        address: Address,
        /// Why.
        #[source]
        source: Box<russh::Error>,
    },
    /// The host shows another key than before.
    #[error(
        "THE HOST KEY OF `{address}` HAS CHANGED: it was {pinned} and is now {shown}. Either the \
         host was installed anew, or somebody answers in its place. Nothing was sent. Ask its \
         operator for the fingerprint, and only then accept the new key"
    )]
    HostKeyChanged {
        /// The host.
        address: Address,
        /// The fingerprint it is known by.
        pinned: String,
        /// The fingerprint it shows.
        shown: String,
    },
    /// The host does not take the key.
    #[error(
        "`{address}` does not accept the key {key}; put its public line into that user's `authorized_keys`"
    )]
    KeyRefused {
        /// The host.
        address: Address,
        /// The key's fingerprint.
        key: String,
    },
    /// The host takes the key and wants more.
    #[error("`{address}` asks for more than a key; let that user log in with the key alone")]
    SecondFactor {
        /// The host.
        address: Address,
    },
    /// It failed a moment ago and is left alone for a while.
    #[error("`{address}` is left alone for another {} s, because: {why}", again_in.as_secs().max(1))]
    Resting {
        /// The host.
        address: Address,
        /// The last failure.
        why: String,
        /// What that one meant.
        kind: Kind,
        /// The host that showed another key, when it was that.
        changed: Option<Box<Address>>,
        /// When it is tried again.
        again_in: Duration,
    },
    /// All channels were in use for too long.
    #[error("{limit} sessions are open {which}, and none ended within {} s; try again later", after.as_secs_f32())]
    Crowded {
        /// `on HOST`, or `on all hosts`.
        which: String,
        /// The limit.
        limit: usize,
        /// How long was waited.
        after: Duration,
    },
    /// The host refuses one more channel, or to run anything in it.
    #[error("`{address}` refuses {what}; check `MaxSessions` and what that user may do")]
    NoChannel {
        /// The host.
        address: Address,
        /// What was refused.
        what: &'static str,
    },
    /// The connection ended in the middle.
    #[error("the connection with `{address}` ended: {why}")]
    Lost {
        /// The host.
        address: Address,
        /// How.
        why: String,
    },
    /// The account does not let commands be run.
    #[error("the account `{address}` {restriction}; it answered: {said}")]
    Restricted {
        /// The host.
        address: Address,
        /// What is the matter with it.
        restriction: Restriction,
        /// What it answered.
        said: String,
    },
    /// No agent runs as root.
    #[error("nothing runs as root on `{address}`; name the user whom the site belongs to")]
    AsRoot {
        /// The host.
        address: Address,
    },
    /// The user to become is not there.
    #[error("there is no user `{user}` at `{address}`")]
    NoSuchUser {
        /// The host.
        address: Address,
        /// The user.
        user: String,
    },
    /// `sudo` wants a password, or refuses.
    #[error(
        "`{address}` may not become `{user}` by `sudo -n`; allow it in `sudoers` with NOPASSWD. It said: {said}"
    )]
    Sudo {
        /// The host.
        address: Address,
        /// Whom to become.
        user: String,
        /// What `sudo` said.
        said: String,
    },
    /// The agent was made for other machines.
    #[error("`{address}` is a {theirs} machine, and the agent was made for {ours}")]
    Machine {
        /// The host.
        address: Address,
        /// What it is.
        theirs: String,
        /// What the agent needs.
        ours: String,
    },
    /// The home is mounted so that nothing in it can be run.
    #[error("nothing in the home of that user at `{address}` can be run: it is mounted `noexec`")]
    NoExec {
        /// The host.
        address: Address,
    },
    /// The agent finds no room.
    #[error("`{address}` has {free} bytes free in that user's home, and the agent needs {needed}")]
    NoSpace {
        /// The host.
        address: Address,
        /// What the agent needs.
        needed: u64,
        /// What there is.
        free: u64,
    },
    /// Others may write where the agent would lie.
    #[error(
        "others than that user may write to `~/.pressroom` at `{address}`, so nothing is run from there; correct its owner and mode"
    )]
    UnsafeDirectory {
        /// The host.
        address: Address,
    },
    /// The host lacks a program that is needed.
    #[error("`{address}` has no `{program}`; install it")]
    Missing {
        /// The host.
        address: Address,
        /// The program.
        program: String,
    },
    /// What arrived at the host is not what was sent, or does not run there.
    #[error("the agent could not be put in place at `{address}`: {said}")]
    Upload {
        /// The host.
        address: Address,
        /// What was said.
        said: String,
    },
    /// The agent's own file cannot be read here.
    #[error("cannot read the agent `{}`", path.display())]
    Program {
        /// The file.
        path: PathBuf,
        /// Why.
        #[source]
        source: io::Error,
    },
    /// The host has no such PHP.
    #[error("`{address}` has no `{php}`")]
    NoPhp {
        /// The host.
        address: Address,
        /// The command.
        php: String,
    },
    /// Neither agent runs there.
    #[error("no agent works at `{address}`: {agent}; and not the one in PHP either: {php}")]
    NoWay {
        /// The host.
        address: Address,
        /// Why not the agent.
        agent: String,
        /// Why not the one in PHP.
        php: String,
    },
    /// The home is not a path that can be told to every shell.
    #[error("the home `{}` is not an absolute path without control characters", home.display())]
    Home {
        /// The home.
        home: PathBuf,
    },
}

impl Error {
    /// Whether an agent cannot run at the host although all else is well: one that needs
    /// no file of its own there still may.
    pub(super) const fn bars_the_agent(&self) -> bool {
        matches!(
            self,
            Self::Machine { .. }
                | Self::NoExec { .. }
                | Self::NoSpace { .. }
                | Self::UnsafeDirectory { .. }
                | Self::Upload { .. }
                | Self::Missing { .. }
        )
    }

    /// Whether that will still be so in a while: room is made sooner than a machine
    /// becomes another one.
    pub(super) const fn bars_it_for_long(&self) -> bool {
        matches!(self, Self::Machine { .. } | Self::NoExec { .. })
    }

    /// Whether it is PHP that stands in the way of the agent in PHP.
    pub(super) const fn is_of_php(&self) -> bool {
        matches!(self, Self::NoPhp { .. } | Self::Restricted { .. })
    }

    /// The host that shows another key than before, now or when it was tried last.
    pub const fn changed_host(&self) -> Option<&Address> {
        match self {
            Self::HostKeyChanged { address, .. } => Some(address),
            Self::Resting {
                changed: Some(address),
                ..
            } => Some(address),
            _ => None,
        }
    }

    /// What the failure means to whoever asked.
    pub const fn kind(&self) -> Kind {
        match self {
            Self::Unresolved { .. }
            | Self::Unreachable { .. }
            | Self::Silent { .. }
            | Self::Tunnel { .. }
            | Self::Handshake { .. }
            | Self::NoChannel { .. }
            | Self::Lost { .. } => Kind::Unreachable,
            Self::AddressRefused { .. }
            | Self::AsRoot { .. }
            | Self::NoSuchUser { .. }
            | Self::Home { .. } => Kind::Invalid,
            Self::HostKeyChanged { .. } => Kind::Conflict,
            Self::Crowded { .. } => Kind::Busy,
            Self::Restricted { .. }
            | Self::Machine { .. }
            | Self::NoExec { .. }
            | Self::NoPhp { .. }
            | Self::NoWay { .. } => Kind::Unsupported,
            Self::KeyRefused { .. }
            | Self::SecondFactor { .. }
            | Self::Sudo { .. }
            | Self::NoSpace { .. }
            | Self::UnsafeDirectory { .. }
            | Self::Missing { .. }
            | Self::Upload { .. } => Kind::Remote,
            Self::Program { .. } => Kind::Internal,
            Self::Resting { kind, .. } => *kind,
        }
    }
}
