//! Where a site is, and who works there.

use crate::ssh::Remote;
use std::{ffi::OsString, path::PathBuf};

/// A home directory, and the way there.
#[derive(Debug, Clone)]
pub struct Place {
    /// The home, absolute. It is handed to the agent and never opened here.
    pub home: PathBuf,
    /// How an agent is started for it.
    pub way: Way,
}

/// What brings the pipe to a site.
#[derive(Debug, Clone)]
pub enum Way {
    /// A child process on this machine.
    Local(Local),
    /// A channel of an SSH connection.
    Ssh(Box<Remote>),
}

/// An agent on this machine.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Local {
    /// Whom the agent runs as; `None` for the user this process runs as, which must
    /// not be root.
    pub run_as: Option<SiteUser>,
    /// The command that serves a session, without `--home`: for example
    /// `/usr/bin/pressroom-agent serve`.
    pub agent: Vec<OsString>,
}

/// A site's own Unix user on this machine.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SiteUser {
    /// Its name.
    pub name: String,
    /// Its id, never 0.
    pub uid: u32,
    /// Its only group.
    pub gid: u32,
}
