//! What a package becomes at a site.

use super::tree::package_tree;
use crate::{Error, Result};
use pressroom_base::{Epoch, Kind};
use pressroom_carrier::Session;
use pressroom_providers::packages::Package;
use pressroom_wordpress::component::{Staged, Target};

/// Unpacks beside the site, and holds the tree against the package as this server knows it:
/// what the site says of itself is not what decides.
pub(crate) async fn stage_component(
    session: &Session,
    epoch: Epoch,
    target: Target,
    package: &Package,
) -> Result<Staged> {
    let expected = package_tree(package, target.clone()).await?;
    let file = tokio::fs::File::open(&package.path)
        .await
        .map_err(Error::internal)?;
    let staged = session.stage_component(epoch, target, file).await?;
    let wrong = if staged.tree.hash != expected.hash {
        Some("what arrived at the site is not the package".to_owned())
    } else if staged.version != package.version {
        Some(format!(
            "the package says version {} but was offered as {}",
            staged.version, package.version
        ))
    } else {
        None
    };
    if let Some(why) = wrong {
        session.drop_staged(epoch, &staged.staged).await?;
        return Err(Error::new(Kind::Remote, why));
    }
    Ok(staged)
}
