//! Which component, and what is exchanged of it.

use crate::{
    Result,
    kind::ComponentKind,
    tree::{self, TreeHash},
    watch::Watch,
};
use serde::{Deserialize, Serialize};
use std::path::Path;

/// A component of one WordPress.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Target {
    /// Directory of `wp-config.php`, relative to the home.
    pub root: String,
    /// Plugin or theme.
    pub kind: ComponentKind,
    /// Directory name, e.g. `akismet`, or the file name of a plugin that is one
    /// file, e.g. `hello.php`.
    pub slug: String,
}

/// One exchange of a live directory with a staged one.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Swap {
    /// The component.
    pub target: Target,
    /// The staging handle.
    pub staged: String,
    /// Hash of the tree that is live before; `None` when there is none.
    pub before: Option<String>,
    /// Hash of the tree that is live after.
    pub after: String,
}

impl Target {
    /// Whether it is one PHP file, not a directory.
    pub fn is_file(&self) -> bool {
        self.kind == ComponentKind::Plugin
            && self.slug.len() > 4
            && self.slug.as_bytes().ends_with(b".php")
    }

    /// Hash of what is at `path` as this kind of target; `None` when nothing is.
    pub(crate) fn hash(&self, path: &Path, watch: &Watch) -> Result<Option<TreeHash>> {
        if self.is_file() {
            tree::hash_file(path, watch)
        } else {
            tree::hash_dir(path, watch)
        }
    }
}
