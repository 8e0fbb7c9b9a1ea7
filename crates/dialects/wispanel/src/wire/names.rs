//! Who is named in the bodies of T16–T20 and T22–T26.

use serde::Deserialize;
use utoipa::ToSchema;

/// A body that names components of an installation.
pub trait NamesIn: Send + Sync {
    /// The installation.
    fn id(&self) -> Option<&str>;
    /// The one component.
    fn one(&self) -> Option<&str>;
    /// Several.
    fn some(&self) -> Option<&[String]>;
}

macro_rules! names {
    ($($(#[doc = $doc:literal])+ $name:ident ($one:ident, $some:ident) {
        $($(#[doc = $member_doc:literal])+ $member:ident: $kind:ty,)*
    })*) => {$(
        $(#[doc = $doc])+
        #[derive(Default, Deserialize, ToSchema)]
        #[serde(default)]
        pub struct $name {
            /// The installation; required.
            pub id: Option<String>,
            /// Its folder, or main file such as `folder/file.php`.
            pub $one: Option<String>,
            /// At most 50 of them.
            pub $some: Option<Vec<String>>,
            $($(#[doc = $member_doc])+ pub $member: $kind,)*
        }

        impl NamesIn for $name {
            fn id(&self) -> Option<&str> {
                self.id.as_deref()
            }
            fn one(&self) -> Option<&str> {
                self.$one.as_deref()
            }
            fn some(&self) -> Option<&[String]> {
                self.$some.as_deref()
            }
        }
    )*};
}

names! {
    /// Plugins: `plugin` or `plugins`; an update takes `all` too.
    PluginsIn (plugin, plugins) {}
    /// Themes: `theme` or `themes`; an update takes `all` too.
    ThemesIn (theme, themes) {}
    /// A plugin to install.
    InstallPluginIn (plugin, plugins) {
        /// The offered one when absent.
        version: Option<String>,
        /// `https` address of a zip on a public host, at most 100 MiB.
        source: Option<String>,
        /// `false` when absent.
        activate: Option<bool>,
    }
    /// A theme to install.
    InstallThemeIn (theme, themes) {
        /// The offered one when absent.
        version: Option<String>,
        /// `https` address of a zip on a public host, at most 100 MiB.
        source: Option<String>,
        /// `false` when absent.
        activate: Option<bool>,
    }
    /// A plugin to delete.
    DeletePluginIn (plugin, plugins) {
        /// Deactivates it first; `false` when absent.
        force: Option<bool>,
    }
}
