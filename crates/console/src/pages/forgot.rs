//! Another password, for who forgot theirs: asking for a link, and what is behind it.

use super::sign_in::{CHANGED, address};
use crate::{
    Console,
    errors::{Failure, sentence},
    frame::Frame,
};
use askama::Template;
use axum::{
    Extension, Form,
    extract::{ConnectInfo, Path, State},
    http::StatusCode,
    response::{Html, IntoResponse, Redirect, Response},
};
use pressroom_base::{Kind, Secret};
use pressroom_fleet::{Error, users::NewPassword};
use serde::Deserialize;
use std::net::SocketAddr;

#[derive(Template)]
#[template(path = "forgot.html")]
pub(crate) struct ForgotPage {
    pub(crate) frame: Frame,
    /// Whether there is a server for mail.
    pub(crate) by_mail: bool,
    /// Whether somebody has asked just now.
    pub(crate) asked: bool,
    pub(crate) problem: Option<&'static str>,
}

#[derive(Template)]
#[template(path = "reset.html")]
pub(crate) struct ResetPage {
    pub(crate) frame: Frame,
    pub(crate) secret: String,
    pub(crate) email: String,
    pub(crate) problem: Option<String>,
}

#[derive(Deserialize)]
pub(crate) struct Forgotten {
    #[serde(default)]
    email: String,
}

#[derive(Deserialize)]
pub(crate) struct Chosen {
    #[serde(default)]
    password: String,
    #[serde(default)]
    again: String,
}

impl ForgotPage {
    pub(crate) fn new(by_mail: bool, asked: bool, problem: Option<&'static str>) -> Self {
        Self {
            frame: Frame::outside("Another password"),
            by_mail,
            asked,
            problem,
        }
    }
}

impl ResetPage {
    pub(crate) fn new(secret: String, email: String, problem: Option<String>) -> Self {
        Self {
            frame: Frame::outside("Another password"),
            secret,
            email,
            problem,
        }
    }
}

/// `GET /forgot`
pub(crate) async fn show(State(console): State<Console>) -> Result<Response, Failure> {
    let page = ForgotPage::new(console.fleet.sends_mail(), false, None);
    Ok(Html(page.render()?).into_response())
}

/// `POST /forgot`
pub(crate) async fn ask(
    State(console): State<Console>,
    peer: Option<Extension<ConnectInfo<SocketAddr>>>,
    Form(form): Form<Forgotten>,
) -> Result<Response, Failure> {
    let fleet = &console.fleet;
    let asked = fleet.ask_password_reset(&form.email, address(peer)).await;
    let (status, page) = match asked {
        Ok(()) => (StatusCode::OK, ForgotPage::new(true, true, None)),
        Err(error) if error.kind() == Kind::Unsupported => {
            (StatusCode::OK, ForgotPage::new(false, false, None))
        }
        Err(error) if error.kind() == Kind::Limited => (
            StatusCode::TOO_MANY_REQUESTS,
            ForgotPage::new(
                true,
                false,
                Some("Too many links were asked for. Wait an hour, then try again"),
            ),
        ),
        Err(error) => return Err(error.into()),
    };
    Ok((status, Html(page.render()?)).into_response())
}

/// `GET /reset/{secret}`
pub(crate) async fn choose(
    State(console): State<Console>,
    Path(secret): Path<String>,
) -> Result<Response, Failure> {
    let user = console.fleet.password_reset(&secret).await.map_err(gone)?;
    let page = ResetPage::new(secret, user.email, None);
    Ok(Html(page.render()?).into_response())
}

/// `POST /reset/{secret}`
pub(crate) async fn set(
    State(console): State<Console>,
    Path(secret): Path<String>,
    peer: Option<Extension<ConnectInfo<SocketAddr>>>,
    Form(form): Form<Chosen>,
) -> Result<Response, Failure> {
    // Before anything is said of what was typed: a stranger learns nothing here.
    let user = console.fleet.password_reset(&secret).await.map_err(gone)?;
    let problem = if form.password == form.again {
        let new = NewPassword {
            secret: Secret::new(secret.clone()),
            password: Secret::new(form.password),
            address: address(peer),
        };
        match console.fleet.reset_password(new).await {
            Ok(_) => return Ok(Redirect::to(CHANGED).into_response()),
            Err(error) if error.kind() == Kind::Invalid => sentence(error.message()),
            Err(error) => return Err(gone(error)),
        }
    } else {
        "The passwords are not the same".to_owned()
    };
    let page = ResetPage::new(secret, user.email, Some(problem));
    Ok((StatusCode::UNPROCESSABLE_ENTITY, Html(page.render()?)).into_response())
}

fn gone(error: Error) -> Failure {
    match error.kind() {
        Kind::NotFound => Failure::link_gone("Ask for another one from the sign-in page"),
        _ => error.into(),
    }
}
