//! The command line: what may be typed, what is configured, and how answers look.
//!
//! Commands call use cases of `pressroom-fleet` and print what these answer; there is
//! no rule here, no store and no HTTP. The binary parses with [`parse`], loads a
//! [`config::Config`], wires a `Fleet` together and hands both to [`commands::run`].
//!
//! Data goes to standard output and everything else to standard error, through the
//! one [`Printer`]. Start reading at [`args::Cli`] (the shape), then
//! [`commands`] (one file per command), [`Failure`] and [`Exit`] (how it ends).
//!
//! ```
//! use pressroom_cli::{Exit, Printer, parse};
//! let (mut printer, printed) = Printer::captured(None);
//! let ended = parse(&["pressroom".into(), "--version".into()], &mut printer);
//! assert_eq!(ended.err(), Some(Exit::Done));
//! assert!(printed.out().starts_with("pressroom "));
//! ```

pub mod args;
pub mod commands;
pub mod config;
mod exit;
mod failure;
mod parse;
mod printer;
mod progress;
pub mod reference;
mod table;

pub use args::{Cli, Command};
pub use exit::Exit;
pub use failure::Failure;
pub use parse::parse;
pub use printer::{Captured, Printer};
