//! Users at a shared Redis whose sites went while it did not answer.

use crate::base::Base;
use pressroom_fleet::caches::RedisSettings;
use pressroom_store::{EnvironmentState, NewResource, resources};
use pressroom_testkit::redis::{PASSWORD, Redis};
use serde_json::json;

/// Records a user, and makes it at the server with a key.
async fn user(base: &Base, redis: &Redis, panel_id: &str, prefix: &str) {
    let name = format!("pressroom-{panel_id}");
    let tx = base.store.begin().await.unwrap();
    let record = NewResource {
        kind: "redis_user".into(),
        name: name.clone(),
        detail: json!({ "prefix": prefix }),
        ..NewResource::default()
    };
    let id = resources::intend(&tx, record).await.unwrap();
    resources::present(&tx, id).await.unwrap();
    tx.commit().await.unwrap();
    stray(redis, &name, prefix);
}

fn stray(redis: &Redis, name: &str, prefix: &str) {
    assert_eq!(redis.cli(&["ACL", "SETUSER", name]).unwrap(), "OK");
    let key = format!("{prefix}key");
    assert_eq!(redis.cli(&["SET", &key, "x"]).unwrap(), "OK");
    assert_eq!(redis.cli(&["ACL", "SAVE"]).unwrap(), "OK");
}

#[tokio::test]
async fn users_of_sites_that_are_gone_go_once_the_server_answers() {
    let mut redis = Redis::start().unwrap();
    let base = Base::redis(RedisSettings {
        address: redis.address(),
        password: Some(PASSWORD.into()),
        ..RedisSettings::default()
    })
    .await;
    base.site("here", EnvironmentState::Active).await;
    user(&base, &redis, "wp_here", "pressroom:wp_here:").await;
    user(&base, &redis, "wp_gone", "pressroom:wp_gone:").await;
    // Not as we make them, and not on record.
    user(&base, &redis, "wp_odd", "shop:").await;
    stray(&redis, "pressroom-wp_theirs", "pressroom:wp_theirs:");
    let records = async || {
        let all = resources::list_orphaned(&base.store, "redis_user").await;
        let names = all.unwrap().into_iter().map(|record| record.name);
        names.collect::<Vec<_>>()
    };

    redis.stop();
    base.fleet.tidy().await.unwrap();
    assert_eq!(records().await.len(), 3);
    redis.resume().unwrap();
    for prefix in ["pressroom:wp_here:", "pressroom:wp_gone:", "shop:"] {
        redis.cli(&["SET", &format!("{prefix}key"), "x"]).unwrap();
    }
    for _ in 0..2 {
        base.fleet.tidy().await.unwrap();
        assert_eq!(records().await, ["pressroom-wp_here", "pressroom-wp_odd"]);
        let users = redis.cli(&["ACL", "USERS"]).unwrap();
        let mut users: Vec<_> = users.split_whitespace().collect();
        users.sort_unstable();
        assert_eq!(
            users,
            [
                "default",
                "pressroom-wp_here",
                "pressroom-wp_odd",
                "pressroom-wp_theirs"
            ]
        );
        assert_eq!(redis.keys().unwrap(), ["pressroom:wp_here:key", "shop:key"]);
    }
}
