//! SIGKILL at random moments of a plugin's installation, activation and deletion: each is
//! done or not done, and the next request finds a whole site.

use anyhow::{Context, Result, ensure};
use pressroom_testkit::plugin::PluginPackage;
use pressroom_testkit::site::Site;
use pressroom_testkit::tree::Tree;
use pressroom_tests::killed::{self, Killer, rounds, timed};
use std::fs;

const DOMAIN: &str = "parts.press.example";
const SLUG: &str = "shop";

fn is_active(site: &Site) -> Result<bool> {
    let listed = site.php(
        "define('SHORTINIT', true); require 'wp-load.php'; \
         echo $wpdb->get_var(\"SELECT option_value FROM $wpdb->options WHERE option_name = 'active_plugins'\");",
    )?;
    Ok(listed.contains("shop/shop.php"))
}

#[tokio::test]
async fn components_killed_anywhere_are_whole_or_gone() -> Result<()> {
    let mut fixture = killed::fixture().await?;
    let mut killer = Killer::new();
    let site = fixture.install(DOMAIN).await?;
    let package = PluginPackage::new(SLUG).files(40);
    fixture.offer(&package)?;
    let packed = Tree::of_package(&package.zip(), SLUG)?;
    let install = ["plugin", "install", DOMAIN, SLUG, "--activate"];
    let delete = ["plugin", "delete", DOMAIN, SLUG, "--force"];
    let installing = timed(&fixture, &install).await?;
    let deleting = timed(&fixture, &delete).await?;
    for _ in 0..rounds(3, 30) {
        let round = killer.round(&mut fixture, &install, installing).await?;
        let about = &round.about;
        let is_there = site.plugin_directory(SLUG).exists();
        ensure!(is_there == is_active(&site)?, "{about}");
        ensure!(is_there || !round.completed(), "{about}");
        if is_there {
            let difference = packed.difference(&site.plugin_tree(SLUG)?);
            ensure!(difference.is_empty(), "{about}\n{difference:?}");
            site.front_page_with(&package.mark()).await?;
        } else {
            fixture.server.cli(&install, "").await?.line()?;
        }
        let round = killer.round(&mut fixture, &delete, deleting).await?;
        let about = &round.about;
        let is_there = site.plugin_directory(SLUG).exists();
        ensure!(!(round.completed() && is_there), "{about}");
        ensure!(is_there || !is_active(&site)?, "{about}");
        site.front_page_with(DOMAIN).await?;
        if is_there {
            let difference = packed.difference(&site.plugin_tree(SLUG)?);
            ensure!(difference.is_empty(), "{about}\n{difference:?}");
            fixture.server.cli(&delete, "").await?.line()?;
        }
        let home = site.root.parent().context("a home")?;
        let journal = fs::read_dir(home.join(".pressroom/journal"))?.count();
        ensure!(journal == 0, "{about}: left in the journal");
    }
    killer.came_in_time()
}
