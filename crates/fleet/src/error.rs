//! The one error that faces see.

use pressroom_base::Kind;
use std::{fmt, time::Duration};

/// The result of a use case.
pub type Result<T> = std::result::Result<T, Error>;

/// A failed use case: a kind to decide by, a message for the person, an optional
/// hint, and the cause for the log.
#[derive(Debug)]
pub struct Error {
    kind: Kind,
    code: Option<&'static str>,
    message: String,
    hint: Option<String>,
    retry_after: Option<Duration>,
    problems: Box<[Problem]>,
    source: Option<Box<dyn std::error::Error + Send + Sync>>,
}

/// A value that cannot be.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Problem {
    /// What it is called, e.g. `url`.
    pub field: &'static str,
    /// What is wrong with it, to be read behind that: `has already been taken`.
    pub text: String,
}

impl Problem {
    /// One of this value.
    pub fn new(field: &'static str, text: impl Into<String>) -> Self {
        Self {
            field,
            text: text.into(),
        }
    }

    /// All of it, for people.
    pub fn sentence(&self) -> String {
        format!("{} {}", self.field.replace('_', " "), self.text)
    }
}

/// `Invalid` with these problems, if there are any; the message is the first.
pub(crate) fn refuse(problems: Vec<Problem>) -> Result<()> {
    if problems.is_empty() {
        return Ok(());
    }
    Err(refusal(problems))
}

/// [`refuse`], where there is at least one.
pub(crate) fn refusal(problems: Vec<Problem>) -> Error {
    let first = problems.first().map(Problem::sentence);
    Error::invalid(first.unwrap_or_default())
        .with_code(code::UNPROCESSABLE)
        .with_problems(problems)
}

impl Error {
    /// An error of this kind with a message for the person who asked.
    pub fn new(kind: Kind, message: impl Into<String>) -> Self {
        Self {
            kind,
            code: None,
            message: message.into(),
            hint: None,
            retry_after: None,
            problems: Box::default(),
            source: None,
        }
    }

    /// The request cannot be carried out as it stands.
    pub fn invalid(message: impl Into<String>) -> Self {
        Self::new(Kind::Invalid, message)
    }

    /// No such thing for this caller.
    pub fn not_found(what: &str) -> Self {
        Self::new(Kind::NotFound, format!("{what} not found"))
    }

    /// The present state does not permit it.
    pub fn conflict(message: impl Into<String>) -> Self {
        Self::new(Kind::Conflict, message)
    }

    /// A fault of ours: the message goes to the log, faces show a reference.
    pub fn internal(source: impl std::error::Error + Send + Sync + 'static) -> Self {
        Self::new(Kind::Internal, "an internal error occurred").with_source(source)
    }

    /// Names the case for faces whose wire tells cases of one kind apart.
    #[must_use]
    pub const fn with_code(mut self, code: &'static str) -> Self {
        self.code = Some(code);
        self
    }

    /// Says what to do next.
    #[must_use]
    pub fn with_hint(mut self, hint: impl Into<String>) -> Self {
        self.hint = Some(hint.into());
        self
    }

    /// Says when to come back.
    #[must_use]
    pub const fn with_retry_after(mut self, after: Duration) -> Self {
        self.retry_after = Some(after);
        self
    }

    /// Names every value that cannot be, where more is known than the message says.
    #[must_use]
    pub fn with_problems(mut self, problems: Vec<Problem>) -> Self {
        self.problems = problems.into();
        self
    }

    /// Keeps the cause for the log.
    #[must_use]
    pub fn with_source(mut self, source: impl std::error::Error + Send + Sync + 'static) -> Self {
        self.source = Some(Box::new(source));
        self
    }

    /// What faces and retry policies decide by.
    pub const fn kind(&self) -> Kind {
        self.kind
    }

    /// The named case, e.g. `unknown_version`; see [`code`].
    pub const fn code(&self) -> Option<&'static str> {
        self.code
    }

    /// For the person; contains no secret.
    pub fn message(&self) -> &str {
        &self.message
    }

    /// When to come back, where that is known.
    pub const fn retry_after(&self) -> Option<Duration> {
        self.retry_after
    }

    /// Every value that cannot be, where that is known of each.
    pub fn problems(&self) -> &[Problem] {
        &self.problems
    }

    /// What to do next.
    pub fn hint(&self) -> Option<&str> {
        self.hint.as_deref()
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}

impl std::error::Error for Error {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        self.source
            .as_deref()
            .map(|source| source as &(dyn std::error::Error + 'static))
    }
}

impl From<pressroom_jobs::JobFailure> for Error {
    fn from(failure: pressroom_jobs::JobFailure) -> Self {
        let named = failure.code.as_deref().and_then(code::known);
        Self {
            kind: failure.kind,
            code: named,
            message: failure.message,
            hint: failure.hint,
            retry_after: None,
            problems: Box::default(),
            source: None,
        }
    }
}

/// Named cases that some dialect's contract tells apart within one [`Kind`].
pub mod code {
    /// It exists, but in another account. Most dialects answer as if it did not.
    pub const FOREIGN: &str = "foreign";
    /// The request is well-formed, but its values cannot work (a weak password, an
    /// unknown version): 422 where a dialect has it.
    pub const UNPROCESSABLE: &str = "unprocessable";
    /// The path leaves its domain.
    pub const PATH_ESCAPES: &str = "path_escapes";
    /// A WordPress is there already.
    pub const ALREADY_INSTALLED: &str = "already_installed";
    /// The target directory holds something.
    pub const NOT_EMPTY: &str = "not_empty";
    /// A database of that name exists.
    pub const DATABASE_EXISTS: &str = "database_exists";
    /// Nothing newer is on offer.
    pub const UP_TO_DATE: &str = "up_to_date";
    /// Another job writes to this environment.
    pub const OPERATION_RUNNING: &str = "operation_running";
    /// The archive has no room left: for this account, or on its disk.
    pub const NO_ROOM: &str = "no_room";
    /// More came than may be sent at once.
    pub const TOO_LARGE: &str = "too_large";
    /// A snapshot that is not, or no longer, to be sent.
    pub const NOT_AWAITED: &str = "not_awaited";
    /// Something else needs it yet.
    pub const HELD: &str = "held";
    /// PHP cannot run there.
    pub const PHP_UNAVAILABLE: &str = "php_unavailable";
    /// The new version broke the site and was taken back.
    pub const TAKEN_BACK: &str = "taken_back";
    /// The credential's address list does not name the caller's.
    pub const ADDRESS_NOT_ALLOWED: &str = "address_not_allowed";
    /// The credential's scopes do not cover the request.
    pub const OUT_OF_SCOPE: &str = "out_of_scope";
    /// The address is not known, or the password is wrong: nobody learns which.
    pub const WRONG_LOGIN: &str = "wrong_login";
    /// The token cannot be exchanged, or no longer.
    pub const NOT_EXCHANGED: &str = "not_exchanged";
    /// The password is right, and a code is asked for as well.
    pub const SECOND_FACTOR_REQUIRED: &str = "second_factor_required";
    /// The password is right and the code is not, or it was used before.
    pub const SECOND_FACTOR_WRONG: &str = "second_factor_wrong";

    const ALL: &[&str] = &[
        FOREIGN,
        UNPROCESSABLE,
        PATH_ESCAPES,
        ALREADY_INSTALLED,
        NOT_EMPTY,
        DATABASE_EXISTS,
        OPERATION_RUNNING,
        NO_ROOM,
        PHP_UNAVAILABLE,
        TAKEN_BACK,
        ADDRESS_NOT_ALLOWED,
        OUT_OF_SCOPE,
        WRONG_LOGIN,
        NOT_EXCHANGED,
        SECOND_FACTOR_REQUIRED,
        SECOND_FACTOR_WRONG,
    ];

    /// The named case that was stored as text.
    pub fn known(text: &str) -> Option<&'static str> {
        ALL.iter().copied().find(|code| *code == text)
    }
}
