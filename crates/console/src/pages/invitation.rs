//! Coming to an account by an invitation. Who is known proves who they are; the link alone
//! signs nobody in.

use super::sign_in::{Refusal, address, agent};
use crate::{
    Console,
    errors::{Failure, sentence},
    frame::Frame,
    session::{self, Current},
    wording,
};
use askama::Template;
use axum::{
    Extension, Form,
    extract::{ConnectInfo, Path, State},
    http::{HeaderMap, StatusCode},
    response::{Html, IntoResponse, Redirect, Response},
};
use pressroom_base::{Kind, Secret, token};
use pressroom_fleet::{
    Error,
    invitations::{KnownPerson, Newcomer, Offer},
    sessions::SignedIn,
};
use serde::Deserialize;
use std::net::SocketAddr;

#[derive(Template)]
#[template(path = "invitation.html")]
pub(crate) struct InvitationPage {
    pub(crate) frame: Frame,
    pub(crate) secret: String,
    pub(crate) account: String,
    pub(crate) email: String,
    /// What they may do, as a word and in words.
    pub(crate) role: (&'static str, &'static str),
    pub(crate) visitor: Visitor,
    /// What they typed as their name.
    pub(crate) name: String,
    pub(crate) problem: Option<String>,
    /// Whether a code is asked for as well.
    pub(crate) asks_code: bool,
}

/// Who opened the link, as far as the browser and the address tell.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Visitor {
    /// Nobody has this address: they choose a name and a password.
    New,
    /// Somebody has, who gives their password. Somebody else may be signed in here.
    Known { instead_of: Option<String> },
    /// The person is signed in; the form carries their session's token.
    Here { csrf: String },
}

#[derive(Default, Deserialize)]
pub(crate) struct Acceptance {
    #[serde(default)]
    name: String,
    #[serde(default)]
    password: String,
    #[serde(default)]
    again: String,
    #[serde(default)]
    code: String,
    #[serde(default)]
    csrf: String,
}

impl InvitationPage {
    pub(crate) fn new(secret: String, offer: &Offer, visitor: Visitor) -> Self {
        let invitation = &offer.invitation;
        Self {
            frame: Frame::outside("Invitation"),
            secret,
            account: invitation.account.clone(),
            email: invitation.email.clone(),
            role: wording::role(invitation.role),
            visitor,
            name: invitation.name.clone(),
            problem: None,
            asks_code: false,
        }
    }

    fn refused(mut self, status: StatusCode, problem: String) -> Result<Response, Failure> {
        self.problem = Some(problem);
        Ok((status, Html(self.render()?)).into_response())
    }
}

impl Visitor {
    fn of(offer: &Offer, current: Option<&Current>) -> Self {
        match current {
            Some(current) if offer.known && current.0.user.email == offer.invitation.email => {
                Self::Here {
                    csrf: current.0.csrf.expose().clone(),
                }
            }
            current if offer.known => Self::Known {
                instead_of: current.map(|current| current.0.user.email.clone()),
            },
            _ => Self::New,
        }
    }
}

/// `GET /invitation/{secret}`
pub(crate) async fn show(
    State(console): State<Console>,
    Path(secret): Path<String>,
    headers: HeaderMap,
) -> Result<Response, Failure> {
    let offer = console.fleet.invitation(&secret).await.map_err(gone)?;
    let current = session::resume(&console, &headers).await?;
    let visitor = Visitor::of(&offer, current.as_ref());
    let page = InvitationPage::new(secret, &offer, visitor);
    Ok(Html(page.render()?).into_response())
}

/// `POST /invitation/{secret}`
pub(crate) async fn accept(
    State(console): State<Console>,
    Path(secret): Path<String>,
    peer: Option<Extension<ConnectInfo<SocketAddr>>>,
    headers: HeaderMap,
    Form(form): Form<Acceptance>,
) -> Result<Response, Failure> {
    // Before anything is said of what was typed: a stranger learns nothing here.
    let offer = console.fleet.invitation(&secret).await.map_err(gone)?;
    let current = session::resume(&console, &headers).await?;
    let visitor = Visitor::of(&offer, current.as_ref());
    let mut page = InvitationPage::new(secret.clone(), &offer, visitor.clone());
    let (address, agent) = (address(peer), agent(&headers));
    let link = Secret::new(secret.clone());
    let done = match (visitor, current) {
        (Visitor::Here { csrf }, Some(current)) => {
            if !token::equal(&csrf, &form.csrf) {
                let problem = "This form was out of date; send it again".to_owned();
                return page.refused(StatusCode::FORBIDDEN, problem);
            }
            let caller = current.caller().from_address(address);
            let joined = console.fleet.accept_signed_in(&caller, &secret).await;
            joined.map_err(gone)?;
            return Ok(Redirect::to("/fleet").into_response());
        }
        (Visitor::New, _) => {
            page.name.clone_from(&form.name);
            if form.password != form.again {
                let problem = "The passwords are not the same".to_owned();
                return page.refused(StatusCode::UNPROCESSABLE_ENTITY, problem);
            }
            let new = Newcomer {
                secret: link,
                name: form.name,
                password: Secret::new(form.password),
                address,
                agent,
            };
            console.fleet.accept_as_new(new).await
        }
        (Visitor::Known { .. } | Visitor::Here { .. }, _) => {
            let known = KnownPerson {
                secret: link,
                password: Secret::new(form.password),
                code: Some(Secret::new(form.code)),
                address,
                agent,
            };
            console.fleet.accept_with_password(known).await
        }
    };
    match done {
        Ok(signed_in) => enter(&console, &signed_in),
        Err(error) if error.kind() == Kind::Invalid => {
            let problem = sentence(error.message());
            page.refused(StatusCode::UNPROCESSABLE_ENTITY, problem)
        }
        Err(error) => match Refusal::of(&error) {
            Some(refusal) => {
                page.asks_code = refusal.asks_code;
                page.refused(refusal.status, refusal.problem.to_owned())
            }
            None => Err(gone(error)),
        },
    }
}

fn enter(console: &Console, signed_in: &SignedIn) -> Result<Response, Failure> {
    let mut response = Redirect::to("/fleet").into_response();
    session::set_cookie(&mut response, &signed_in.secret, console.config)?;
    Ok(response)
}

fn gone(error: Error) -> Failure {
    match error.kind() {
        Kind::NotFound => Failure::link_gone("Ask whoever invited you for another one"),
        _ => error.into(),
    }
}
