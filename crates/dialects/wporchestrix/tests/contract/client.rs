//! A client that was written from the published reference alone, against this server.

use crate::world::{ANA, PASSWORD, worlds};
use std::{path::Path, process::Stdio};
use tokio::process::Command;

#[tokio::test]
async fn a_client_of_the_published_api_gets_through() {
    worlds(async |world| {
        let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/contract/client.py");
        let out = Command::new("python3")
            .arg(script)
            .env("API", &world.base)
            .env("EMAIL", ANA)
            .env("PASSWORD", PASSWORD)
            .env("HOOK", "http://127.0.0.1:9/in")
            // It leaves nothing where it runs.
            .current_dir(world.test.dir.path())
            .stdin(Stdio::null())
            .output()
            .await
            .expect("python3 is installed");
        let told = String::from_utf8_lossy(&out.stdout);
        assert!(
            out.status.success(),
            "{told}{}",
            String::from_utf8_lossy(&out.stderr)
        );
        assert_eq!(
            told.lines().collect::<Vec<_>>(),
            [
                "login", "me", "accounts", "users", "activity", "webhooks", "jwt", "refresh",
                "revoke", "errors", "logout"
            ]
        );
    })
    .await;
}
