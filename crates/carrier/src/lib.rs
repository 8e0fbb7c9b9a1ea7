//! Sessions with sites, and what brings their pipe there.
//!
//! A [`Session`] has one method per site operation; the agent at the other end of
//! the pipe carries it out as the site's own user. This crate must never open a
//! path below a site's home itself, and what an agent answers is *reported*: whoever
//! calls decides what to believe.
//!
//! Start reading at [`Session`]; `pipe` holds the framing, `local` starts the agent
//! on this machine, `ssh` on another. The way there is a [`Place`]:
//!
//! ```no_run
//! # async fn example() -> pressroom_carrier::Result<()> {
//! use pressroom_carrier::{CancellationToken, Local, Place, Session, Way};
//! let place = Place {
//!     home: "/srv/sites/example.org".into(),
//!     way: Way::Local(Local {
//!         run_as: None,
//!         agent: vec!["/usr/bin/pressroom-agent".into(), "serve".into()],
//!     }),
//! };
//! let session = Session::open(&place, CancellationToken::new()).await?;
//! println!("{:?}", session.inspect("public_html").await?.version);
//! # Ok(())
//! # }
//! ```

pub mod deadline;
mod error;
mod local;
mod pipe;
mod place;
mod process;
mod session;
pub mod ssh;

pub use error::{Error, Result};
pub use place::{Local, Place, SiteUser, Way};
pub use session::{Session, Visited};
pub use tokio_util::sync::CancellationToken;
