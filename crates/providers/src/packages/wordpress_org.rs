//! A client of wordpress.org's API, or of a mirror that speaks it.

use super::{
    Error, PackageKind, Result,
    candidate::{Candidate, Place},
    released::release_time,
};
use crate::outgoing::{self, Outgoing};
use serde::{Deserialize, de::DeserializeOwned};
use serde_json::Value;
use std::{collections::BTreeMap, fs::File, io::Write, path::Path};
use url::Url;

const ANSWER_LIMIT: u64 = 16 << 20;
const PACKAGE_LIMIT: u64 = 512 << 20;
/// The largest language packs of WordPress have 4 MiB.
const PACK_LIMIT: u64 = 32 << 20;

/// A client of wordpress.org's API.
#[derive(Debug, Clone)]
pub struct WordPressOrg {
    base_url: Url,
    outgoing: Outgoing,
}

/// An update that the API knows of.
#[derive(Debug, Clone, Deserialize)]
pub(super) struct Update {
    pub slug: String,
    pub new_version: String,
    #[serde(default)]
    pub requires: Value,
    #[serde(default)]
    pub requires_php: Value,
}

#[derive(Deserialize)]
struct VersionCheck {
    offers: Vec<CoreOffer>,
}

#[derive(Deserialize)]
struct CoreOffer {
    version: String,
    locale: String,
    #[serde(default)]
    php_version: Value,
    packages: CorePackages,
}

#[derive(Deserialize)]
struct CorePackages {
    full: String,
}

/// A language pack that the API knows of.
#[derive(Debug, Deserialize)]
pub(super) struct Pack {
    pub language: String,
    pub version: String,
    #[serde(default)]
    pub updated: Value,
    package: String,
    /// Where the package is.
    #[serde(skip)]
    pub url: Option<Url>,
}

#[derive(Deserialize)]
struct Information {
    version: String,
    download_link: String,
    #[serde(default)]
    requires: Value,
    #[serde(default)]
    requires_php: Value,
    /// Of the newest version, to the minute: that of plugins.
    #[serde(default)]
    last_updated: Value,
    /// The same to the second: that of themes, whose `last_updated` is a day.
    #[serde(default)]
    last_updated_time: Value,
    /// A map, or PHP's empty array.
    #[serde(default)]
    versions: Value,
}

impl WordPressOrg {
    /// A client of the API at `base_url`; that origin alone may be private.
    pub fn new(base_url: Url) -> Self {
        let outgoing = Outgoing::new(&base_url);
        Self { base_url, outgoing }
    }

    /// MD5 sums of a release by path, `None` when the API knows no such release.
    pub async fn core_checksums(
        &self,
        version: &str,
        locale: &str,
    ) -> Result<Option<BTreeMap<String, String>>> {
        let url = self.url(
            "core/checksums/1.0/",
            &[("version", version), ("locale", locale)],
        )?;
        let answer: Value = self.get(url).await?.unwrap_or_default();
        Ok(serde_json::from_value(answer["checksums"].clone()).ok())
    }

    pub(super) async fn candidates(
        &self,
        kind: PackageKind,
        slug: &str,
        locale: &str,
    ) -> Result<Vec<Candidate>> {
        match kind {
            PackageKind::Core => self.cores(locale).await,
            PackageKind::Plugin => {
                self.components("plugins/info/1.2/", "plugin_information", slug)
                    .await
            }
            PackageKind::Theme => {
                self.components("themes/info/1.2/", "theme_information", slug)
                    .await
            }
        }
    }

    /// Updates for many plugins in one question; keys are main files such as
    /// `akismet/akismet.php`, values their versions.
    pub(super) async fn plugin_updates(
        &self,
        installed: &BTreeMap<&str, &str>,
    ) -> Result<Vec<Update>> {
        let plugins: BTreeMap<&str, Value> = installed
            .iter()
            .map(|(file, version)| (*file, serde_json::json!({"Version": version})))
            .collect();
        let question = serde_json::json!({"plugins": plugins, "active": []}).to_string();
        let url = self.url("plugins/update-check/1.1/", &[])?;
        let answer = self
            .outgoing
            .post(url.clone(), &[("plugins", &question)])
            .await?;
        let answer: Value = decode(&url, answer).await?.unwrap_or_default();
        // No update at all is PHP's empty array.
        let updates: BTreeMap<String, Update> = match &answer["plugins"] {
            Value::Object(_) => serde_json::from_value(answer["plugins"].clone())
                .map_err(|error| unexpected(&url, error))?,
            _ => BTreeMap::new(),
        };
        Ok(updates.into_values().collect())
    }

    /// Language packs of a WordPress; what cannot be read of them is left out.
    pub(super) async fn core_translations(&self, version: &str) -> Result<Vec<Pack>> {
        let url = self.url("translations/core/1.0/", &[("version", version)])?;
        let answer: Value = self.get(url.clone()).await?.unwrap_or_default();
        let packs = answer["translations"].as_array().into_iter().flatten();
        Ok(packs
            .filter_map(|pack| {
                let mut pack = Pack::deserialize(pack).ok()?;
                pack.url = Some(link(&url, &pack.package).ok()?);
                Some(pack)
            })
            .collect())
    }

    /// Downloads a package into a new file.
    pub(super) async fn download(&self, url: Url, target: &Path) -> Result<()> {
        download(&self.outgoing, url, target, PACKAGE_LIMIT).await
    }

    /// Downloads a language pack into a new file.
    pub(super) async fn download_pack(&self, url: Url, target: &Path) -> Result<()> {
        download(&self.outgoing, url, target, PACK_LIMIT).await
    }

    async fn cores(&self, locale: &str) -> Result<Vec<Candidate>> {
        // `version` empty asks for all that is offered, one per branch.
        let url = self.url(
            "core/version-check/1.7/",
            &[("version", ""), ("locale", locale)],
        )?;
        let answer: VersionCheck = self
            .get(url.clone())
            .await?
            .ok_or_else(|| unexpected(&url, "status 404"))?;
        let latest = answer.offers.first().map(|offer| offer.version.clone());
        answer
            .offers
            .into_iter()
            .map(|offer| {
                Ok(Candidate {
                    offered: Some(&offer.version) == latest.as_ref(),
                    version: offer.version,
                    locale: offer.locale,
                    requires_wordpress: None,
                    requires_php: text(&offer.php_version),
                    released: None,
                    place: Place::Url(link(&url, &offer.packages.full)?),
                })
            })
            .collect()
    }

    async fn components(&self, path: &str, action: &str, slug: &str) -> Result<Vec<Candidate>> {
        let url = self.url(
            path,
            &[
                ("action", action),
                ("request[slug]", slug),
                ("request[fields][versions]", "1"),
            ],
        )?;
        let Some(answer) = self.get::<Value>(url.clone()).await? else {
            return Ok(Vec::new());
        };
        // Unknown slugs come as status 404, as `{"error":…}` or as `false`.
        if answer.get("error").is_some() || !answer.is_object() {
            return Ok(Vec::new());
        }
        let found: Information =
            serde_json::from_value(answer).map_err(|error| unexpected(&url, error))?;
        let older: BTreeMap<String, Url> = match found.versions {
            Value::Object(map) => map
                .into_iter()
                .filter(|(version, _)| version != "trunk" && *version != found.version)
                .filter_map(|(version, link)| Some((version, link.as_str()?.parse().ok()?)))
                .collect(),
            _ => BTreeMap::new(),
        };
        let mut candidates = vec![Candidate {
            version: found.version,
            locale: "en_US".into(),
            offered: true,
            requires_wordpress: text(&found.requires),
            requires_php: text(&found.requires_php),
            released: found
                .last_updated_time
                .as_str()
                .and_then(release_time)
                .or_else(|| found.last_updated.as_str().and_then(release_time)),
            place: Place::Url(link(&url, &found.download_link)?),
        }];
        candidates.extend(older.into_iter().map(|(version, link)| Candidate {
            version,
            locale: "en_US".into(),
            offered: false,
            requires_wordpress: None,
            requires_php: None,
            released: None,
            place: Place::Url(link),
        }));
        Ok(candidates)
    }

    fn url(&self, path: &str, query: &[(&str, &str)]) -> Result<Url> {
        let mut url = self.base_url.clone();
        let full = format!("{}/{path}", self.base_url.path().trim_end_matches('/'));
        url.set_path(&full);
        url.set_query(None);
        if url.cannot_be_a_base() {
            return Err(Error::BadName {
                what: "address of a package source",
                name: self.base_url.to_string(),
            });
        }
        if !query.is_empty() {
            url.query_pairs_mut().extend_pairs(query);
        }
        Ok(url)
    }

    async fn get<T: DeserializeOwned>(&self, url: Url) -> Result<Option<T>> {
        let answer = self.outgoing.get(url.clone()).await?;
        decode(&url, answer).await
    }
}

/// Downloads at most `limit` bytes into a new file.
pub(super) async fn download(
    outgoing: &Outgoing,
    url: Url,
    target: &Path,
    limit: u64,
) -> Result<()> {
    let mut answer = outgoing.get(url.clone()).await?;
    if !answer.status().is_success() {
        return Err(unexpected(&url, format!("status {}", answer.status())));
    }
    let mut file = File::create_new(target).map_err(Error::io("create", target))?;
    let mut read = 0;
    while let Some(chunk) = outgoing::next_chunk(&mut answer).await? {
        let chunk = chunk.as_ref();
        read += chunk.len() as u64;
        outgoing::within(&answer, read, limit)?;
        file.write_all(chunk).map_err(Error::io("write", target))?;
    }
    Ok(())
}

/// The answer's JSON, `None` for status 404.
async fn decode<T: DeserializeOwned>(url: &Url, answer: reqwest::Response) -> Result<Option<T>> {
    let status = answer.status();
    if status.as_u16() == 404 {
        return Ok(None);
    }
    if !status.is_success() {
        return Err(unexpected(url, format!("status {status}")));
    }
    let body = outgoing::read(answer, ANSWER_LIMIT).await?;
    serde_json::from_slice(&body)
        .map(Some)
        .map_err(|error| unexpected(url, format!("what is no such answer: {error}")))
}

/// A link in an answer; it may be relative on a mirror.
fn link(url: &Url, text: &str) -> Result<Url> {
    url.join(text)
        .map_err(|error| unexpected(url, format!("the link `{text}`: {error}")))
}

fn unexpected(url: &Url, message: impl std::fmt::Display) -> Error {
    Error::Answer {
        url: outgoing::shown(url),
        message: message.to_string(),
    }
}

/// The API writes `false` for "not stated".
fn text(value: &Value) -> Option<String> {
    value
        .as_str()
        .filter(|text| !text.is_empty())
        .map(str::to_owned)
}
