//! W01, W03: the code that signing in takes as well.

use crate::world::{ANA, PASSWORD, World, assert_error, tokens, worlds};
use pressroom_base::{Kind, Secret};
use pressroom_fleet::{Caller, Principal, code, sessions::Credentials};
use pressroom_testkit::api::Reply;
use serde_json::{Value, json};
use std::time::Duration;
use totp_rs::Totp;

const WRONG: &str = "otp_attempt_invalid";

/// What an app would show at each instant.
struct App {
    totp: Totp,
    backup: Vec<String>,
}

/// Goes on to the beginning of a step, so that none ends while a test speaks of it.
async fn begin_step(world: &World) {
    let store = &world.test.store;
    let now = store.now().await.expect("a time").seconds();
    let left = u64::try_from(30 - now % 30).expect("less than a step");
    store.advance_clock(Duration::from_secs(left + 1));
}

fn console() -> Caller {
    Caller::new(Principal::console())
}

impl App {
    /// Turns two-factor on, as the command line does.
    async fn of(world: &World, email: &str) -> Self {
        let fleet = &world.test.fleet;
        begin_step(world).await;
        let proposal = fleet.propose_second_factor(&console(), email).await;
        let uri = proposal.expect("a secret").uri.into_inner();
        let totp = Totp::from_url(&uri).expect("an address that apps read");
        let mut app = Self {
            totp,
            backup: Vec::new(),
        };
        // Nothing is asked for before it was confirmed.
        world.sign_in(email).await;
        let wrong = fleet
            .confirm_second_factor(&console(), email, "000000x")
            .await;
        assert_eq!(
            wrong.expect_err("wrong").code(),
            Some(code::SECOND_FACTOR_WRONG)
        );
        let code = app.code(world, -1).await;
        let codes = fleet.confirm_second_factor(&console(), email, &code).await;
        let codes = codes.expect("backup codes").0;
        app.backup = codes.into_iter().map(Secret::into_inner).collect();
        assert_eq!(app.backup.len(), 10);
        app
    }

    /// The code of so many steps from now.
    async fn code(&self, world: &World, steps: i64) -> String {
        let now = world.test.store.now().await.expect("a time").seconds();
        let at = u64::try_from(now + steps * 30).expect("after 1970");
        self.totp.generate(at).to_string()
    }
}

async fn sign_in(world: &World, code: impl Into<Value>) -> Reply {
    let body = json!({ "email": ANA, "password": PASSWORD, "otp_attempt": code.into() });
    world.post("/auth", &body).await
}

#[tokio::test]
async fn w01_w03_the_code_is_asked_for_after_the_password() {
    worlds(async |world| {
        let app = App::of(&world, ANA).await;
        let right = json!({ "email": ANA, "password": PASSWORD });
        let blank = json!({ "email": ANA, "password": PASSWORD, "otp_attempt": "" });
        for path in ["/auth", "/jwt"] {
            for body in [&right, &blank] {
                let reply = world.post(path, body).await;
                assert_error(&reply, 422, "otp_attempt_required");
            }
            let wrong = json!({ "email": ANA, "password": "wrong", "otp_attempt": "000000" });
            let reply = world.post(path, &wrong).await;
            assert_error(&reply, 401, "Invalid email or password");
        }
        let now = app.code(&world, 0).await;
        let reply = sign_in(&world, now.as_str()).await;
        assert_eq!(reply.status, 200, "{}", reply.text);
        let token = format!("token {}", reply.string("token").expect("a token"));
        let me = world.get(&token, "/me").await;
        assert_eq!(me.body["two_factor_enabled"], true);
        let next = app.code(&world, 1).await;
        let body = json!({ "email": ANA, "password": PASSWORD, "otp_attempt": next });
        tokens(&world.post("/jwt", &body).await);
    })
    .await;
}

#[tokio::test]
async fn w01_a_step_is_good_once_and_one_either_way() {
    worlds(async |world| {
        let app = App::of(&world, ANA).await;
        // The step of the confirmation was used up by it.
        let used = app.code(&world, -1).await;
        assert_error(&sign_in(&world, used).await, 422, WRONG);
        world.test.store.advance_clock(Duration::from_mins(2));
        for (steps, good) in [(-2, false), (2, false), (-1, true), (0, true), (1, true)] {
            begin_step(&world).await;
            let code = app.code(&world, steps).await;
            let reply = sign_in(&world, code.as_str()).await;
            if good {
                assert_eq!(reply.status, 200, "{steps}: {}", reply.text);
            }
            assert_error(&sign_in(&world, code).await, 422, WRONG);
        }
    })
    .await;
}

#[tokio::test]
async fn w01_of_the_same_code_at_once_one_succeeds() {
    worlds(async |world| {
        let app = App::of(&world, ANA).await;
        let code = app.code(&world, 0).await;
        let backup = app.backup[0].clone();
        for given in [code, backup] {
            let all = (0..4).map(|_| sign_in(&world, given.as_str()));
            let replies = futures_util::future::join_all(all).await;
            let good = replies.iter().filter(|reply| reply.status == 200).count();
            assert_eq!(good, 1, "{given}");
            world.test.store.advance_clock(Duration::from_mins(16));
        }
    })
    .await;
}

#[tokio::test]
async fn w01_a_backup_code_is_burnt() {
    worlds(async |world| {
        let app = App::of(&world, ANA).await;
        let code = &app.backup[3];
        assert_eq!(sign_in(&world, code.as_str()).await.status, 200);
        assert_error(&sign_in(&world, code.as_str()).await, 422, WRONG);
        // As somebody types it from paper.
        let typed = app.backup[4].replace('-', " ").to_uppercase();
        assert_eq!(sign_in(&world, typed).await.status, 200);
        let fleet = &world.test.fleet;
        let stands = fleet.show_second_factor(&console(), ANA).await;
        assert_eq!(stands.expect("known").backup_codes_left, 8);
        let new = fleet.replace_backup_codes(&console(), ANA).await;
        let new = new.expect("others").0;
        let old = app.backup[5].as_str();
        assert_error(&sign_in(&world, old).await, 422, WRONG);
        assert_eq!(sign_in(&world, new[0].expose().as_str()).await.status, 200);
    })
    .await;
}

#[tokio::test]
async fn w01_codes_may_be_numbers_and_wrong_ones_count() {
    worlds(async |world| {
        let app = App::of(&world, ANA).await;
        let code = app.code(&world, 0).await;
        let number: u32 = code.parse().expect("digits");
        assert_eq!(sign_in(&world, number).await.status, 200);
        let reply = sign_in(&world, json!([1])).await;
        assert_eq!(reply.status, 422, "{}", reply.text);
        assert_eq!(reply.body["error"], "Otp attempt is invalid");
        for _ in 0..10 {
            assert_error(&sign_in(&world, "nothing").await, 422, WRONG);
        }
        let code = app.code(&world, 1).await;
        assert_error(&sign_in(&world, code).await, 429, "Too many attempts");
    })
    .await;
}

#[tokio::test]
async fn two_factor_is_no_way_round_the_console_and_can_be_turned_off() {
    worlds(async |world| {
        let app = App::of(&world, ANA).await;
        let fleet = &world.test.fleet;
        let sign_in = async |code: Option<String>| {
            let credentials = Credentials {
                email: ANA.into(),
                password: Secret::new(PASSWORD.into()),
                code: code.map(Secret::new),
                address: "192.0.2.1".parse().expect("an address"),
                agent: String::new(),
            };
            fleet.sign_in(credentials).await
        };
        let asked = sign_in(None).await.expect_err("a code is asked for");
        assert_eq!(asked.code(), Some(code::SECOND_FACTOR_REQUIRED));
        let wrong = sign_in(Some("nothing".into())).await.expect_err("wrong");
        assert_eq!(wrong.code(), Some(code::SECOND_FACTOR_WRONG));
        let right = app.code(&world, 0).await;
        assert!(sign_in(Some(right)).await.is_ok());
        // It is not proposed anew over one that is on.
        let again = fleet.propose_second_factor(&console(), ANA).await;
        assert_eq!(again.expect_err("it is on").kind(), Kind::Conflict);
        assert!(
            fleet
                .disable_second_factor(&console(), ANA)
                .await
                .expect("off")
        );
        assert!(
            !fleet
                .disable_second_factor(&console(), ANA)
                .await
                .expect("still off")
        );
        world.sign_in(ANA).await;
        let unknown = fleet
            .propose_second_factor(&console(), "nobody@example.com")
            .await;
        assert_eq!(unknown.expect_err("nobody").kind(), Kind::NotFound);
        let confirmed = fleet.confirm_second_factor(&console(), ANA, "123456").await;
        assert_eq!(
            confirmed.expect_err("nothing to confirm").kind(),
            Kind::Conflict
        );
    })
    .await;
}
