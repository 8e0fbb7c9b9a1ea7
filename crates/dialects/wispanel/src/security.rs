//! T35 and T37–T40: what keeps intruders out.

use crate::{
    errors::sentence,
    lookup::installation,
    wire::{HideLoginIn, SecurityChangedOut, SecurityIn, SecurityOut, SecuritySetOut},
    work,
};
use pressroom_dialect_http::{Answer, Call, Fault};
use pressroom_fleet::{
    authorize::Action,
    security::{Measure, SecurityChanged, SetSecurity},
};

/// T35: looks at the site; nothing is changed.
pub async fn show(call: Call) -> Result<Answer, Fault> {
    let environment = installation(&call, call.query("id")?, Action::SiteRead).await?;
    let seen = call
        .fleet
        .site_security(&call.caller, environment.id)
        .await?;
    Answer::ok(&SecurityOut::from(seen))
}

/// T37: wp-admin's editors.
pub async fn file_editing(call: Call) -> Result<Answer, Fault> {
    plain(call, Measure::FileEditing).await
}

/// T38: what the web server gives out.
pub async fn file_protection(call: Call) -> Result<Answer, Fault> {
    plain(call, Measure::FileProtection).await
}

/// T39: the login page at an address of its own.
pub async fn hide_login(call: Call) -> Result<Answer, Fault> {
    let input: HideLoginIn = call.body()?;
    let set = SetSecurity {
        slug: input.slug,
        ..SetSecurity::new(Measure::HideLogin, input.enabled)
    };
    switch(call, input.id.as_deref(), set).await
}

/// T40: PHP's complaints.
pub async fn debug(call: Call) -> Result<Answer, Fault> {
    plain(call, Measure::Debug).await
}

async fn plain(call: Call, measure: Measure) -> Result<Answer, Fault> {
    let input: SecurityIn = call.body()?;
    let set = SetSecurity::new(measure, input.enabled);
    switch(call, input.id.as_deref(), set).await
}

async fn switch(call: Call, id: Option<&str>, set: SetSecurity) -> Result<Answer, Fault> {
    let environment = installation(&call, id, Action::SiteConfigure).await?;
    let job = call
        .fleet
        .set_security(&call.caller, environment.id, set)
        .await?;
    let job = work::wait(&call, &job).await?;
    if !job.is_final() {
        let running = work::running(job, "The installation is still being worked on");
        return Answer::ok(&SecuritySetOut::Running(running));
    }
    let changed: SecurityChanged = work::report(&job)?;
    let seen = call
        .fleet
        .site_security(&call.caller, environment.id)
        .await?;
    Answer::ok(&SecuritySetOut::Set(Box::new(SecurityChangedOut {
        success: true,
        message: sentence(&changed.message),
        warning: changed.warning.as_deref().map(sentence),
        security: seen.into(),
    })))
}
