//! SIGKILL at random moments of enabling and disabling caches: the site answers, and what
//! was asked for is done wholly or not at all.

use anyhow::{Result, ensure};
use pressroom_testkit::{Options, redis::Redis};
use pressroom_tests::{
    fixture::{Fixture, SHORT_LEASES},
    killed::{Killer, rounds, timed},
};
use std::{fs, time::Duration};

const DOMAIN: &str = "quick.press.example";

#[tokio::test]
async fn caches_are_there_wholly_or_not_at_all() -> Result<()> {
    let redis = Redis::start()?;
    let mut fixture = Fixture::start(Options {
        config: format!("{SHORT_LEASES}{}", redis.config()),
        ..Options::default()
    })
    .await?;
    let mut killer = Killer::new();
    let site = fixture.install(DOMAIN).await?;
    let config = site.root.join("wp-config.php");
    let before = fs::read_to_string(&config)?;
    let (enable, disable) = (["cache", "enable", DOMAIN], ["cache", "disable", DOMAIN]);
    let mut typical = [Duration::ZERO; 2];
    typical[0] = timed(&fixture, &enable).await?;
    typical[1] = timed(&fixture, &disable).await?;
    for _ in 0..rounds(3, 30) {
        for (asked, typical) in [(&enable, typical[0]), (&disable, typical[1])] {
            let round = killer.round(&mut fixture, asked, typical).await?;
            let about = &round.about;
            site.front_page_with(DOMAIN).await?;
            if round.job.is_none() {
                fixture.server.cli(asked, "").await?.line()?;
            } else {
                ensure!(round.completed(), "{about}: {:?}", round.job);
            }
            let state = fixture.server.cli_json(&["cache", "show", DOMAIN]).await?;
            let is_on = asked[1] == "enable";
            for cache in ["page", "object"] {
                ensure!(state[cache]["enabled"] == is_on, "{about}: {state}");
            }
            let users = redis.cli(&["ACL", "USERS"])?;
            ensure!(users.contains("pressroom-wp_") == is_on, "{about}: {users}");
        }
        ensure!(fs::read_to_string(&config)? == before);
        ensure!(redis.keys()?.is_empty());
        for left in ["advanced-cache.php", "object-cache.php", "cache/pressroom"] {
            ensure!(!site.root.join("wp-content").join(left).exists(), "{left}");
        }
    }
    killer.came_in_time()
}
