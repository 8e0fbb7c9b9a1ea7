//! What keeps an account from running commands.

use std::fmt;

/// What keeps an account from running commands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Restriction {
    /// It can transfer files and nothing else.
    SftpOnly,
    /// Its shell lets nobody in.
    NoLogin,
    /// It is shut into a directory without a shell.
    Chroot,
    /// Its shell runs only some commands.
    Shell,
    /// It runs one and the same command, whatever is asked.
    ForcedCommand,
}

impl fmt::Display for Restriction {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::SftpOnly => "can transfer files and run nothing (SFTP only)",
            Self::NoLogin => "lets nobody log in (its shell is `nologin` or the like)",
            Self::Chroot => "is shut into a directory without a shell (chroot)",
            Self::Shell => "has a restricted shell",
            Self::ForcedCommand => {
                "runs another command than it is asked to (a forced command or a menu)"
            }
        })
    }
}
