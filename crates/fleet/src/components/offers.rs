//! Which newer versions the package source has.

use crate::{Error, Fleet, Result};
use pressroom_base::Kind;
use pressroom_providers::packages::{Package, PackageKind};
use pressroom_wordpress::component::ComponentKind;

impl Fleet {
    /// The newest package above `installed`; `None` when nothing newer is offered.
    pub(crate) async fn newer_package(
        &self,
        kind: ComponentKind,
        slug: &str,
        installed: &str,
    ) -> Result<Option<Package>> {
        let kind = source_kind(kind);
        let Some(offer) = self
            .parts
            .packages
            .offer(kind, slug, Some(installed))
            .await?
        else {
            return Ok(None);
        };
        match self
            .parts
            .packages
            .fetch(kind, slug, Some(&offer.version))
            .await
        {
            Ok(package) => Ok(Some(package)),
            Err(error) => Err(Error::new(
                Kind::Remote,
                format!(
                    "the package of `{slug}` {} could not be had: {error}",
                    offer.version
                ),
            )
            .with_source(error)),
        }
    }

    /// The newest version above `installed`, or `None` when there is none or the
    /// source does not answer: an unknown offer is shown as none, never as an error.
    pub(crate) async fn newer_version(
        &self,
        kind: ComponentKind,
        slug: &str,
        installed: &str,
    ) -> Option<String> {
        let kind = source_kind(kind);
        match self.parts.packages.offer(kind, slug, Some(installed)).await {
            Ok(offer) => offer.map(|offer| offer.version),
            Err(error) => {
                tracing::warn!(slug, error = %error, "the package source did not say whether there is an update");
                None
            }
        }
    }
}

const fn source_kind(kind: ComponentKind) -> PackageKind {
    match kind {
        ComponentKind::Plugin => PackageKind::Plugin,
        ComponentKind::Theme => PackageKind::Theme,
    }
}
