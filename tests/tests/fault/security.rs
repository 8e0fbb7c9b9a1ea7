//! SIGKILL at random moments of a security measure: it is on or off, and the site lives.

use anyhow::{Result, ensure};
use pressroom_tests::killed::{self, Killer, rounds, timed};
use std::fs;

const DOMAIN: &str = "door.press.example";

#[tokio::test]
async fn measures_killed_anywhere_are_on_or_off() -> Result<()> {
    let mut fixture = killed::fixture().await?;
    let mut killer = Killer::new();
    let site = fixture.install(DOMAIN).await?;
    let file = site
        .root
        .join("wp-content/mu-plugins/pressroom-hide-login.php");
    let config = site.root.join("wp-config.php");
    let hide = [
        "security",
        "hide-login",
        DOMAIN,
        "on",
        "--slug",
        "side-door",
    ];
    let show = ["security", "hide-login", DOMAIN, "off"];
    let debug = ["security", "debug", DOMAIN, "on"];
    let quiet = ["security", "debug", DOMAIN, "off"];
    let protect = ["security", "file-protection", DOMAIN, "on"];
    let expose = ["security", "file-protection", DOMAIN, "off"];
    fs::write(site.root.join("readme.html"), "VERSION-TOLD")?;
    site.own(&site.root)?;
    let hiding = timed(&fixture, &hide).await?;
    timed(&fixture, &show).await?;
    timed(&fixture, &quiet).await?;
    let text = fs::read_to_string(&config)?;
    for _ in 0..rounds(2, 20) {
        let round = killer.round(&mut fixture, &hide, hiding).await?;
        let about = &round.about;
        ensure!(file.exists() || !round.completed(), "{about}");
        let login = site.get("/wp-login.php").await?.status;
        ensure!(
            login == if file.exists() { 404 } else { 200 },
            "{about}: {login}"
        );
        site.front_page_with(DOMAIN).await?;
        fixture.server.cli(&show, "").await?.line()?;
        ensure!(!file.exists(), "{about}");

        let round = killer.round(&mut fixture, &debug, hiding).await?;
        let about = &round.about;
        let is_on = site.php("require 'wp-load.php'; echo json_encode(WP_DEBUG);")?;
        ensure!(is_on == "true" || !round.completed(), "{about}");
        ensure!(
            is_on == "true" || fs::read_to_string(&config)? == text,
            "{about}"
        );
        fixture.server.cli(&quiet, "").await?.line()?;
        assert_eq!(fs::read_to_string(&config)?, text);

        let round = killer.round(&mut fixture, &protect, hiding).await?;
        let about = &round.about;
        let is_given = site.get("/readme.html").await?.body == "VERSION-TOLD";
        ensure!(!(is_given && round.completed()), "{about}");
        fixture.server.cli(&expose, "").await?.line()?;
        ensure!(
            site.get("/readme.html").await?.body == "VERSION-TOLD",
            "{about}"
        );
        site.front_page_with(DOMAIN).await?;
    }
    killer.came_in_time()
}
