//! The pages of whoever is not in yet.

use crate::{
    frame::Frame,
    pages::{
        set_up::{SetUp, SetUpPage},
        sign_in::SignInPage,
    },
};
use askama::Template;

/// Signing in, and the first person's page.
pub(super) fn entrance_pages() -> Vec<(&'static str, askama::Result<String>)> {
    let sign_in = |problem: Option<&str>| SignInPage {
        frame: Frame::outside("Sign in"),
        next: String::new(),
        email: problem
            .map(|_| "mara@studio.example")
            .unwrap_or_default()
            .into(),
        problem: problem.map(Into::into),
        asks_code: false,
        changed: false,
    };
    let sign_in_with_code = SignInPage {
        asks_code: true,
        ..sign_in(Some(
            "Type your password again, and the code that your app shows",
        ))
    };
    let set_up = |problem: Option<&str>| {
        SetUpPage::new("0".repeat(64), SetUp::default(), problem.map(Into::into))
    };
    vec![
        ("set-up", set_up(None).render()),
        (
            "set-up-refused",
            set_up(Some("The passwords are not the same")).render(),
        ),
        ("sign-in", sign_in(None).render()),
        (
            "sign-in-refused",
            sign_in(Some("Email address or password is not right")).render(),
        ),
        ("sign-in-code", sign_in_with_code.render()),
        (
            "sign-in-changed",
            SignInPage {
                changed: true,
                ..sign_in(None)
            }
            .render(),
        ),
    ]
}
