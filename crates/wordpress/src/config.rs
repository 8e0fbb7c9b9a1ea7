//! `wp-config.php`: written by us, read without executing it, evaluated where that
//! does not do, and edited by its bytes.

mod complaint;
pub mod edit;
mod evaluate;
mod listing;
mod locate;
mod settings;
mod write;

pub use edit::{Edit, Edited, edit};
pub(crate) use evaluate::SCRIPT as EVALUATION;
pub use evaluate::read_or_evaluate;
pub use listing::{ListedConstant, Listing, list};
pub(crate) use locate::{below, locate, plain_root};
pub use settings::{Defined, Directories, Directory, Settings, Source, read};
pub use write::{ConfigValue, NewConfig, write};

pub(crate) const FILE: &str = "wp-config.php";

/// Whether a table prefix is one that may stand in a statement.
pub(crate) fn is_prefix(prefix: &str) -> bool {
    !prefix.is_empty()
        && prefix.len() <= 48
        && prefix
            .bytes()
            .all(|byte| byte.is_ascii_alphanumeric() || byte == b'_')
}

#[cfg(test)]
mod tests;
