//! What `pressroom plugin …` and `pressroom theme …` have in common.

use super::place::{Elsewhere, Place};
use clap::Args;
use pressroom_fleet::{
    components::{Change, ChangeComponents, UpdateComponents},
    runs::Operation,
};

/// Components of a site, or of many.
#[derive(Debug, Args)]
pub struct Named {
    /// The site's id (`wp_…`) or domain; with `--on` the first slug
    pub site: String,
    /// Slugs, or main files such as `folder/file.php`; at most 50
    #[arg(required_unless_present = "on")]
    pub slugs: Vec<String>,
    /// Where else
    #[command(flatten)]
    pub elsewhere: Elsewhere,
}

/// The same, where none stands for all.
#[derive(Debug, Args)]
pub struct NamedOrAll {
    /// The site's id (`wp_…`) or domain; with `--on` the first slug, if any
    #[arg(required_unless_present = "on")]
    pub site: Option<String>,
    /// Slugs, or main files such as `folder/file.php`
    pub slugs: Vec<String>,
    /// Where else
    #[command(flatten)]
    pub elsewhere: Elsewhere,
}

impl Named {
    pub(super) fn change(self, kind: &str, change: Change) -> (Place, Operation) {
        let (place, names) = self.elsewhere.among(Some(self.site), self.slugs);
        let change = ChangeComponents {
            kind: kind.to_owned(),
            names,
            change,
        };
        (place, Operation::ChangeComponents(change))
    }
}

impl NamedOrAll {
    pub(super) fn update(self, kind: &str) -> (Place, Operation) {
        let (place, slugs) = self.elsewhere.among(self.site, self.slugs);
        let update = UpdateComponents {
            kind: kind.to_owned(),
            slugs,
        };
        (place, Operation::UpdateComponents(update))
    }
}
