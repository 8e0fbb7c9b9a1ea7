//! What keeps the clone of a rehearsal from reaching out: its PHP, its database, its web
//! server.
//!
//! A clone is a whole WordPress with its site's own code in it, which mails, posts and
//! writes wherever its site does. Everything here is about a directory that a [`record`]
//! describes, and holds whoever starts PHP there: [`enter`] is asked by path, so that no
//! caller can forget it. What a host cannot keep from happening is told by
//! [`program::Walls`].

pub(crate) mod attempts;
mod enter;
pub(crate) mod fuzzing;
pub(crate) mod gate;
pub(crate) mod php;
pub mod program;
pub(crate) mod record;
pub(crate) mod server;
pub mod socket;
pub(crate) mod visit;

pub(crate) use enter::{Entered, enter, walls};
