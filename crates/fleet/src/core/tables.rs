//! WordPress' own upgrade of its tables.

use crate::{Fleet, Result};
use pressroom_agent::protocol::{Boot, SiteRef};
use pressroom_carrier::Session;
use pressroom_jobs::JobContext;
use pressroom_store::EnvironmentRow;
use pressroom_wordpress::bridge::outcomes::DatabaseUpgraded;

/// Blogs of a network upgraded in one start of WordPress.
const BATCH: u32 = 50;

/// Has the WordPress in `root`, which is the site of `row` or a clone of it, upgrade its
/// tables; why they are not, where they are not.
pub(crate) async fn upgrade_tables(
    fleet: &Fleet,
    ctx: &JobContext,
    session: &Session,
    row: &EnvironmentRow,
    root: &str,
) -> Result<std::result::Result<DatabaseUpgraded, String>> {
    let site = SiteRef {
        root: root.to_owned(),
        ..fleet.site_ref(row)
    };
    let settings = session.read_config(site).await?;
    let boot = Boot::new(root, fleet.php_of(row));
    let network = settings.multisite == Some(true);
    let upgraded = match session
        .upgrade_databases(ctx.epoch(), boot, network, BATCH)
        .await
    {
        Ok(upgraded) => upgraded,
        // A wish to stop is not the version's fault.
        Err(error) if ctx.check().is_err() => return Err(error.into()),
        Err(error) => return Ok(Err(error.to_string())),
    };
    let worst = upgraded.blogs.iter().find_map(|blog| {
        let why = match (&blog.error, blog.after) {
            (Some(why), _) => why.clone(),
            (None, after) if after != Some(upgraded.target) => {
                format!("its tables are at {after:?}, not at {}", upgraded.target)
            }
            _ => return None,
        };
        Some(format!("site {}: {why}", blog.blog))
    });
    Ok(worst.map_or(Ok(upgraded), Err))
}
