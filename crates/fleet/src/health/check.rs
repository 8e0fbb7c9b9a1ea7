//! One thing that was looked at, and what was found.

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

macro_rules! checks {
    ($($(#[$doc:meta])* $name:ident = $text:literal,)+) => {
        /// What is looked at.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        pub enum CheckName {
            $($(#[$doc])* #[serde(rename = $text)] $name,)+
        }

        impl CheckName {
            /// Everything, in the order it is told.
            pub const ALL: &[Self] = &[$(Self::$name),+];

            /// As programs call it.
            pub const fn as_str(self) -> &'static str {
                match self { $(Self::$name => $text,)+ }
            }
        }
    };
}

checks! {
    /// The front page, as visitors get it and as it is made anew.
    Http = "http",
    /// The certificate.
    Tls = "tls",
    /// What the name leads to, held against the last time.
    Dns = "dns",
    /// Whether WordPress answers programs.
    RestApi = "rest_api",
    /// Whether one can sign in.
    LoginPage = "login_page",
    /// Whether a page shows that PHP or WordPress died.
    FatalError = "fatal_error",
    /// Whether the tables can be read.
    Database = "database",
    /// Whether WordPress' files are those of its package.
    CoreChecksums = "core_checksums",
    /// Whether scheduled events are done in time.
    Cron = "cron",
    /// Whether PHP still gets fixes.
    PhpVersion = "php_version",
    /// Whether there is room on the disk.
    Disk = "disk",
    /// What could be updated.
    Updates = "updates",
}

/// How one thing is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Verdict {
    /// It could not be looked at: nothing is said about it.
    Skipped,
    /// As it should be.
    Passed,
    /// To be looked after.
    Warning,
    /// Broken.
    Failed,
}

impl Verdict {
    /// As programs call it.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Skipped => "skipped",
            Self::Passed => "passed",
            Self::Warning => "warning",
            Self::Failed => "failed",
        }
    }
}

/// One thing that was looked at.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Check {
    /// Which.
    pub name: CheckName,
    /// How it is.
    pub status: Verdict,
    /// The same in a sentence.
    pub message: String,
    /// The figures behind it, an object.
    #[serde(default, skip_serializing_if = "is_empty")]
    pub data: Value,
}

impl Check {
    /// What was found.
    pub(crate) fn new(name: CheckName, status: Verdict, message: impl Into<String>) -> Self {
        Self {
            name,
            status,
            message: message.into(),
            data: json!({}),
        }
    }

    /// What could not be looked at, and why.
    pub(crate) fn skipped(name: CheckName, why: impl Into<String>) -> Self {
        Self::new(name, Verdict::Skipped, why)
    }

    /// With figures.
    pub(crate) fn with(mut self, data: Value) -> Self {
        self.data = data;
        self
    }
}

fn is_empty(data: &Value) -> bool {
    data.as_object().is_none_or(serde_json::Map::is_empty)
}
