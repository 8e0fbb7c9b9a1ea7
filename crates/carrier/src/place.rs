//! Where a site is, and who works there.

use std::{ffi::OsString, path::PathBuf};

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

/// A home directory on this machine, and the agent to start for it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Place {
    /// The home, absolute. It is handed to the agent and never opened here.
    pub home: PathBuf,
    /// Whom the agent runs as; `None` for the user this process runs as, which must
    /// not be root.
    pub run_as: Option<SiteUser>,
    /// The command that serves a session, without `--home`: for example
    /// `/usr/bin/pressroom-agent serve`.
    pub agent: Vec<OsString>,
}
