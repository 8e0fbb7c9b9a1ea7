//! A version of WordPress, laid beside a site.

use crate::{Error, Result};
use pressroom_base::{Epoch, Kind};
use pressroom_carrier::Session;
use pressroom_phpdata::version::compare;
use pressroom_providers::packages::Package;
use pressroom_wordpress::{
    core::{StagedCore, package_core},
    tree::TreeHash,
    watch::Watch,
};
use std::{cmp::Ordering, io::BufReader};

/// Unpacks beside the site in `root`, and holds the files against the package as this server
/// knows it: what the site says of itself is not what decides.
pub(crate) async fn stage_core(
    session: &Session,
    epoch: Epoch,
    root: &str,
    php: &str,
    package: &Package,
    version: &str,
) -> Result<StagedCore> {
    let expected = package_tree(package).await?;
    let file = tokio::fs::File::open(&package.path)
        .await
        .map_err(Error::internal)?;
    let staged = session.stage_core(epoch, root, file).await?;
    let wrong = |why: String| Err(Error::new(Kind::Remote, why));
    if staged.package.hash != expected.hash {
        return wrong("what arrived at the site is not the package".to_owned());
    }
    if staged.version != version {
        let said = &staged.version;
        return wrong(format!("what is offered as {version} says version {said}"));
    }
    if let Some(needed) = &staged.requires_php
        && !php.is_empty()
        && compare(php, needed) == Ordering::Less
    {
        return Err(Error::new(
            Kind::Unsupported,
            format!("WordPress {version} needs PHP {needed}, the site has {php}"),
        ));
    }
    Ok(staged)
}

/// The core files of a package, hashed here from the cached zip.
async fn package_tree(package: &Package) -> Result<TreeHash> {
    let path = package.path.clone();
    tokio::task::spawn_blocking(move || {
        let file = std::fs::File::open(&path).map_err(Error::internal)?;
        package_core(BufReader::new(file), &Watch::unbounded())
            .map_err(|error| Error::new(Kind::Remote, format!("the package is damaged: {error}")))
    })
    .await
    .map_err(Error::internal)?
}
