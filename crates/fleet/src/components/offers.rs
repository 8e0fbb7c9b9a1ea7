//! Which newer versions the package source has.

use crate::{Error, Fleet, Result};
use pressroom_base::Kind;
use pressroom_providers::packages::{Package, PackageKind, Standing};
use pressroom_wordpress::{
    component::ComponentKind,
    inventory::{FoundComponent, UpdateSource},
};

/// What is known of newer versions of an installed component.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Newer<T> {
    /// There is one.
    Is(T),
    /// There is none.
    None,
    /// It cannot be known, and why. Never to be told as "up to date".
    Unknown(String),
}

impl Fleet {
    /// The newest package above what was found. Only a component that the package
    /// source may answer for is asked about: under the slug of a vendor's plugin it may
    /// have something else altogether.
    pub(crate) async fn newer_package(&self, found: &FoundComponent) -> Result<Newer<Package>> {
        if let Some(told) = without_asking(found) {
            return Ok(told);
        }
        let kind = source_kind(found.kind);
        let slug = source_slug(found);
        let packages = &self.parts.packages;
        let offer = match packages.standing(kind, slug, Some(&found.version)).await? {
            Standing::Older(offer) => offer,
            Standing::Newest => return Ok(Newer::None),
            Standing::Unknown => return Ok(unknown_slug(slug)),
        };
        match packages.fetch(kind, slug, Some(&offer.version)).await {
            Ok(package) => Ok(Newer::Is(package)),
            Err(error) => Err(Error::new(
                Kind::Remote,
                format!(
                    "the package of `{slug}` {} could not be had: {error}",
                    offer.version
                ),
            )
            .with_source(error)),
        }
    }

    /// The newest version above what was found. A source that does not answer leaves it
    /// unknown, and is no error.
    pub(crate) async fn newer_version(&self, found: &FoundComponent) -> Newer<String> {
        if let Some(told) = without_asking(found) {
            return told;
        }
        let kind = source_kind(found.kind);
        let slug = source_slug(found);
        let standing = self
            .parts
            .packages
            .standing(kind, slug, Some(&found.version));
        match standing.await {
            Ok(Standing::Older(offer)) => Newer::Is(offer.version),
            Ok(Standing::Newest) => Newer::None,
            Ok(Standing::Unknown) => unknown_slug(slug),
            Err(error) => {
                tracing::debug!(slug, error = %error, "the package source did not say whether there is an update");
                Newer::Unknown("the package source did not answer".to_owned())
            }
        }
    }
}

/// What the component's own header settles.
fn without_asking<T>(found: &FoundComponent) -> Option<Newer<T>> {
    match &found.update_source {
        UpdateSource::Repository => None,
        UpdateSource::Vendor(host) => Some(Newer::Unknown(format!(
            "its updates come from `{host}`, which only the component itself can ask"
        ))),
        UpdateSource::Nobody => Some(Newer::None),
        UpdateSource::Unknown => Some(Newer::Unknown(
            "it cannot be told where its updates come from".to_owned(),
        )),
    }
}

fn unknown_slug<T>(slug: &str) -> Newer<T> {
    Newer::Unknown(format!("no package source knows `{slug}`"))
}

/// The name under which a source knows a component. WordPress asks about a plugin of one
/// file by the file's name; its own `hello.php` alone has another.
fn source_slug(found: &FoundComponent) -> &str {
    match (found.kind, found.file.as_str()) {
        (ComponentKind::Plugin, "hello.php") => "hello-dolly",
        (ComponentKind::Plugin, file) if !file.contains('/') => {
            file.strip_suffix(".php").unwrap_or(file)
        }
        _ => &found.slug,
    }
}

/// A component's name on the disk: its directory, or the file of a plugin that is one file.
pub(crate) fn on_disk(found: &FoundComponent) -> &str {
    if found.kind == ComponentKind::Plugin && !found.file.contains('/') {
        &found.file
    } else {
        &found.slug
    }
}

/// The kind and name under which sources know a component.
pub(crate) fn source(found: &FoundComponent) -> (PackageKind, &str) {
    (source_kind(found.kind), source_slug(found))
}

const fn source_kind(kind: ComponentKind) -> PackageKind {
    match kind {
        ComponentKind::Plugin => PackageKind::Plugin,
        ComponentKind::Theme => PackageKind::Theme,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use pressroom_wordpress::inventory::Place;

    fn found(update_source: UpdateSource) -> FoundComponent {
        FoundComponent {
            kind: ComponentKind::Plugin,
            place: Place::Normal,
            slug: "shop".into(),
            file: "shop/shop.php".into(),
            name: "Shop".into(),
            version: "1.0".into(),
            author: String::new(),
            description: String::new(),
            parent: None,
            requires_php: None,
            requires_wordpress: None,
            update_uri: None,
            text_domain: None,
            requires_plugins: Vec::new(),
            network_only: false,
            others: Vec::new(),
            update_source,
            active: None,
            network_active: None,
            active_on: Vec::new(),
        }
    }

    #[test]
    fn a_plugin_of_one_file_is_asked_about_by_its_file() {
        let mut plugin = found(UpdateSource::Repository);
        assert_eq!((source_slug(&plugin), on_disk(&plugin)), ("shop", "shop"));
        (plugin.slug, plugin.file) = ("hello".into(), "hello.php".into());
        assert_eq!(
            (source_slug(&plugin), on_disk(&plugin)),
            ("hello-dolly", "hello.php")
        );
        (plugin.slug, plugin.file) = ("note".into(), "note.php".into());
        assert_eq!(
            (source_slug(&plugin), on_disk(&plugin)),
            ("note", "note.php")
        );
    }

    #[test]
    fn a_vendors_component_is_unknown_and_not_asked_about() {
        let told = |source| without_asking::<String>(&found(source));
        assert_eq!(told(UpdateSource::Repository), None);
        assert_eq!(told(UpdateSource::Nobody), Some(Newer::None));
        let vendor = told(UpdateSource::Vendor("example.com".into()));
        assert!(matches!(vendor, Some(Newer::Unknown(why)) if why.contains("example.com")));
        assert!(matches!(
            told(UpdateSource::Unknown),
            Some(Newer::Unknown(_))
        ));
    }
}
