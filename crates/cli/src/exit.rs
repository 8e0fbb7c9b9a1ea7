//! Exit codes, so that scripts can tell endings apart.

use pressroom_base::Kind;
use std::process::ExitCode;

/// How a command ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Exit {
    /// It did what was asked.
    Done,
    /// The operation failed.
    Failed,
    /// What was typed or configured makes no sense.
    Usage,
    /// There is no such thing.
    NotFound,
    /// It is not allowed.
    Forbidden,
    /// The present state does not permit it, or something else holds the thing.
    Conflict,
    /// The site, its host or a service did not answer.
    Unreachable,
    /// Somebody is to say yes before it goes on.
    Waiting,
    /// Somebody pressed Ctrl-C.
    Interrupted,
}

impl Exit {
    /// Every code with its meaning, for help and reference pages.
    pub const ALL: &[(Self, &'static str)] = &[
        (Self::Done, "it did what was asked"),
        (Self::Failed, "the operation failed"),
        (Self::Usage, "what was typed or configured makes no sense"),
        (Self::NotFound, "there is no such thing"),
        (Self::Forbidden, "it is not allowed"),
        (
            Self::Conflict,
            "the present state does not permit it, or something else holds the thing",
        ),
        (
            Self::Unreachable,
            "the site, its host or a service did not answer",
        ),
        (Self::Waiting, "somebody is to say yes before it goes on"),
        (Self::Interrupted, "interrupted by Ctrl-C"),
    ];

    /// The number the shell sees.
    pub const fn code(self) -> u8 {
        match self {
            Self::Done => 0,
            Self::Failed => 1,
            Self::Usage => 2,
            Self::NotFound => 3,
            Self::Forbidden => 4,
            Self::Conflict => 5,
            Self::Unreachable => 6,
            Self::Waiting => 7,
            Self::Interrupted => 130,
        }
    }

    /// How an error of this kind ends a command.
    pub const fn of(kind: Kind) -> Self {
        match kind {
            Kind::Invalid => Self::Usage,
            Kind::NotFound => Self::NotFound,
            Kind::Unauthenticated | Kind::Forbidden => Self::Forbidden,
            Kind::Conflict | Kind::Busy => Self::Conflict,
            Kind::Unreachable => Self::Unreachable,
            Kind::Limited | Kind::Unsupported | Kind::Remote | Kind::Internal => Self::Failed,
        }
    }
}

impl From<Exit> for ExitCode {
    fn from(exit: Exit) -> Self {
        exit.code().into()
    }
}
