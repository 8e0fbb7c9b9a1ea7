//! The process group of a command, which ends with it.

use rustix::process::{Pid, Signal, WaitId, WaitIdOptions, kill_process_group, waitid};
use std::{
    io,
    process::{Child, ExitStatus},
};

/// A command's process and whatever it starts in its group.
pub(super) struct Group {
    child: Child,
    reaped: bool,
}

impl Group {
    /// The group that this process leads.
    pub(super) const fn of(child: Child) -> Self {
        Self {
            child,
            reaped: false,
        }
    }

    pub(super) const fn child(&mut self) -> &mut Child {
        &mut self.child
    }

    /// Whether the leader has ended. It stays to be waited for, so that its number, which
    /// is the group's, is nobody else's yet.
    pub(super) fn has_ended(&self) -> io::Result<bool> {
        let Some(pid) = self.pid() else {
            return Ok(true);
        };
        let look = WaitIdOptions::EXITED | WaitIdOptions::NOHANG | WaitIdOptions::NOWAIT;
        Ok(waitid(WaitId::Pid(pid), look)?.is_some())
    }

    pub(super) fn signal(&self, signal: Signal) {
        if !self.reaped
            && let Some(pid) = self.pid()
        {
            // Gone already is what we want.
            let _ = kill_process_group(pid, signal);
        }
    }

    /// Ends what is left of the group, and takes the leader's status.
    pub(super) fn reap(&mut self) -> io::Result<ExitStatus> {
        self.signal(Signal::KILL);
        let status = self.child.wait()?;
        self.reaped = true;
        Ok(status)
    }

    fn pid(&self) -> Option<Pid> {
        i32::try_from(self.child.id()).ok().and_then(Pid::from_raw)
    }
}

impl Drop for Group {
    fn drop(&mut self) {
        if !self.reaped {
            // Whatever happened, nothing of it goes on.
            let _ = self.reap();
        }
    }
}
