//! `pressroom serve`; the binary runs it.

use clap::{Args, ValueEnum};

/// Runs the HTTP server, the workers, or both.
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  pressroom serve
  pressroom serve --listen 0.0.0.0:8480
  pressroom serve --role worker")]
pub struct Serve {
    /// What this process does
    #[arg(long, value_enum, default_value_t = Role::All)]
    pub role: Role,
    /// Address and port of the HTTP server
    #[arg(long, value_name = "ADDR:PORT")]
    pub listen: Option<String>,
}

/// What a process does.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Role {
    /// Answer HTTP only
    Web,
    /// Run jobs; answer only `/healthz`, `/readyz` and `/metrics`
    Worker,
    /// Both
    All,
}

impl Role {
    /// Whether it answers people and programs.
    pub const fn is_web(self) -> bool {
        matches!(self, Self::Web | Self::All)
    }

    /// Whether it runs jobs.
    pub const fn is_worker(self) -> bool {
        matches!(self, Self::Worker | Self::All)
    }

    /// As typed.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Web => "web",
            Self::Worker => "worker",
            Self::All => "all",
        }
    }
}
