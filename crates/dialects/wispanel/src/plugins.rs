//! T15, T19: plugins.

mod update;

pub use update::update;

use crate::{lookup::installation, wire::PluginOut};
use pressroom_dialect_http::{Answer, Call, Fault};
use pressroom_fleet::{authorize::Action, views::Environment};

/// The kind of component this file is about, as the fleet names it.
const KIND: &str = "plugin";

/// T15: a bare array.
pub async fn list(call: Call) -> Result<Answer, Fault> {
    let environment = installation(&call, call.query("id")?, Action::SiteRead).await?;
    let plugins: Vec<PluginOut> = environment
        .components
        .into_iter()
        .filter(|component| component.kind == KIND)
        .map(PluginOut::from)
        .collect();
    Answer::ok(&plugins)
}

/// An installed plugin by folder or `folder/file.php`.
fn find(environment: &Environment, asked: &str) -> Option<PluginOut> {
    environment
        .components
        .iter()
        .find(|found| found.kind == KIND && (found.slug == asked || found.file == asked))
        .cloned()
        .map(PluginOut::from)
}
