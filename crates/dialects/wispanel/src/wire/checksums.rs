//! T36.

use pressroom_fleet::checksums::{Verdict, Verification, Verified};
use serde::Serialize;
use utoipa::ToSchema;

/// How an installation's files stand to their packages.
#[derive(Serialize, ToSchema)]
pub struct ChecksumsOut {
    /// `true`: the comparison was made.
    success: bool,
    /// Whether every file of WordPress is its package's. `false` also when that cannot
    /// be said; `message` says why.
    verified: bool,
    /// For a person.
    message: String,
    /// The WordPress version that its files name.
    version: String,
    /// Files of another content.
    modified: Vec<String>,
    /// Files that are not there.
    missing: Vec<String>,
    /// Files that do not belong there.
    unexpected: Vec<String>,
    /// Must-use plugins and drop-ins as well.
    plugins: Vec<PluginChecksumsOut>,
}

/// How a plugin's files stand.
#[derive(Serialize, ToSchema)]
pub struct PluginChecksumsOut {
    slug: String,
    /// `null` where no package source has this very version.
    verified: Option<bool>,
    /// What differs.
    files: Vec<String>,
}

impl From<Verification> for ChecksumsOut {
    fn from(verification: Verification) -> Self {
        let mut out = Self {
            success: true,
            verified: false,
            message: String::new(),
            version: String::new(),
            modified: Vec::new(),
            missing: Vec::new(),
            unexpected: Vec::new(),
            plugins: Vec::new(),
        };
        for found in verification.subjects {
            if found.kind == "core" {
                out.core(found);
            } else {
                out.plugins.push(found.into());
            }
        }
        out
    }
}

impl ChecksumsOut {
    fn core(&mut self, core: Verified) {
        self.verified = core.verdict == Verdict::Clean;
        let said = match core.verdict {
            Verdict::Clean => "WordPress verifies against its checksums".to_owned(),
            Verdict::Differs => "WordPress differs from its package".to_owned(),
            Verdict::Unknown => "WordPress could not be verified".to_owned(),
        };
        self.message = match core.why {
            Some(why) => format!("{said}: {why}"),
            None => said,
        };
        self.version = core.version;
        self.modified = core.differences.modified;
        // A link where a file belongs is no file of the package's.
        let other = core.differences.other.into_iter();
        self.modified.extend(other.map(|named| named.path));
        self.missing = core.differences.missing;
        self.unexpected = core.differences.unexpected;
    }
}

impl From<Verified> for PluginChecksumsOut {
    fn from(found: Verified) -> Self {
        Self {
            verified: match found.verdict {
                Verdict::Clean => Some(true),
                Verdict::Differs => Some(false),
                Verdict::Unknown => None,
            },
            files: found
                .differences
                .decisive()
                .map(|(_, path)| path.to_owned())
                .collect(),
            slug: found.slug,
        }
    }
}
