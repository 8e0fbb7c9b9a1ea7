//! What is said over the pipe: one request per stream, answered once.
//!
//! Paths inside requests are relative to the site's home, use `/`, and may not
//! leave it; the agent checks each one again. A *writing* request carries the
//! job's epoch and is refused when the site has seen a higher one.

mod facts;
mod request;
mod response;

use pressroom_wordpress::fence;
use serde::{Deserialize, Serialize};

pub use request::{Boot, Request, SiteRef};
pub use response::Response;

/// The newest protocol version spoken here; the agent and the server also accept
/// the one before it.
pub const VERSION: u16 = 1;
/// The oldest protocol version still understood.
pub const OLDEST_VERSION: u16 = 1;
/// The largest frame, header excluded.
pub const MAX_FRAME: usize = 256 * 1024;
/// Login noise tolerated before the preamble.
pub const MAX_NOISE: usize = 64 * 1024;
/// The bytes of data each side may send on a stream before it is granted more.
pub const INITIAL_CREDIT: u32 = 1024 * 1024;
/// The most bytes put into one data frame, so that streams take turns.
pub const MAX_CHUNK: usize = 64 * 1024;
/// The longest answer, over all its frames.
pub const MAX_ANSWER: usize = 16 * 1024 * 1024;
/// The requests carried out at once; one more is answered [`RefusalCode::Busy`].
pub const MAX_REQUESTS: usize = 16;
/// The longest deadline; a longer one is cut to this.
pub const MAX_DEADLINE: std::time::Duration = std::time::Duration::from_hours(1);
/// After its input ended the agent waits this long for running requests to settle
/// their current act, then exits regardless: the journal knows the rest.
pub const HARD_STOP: std::time::Duration = std::time::Duration::from_secs(20);

/// A request with what holds for all of them.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Call {
    /// Give up, undo the current act and answer `deadline` after this long.
    pub deadline_ms: u64,
    /// What to do.
    #[serde(flatten)]
    pub request: Request,
}

/// Why a request was not carried out.
#[derive(Debug, Clone, Serialize, Deserialize, thiserror::Error)]
#[error("{message}")]
pub struct Refusal {
    /// What sort of failure it was.
    pub code: RefusalCode,
    /// For a person; free of secrets.
    pub message: String,
}

/// The sorts of failure an agent tells apart.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum RefusalCode {
    /// The site has seen a higher epoch: another worker took over.
    Fenced,
    /// Another session is writing right now.
    Locked,
    /// A path leaves the home, or is not what it must be.
    BadPath,
    /// A package or an answer exceeds a limit, or is malformed.
    BadInput,
    /// The directory or component is not there.
    Missing,
    /// Something foreign is in the way.
    Occupied,
    /// The tree is not the one the caller expected.
    Changed,
    /// The disk is full, or a quota is.
    NoSpace,
    /// There is no PHP that starts.
    NoPhp,
    /// PHP died, or gave no answer.
    Php,
    /// The site's database did not answer.
    Database,
    /// The deadline passed.
    Deadline,
    /// The caller withdrew.
    Cancelled,
    /// Any other failure of the operating system.
    Io,
    /// The agent carries out as many requests as it takes at once.
    Busy,
    /// This agent carries out no such request; see [`Form`].
    Unable,
    /// A fault of the agent's own.
    Internal,
}

/// What holds for the whole session, said by the agent right after the preamble.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Welcome {
    /// The protocol version chosen.
    pub version: u16,
    /// The agent's own release.
    pub release: String,
    /// The Unix user it runs as.
    pub uid: u32,
    /// What the site remembers of fences.
    pub fence: fence::Seen,
    /// What sort of agent it is.
    #[serde(default)]
    pub form: Form,
}

/// The sorts of agents. Both speak the same protocol.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Form {
    /// The program, which carries out every request.
    #[default]
    Native,
    /// The one in PHP, see [`crate::php`].
    Php,
}
