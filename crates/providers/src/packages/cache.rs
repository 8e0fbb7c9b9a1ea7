//! The package cache: each package is fetched once, verified, and kept by content.

use super::{
    Error, PackageKind, PackageSource, Result,
    candidate::{Candidate, Place},
    directory::stamp,
    source::{Source, check_name},
    storage::{Row, Storage, Temporary, Wanted, stamp_of},
};
use pressroom_phpdata::version;
use std::{
    cmp::Ordering,
    collections::HashMap,
    path::{Path, PathBuf},
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

/// A verified package on this machine.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Package {
    /// What it contains.
    pub kind: PackageKind,
    /// The folder inside the zip.
    pub slug: String,
    /// The version that its files name.
    pub version: String,
    /// Its language; `en_US` when a source has no other.
    pub locale: String,
    /// The zip. It unpacks into one folder, named as the slug.
    pub path: PathBuf,
    /// Hash of the zip, lower-case hex.
    pub sha256: String,
    /// Bytes of the zip.
    pub size: u64,
}

/// Core, plugins and themes for the whole fleet. Cheap to clone.
#[derive(Debug, Clone)]
pub struct PackageCache(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    storage: Storage,
    sources: Vec<Source>,
    /// Fetches going on, so that one package is fetched by one task.
    fetches: Mutex<HashMap<PathBuf, Arc<tokio::sync::Mutex<()>>>>,
}

impl PackageCache {
    /// Keeps packages below `dir`; sources are asked in order.
    pub fn new(dir: impl Into<PathBuf>, sources: Vec<PackageSource>) -> Self {
        Self(Arc::new(Inner {
            storage: Storage::new(dir.into()),
            sources: sources.into_iter().map(Source::new).collect(),
            fetches: Mutex::default(),
        }))
    }

    /// Versions of WordPress that can be installed, the newest first.
    pub async fn core_versions(&self) -> Result<Vec<String>> {
        let mut versions = Vec::new();
        let mut failed = None;
        for source in self.sources() {
            let found = source
                .candidates(PackageKind::Core, PackageKind::CORE_SLUG, "en_US")
                .await;
            match found {
                Ok(found) => versions.extend(found.into_iter().map(|found| found.version)),
                Err(error) => failed = Some(note(error)),
            }
        }
        if let Some(error) = failed.filter(|_| versions.is_empty()) {
            return Err(error);
        }
        versions.sort_by(|left, right| version::compare(right, left));
        versions.dedup();
        Ok(versions)
    }

    /// WordPress itself. No version means the one that the first source offers; a
    /// branch such as `6.5`, when no source has exactly that, means its newest release.
    /// A locale that no source has falls back to `en_US`, see [`Package::locale`].
    pub async fn core(&self, version: Option<&str>, locale: &str) -> Result<Package> {
        self.get(PackageKind::Core, PackageKind::CORE_SLUG, version, locale)
            .await
    }

    /// A plugin or theme. No version means the one that the first source offers.
    pub async fn fetch(
        &self,
        kind: PackageKind,
        slug: &str,
        version: Option<&str>,
    ) -> Result<Package> {
        self.get(kind, slug, version, "en_US").await
    }

    /// Removes what is of no more use and older than `age`: unfinished downloads, and what came
    /// from addresses. No job may have begun to use a package longer ago than that.
    pub async fn prune(&self, age: Duration) -> Result<()> {
        let cache = self.clone();
        let prune = move || cache.0.storage.prune(age);
        // A panic here would be our own mistake; nothing is lost by not having pruned.
        tokio::task::spawn_blocking(prune).await.unwrap_or(Ok(()))
    }

    pub(super) fn storage(&self) -> &Storage {
        &self.0.storage
    }

    pub(super) fn sources(&self) -> &[Source] {
        &self.0.sources
    }

    async fn get(
        &self,
        kind: PackageKind,
        slug: &str,
        wanted: Option<&str>,
        locale: &str,
    ) -> Result<Package> {
        check_name("slug", slug)?;
        check_name("locale", locale)?;
        if let Some(version) = wanted {
            check_name("version", version)?;
        }
        let (source, candidate) = self.choose(kind, slug, wanted, locale).await?;
        self.obtain(kind, slug, source, candidate).await
    }

    /// Asks the sources in order and stops at the first that has it, so that a machine
    /// without a network waits for none.
    async fn choose(
        &self,
        kind: PackageKind,
        slug: &str,
        wanted: Option<&str>,
        locale: &str,
    ) -> Result<(&Source, Candidate)> {
        let mut failed = None;
        for source in self.sources() {
            let found = match source.candidates(kind, slug, locale).await {
                Ok(candidates) => candidates,
                Err(error) => {
                    failed = Some(note(error));
                    continue;
                }
            };
            let best = |fits: &dyn Fn(&Candidate) -> bool| {
                found
                    .iter()
                    .filter(|candidate| fits(candidate))
                    .max_by(|left, right| preference(left, right, locale))
            };
            let chosen = match wanted {
                None => best(&|_| true),
                Some(wanted) => {
                    let branch = format!("{wanted}.");
                    best(&|found| version::compare(&found.version, wanted) == Ordering::Equal)
                        .or_else(|| {
                            let core = kind == PackageKind::Core;
                            best(&|found| core && found.version.starts_with(&branch))
                        })
                }
            };
            if let Some(chosen) = chosen {
                return Ok((source, chosen.clone()));
            }
        }
        Err(failed.unwrap_or_else(|| Error::NotFound {
            kind,
            slug: slug.into(),
            version: wanted.map(str::to_owned),
        }))
    }

    /// From the cache, or from the source into the cache.
    async fn obtain(
        &self,
        kind: PackageKind,
        slug: &str,
        source: &Source,
        candidate: Candidate,
    ) -> Result<Package> {
        check_name("version", &candidate.version)?;
        check_name("locale", &candidate.locale)?;
        let stamp = match &candidate.place {
            Place::File(path) => stamp(path).ok_or_else(|| Error::NotFound {
                kind,
                slug: slug.into(),
                version: Some(candidate.version.clone()),
            })?,
            Place::Tree(path) => stamp(&path.join("wp-includes/version.php")).unwrap_or_default(),
            Place::Url(url) => stamp_of(url),
        };
        let storage = &self.0.storage;
        let index = storage.index(kind, slug, &candidate, &stamp);
        let obtained = self.in_turn(&index, async {
            match storage.load(&index, &stamp) {
                Some(row) => Ok(row),
                None => {
                    self.import(kind, slug, source, &candidate, &index, stamp)
                        .await
                }
            }
        });
        let obtained = obtained.await;
        let row = obtained?;
        Ok(Package {
            kind,
            slug: slug.into(),
            locale: candidate.locale,
            path: storage.object(&row.sha256),
            version: row.version,
            sha256: row.sha256,
            size: row.size,
        })
    }

    /// Fetches what an index file is of, while nobody else here does.
    pub(super) async fn in_turn<T>(&self, index: &Path, fetch: impl Future<Output = T>) -> T {
        let fetches = || {
            let fetches = self.0.fetches.lock();
            fetches.unwrap_or_else(PoisonError::into_inner)
        };
        let turn = Arc::clone(fetches().entry(index.to_owned()).or_default());
        let result = {
            let _turn = turn.lock().await;
            fetch.await
        };
        drop(turn);
        fetches().retain(|_, turn| Arc::strong_count(turn) > 1);
        result
    }

    async fn import(
        &self,
        kind: PackageKind,
        slug: &str,
        source: &Source,
        candidate: &Candidate,
        index: &Path,
        stamp: String,
    ) -> Result<Row> {
        let temporary = self.0.storage.temporary()?;
        if let (Place::Url(url), Source::WordPressOrg(client)) = (&candidate.place, source) {
            client.download(url.clone(), &temporary.path).await?;
        }
        let wanted = Wanted {
            kind,
            slug: slug.to_owned(),
            version: Some(candidate.version.clone()),
        };
        self.keep(temporary, candidate.place.clone(), wanted, index, stamp)
            .await
    }

    /// Verifies and keeps a package.
    pub(super) async fn keep(
        &self,
        temporary: Temporary,
        place: Place,
        wanted: Wanted,
        index: &Path,
        stamp: String,
    ) -> Result<Row> {
        let (cache, index, slug) = (self.clone(), index.to_path_buf(), wanted.slug.clone());
        let keep = move || {
            cache
                .0
                .storage
                .keep(&temporary, &place, &wanted, &index, stamp)
        };
        // Archives come from outside: whatever they do to their reader is their fault.
        tokio::task::spawn_blocking(keep).await.unwrap_or_else(|_| {
            Err(Error::Damaged {
                name: slug,
                message: "reading it failed".into(),
            })
        })
    }
}

/// Offered before not, then by version, then in the language asked for.
pub(super) fn preference(left: &Candidate, right: &Candidate, locale: &str) -> Ordering {
    left.offered
        .cmp(&right.offered)
        .then_with(|| version::compare(&left.version, &right.version))
        .then_with(|| (left.locale == locale).cmp(&(right.locale == locale)))
}

pub(super) fn note(error: Error) -> Error {
    tracing::debug!(%error, "a package source failed, the next is asked");
    error
}
