//! T15–T20: plugins.

use crate::{
    components::{self, PLUGIN},
    lookup::installation,
    wire::{DeletePluginIn, InstallPluginIn, PluginOut, PluginsIn},
};
use pressroom_dialect_http::{Answer, Call, Fault};
use pressroom_fleet::{authorize::Action, components::Change};

/// T15: a bare array.
pub async fn list(call: Call) -> Result<Answer, Fault> {
    let environment = installation(&call, call.query("id")?, Action::SiteRead).await?;
    let plugins: Vec<PluginOut> = environment
        .components
        .into_iter()
        .filter(|component| component.kind == PLUGIN.kind)
        .map(PluginOut::from)
        .collect();
    Answer::ok(&plugins)
}

/// T16: from the package source, or from an address.
pub async fn install(call: Call) -> Result<Answer, Fault> {
    let mut input: InstallPluginIn = call.body()?;
    let change = Change::Install {
        version: input.version.take(),
        source: input.source.take(),
        activate: input.activate.unwrap_or(false),
    };
    components::change(call, &PLUGIN, &input, change).await
}

/// T17.
pub async fn activate(call: Call) -> Result<Answer, Fault> {
    let input: PluginsIn = call.body()?;
    components::change(call, &PLUGIN, &input, Change::Activate).await
}

/// T18.
pub async fn deactivate(call: Call) -> Result<Answer, Fault> {
    let input: PluginsIn = call.body()?;
    components::change(call, &PLUGIN, &input, Change::Deactivate).await
}

/// T19.
pub async fn update(call: Call) -> Result<Answer, Fault> {
    let input: PluginsIn = call.body()?;
    components::update(call, &PLUGIN, &input).await
}

/// T20.
pub async fn delete(call: Call) -> Result<Answer, Fault> {
    let input: DeletePluginIn = call.body()?;
    let force = input.force.unwrap_or(false);
    components::change(call, &PLUGIN, &input, Change::Delete { force }).await
}
