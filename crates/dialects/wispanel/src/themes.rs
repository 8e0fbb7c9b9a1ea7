//! T21–T26: themes.

use crate::{
    components::{self, THEME},
    lookup::installation,
    wire::{InstallThemeIn, ThemeOut, ThemesIn},
};
use pressroom_dialect_http::{Answer, Call, Fault};
use pressroom_fleet::{authorize::Action, components::Change};

/// T21: a bare array.
pub async fn list(call: Call) -> Result<Answer, Fault> {
    let environment = installation(&call, call.query("id")?, Action::SiteRead).await?;
    let themes: Vec<ThemeOut> = environment
        .components
        .into_iter()
        .filter(|component| component.kind == THEME.kind)
        .map(ThemeOut::from)
        .collect();
    Answer::ok(&themes)
}

/// T22: from the package source, or from an address.
pub async fn install(call: Call) -> Result<Answer, Fault> {
    let mut input: InstallThemeIn = call.body()?;
    let change = Change::Install {
        version: input.version.take(),
        source: input.source.take(),
        activate: input.activate.unwrap_or(false),
    };
    components::change(call, &THEME, &input, change).await
}

/// T23.
pub async fn activate(call: Call) -> Result<Answer, Fault> {
    let input: ThemesIn = call.body()?;
    components::change(call, &THEME, &input, Change::Activate).await
}

/// T24: WordPress needs a theme, so that the newest default one takes its place.
pub async fn deactivate(call: Call) -> Result<Answer, Fault> {
    let input: ThemesIn = call.body()?;
    components::change(call, &THEME, &input, Change::Deactivate).await
}

/// T25.
pub async fn update(call: Call) -> Result<Answer, Fault> {
    let input: ThemesIn = call.body()?;
    components::update(call, &THEME, &input).await
}

/// T26.
pub async fn delete(call: Call) -> Result<Answer, Fault> {
    let input: ThemesIn = call.body()?;
    let change = Change::Delete { force: false };
    components::change(call, &THEME, &input, change).await
}
