//! The tree of a package.

use crate::{Error, Result};
use pressroom_base::Kind;
use pressroom_providers::packages::Package;
use pressroom_wordpress::{
    component::{self, Target},
    tree::TreeHash,
    watch::Watch,
};

/// The tree a package must unpack to, computed here from the cached zip.
pub(super) async fn package_tree(package: &Package, target: Target) -> Result<TreeHash> {
    let path = package.path.clone();
    tokio::task::spawn_blocking(move || {
        let file = std::fs::File::open(&path).map_err(Error::internal)?;
        component::package_tree(std::io::BufReader::new(file), &target, &Watch::unbounded())
            .map_err(|error| Error::new(Kind::Remote, format!("the package is damaged: {error}")))
    })
    .await
    .map_err(Error::internal)?
}
