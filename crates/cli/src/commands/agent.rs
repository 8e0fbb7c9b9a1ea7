//! `pressroom agent`; the binary runs it. The same as `pressroom-agent`.

use clap::{Args, Subcommand};
use std::{ffi::OsString, path::PathBuf};

/// Site operations for the other end of a pipe.
#[derive(Debug, Subcommand)]
#[command(after_help = "Examples:
  pressroom agent serve --home /srv/sites/blog.example")]
pub enum Agent {
    /// Serve requests from standard input until it ends
    Serve(Serve),
    /// Put walls around a process and become it; said by the agent itself
    #[command(
        hide = true,
        after_help = "Examples:
  pressroom agent cage 7b7d"
    )]
    Cage {
        /// What to put where, in hexadecimal
        description: OsString,
    },
}

/// Serves requests from standard input until it ends.
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  pressroom agent serve --home /srv/sites/blog.example")]
pub struct Serve {
    /// The only directory it works in
    #[arg(long, value_name = "DIR")]
    pub home: PathBuf,
}
