//! Commands that come and go.

use crate::installation::{Installation, PASSWORD};
use std::{fs, os::unix::fs::PermissionsExt};

#[test]
fn people_accounts_domains_and_tokens() {
    let place = Installation::new();
    let id = place
        .add_user("Ann@Example.com", &format!("{PASSWORD}\n"))
        .done();
    assert_eq!(id, "1\n");
    let id = place
        .run(&["account", "add", "agency", "--owner", "ann@example.com"])
        .done();
    assert_eq!(id, "1\n");
    let added = place.run(&["domain", "add", "Blog.example", "--account", "agency"]);
    assert!(
        added.err.contains("`blog.example` installs into"),
        "{added:?}"
    );
    assert_eq!(added.done(), "1\n");
    let sites = place.data().join("sites");
    let domains = place.run(&["domain", "list"]).done();
    assert_eq!(
        domains,
        format!(
            "1\tblog.example\tagency\t{}\n",
            sites.join("blog.example").display()
        )
    );
    let token = place.run(&[
        "token",
        "add",
        "--user",
        "ann@example.com",
        "--kind",
        "panel",
    ]);
    assert!(token.err.contains("only time"));
    let secret = token.done();
    let digits = secret
        .trim_end()
        .strip_prefix("wsp_")
        .expect("a panel token");
    assert_eq!(digits.len(), 48);
    assert!(
        digits
            .bytes()
            .all(|c| c.is_ascii_hexdigit() && !c.is_ascii_uppercase())
    );
    assert_eq!(place.run(&["site", "list"]).done(), "");
    assert_eq!(place.run(&["job", "list"]).done(), "");
    assert_eq!(place.run(&["domain", "remove", "blog.example"]).done(), "");
    assert_eq!(place.run(&["domain", "list"]).done(), "");
}

#[test]
fn two_factor_is_proposed_confirmed_and_turned_off() {
    let place = Installation::new();
    place
        .add_user("ann@example.com", &format!("{PASSWORD}\n"))
        .done();
    let factor = |verb: &str, rest: &[&str]| {
        let mut args = vec!["user", "two-factor", verb, "ann@example.com"];
        args.extend(rest);
        place.run(&args)
    };
    assert_eq!(factor("show", &[]).done(), "off\n");
    let proposed = factor("enable", &[]);
    assert!(
        proposed.err.contains("two-factor confirm ann@example.com"),
        "{proposed:?}"
    );
    let told = proposed.done();
    let [secret, uri] = &told.lines().collect::<Vec<_>>()[..] else {
        panic!("{told}")
    };
    assert_eq!(secret.len(), 32, "20 bytes in base 32");
    assert!(
        uri.starts_with("otpauth://totp/Pressroom:ann%40example.com?") && uri.contains(secret),
        "{uri}"
    );
    assert_eq!(factor("show", &[]).done(), "proposed\n");
    let wrong = factor("confirm", &["12345x"]).failed(2);
    assert!(
        wrong.contains("hint: give the one that the app shows now"),
        "{wrong}"
    );
    let early = factor("codes", &[]).failed(5);
    assert!(early.contains("two-factor enable"), "{early}");
    assert_eq!(factor("disable", &[]).done(), "");
    assert_eq!(factor("show", &[]).done(), "off\n");
    place
        .run(&["user", "two-factor", "enable", "nobody@example.com"])
        .failed(3);
}

#[test]
fn answers_in_json() {
    let place = Installation::settled();
    let accounts = place.run(&["--json", "account", "list"]).json();
    assert_eq!(accounts[0]["name"], "agency");
    let domains = place.run(&["domain", "list", "--json"]).json();
    assert_eq!(domains[0]["name"], "blog.example");
    let args = [
        "--json",
        "token",
        "add",
        "--user",
        "ann@example.com",
        "--kind",
        "panel",
    ];
    let token = place.run(&args);
    assert_eq!(token.err, "");
    assert!(
        token.json()["secret"]
            .as_str()
            .expect("a text")
            .starts_with("wsp_")
    );
    assert_eq!(
        place.run(&["--json", "site", "list"]).json(),
        serde_json::json!([])
    );
    let error = place
        .run(&["--json", "site", "show", "wp_123456789"])
        .failed(3);
    let error: serde_json::Value = serde_json::from_str(&error).expect("JSON");
    assert_eq!(error["error"]["kind"], "not_found");
    let error = place.run(&["--json", "site", "frobnicate"]).failed(2);
    let error: serde_json::Value = serde_json::from_str(&error).expect("JSON");
    assert_eq!(error["error"]["kind"], "usage");
}

#[test]
fn a_selector_that_is_not_understood_is_shown_with_its_fault() {
    let place = Installation::settled();
    let args = ["site", "list", "env:production -status:down"];
    assert_eq!(place.run(&args).done(), "");
    assert_eq!(place.run(&["site", "list", "-env:clone"]).done(), "");
    assert_eq!(
        place
            .run(&["site", "list", "env:clone plugn:woo"])
            .failed(2),
        "error: the selector is not understood\n\n  env:clone plugn:woo\n            \
         ^^^^^ there is no field `plugn`; did you mean `plugin`?\n"
    );
}

#[test]
fn duplicates_are_conflicts_and_change_nothing() {
    let place = Installation::settled();
    let error = place.add_user("ANN@example.com", PASSWORD).failed(5);
    assert!(error.starts_with("error: "), "{error}");
    place
        .run(&["account", "add", "agency", "--owner", "ann@example.com"])
        .failed(5);
    place
        .run(&["domain", "add", "BLOG.example", "--account", "agency"])
        .failed(5);
    assert_eq!(place.run(&["account", "list"]).done().lines().count(), 1);
    assert_eq!(place.run(&["domain", "list"]).done().lines().count(), 1);
}

#[test]
fn what_cannot_be_is_told() {
    let place = Installation::settled();
    let weak = place.add_user("bob@example.com", "short").failed(2);
    assert!(
        !weak.contains("short"),
        "a password is never repeated: {weak}"
    );
    place.add_user("bob@example.com", "").failed(2);
    place.add_user("no address", PASSWORD).failed(2);
    place
        .run(&["user", "add", "bob@example.com", "--name", "Bob"])
        .failed(2);
    place
        .run(&["account", "add", "other", "--owner", "nobody@example.com"])
        .failed(3);
    place
        .run(&["domain", "add", "x.example", "--account", "nobody"])
        .failed(3);
    place
        .run(&["domain", "add", "no domain", "--account", "agency"])
        .failed(2);
    place.run(&["domain", "remove", "x.example"]).failed(3);
    place
        .run(&[
            "token",
            "add",
            "--user",
            "nobody@example.com",
            "--kind",
            "panel",
        ])
        .failed(3);
    let network = [
        "token",
        "add",
        "--user",
        "ann@example.com",
        "--kind",
        "panel",
        "--network",
        "x",
    ];
    place.run(&network).failed(2);
    let missing = place.run(&["site", "show", "x.example"]).failed(3);
    assert!(
        missing.contains("\nhint: `pressroom site list`"),
        "{missing}"
    );
    place.run(&["job", "show", "17"]).failed(3);
    place.run(&["job", "show", "job_000000000000"]).failed(3);
    place.run(&["job", "show", "x"]).failed(2);
    place.run(&["job", "cancel", "17"]).failed(3);
    place.run(&["job", "watch", "17"]).failed(3);
}

#[test]
fn a_wrong_configuration_is_told_with_its_place() {
    let place = Installation::settled();
    let file = place.data().join("pressroom.toml");
    fs::write(&file, "listen = \"127.0.0.1:0\"\n[jobs]\nleas_s = 1\n").expect("written");
    let error = place.run(&["account", "list"]).failed(2);
    let shown = file.display();
    assert_eq!(
        error,
        format!(
            "error: unknown key `jobs.leas_s` (`{shown}`, line 3, column 1)\n\nhint: did you mean `jobs.lease_s`\n"
        )
    );
    fs::remove_file(&file).expect("removed");
    let mut command = place.command(&["account", "list"]);
    command.env("PRESSROOM_JOBS__LEAS_S", "1");
    let error = Installation::end(command, "").failed(2);
    assert!(
        error.contains("hint: did you mean `PRESSROOM_JOBS__LEASE_S`"),
        "{error}"
    );
    place
        .run(&["--config", "/nowhere.toml", "account", "list"])
        .failed(2);
}

#[test]
fn a_second_run_is_harmless_and_files_stay_closed() {
    let place = Installation::settled();
    let mode = |name: &str| {
        let found = fs::metadata(place.data().join(name)).expect("it is there");
        found.permissions().mode() & 0o777
    };
    assert_eq!(mode("."), 0o711);
    assert_eq!(mode("secret.key"), 0o600);
    assert_eq!(mode("pressroom.db"), 0o600);
    assert_eq!(mode("packages"), 0o700);
    for entry in fs::read_dir(place.data()).expect("listed").flatten() {
        let found = entry.metadata().expect("it is there");
        let open = found.permissions().mode() & 0o066;
        assert_eq!(open, 0, "{} can be read by others", entry.path().display());
    }
    let key = fs::read(place.data().join("secret.key")).expect("read");
    let before = place.run(&["--json", "domain", "list"]).done();
    assert_eq!(place.run(&["--json", "domain", "list"]).done(), before);
    assert_eq!(
        fs::read(place.data().join("secret.key")).expect("read"),
        key
    );
    fs::remove_file(place.data().join("secret.key")).expect("removed");
    let error = place.run(&["domain", "list"]).failed(2);
    assert!(error.contains("restore it"), "{error}");
}

#[test]
fn many_first_runs_at_once_agree_on_one_key_and_one_schema() {
    let place = Installation::new();
    std::thread::scope(|scope| {
        let runs: Vec<_> = (0..6)
            .map(|_| scope.spawn(|| place.run(&["account", "list"])))
            .collect();
        for run in runs {
            assert_eq!(run.join().expect("it ends").done(), "");
        }
    });
    place.add_user("ann@example.com", PASSWORD).done();
    let left = fs::read_dir(place.data()).expect("listed").flatten();
    let names: Vec<_> = left.map(|entry| entry.file_name()).collect();
    let drafts = names
        .iter()
        .filter(|name| name.to_string_lossy().starts_with("secret.key"));
    assert_eq!(drafts.count(), 1, "{names:?}");
}

#[test]
fn help_and_completions_need_nothing() {
    let place = Installation::new();
    assert!(place.run(&["--help"]).done().contains("Examples:"));
    assert!(place.run(&["--version"]).done().starts_with("pressroom "));
    assert!(
        place
            .run(&["completions", "bash"])
            .done()
            .contains("complete")
    );
    let shown = place.run(&["--json", "config", "show"]).json();
    assert_eq!(shown["data"], place.data().display().to_string());
    assert!(!place.data().exists(), "looking makes nothing");
    place.run(&[]).failed(2);
    place.run(&["frobnicate"]).failed(2);
    assert!(
        !place.run(&["--help"]).done().contains("agent"),
        "it is not for people"
    );
}
