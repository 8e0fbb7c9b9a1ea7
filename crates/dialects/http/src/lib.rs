//! Plumbing that every dialect shares: the table that routes, documents and tests
//! are derived from, the frame each request passes through, and the dispatcher that
//! picks the dialect.
//!
//! Nothing here has a wire shape: what an error or a header looks like is asked of
//! the [`Dialect`]. Start reading at [`route::Route`], then [`frame`] (the order of
//! checks for each request), then [`mod@pick`] (whose request it is) and [`dispatch`]. Beside the dialects, [`download`]
//! honours the links that any of them may hand out.

pub mod answer;
mod authorization;
pub mod call;
pub mod dialect;
pub mod dispatch;
pub mod download;
pub mod fault;
mod form;
pub mod frame;
mod incoming;
pub mod json;
mod multipart;
mod neutral;
pub mod peer;
pub mod pick;
pub mod route;

pub use answer::Answer;
pub use authorization::authorization;
pub use call::Call;
pub use dialect::{Dialect, Limits};
pub use dispatch::{Hosts, router};
pub use fault::Fault;
pub use incoming::{Incoming, Length};
pub use route::{Access, Credential, Doc, Place, Route, Shape, Table, Target};
