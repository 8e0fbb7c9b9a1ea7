//! The SSH carrier against real OpenSSH servers, real Unix users and the real agent.

#![expect(clippy::unwrap_used, reason = "a failure here is the test's")]

mod agents;
mod alone;
mod doors;
mod host;
mod logins;
mod points;
mod rehearsal;
mod sessions;
