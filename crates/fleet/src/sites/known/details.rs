//! All that is known of one site.

use super::view::{Newer, Site, SiteDetails, Theme};
use crate::{Fleet, Result};
use pressroom_store::{ComponentRow, KnownSite, components, pipelines, sites, snapshots, tags};

impl Fleet {
    pub(super) async fn site_details(&self, known: KnownSite) -> Result<SiteDetails> {
        let store = &self.parts.store;
        let site = Site::from(known);
        let Some(environment) = site.environment_id else {
            return Ok(SiteDetails {
                tags: sites::tags(store, site.id).await?,
                site,
                theme: None,
                updates: None,
                last_snapshot_at: None,
                pipeline: None,
            });
        };
        let components = components::list(store, environment).await?;
        let updates = match &site.core_version {
            _ if !site.connected => None,
            Some(version) => {
                let core = self.core_offers(site.id, version).await?;
                Some(newer(core, &components))
            }
            None => Some(newer(None, &components)),
        };
        let newest = snapshots::newest_whole_of(store, &[environment]).await?;
        let open = pipelines::open_of(store, site.id).await?;
        Ok(SiteDetails {
            pipeline: open.map(|row| row.short_id.to_string()),
            theme: components
                .iter()
                .find(|row| is_theme_in_use(row))
                .map(theme),
            updates,
            last_snapshot_at: newest.get(&environment).copied(),
            tags: tags::list(store, environment).await?,
            site,
        })
    }
}

fn is_theme_in_use(row: &ComponentRow) -> bool {
    row.kind == "theme" && row.status == "active"
}

fn theme(row: &ComponentRow) -> Theme {
    Theme {
        slug: row.slug.clone(),
        name: row.name.clone(),
        version: row.version.clone(),
    }
}

fn newer(core: Option<u64>, components: &[ComponentRow]) -> Newer {
    let of = |kind: &str| {
        let these = || components.iter().filter(|row| row.kind == kind);
        let known = these().filter(|row| row.new_version.is_some()).count();
        // None is known of, and there may be some: that is not none.
        let unknown = known == 0 && these().any(|row| row.offer_unknown.is_some());
        (!unknown).then(|| u64::try_from(known).unwrap_or(u64::MAX))
    };
    Newer {
        core,
        plugins: of("plugin"),
        themes: of("theme"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use pressroom_base::id::EnvironmentId;

    fn component(kind: &str, new_version: Option<&str>, unknown: Option<&str>) -> ComponentRow {
        ComponentRow {
            id: 1,
            environment_id: EnvironmentId::new(1),
            kind: kind.into(),
            place: "normal".into(),
            slug: "a".into(),
            file: "a/a.php".into(),
            name: "A".into(),
            version: "1".into(),
            status: "active".into(),
            new_version: new_version.map(str::to_owned),
            offer_unknown: unknown.map(str::to_owned),
            tree_hash: None,
            author: String::new(),
            description: String::new(),
            parent: None,
        }
    }

    #[test]
    fn what_nobody_knows_is_not_none() {
        let told = [
            component("plugin", Some("2"), None),
            component("plugin", None, Some("not asked")),
            component("theme", None, Some("not asked")),
        ];
        let seen = newer(Some(1), &told);
        assert_eq!(
            (seen.plugins, seen.themes, seen.core),
            (Some(1), None, Some(1))
        );
        let none = newer(None, &[component("plugin", None, None)]);
        assert_eq!((none.plugins, none.themes), (Some(0), Some(0)));
    }
}
