//! The agent: a small process at the site that does what it is asked over a pipe.
//!
//! It runs as the site's own user, never as root, and is the only part of
//! Pressroom that opens a path below a site's home. It knows one home, speaks one
//! framed protocol over its standard input and output, and ends when its input
//! does. It must never listen but at sockets of its own in the home, never reach for the
//! control plane, and never depend on a crate that does.
//!
//! Start reading at [`protocol`] (what is said), then `serve` (how it is
//! carried out) and [`stdio`] (what the program does); [`frame`], [`preamble`] and
//! [`flow`] are shared with the carrier at the other end. [`php`] is its stand-in where it
//! cannot run.

mod cage;
mod dispatch;
pub mod flow;
pub mod frame;
pub mod php;
pub mod preamble;
mod program;
pub mod protocol;
mod serve;

pub use cage::cage;
pub use program::{run, stdio};
