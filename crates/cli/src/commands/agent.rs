//! `pressroom agent`; the binary runs it. The same as `pressroom-agent`.

use clap::{Args, Subcommand};
use std::path::PathBuf;

/// Site operations for the other end of a pipe.
#[derive(Debug, Subcommand)]
#[command(after_help = "Examples:
  pressroom agent serve --home /srv/sites/blog.example")]
pub enum Agent {
    /// Serve requests from standard input until it ends
    Serve(Serve),
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
