//! Users of a site: added, listed, and given other passwords, as WordPress itself
//! sees them afterwards.

use anyhow::{Context, Result, ensure};
use pressroom_testkit::Options;
use pressroom_testkit::site::Site;
use pressroom_tests::fixture::Fixture;
use serde_json::{Value, json};
use std::fs;

const DOMAIN: &str = "people.press.example";

/// Every mail that WordPress hands to its mailer is written to an option.
fn watch_mail(site: &Site) -> Result<()> {
    let directory = site.root.join("wp-content/mu-plugins");
    fs::create_dir_all(&directory)?;
    fs::write(
        directory.join("mail-watch.php"),
        "<?php add_action('phpmailer_init', function ($mail) {\
         update_option('mail_watch', $mail->Subject); });",
    )?;
    site.own(&directory)?;
    let seen = site.php(
        "require 'wp-load.php'; @wp_mail('a@press.example', 'seen', 'x'); \
         echo get_option('mail_watch'); delete_option('mail_watch');",
    )?;
    ensure!(seen == "seen", "the watch is blind: {seen}");
    Ok(())
}

/// What WordPress says of a user, and whether the password opens the door.
fn told(site: &Site, login: &str, password: &str) -> Result<Value> {
    let text = site.php(&format!(
        "require 'wp-load.php'; $u = get_user_by('login', '{login}'); \
         $in = wp_authenticate('{login}', base64_decode('{}')); \
         echo json_encode($u ? ['roles' => array_values($u->roles), 'email' => $u->user_email, \
         'opens' => $in instanceof WP_User, \
         'sessions' => count(WP_Session_Tokens::get_instance($u->ID)->get_all()), \
         'mail' => get_option('mail_watch')] : null);",
        base64(password)
    ))?;
    serde_json::from_str(&text).with_context(|| text)
}

fn base64(text: &str) -> String {
    const ALPHABET: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let mut out = String::new();
    for three in text.as_bytes().chunks(3) {
        let bits = three
            .iter()
            .fold(0_u32, |bits, byte| (bits << 8) | u32::from(*byte))
            << (8 * (3 - three.len()));
        for place in 0..=three.len() {
            out.push(char::from(
                ALPHABET[(bits >> (18 - 6 * place)) as usize & 63],
            ));
        }
    }
    out
}

// Rows: T12, T14
#[tokio::test]
async fn users_are_added_and_their_passwords_changed() -> Result<()> {
    let fixture = Fixture::start(Options::default()).await?;
    let site = fixture.install(DOMAIN).await?;
    watch_mail(&site)?;
    let ask = |path: &'static str, body: Value| {
        let (fixture, id) = (&fixture, site.id.clone());
        async move {
            let mut body = body;
            body["id"] = id.into();
            fixture.post(path, &body).await
        }
    };

    let ops = json!({ "username": "ops", "email": "ops@press.example" });
    let made = ask("/admin/create", ops.clone()).await?.expect(201)?.body;
    let password = made["password"].as_str().context("a password")?.to_owned();
    ensure!(password.len() >= 20, "{made}");
    ensure!(made["user"]["id"].as_u64() > Some(1), "{made}");
    assert_eq!(made["user"]["role"], "administrator");
    let seen = json!({
        "roles": ["administrator"], "email": "ops@press.example",
        "opens": true, "sessions": 0, "mail": false,
    });
    assert_eq!(told(&site, "ops", &password)?, seen);
    let taken = ask("/admin/create", ops).await?.expect(409)?;
    ensure!(taken.body["code"] == "CONFLICT", "{}", taken.text);
    let address = json!({ "username": "other", "email": "OPS@press.example" });
    ask("/admin/create", address).await?.expect(409)?;
    let role = json!({ "username": "other", "email": "o@press.example", "role": "captain" });
    ask("/admin/create", role).await?.expect(422)?;
    assert_eq!(told(&site, "other", "x")?, Value::Null);
    // A word of one's own is not repeated, whatever is in it.
    let own = r#"it's \"mine" $1 ünd so"#;
    let editor = json!({
        "username": "jo", "email": "jo@press.example", "role": "editor", "password": own,
    });
    let made = ask("/admin/create", editor).await?.expect(201)?;
    ensure!(made.body.get("password").is_none(), "{}", made.text);

    // Logged in somewhere, then given another password.
    site.php(
        "require 'wp-load.php'; $u = get_user_by('login', 'ops'); \
         WP_Session_Tokens::get_instance($u->ID)->create(time() + 3600);",
    )?;
    assert_eq!(told(&site, "ops", &password)?["sessions"], 1);
    let reset = ask("/password/reset", json!({ "username": "ops" })).await?;
    let reset = reset.expect(200)?.body;
    let next = reset["password"].as_str().context("a password")?.to_owned();
    assert_eq!(
        (&reset["username"], &reset["message"]),
        (&json!("ops"), &json!("Password updated"))
    );
    assert_eq!(told(&site, "ops", &next)?, seen);
    assert_eq!(told(&site, "ops", &password)?["opens"], false);
    let by_id = json!({ "user_id": 1, "password": own });
    let reset = ask("/admin/password/reset", by_id).await?.expect(200)?;
    ensure!(reset.body.get("password").is_none(), "{}", reset.text);
    ensure!(reset.body["username"] == "editor", "{}", reset.text);
    let nobody = ask("/password/reset", json!({ "username": "nobody" })).await?;
    ensure!(nobody.expect(404)?.body["error"] == "User not found");

    // Nothing that was shown is kept: not with the jobs, not in the log.
    let list = fixture.server.cli_json(&["job", "list"]).await?.to_string();
    ensure!(!list.contains(&password) && !list.contains(&next), "{list}");

    // The same by the command line.
    let users = fixture
        .server
        .cli(&["site", "user", "list", DOMAIN], "")
        .await?;
    ensure!(users.code == 0, "{users:?}");
    ensure!(
        users.stdout.contains("\tjo\tjo@press.example\teditor\t"),
        "{users:?}"
    );
    let added = fixture
        .server
        .cli(
            &[
                "site",
                "user",
                "add",
                DOMAIN,
                "cli",
                "cli@press.example",
                "--role",
                "author",
            ],
            "",
        )
        .await?;
    ensure!(added.code == 0, "{added:?}");
    let word = added.stdout.lines().last().context("a password")?;
    assert_eq!(told(&site, "cli", word)?["opens"], true);
    let reset = fixture
        .server
        .cli(
            &[
                "site",
                "user",
                "reset-password",
                DOMAIN,
                "cli",
                "--password-stdin",
            ],
            "another long word\n",
        )
        .await?;
    ensure!(
        reset.code == 0 && !reset.stdout.contains("another long"),
        "{reset:?}"
    );
    assert_eq!(told(&site, "cli", "another long word")?["opens"], true);
    assert_eq!(told(&site, "cli", "another long word")?["mail"], false);

    // A site that forbids it: what was not done is said, and nothing stays behind.
    fs::write(
        site.root.join("wp-content/mu-plugins/no-roles.php"),
        "<?php add_action('user_register', function ($id) {\
         (new WP_User($id))->set_role('subscriber'); });",
    )?;
    site.own(&site.root.join("wp-content/mu-plugins"))?;
    let demoted = json!({ "username": "late", "email": "late@press.example" });
    let refused = ask("/admin/create", demoted).await?.expect(502)?;
    ensure!(
        refused.text.contains("role was not given"),
        "{}",
        refused.text
    );
    assert_eq!(told(&site, "late", "x")?, Value::Null);
    Ok(())
}
