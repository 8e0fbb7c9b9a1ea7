//! One target's files: staged, exchanged, taken back; at the site or in a clone of it.

use super::view::CORE;
use crate::{
    Error, Result,
    components::{on_disk, stage_component},
    core::stage_core,
};
use pressroom_base::{Epoch, Kind};
use pressroom_carrier::Session;
use pressroom_providers::packages::Package;
use pressroom_store::EnvironmentRow;
use pressroom_wordpress::{
    component::{ComponentKind, Swap, Target},
    core::{CoreSwap, LANGUAGES},
    inventory::{FoundComponent, Inspection, Place},
    recovery::{Live, Recovery},
};
use serde::{Deserialize, Serialize};

/// An exchange of trees that was planned.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(tag = "of", rename_all = "snake_case")]
pub(super) enum Exchange {
    /// A plugin's or theme's.
    Component { swap: Swap },
    /// WordPress' own, and translations of it.
    Core {
        swap: CoreSwap,
        /// The site's translations when the exchange was planned: the hash of their
        /// directory. `None` where none of them is exchanged.
        #[serde(default)]
        languages: Option<String>,
    },
}

/// What an exchange is of.
#[derive(Debug, Clone, Copy)]
pub(super) struct Piece<'a> {
    pub(super) kind: &'a str,
    pub(super) slug: &'a str,
}

impl Piece<'_> {
    /// The component, as it is installed.
    pub(super) fn found<'i>(&self, seen: &'i Inspection) -> Option<&'i FoundComponent> {
        let kind = component_kind(self.kind)?;
        seen.components.iter().find(|found| {
            found.place == Place::Normal && found.kind == kind && found.slug == self.slug
        })
    }

    /// The version on disk.
    pub(super) fn version(&self, seen: &Inspection) -> Option<String> {
        if self.kind == CORE {
            return seen.version.clone().filter(|version| !version.is_empty());
        }
        self.found(seen).map(|found| found.version.clone())
    }
}

fn component_kind(kind: &str) -> Option<ComponentKind> {
    match kind {
        "plugin" => Some(ComponentKind::Plugin),
        "theme" => Some(ComponentKind::Theme),
        _ => None,
    }
}

impl Exchange {
    /// Unpacks a package beside the WordPress in `root`, and holds it against the package as
    /// this server knows it.
    pub(super) async fn stage(
        session: &Session,
        epoch: Epoch,
        row: &EnvironmentRow,
        root: &str,
        piece: Piece<'_>,
        package: &Package,
    ) -> Result<Self> {
        let Some(kind) = component_kind(piece.kind) else {
            let staged = stage_core(
                session,
                epoch,
                root,
                &row.php_version,
                package,
                &package.version,
            )
            .await?;
            return Ok(Self::Core {
                swap: staged.swap,
                languages: None,
            });
        };
        let seen = session.inspect(root).await?;
        let found = piece
            .found(&seen)
            .ok_or_else(|| Error::not_found("Component"))?;
        let target = Target {
            root: root.to_owned(),
            kind,
            slug: on_disk(found).to_owned(),
        };
        let staged = stage_component(session, epoch, target.clone(), package).await?;
        Ok(Self::Component {
            swap: Swap {
                target,
                staged: staged.staged,
                before: None,
                after: staged.tree.hash,
            },
        })
    }

    /// Takes for what is there before what is there at this moment: a component may write
    /// into its own directory at any request. Translations that somebody else has changed
    /// since they were planned are left out; says whether that was so.
    pub(super) async fn settle_before(&mut self, session: &Session) -> Result<bool> {
        match self {
            Self::Component { swap } => {
                let tree = session.hash_component(swap.target.clone()).await?;
                swap.before = tree.map(|tree| tree.hash);
            }
            Self::Core { swap, languages } if swap.translations().next().is_some() => {
                let tree = session.tree_hash(&languages_of(&swap.root)).await?;
                if tree.map(|tree| tree.hash) != *languages {
                    *swap = swap.without_translations();
                    return Ok(true);
                }
            }
            Self::Core { .. } => {}
        }
        Ok(false)
    }

    /// Exchanges the trees, and sees that the new one is the package's.
    pub(super) async fn swap(&self, session: &Session, epoch: Epoch) -> Result<()> {
        let (live, after) = match self {
            Self::Component { swap } => {
                let exchanged = session.swap_component(epoch, swap.clone()).await?;
                (exchanged.tree.hash, &swap.after)
            }
            Self::Core { swap, .. } => {
                let exchanged = session.swap_core(epoch, swap.clone()).await?;
                (exchanged.tree.hash, &swap.after)
            }
        };
        if live == *after {
            return Ok(());
        }
        Err(Error::new(
            Kind::Remote,
            "the files changed while they were exchanged",
        ))
    }

    /// Puts the old tree back, file by file as it was. Safe to repeat.
    pub(super) async fn take_back(&self, session: &Session, epoch: Epoch) -> Result<()> {
        let (live, before) = match self {
            Self::Component { swap } => {
                let exchanged = session.take_back(epoch, swap.clone()).await?;
                (exchanged.tree.hash, swap.before.clone())
            }
            Self::Core { swap, .. } => {
                let exchanged = session.take_back_core(epoch, swap.clone()).await?;
                (exchanged.tree.hash, Some(swap.before.clone()))
            }
        };
        if Some(&live) == before.as_ref() {
            return Ok(());
        }
        Err(Error::new(
            Kind::Remote,
            format!(
                "the old files could not be restored exactly; they are kept aside as `{}`",
                self.staged()
            ),
        ))
    }

    /// Removes what lies beside the site.
    pub(super) async fn drop_staged(&self, session: &Session, epoch: Epoch) -> Result<()> {
        match self {
            Self::Component { swap } => session.drop_staged(epoch, &swap.staged).await?,
            Self::Core { swap, .. } => session.drop_staged_core(epoch, &swap.staged).await?,
        }
        Ok(())
    }

    /// The handle of what lies beside the site.
    pub(super) fn staged(&self) -> &str {
        match self {
            Self::Component { swap } => &swap.staged,
            Self::Core { swap, .. } => &swap.staged,
        }
    }

    /// As the site's journal has it, with the hashes of the try that was really made; `None`
    /// when it was never begun there, or nothing of it went live.
    pub(super) fn begun(&self, recovery: &Recovery) -> Option<Self> {
        match self {
            Self::Component { swap } => {
                let found = recovery
                    .swaps
                    .iter()
                    .find(|found| found.swap.staged == swap.staged)?;
                (found.live != Live::Before).then(|| Self::Component {
                    swap: found.swap.clone(),
                })
            }
            Self::Core { swap, .. } => {
                let found = recovery
                    .core_swaps
                    .iter()
                    .find(|found| found.swap.staged == swap.staged)?;
                Some(Self::Core {
                    swap: found.swap.clone(),
                    languages: None,
                })
            }
        }
    }
}

/// Where the translations of a WordPress lie.
pub(super) fn languages_of(root: &str) -> String {
    match root.trim_end_matches('/') {
        "" | "." => LANGUAGES.to_owned(),
        root => format!("{root}/{LANGUAGES}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn translations_lie_below_the_root() {
        assert_eq!(
            languages_of("public_html/"),
            "public_html/wp-content/languages"
        );
        assert_eq!(languages_of("."), LANGUAGES);
        assert_eq!(languages_of(""), LANGUAGES);
    }
}
