//! Adding the first person, behind a link that is good once.

use super::sign_in::{address, agent};
use crate::{
    Console,
    errors::{Failure, sentence},
    frame::Frame,
    session,
};
use askama::Template;
use axum::{
    Extension, Form,
    extract::{ConnectInfo, Path, State},
    http::{HeaderMap, StatusCode},
    response::{Html, IntoResponse, Redirect, Response},
};
use pressroom_base::{Kind, Secret};
use pressroom_fleet::users::FirstUser;
use serde::Deserialize;
use std::net::SocketAddr;

#[derive(Template)]
#[template(path = "set_up.html")]
pub(crate) struct SetUpPage {
    pub(crate) frame: Frame,
    pub(crate) secret: String,
    pub(crate) name: String,
    pub(crate) email: String,
    pub(crate) account: String,
    pub(crate) problem: Option<String>,
}

impl SetUpPage {
    pub(crate) fn new(secret: String, typed: SetUp, problem: Option<String>) -> Self {
        Self {
            frame: Frame::outside("Set up"),
            secret,
            name: typed.name,
            email: typed.email,
            account: typed.account,
            problem,
        }
    }
}

#[derive(Default, Deserialize)]
pub(crate) struct SetUp {
    #[serde(default)]
    name: String,
    #[serde(default)]
    email: String,
    #[serde(default)]
    account: String,
    #[serde(default)]
    password: String,
    #[serde(default)]
    again: String,
}

/// `GET /set-up/{secret}`
pub(crate) async fn show(
    State(console): State<Console>,
    Path(secret): Path<String>,
) -> Result<Response, Failure> {
    if !console.fleet.may_set_up(&secret).await? {
        return Err(Failure::missing());
    }
    let page = SetUpPage::new(secret, SetUp::default(), None);
    Ok(Html(page.render()?).into_response())
}

/// `POST /set-up/{secret}`
pub(crate) async fn submit(
    State(console): State<Console>,
    Path(secret): Path<String>,
    peer: Option<Extension<ConnectInfo<SocketAddr>>>,
    headers: HeaderMap,
    Form(form): Form<SetUp>,
) -> Result<Response, Failure> {
    // Before anything is said of what was typed: a stranger learns nothing here.
    if !console.fleet.may_set_up(&secret).await? {
        return Err(Failure::missing());
    }
    let problem = if form.password == form.again {
        let first = FirstUser {
            secret: Secret::new(secret.clone()),
            email: form.email.clone(),
            name: form.name.clone(),
            password: Secret::new(form.password.clone()),
            account: form.account.clone(),
            address: address(peer),
            agent: agent(&headers),
        };
        match console.fleet.set_up(first).await {
            Ok(signed_in) => {
                let mut response = Redirect::to("/fleet").into_response();
                session::set_cookie(&mut response, &signed_in.secret, console.config)?;
                return Ok(response);
            }
            Err(error) if error.kind() == Kind::Invalid => sentence(error.message()),
            Err(error) => return Err(error.into()),
        }
    } else {
        "The passwords are not the same".to_owned()
    };
    let page = SetUpPage::new(secret, form, Some(problem));
    Ok((StatusCode::UNPROCESSABLE_ENTITY, Html(page.render()?)).into_response())
}
