//! What is newer than what a site has.

use super::{
    PackageCache, PackageKind, Result,
    cache::{note, preference},
    candidate::Candidate,
    source::{Source, check_name},
};
use pressroom_base::Timestamp;
use pressroom_phpdata::version;
use serde::{Deserialize, Serialize};
use std::{cmp::Ordering, collections::BTreeMap};

/// A newer version than the installed one.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Offer {
    /// What it is for.
    pub kind: PackageKind,
    /// Its slug.
    pub slug: String,
    /// The version offered.
    pub version: String,
    /// The WordPress it needs, when stated.
    pub requires_wordpress: Option<String>,
    /// The PHP it needs, when stated.
    pub requires_php: Option<String>,
}

/// How an installed version stands to what the sources have.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Standing {
    /// There is a newer one.
    Older(Offer),
    /// A source that knows the slug has nothing newer.
    Newest,
    /// No source knows the slug: whether there is a newer version is not known. A
    /// component that its vendor updates by itself, without saying so in an
    /// `Update URI`, shows itself so.
    Unknown,
}

/// A plugin that a site has.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Installed {
    /// Folder, e.g. `akismet`.
    pub slug: String,
    /// Main file, e.g. `akismet/akismet.php`.
    pub file: String,
    /// Installed version.
    pub version: String,
}

impl PackageCache {
    /// What the first source that knows the slug offers, if that is newer than what
    /// is installed. `None` does not mean that there is nothing newer: that is what
    /// [`PackageCache::standing`] tells.
    pub async fn offer(
        &self,
        kind: PackageKind,
        slug: &str,
        installed: Option<&str>,
    ) -> Result<Option<Offer>> {
        Ok(match self.standing(kind, slug, installed).await? {
            Standing::Older(offer) => Some(offer),
            Standing::Newest | Standing::Unknown => None,
        })
    }

    /// How the installed version stands to what the first source that knows the slug
    /// has. A source that does not answer is an error unless another one does.
    pub async fn standing(
        &self,
        kind: PackageKind,
        slug: &str,
        installed: Option<&str>,
    ) -> Result<Standing> {
        check_name("slug", slug)?;
        let mut failed = None;
        for source in self.sources() {
            match source.candidates(kind, slug, "en_US").await {
                Ok(candidates) if candidates.is_empty() => {}
                Ok(candidates) => {
                    let offer =
                        best(candidates).and_then(|found| newer(kind, slug, found, installed));
                    return Ok(offer.map_or(Standing::Newest, Standing::Older));
                }
                Err(error) => failed = Some(note(error)),
            }
        }
        failed.map_or(Ok(Standing::Unknown), Err)
    }

    /// When a version was released, as the first source says that knows the slug; `None` where
    /// it tells nothing of that version. A source that does not answer is an error unless
    /// another one does.
    pub async fn released(
        &self,
        kind: PackageKind,
        slug: &str,
        version: &str,
    ) -> Result<Option<Timestamp>> {
        check_name("slug", slug)?;
        let mut failed = None;
        for source in self.sources() {
            match source.candidates(kind, slug, "en_US").await {
                Ok(found) if found.is_empty() => {}
                Ok(found) => {
                    let mut found = found.into_iter();
                    let same = found.find(|candidate| candidate.version == version);
                    return Ok(same.and_then(|candidate| candidate.released));
                }
                Err(error) => failed = Some(note(error)),
            }
        }
        failed.map_or(Ok(None), Err)
    }

    /// Offers for many plugins by slug, each source asked once where it can be. A
    /// plugin without an offer is the newest, or not known to any source. Plugins whose
    /// `Update URI` names another host must not be asked about: a plugin of that slug
    /// in a source is another one.
    pub async fn offers(&self, plugins: &[Installed]) -> Result<BTreeMap<String, Offer>> {
        let mut offers = BTreeMap::new();
        let mut open: Vec<&Installed> = plugins.iter().collect();
        for source in self.sources() {
            if open.is_empty() {
                break;
            }
            let mut unknown = Vec::new();
            if let Source::WordPressOrg(client) = source {
                let question = open
                    .iter()
                    .map(|plugin| (plugin.file.as_str(), plugin.version.as_str()))
                    .collect();
                for update in client.plugin_updates(&question).await? {
                    let installed = open.iter().find(|plugin| plugin.slug == update.slug);
                    if let Some(plugin) = installed
                        && version::compare(&update.new_version, &plugin.version)
                            == Ordering::Greater
                    {
                        let offer = Offer {
                            kind: PackageKind::Plugin,
                            slug: update.slug.clone(),
                            version: update.new_version,
                            requires_wordpress: update.requires.as_str().map(str::to_owned),
                            requires_php: update.requires_php.as_str().map(str::to_owned),
                        };
                        offers.insert(update.slug, offer);
                    }
                }
                unknown = open;
                unknown.retain(|plugin| !offers.contains_key(&plugin.slug));
            } else {
                for plugin in open {
                    let candidates = source
                        .candidates(PackageKind::Plugin, &plugin.slug, "en_US")
                        .await?;
                    if candidates.is_empty() {
                        unknown.push(plugin);
                    } else if let Some(offer) = best(candidates).and_then(|found| {
                        newer(
                            PackageKind::Plugin,
                            &plugin.slug,
                            found,
                            Some(&plugin.version),
                        )
                    }) {
                        offers.insert(plugin.slug.clone(), offer);
                    }
                }
            }
            open = unknown;
        }
        Ok(offers)
    }
}

fn best(candidates: Vec<Candidate>) -> Option<Candidate> {
    candidates
        .into_iter()
        .filter(|found| found.offered)
        .max_by(|left, right| preference(left, right, "en_US"))
}

fn newer(
    kind: PackageKind,
    slug: &str,
    found: Candidate,
    installed: Option<&str>,
) -> Option<Offer> {
    let newer = installed
        .is_none_or(|installed| version::compare(&found.version, installed) == Ordering::Greater);
    newer.then(|| Offer {
        kind,
        slug: slug.into(),
        version: found.version,
        requires_wordpress: found.requires_wordpress,
        requires_php: found.requires_php,
    })
}
