//! The plugin object (T15).

use pressroom_fleet::views::Component;
use serde::Serialize;
use utoipa::ToSchema;

/// An installed plugin.
#[derive(Clone, Serialize, ToSchema)]
pub struct PluginOut {
    slug: String,
    file: String,
    name: String,
    version: String,
    /// `active`, `inactive`, `active-network`, `must-use` or `dropin`.
    status: String,
    update_available: bool,
    new_version: Option<String>,
    /// Always `false`: WordPress' own updater is switched off where Pressroom updates.
    auto_update: bool,
    author: String,
    description: String,
}

impl From<Component> for PluginOut {
    fn from(plugin: Component) -> Self {
        Self {
            slug: plugin.slug,
            file: plugin.file,
            name: plugin.name,
            version: plugin.version,
            status: match plugin.status.as_str() {
                // The site's tables did not answer when it was inspected.
                "unknown" => "inactive".into(),
                _ => plugin.status,
            },
            update_available: plugin.new_version.is_some(),
            new_version: plugin.new_version,
            auto_update: false,
            author: plugin.author,
            description: plugin.description,
        }
    }
}
