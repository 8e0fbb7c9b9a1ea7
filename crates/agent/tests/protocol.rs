//! What goes over the pipe, as text.

#![expect(
    clippy::unwrap_used,
    reason = "a test that cannot go on is a failed test"
)]

use pressroom_agent::protocol::{Boot, Call, Request};
use pressroom_base::Epoch;
use pressroom_wordpress::bridge::{Action, BridgeOptions};
use serde_json::{Value, json};

fn read(mut request: Value) -> Request {
    request["deadline_ms"] = json!(1000);
    let call: Call = serde_json::from_value(request).unwrap();
    call.request
}

#[test]
fn a_bridge_request_needs_no_options() {
    let request = read(json!({
        "op": "bridge", "epoch": 7, "root": "www", "php": "php",
        "actions": [{ "action": "site_info" }],
    }));
    let Request::Bridge {
        boot,
        each,
        actions,
        ..
    } = request
    else {
        panic!("{request:?}")
    };
    assert_eq!(boot, Boot::new("www", "php"));
    assert!(!each);
    assert_eq!(actions.len(), 1);
}

#[test]
fn what_starts_wordpress_reads_back_with_its_options() {
    let boot = || Boot {
        options: BridgeOptions {
            blog: Some(u64::MAX),
            user: Some("admin".into()),
            skip_plugins: Some(Vec::new()),
            time_limit_s: Some(5),
            ..BridgeOptions::default()
        },
        ..Boot::new("www", "php")
    };
    let epoch = Epoch::new(7);
    for (request, name) in [
        (
            Request::Bridge {
                epoch: Some(epoch),
                boot: boot(),
                actions: vec![Action::SiteInfo],
                each: true,
            },
            "bridge",
        ),
        (
            Request::ActivatePlugins {
                epoch,
                boot: boot(),
                plugins: vec!["shop".into()],
                network_wide: true,
            },
            "activate_plugins",
        ),
        (
            Request::SwitchTheme {
                epoch,
                boot: boot(),
                stylesheet: "paper".into(),
            },
            "switch_theme",
        ),
        (
            Request::UpgradeDatabases {
                epoch,
                boot: boot(),
                network: true,
                batch: 10,
            },
            "upgrade_databases",
        ),
        (
            Request::RunCron {
                epoch,
                boot: boot(),
                within_s: 3600,
            },
            "run_cron",
        ),
    ] {
        assert_eq!(request.name(), name);
        assert_eq!(request.epoch(), Some(epoch), "{name} is fenced");
        let written = serde_json::to_value(&request).unwrap();
        assert_eq!(written["op"], name);
        let again = read(written.clone());
        assert_eq!(serde_json::to_value(&again).unwrap(), written);
    }
}
