//! The language packs of a new WordPress: exchanged together with it, or left to WordPress' own
//! updater, which fetches them later. None that is missing fails an update.

use super::{
    course::Course,
    exchange::{Exchange, languages_of},
};
use crate::{Error, Result};
use pressroom_base::Kind;
use pressroom_carrier::Session;
use pressroom_providers::packages::TranslationOffer;
use pressroom_wordpress::{
    core::{CoreSwap, package_translation},
    watch::Watch,
};
use std::{collections::BTreeMap, io::BufReader, path::PathBuf};

/// A language of the site that is not brought up to date.
pub(super) struct Left {
    /// E.g. `de_DE`; `None` where not even the languages are known.
    pub(super) locale: Option<String>,
    /// Why.
    pub(super) why: String,
}

/// Adds the translations of the site's languages to a WordPress of this version that is staged
/// beside `root`; nothing to any other exchange. Says which are left as they are, and why.
pub(super) async fn add_translations(
    course: &Course<'_>,
    session: &Session,
    root: &str,
    exchange: &mut Exchange,
    version: &str,
) -> Result<Vec<Left>> {
    let Exchange::Core { swap, languages } = exchange else {
        return Ok(Vec::new());
    };
    let left = Bring {
        course,
        session,
        root,
        version,
    };
    let left = left.all(swap, languages).await?;
    for Left { locale, why } in &left {
        let what = match locale {
            Some(locale) => format!("the translation to {locale} is"),
            None => "translations are".to_owned(),
        };
        course.ctx.line(format!("{what} left as it was: {why}"));
    }
    Ok(left)
}

struct Bring<'a> {
    course: &'a Course<'a>,
    session: &'a Session,
    root: &'a str,
    version: &'a str,
}

impl Bring<'_> {
    async fn all(&self, swap: &mut CoreSwap, languages: &mut Option<String>) -> Result<Vec<Left>> {
        let (session, ctx) = (self.session, self.course.ctx);
        let none = |error: &dyn std::fmt::Display| {
            let why = error.to_string();
            Ok(vec![Left { locale: None, why }])
        };
        if let Err(error) = session.require("stage_translation") {
            return none(&error);
        }
        let looking = async {
            let installed = session.list_translations(self.root).await?;
            // Before anything is planned: what changes later is seen.
            let tree = session.tree_hash(&languages_of(self.root)).await?;
            Ok::<_, Error>((installed, tree.map(|tree| tree.hash)))
        };
        let (installed, tree) = match looking.await {
            Ok(found) => found,
            Err(error) if ctx.check().is_ok() && is_about_files(&error) => {
                return none(&error.message());
            }
            Err(error) => return Err(error),
        };
        if installed.is_empty() {
            return Ok(Vec::new());
        }
        *languages = tree;
        let offers = self
            .course
            .fleet
            .parts
            .packages
            .core_translations(self.version);
        let offers = match offers.await {
            Ok(offers) => offers,
            Err(error) => {
                let why = format!("what is on offer is not known: {error}");
                return none(&why);
            }
        };
        let mut left = Vec::new();
        for there in installed {
            ctx.check()?;
            let locale = there.locale;
            let Some(offer) = offers.iter().find(|offer| offer.locale == locale) else {
                let why = format!("there is no language pack of {}", self.version);
                let locale = Some(locale);
                left.push(Left { locale, why });
                continue;
            };
            if !offer.is_newer_than(there.revision.as_deref()) {
                ctx.line(format!(
                    "the translation to {locale} stays: it is as new as the one on offer"
                ));
                continue;
            }
            match self.one(swap, offer).await {
                Ok(planned) => {
                    *swap = planned;
                    let of = &offer.version;
                    ctx.line(format!("the translation to {locale} of {of} goes with it"));
                }
                Err(error) if ctx.check().is_ok() && is_about_files(&error) => {
                    let why = error.message().to_owned();
                    let locale = Some(locale);
                    left.push(Left { locale, why });
                }
                Err(error) => return Err(error),
            }
        }
        Ok(left)
    }

    /// The plan with one pack, held against the pack as this server knows it.
    async fn one(&self, swap: &CoreSwap, offer: &TranslationOffer) -> Result<CoreSwap> {
        let packages = &self.course.fleet.parts.packages;
        let pack = packages.fetch_translation(offer).await.map_err(|error| {
            let text = format!("its language pack could not be had: {error}");
            Error::new(Kind::Remote, text).with_source(error)
        })?;
        let expected = files_of(pack.path.clone(), offer.locale.clone()).await?;
        let file = tokio::fs::File::open(&pack.path)
            .await
            .map_err(Error::internal)?;
        let (epoch, locale) = (self.course.ctx.epoch(), offer.locale.as_str());
        let staging = self
            .session
            .stage_translation(epoch, swap.clone(), locale, file);
        let planned = staging.await?;
        if adds_only(swap, &planned, &expected) {
            return Ok(planned);
        }
        Err(Error::new(
            Kind::Remote,
            "what arrived at the site is not the language pack",
        ))
    }
}

/// The files of a pack, hashed here from the cached zip.
async fn files_of(path: PathBuf, locale: String) -> Result<BTreeMap<String, String>> {
    tokio::task::spawn_blocking(move || {
        let file = std::fs::File::open(&path).map_err(Error::internal)?;
        package_translation(BufReader::new(file), &locale, &Watch::unbounded())
            .map_err(|error| Error::new(Kind::Remote, error.to_string()))
    })
    .await
    .map_err(Error::internal)?
}

/// Whether a plan has become another by these files, and by nothing else.
fn adds_only(old: &CoreSwap, new: &CoreSwap, files: &BTreeMap<String, String>) -> bool {
    let known: BTreeMap<_, _> = old.translations().collect();
    new.without_translations() == old.without_translations()
        && new.translations().all(|(name, item)| {
            known.get(name) == Some(&item) || item.after.as_ref() == files.get(name)
        })
}

/// Whether a pack, or what it is for, is at fault, and not the way to the site.
fn is_about_files(error: &Error) -> bool {
    matches!(
        error.kind(),
        Kind::Invalid
            | Kind::Remote
            | Kind::Unsupported
            | Kind::NotFound
            | Kind::Forbidden
            | Kind::Conflict
            | Kind::Limited
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use pressroom_wordpress::core::CoreItem;

    fn plan(items: &[(&str, Option<&str>)]) -> CoreSwap {
        let item = |(name, after): &(&str, Option<&str>)| CoreItem {
            name: (*name).to_owned(),
            before: Some("old".into()),
            after: after.map(str::to_owned),
        };
        let swap = CoreSwap {
            root: "public_html".into(),
            staged: "1-0011223344556677".into(),
            items: items.iter().map(item).collect(),
            before: String::new(),
            after: String::new(),
        };
        // As an agent would have hashed them.
        let hashed = swap.without_translations();
        CoreSwap {
            before: hashed.before,
            after: hashed.after,
            ..swap
        }
    }

    #[test]
    fn a_plan_may_gain_the_files_of_its_pack_and_nothing_else() {
        let core = ("index.php", Some("new"));
        let (mo, json) = (
            "wp-content/languages/de_DE.mo",
            "wp-content/languages/de_DE-x.json",
        );
        let french = ("wp-content/languages/fr_FR.mo", Some("french"));
        let files = BTreeMap::from([("de_DE.mo".to_owned(), "german".to_owned())]);
        let old = plan(&[core, french]);
        let german = (mo, Some("german"));
        assert!(adds_only(&old, &old, &files));
        assert!(adds_only(&old, &plan(&[core, french, german]), &files));
        assert!(adds_only(
            &old,
            &plan(&[core, french, german, (json, None)]),
            &files
        ));
        for bad in [
            vec![core, french, (mo, Some("other"))],
            vec![core, french, (mo, None)],
            vec![core, french, (json, Some("german"))],
            vec![core, ("wp-content/languages/fr_FR.mo", Some("x")), german],
            vec![("index.php", Some("evil")), french, german],
            vec![core, ("evil.php", Some("x")), french, german],
        ] {
            assert!(!adds_only(&old, &plan(&bad), &files), "{bad:?}");
        }
    }
}
