//! What work on a site may leave behind.

use anyhow::{Context, Result, ensure};
use pressroom_testkit::site::Site;
use std::fs;

/// Nothing of a clone, of staged trees or of kept tables is at the site, it is not in maintenance,
/// and nobody keeps WordPress from updating itself.
pub fn nothing_left(site: &Site) -> Result<()> {
    ensure!(!site.root.join(".maintenance").exists(), "in maintenance");
    let home = site.root.parent().context("a home")?;
    for directory in ["staging", "journal", "rehearsal"] {
        let left = home.join(".pressroom").join(directory);
        if left.is_dir() {
            let names: Vec<_> = fs::read_dir(&left)?
                .flatten()
                .map(|entry| entry.file_name())
                .collect();
            ensure!(names.is_empty(), "left in {}: {names:?}", left.display());
        }
    }
    let tables = site.php(
        "define('SHORTINIT', true); require 'wp-load.php'; \
         echo implode(' ', $wpdb->get_col('SHOW TABLES'));",
    )?;
    let lock = site.php(
        "define('SHORTINIT', true); require 'wp-load.php'; echo $wpdb->get_var(\
         \"SELECT option_value FROM $wpdb->options WHERE option_name = 'auto_updater.lock'\");",
    )?;
    ensure!(
        lock.is_empty(),
        "WordPress' own updater is held off: {lock}"
    );
    let foreign: Vec<_> = tables
        .split(' ')
        .filter(|table| !table.starts_with("wp_"))
        .collect();
    ensure!(foreign.is_empty(), "tables are left: {foreign:?}");
    Ok(())
}
