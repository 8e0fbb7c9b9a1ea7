//! Whom an agent runs as on another machine.

/// Whom the agent runs as; never root.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum RunAs {
    /// The login user.
    Login,
    /// Another user, by `sudo` without a password.
    Sudo(String),
    /// Another user, whom root, the login user, becomes.
    Root(String),
}
