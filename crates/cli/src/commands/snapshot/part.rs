//! The two things that a site consists of.

use clap::ValueEnum;
use pressroom_fleet::snapshots::Contents;

/// Tables or files.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Part {
    /// The tables
    Database,
    /// The files
    Files,
}

impl Part {
    pub(super) const fn contents(self) -> Contents {
        match self {
            Self::Database => Contents::Database,
            Self::Files => Contents::Files,
        }
    }

    pub(super) const fn name(self) -> &'static str {
        match self {
            Self::Database => "tables",
            Self::Files => "files",
        }
    }
}

/// What a snapshot is of.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Kind {
    /// Tables and files
    Full,
    /// The tables
    Database,
    /// The files
    Files,
}

impl Kind {
    pub(super) const fn contents(self) -> Contents {
        match self {
            Self::Full => Contents::Full,
            Self::Database => Contents::Database,
            Self::Files => Contents::Files,
        }
    }
}
