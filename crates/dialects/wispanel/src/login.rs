//! T13: one-time logins.

use crate::{
    lookup::installation,
    wire::{LoginIn, LoginOut},
};
use pressroom_dialect_http::{Answer, Call, Fault};
use pressroom_fleet::{authorize::Action, sites::IssueLogin};

/// Issues a link.
pub async fn issue(call: Call) -> Result<Answer, Fault> {
    let input: LoginIn = call.body()?;
    let environment = installation(&call, input.id.as_deref(), Action::SiteLogin).await?;
    let login = IssueLogin {
        user: input.username,
        redirect: input.redirect,
    };
    let link = call
        .fleet
        .issue_login(&call.caller, environment.id, login)
        .await?;
    Answer::ok(&LoginOut {
        success: true,
        url: link.url.into_inner(),
        expires_at: link.expires_at.to_rfc3339(),
    })
}
