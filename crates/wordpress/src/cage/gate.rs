//! The clone's way to its database: a relay on a socket that reads every statement before
//! the server does, and lets those pass that stay in the clone's own tables.
//!
//! It speaks no more of the protocol than it must. The handshake goes through, without what
//! would hide statements (TLS, compression) or bring others along (several at once, local
//! files). After it a command is a packet with number 0; those that are not known are
//! refused, and a connection that does something else is closed.

pub(crate) mod packet;
mod relay;
pub(crate) mod statement;

pub(crate) use relay::{SOCKET, ensure, forget, meeting_place};
