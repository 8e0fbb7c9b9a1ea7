//! The theme object (T21).

use pressroom_fleet::views::Component;
use serde::Serialize;
use utoipa::ToSchema;

/// An installed theme.
#[derive(Clone, Serialize, ToSchema)]
pub struct ThemeOut {
    slug: String,
    name: String,
    version: String,
    /// `active`, `inactive`, or `parent` of the active one.
    status: String,
    update_available: bool,
    new_version: Option<String>,
    /// The theme that this one builds on.
    parent: Option<String>,
    /// Always `false`: WordPress' own updater is switched off where Pressroom updates.
    auto_update: bool,
}

impl From<Component> for ThemeOut {
    fn from(theme: Component) -> Self {
        Self {
            slug: theme.slug,
            name: theme.name,
            version: theme.version,
            status: match theme.status.as_str() {
                // The site's tables did not answer when it was inspected.
                "unknown" => "inactive".into(),
                _ => theme.status,
            },
            update_available: theme.new_version.is_some(),
            new_version: theme.new_version,
            parent: theme.parent,
            auto_update: false,
        }
    }
}
