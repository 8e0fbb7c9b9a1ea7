//! A server that speaks wordpress.org's API over given packages: versions,
//! information, update checks, check sums, language packs and downloads.
//!
//! It answers in the API's own shapes, the odd ones included (an empty PHP array
//! where a map is expected, `false` for "not stated"), and remembers what it was
//! asked.

use anyhow::Result;
use axum::{
    Form, Json, Router,
    body::Body,
    extract::{Path, Query, State},
    http::{StatusCode, Uri},
    response::{IntoResponse, Redirect, Response},
    routing::{get, post},
};
use md5::{Digest, Md5};
use serde_json::{Value, json};
use std::{
    collections::{BTreeMap, HashMap},
    io::{Cursor, Read, Write},
    sync::{Arc, Mutex, PoisonError},
};
use zip::{ZipArchive, ZipWriter, write::SimpleFileOptions};

/// What a release is of.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// WordPress.
    Core,
    /// A plugin.
    Plugin,
    /// A theme.
    Theme,
}

/// One version of something.
#[derive(Debug, Clone)]
pub struct Release {
    /// What it is of.
    pub kind: Kind,
    /// Its slug; `wordpress` for WordPress.
    pub slug: String,
    /// The version that the API states.
    pub version: String,
    /// What is downloaded.
    pub zip: Vec<u8>,
    /// A link that the API states instead of its own download.
    pub link: Option<String>,
}

impl Release {
    /// A plugin of one file.
    pub fn plugin(slug: &str, version: &str) -> Result<Self> {
        let main = format!("<?php\n/**\n * Plugin Name: {slug}\n * Version: {version}\n */\n");
        let zip = zip_of(&[(format!("{slug}/{slug}.php"), main.into_bytes())])?;
        Ok(Self {
            kind: Kind::Plugin,
            slug: slug.into(),
            version: version.into(),
            zip,
            link: None,
        })
    }

    /// A theme of two files.
    pub fn theme(slug: &str, version: &str) -> Result<Self> {
        let style = format!("/*\nTheme Name: {slug}\nVersion: {version}\n*/\n");
        let zip = zip_of(&[
            (format!("{slug}/style.css"), style.into_bytes()),
            (format!("{slug}/index.php"), b"<?php\n".to_vec()),
        ])?;
        Ok(Self {
            kind: Kind::Theme,
            slug: slug.into(),
            version: version.into(),
            zip,
            link: None,
        })
    }

    /// A WordPress that is none: enough files to be taken for one.
    pub fn core(version: &str) -> Result<Self> {
        let file = format!("<?php\n$wp_version = '{version}';\n");
        let zip = zip_of(&[
            (
                "wordpress/wp-includes/version.php".into(),
                file.into_bytes(),
            ),
            ("wordpress/index.php".into(), b"<?php\n".to_vec()),
        ])?;
        Ok(Self {
            kind: Kind::Core,
            slug: "wordpress".into(),
            version: version.into(),
            zip,
            link: None,
        })
    }
}

/// A language pack.
#[derive(Debug, Clone)]
pub struct Translation {
    /// What it is of.
    pub kind: Kind,
    /// Its slug; `wordpress` for WordPress.
    pub slug: String,
    /// The version that it translates: of WordPress a release or, for all of them, a branch.
    pub version: String,
    /// Its language, e.g. `de_DE`.
    pub language: String,
    /// When it was last changed, e.g. `2024-04-02 20:12:41`.
    pub updated: String,
    /// What is downloaded.
    pub zip: Vec<u8>,
    /// A link that the API states instead of its own download.
    pub link: Option<String>,
}

impl Translation {
    /// One of WordPress with these texts and their translations.
    pub fn core(
        language: &str,
        version: &str,
        updated: &str,
        texts: &[(&str, &str)],
    ) -> Result<Self> {
        let (mo, po) = catalogue(language, updated, texts)?;
        Ok(Self {
            kind: Kind::Core,
            slug: "wordpress".into(),
            version: version.into(),
            language: language.into(),
            updated: updated.into(),
            zip: zip_of(&[
                (format!("{language}.mo"), mo),
                (format!("{language}.po"), po),
            ])?,
            link: None,
        })
    }

    fn file(&self) -> String {
        let Self {
            slug,
            version,
            language,
            ..
        } = self;
        format!("{slug}.{version}.{language}.zip")
    }
}

/// A compiled catalogue (`.mo`) of texts and their translations, and its source (`.po`).
pub fn catalogue(
    language: &str,
    updated: &str,
    texts: &[(&str, &str)],
) -> Result<(Vec<u8>, Vec<u8>)> {
    let header = format!(
        "PO-Revision-Date: {updated}+0000\nContent-Type: text/plain; charset=UTF-8\nPlural-Forms: nplurals=2; plural=n != 1;\nLanguage: {language}\n"
    );
    let mut sorted: BTreeMap<&str, &str> = texts.iter().copied().collect();
    sorted.insert("", &header);
    let entry = |(text, translated)| format!("msgid {text:?}\nmsgstr {translated:?}\n");
    let po = sorted.iter().map(entry).collect::<Vec<_>>().join("\n");
    // Magic, revision, count, where both tables are, and no hash table; then length and
    // place of each text, ended by a zero byte.
    let count = u32::try_from(sorted.len())?;
    let (originals, translations) = (28, 28 + count * 8);
    let mut mo = Vec::new();
    for number in [
        0x9504_12de,
        0,
        count,
        originals,
        translations,
        0,
        28 + count * 16,
    ] {
        mo.extend(u32::to_le_bytes(number));
    }
    let mut place = 28 + count * 16;
    let mut bytes = Vec::new();
    for text in sorted.keys().chain(sorted.values()) {
        let length = u32::try_from(text.len())?;
        mo.extend(length.to_le_bytes());
        mo.extend(place.to_le_bytes());
        bytes.extend_from_slice(text.as_bytes());
        bytes.push(0);
        place += length + 1;
    }
    mo.extend(bytes);
    Ok((mo, po.into_bytes()))
}

/// How a download goes wrong.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Trouble {
    /// It is not found.
    Missing,
    /// The server fails.
    Fails,
    /// The connection ends in the middle of the answer.
    Breaks,
}

/// A zip of these files.
pub fn zip_of(files: &[(String, Vec<u8>)]) -> Result<Vec<u8>> {
    let mut writer = ZipWriter::new(Cursor::new(Vec::new()));
    for (name, bytes) in files {
        writer.start_file(name, SimpleFileOptions::default())?;
        writer.write_all(bytes)?;
    }
    Ok(writer.finish()?.into_inner())
}

/// The running server; dropped, it stops.
#[derive(Debug)]
pub struct WordPressOrg {
    /// What a package source is configured with.
    pub base_url: String,
    state: Arc<Shared>,
    task: tokio::task::JoinHandle<()>,
}

#[derive(Debug)]
struct Shared {
    base_url: String,
    releases: Mutex<Vec<Release>>,
    translations: Mutex<Vec<Translation>>,
    /// Downloads that go wrong, by the name of the file.
    troubles: Mutex<HashMap<String, Trouble>>,
    asked: Mutex<Vec<String>>,
}

impl WordPressOrg {
    /// Serves these releases. Of one slug, a later one is newer.
    pub async fn start(releases: Vec<Release>) -> Result<Self> {
        let listener = tokio::net::TcpListener::bind(("127.0.0.1", 0)).await?;
        let base_url = format!("http://{}/", listener.local_addr()?);
        let state = Arc::new(Shared {
            base_url: base_url.clone(),
            releases: Mutex::new(releases),
            translations: Mutex::default(),
            troubles: Mutex::default(),
            asked: Mutex::default(),
        });
        let router = Router::new()
            .route("/core/version-check/1.7/", get(version_check))
            .route("/core/checksums/1.0/", get(checksums))
            .route("/plugins/info/1.2/", get(plugin_information))
            .route("/themes/info/1.2/", get(theme_information))
            .route("/plugins/update-check/1.1/", post(update_check))
            .route("/translations/{of}/1.0/", get(translations))
            .route("/translation/{file}", get(download_translation))
            .route("/download/{file}", get(download))
            .route("/redirect/{times}/{file}", get(redirect))
            .layer(axum::middleware::from_fn_with_state(
                Arc::clone(&state),
                remember,
            ))
            .with_state(Arc::clone(&state));
        let task = tokio::spawn(async move {
            let _runs_until_aborted = axum::serve(listener, router).await;
        });
        Ok(Self {
            base_url,
            state,
            task,
        })
    }

    /// Adds a release, the newest of its slug.
    pub fn add(&self, release: Release) {
        lock(&self.state.releases).push(release);
    }

    /// Adds a language pack, in place of one of the same version and language.
    pub fn translate(&self, translation: Translation) {
        let mut all = lock(&self.state.translations);
        all.retain(|old| old.file() != translation.file());
        all.push(translation);
    }

    /// From now on the download of this release goes wrong.
    pub fn withhold(&self, slug: &str, version: &str, trouble: Trouble) {
        lock(&self.state.troubles).insert(format!("{slug}.{version}.zip"), trouble);
    }

    /// Paths with queries that were asked for, in order.
    pub fn asked(&self) -> Vec<String> {
        lock(&self.state.asked).clone()
    }
}

impl Drop for WordPressOrg {
    fn drop(&mut self) {
        self.task.abort();
    }
}

impl Shared {
    /// Releases of a slug, the newest first.
    fn of(&self, kind: Kind, slug: &str) -> Vec<Release> {
        let releases = lock(&self.releases);
        releases
            .iter()
            .rev()
            .filter(|release| release.kind == kind && release.slug == slug)
            .cloned()
            .collect()
    }

    fn link(&self, release: &Release) -> String {
        let file = format!("{}.{}.zip", release.slug, release.version);
        release
            .link
            .clone()
            .unwrap_or_else(|| format!("{}download/{file}", self.base_url))
    }

    fn information(&self, kind: Kind, slug: &str) -> Response {
        let releases = self.of(kind, slug);
        let Some(newest) = releases.first() else {
            let answer = match kind {
                Kind::Theme => json!(false),
                _ => json!({"error": "Plugin not found."}),
            };
            return (StatusCode::NOT_FOUND, Json(answer)).into_response();
        };
        let versions: BTreeMap<_, _> = releases
            .iter()
            .map(|release| (release.version.clone(), self.link(release)))
            .collect();
        Json(json!({
            "name": slug, "slug": slug, "version": newest.version, "download_link": self.link(newest),
            "requires": "5.0", "requires_php": false, "versions": versions,
        }))
        .into_response()
    }
}

type Asked = Query<HashMap<String, String>>;

async fn remember(
    State(shared): State<Arc<Shared>>,
    request: axum::extract::Request,
    next: axum::middleware::Next,
) -> Response {
    let uri: &Uri = request.uri();
    lock(&shared.asked).push(uri.to_string());
    next.run(request).await
}

async fn version_check(State(shared): State<Arc<Shared>>) -> Json<Value> {
    let offers: Vec<Value> = shared
        .of(Kind::Core, "wordpress")
        .iter()
        .map(|release| {
            let link = shared.link(release);
            json!({
                "response": "upgrade", "download": link, "locale": "en_US",
                "packages": {"full": link, "no_content": false, "new_bundled": false, "partial": false, "rollback": false},
                "current": release.version, "version": release.version,
                "php_version": "7.0.0", "mysql_version": "5.0", "new_bundled": "6.4", "partial_version": false,
            })
        })
        .collect();
    Json(json!({"offers": offers, "translations": []}))
}

async fn checksums(State(shared): State<Arc<Shared>>, Query(query): Asked) -> Json<Value> {
    let releases = shared.of(Kind::Core, "wordpress");
    let found = releases
        .iter()
        .find(|release| query.get("version") == Some(&release.version));
    let sums = found.and_then(|release| sums_of(&release.zip).ok());
    Json(json!({"checksums": sums.map_or(json!(false), |sums| json!(sums))}))
}

fn sums_of(zip: &[u8]) -> Result<BTreeMap<String, String>> {
    let mut archive = ZipArchive::new(Cursor::new(zip))?;
    let mut sums = BTreeMap::new();
    for index in 0..archive.len() {
        let mut entry = archive.by_index(index)?;
        let name = entry.name()?.trim_start_matches("wordpress/").to_owned();
        let mut bytes = Vec::new();
        entry.read_to_end(&mut bytes)?;
        sums.insert(name, hex::encode(Md5::digest(&bytes)));
    }
    Ok(sums)
}

async fn plugin_information(State(shared): State<Arc<Shared>>, Query(query): Asked) -> Response {
    shared.information(Kind::Plugin, slug(&query))
}

async fn theme_information(State(shared): State<Arc<Shared>>, Query(query): Asked) -> Response {
    shared.information(Kind::Theme, slug(&query))
}

fn slug(query: &HashMap<String, String>) -> &str {
    query
        .get("request[slug]")
        .map(String::as_str)
        .unwrap_or_default()
}

async fn update_check(
    State(shared): State<Arc<Shared>>,
    Form(form): Form<HashMap<String, String>>,
) -> Json<Value> {
    let question: Value = form
        .get("plugins")
        .and_then(|text| serde_json::from_str(text).ok())
        .unwrap_or_default();
    let mut updates = serde_json::Map::new();
    for (file, installed) in question["plugins"].as_object().into_iter().flatten() {
        let slug = file.split('/').next().unwrap_or_default();
        let releases = shared.of(Kind::Plugin, slug);
        if let Some(newest) = releases
            .first()
            .filter(|newest| installed["Version"] != newest.version.as_str())
        {
            let update = json!({
                "id": format!("w.org/plugins/{slug}"), "slug": slug, "plugin": file, "new_version": newest.version,
                "url": "", "package": shared.link(newest), "requires": "5.0", "requires_php": "7.2", "tested": "6.5",
            });
            updates.insert(file.clone(), update);
        }
    }
    let plugins = if updates.is_empty() {
        json!([])
    } else {
        Value::Object(updates)
    };
    Json(json!({"plugins": plugins, "no_update": [], "translations": []}))
}

async fn translations(
    State(shared): State<Arc<Shared>>,
    Path(of): Path<String>,
    Query(query): Asked,
) -> Response {
    let kind = match of.as_str() {
        "core" => Kind::Core,
        "plugins" => Kind::Plugin,
        "themes" => Kind::Theme,
        _ => return StatusCode::NOT_FOUND.into_response(),
    };
    let asked = |name: &str| query.get(name).map(String::as_str).unwrap_or_default();
    let (version, slug) = (asked("version"), asked("slug"));
    let all = lock(&shared.translations);
    let fits = |it: &&Translation| {
        let of_branch = version.starts_with(&format!("{}.", it.version));
        let is_version = it.version == version || (kind == Kind::Core && of_branch);
        it.kind == kind && is_version && (kind == Kind::Core || it.slug == slug)
    };
    let shown: Vec<Value> = all
        .iter()
        .filter(fits)
        .map(|it| {
            let own = format!("{}translation/{}", shared.base_url, it.file());
            json!({
                "language": it.language, "version": it.version, "updated": it.updated,
                "english_name": it.language, "native_name": it.language,
                "package": it.link.clone().unwrap_or(own),
                "iso": {"1": it.language.get(..2)}, "strings": {"continue": "…"},
            })
        })
        .collect();
    Json(json!({ "translations": shown })).into_response()
}

async fn download_translation(
    State(shared): State<Arc<Shared>>,
    Path(file): Path<String>,
) -> Response {
    let all = lock(&shared.translations);
    match all.iter().find(|it| it.file() == file) {
        Some(found) => found.zip.clone().into_response(),
        None => StatusCode::NOT_FOUND.into_response(),
    }
}

async fn download(State(shared): State<Arc<Shared>>, Path(file): Path<String>) -> Response {
    let trouble = lock(&shared.troubles).get(&file).copied();
    match trouble {
        Some(Trouble::Missing) => return StatusCode::NOT_FOUND.into_response(),
        Some(Trouble::Fails) => return StatusCode::BAD_GATEWAY.into_response(),
        Some(Trouble::Breaks) => {
            let begun: [std::result::Result<_, std::io::Error>; 2] = [
                Ok(b"PK\x03\x04".repeat(16)),
                Err(std::io::ErrorKind::ConnectionReset.into()),
            ];
            return Body::from_stream(futures_util::stream::iter(begun)).into_response();
        }
        None => {}
    }
    let releases = lock(&shared.releases);
    let found = releases
        .iter()
        .find(|release| format!("{}.{}.zip", release.slug, release.version) == file);
    match found {
        Some(release) => release.zip.clone().into_response(),
        None => StatusCode::NOT_FOUND.into_response(),
    }
}

/// Redirects this often before the download.
async fn redirect(Path((times, file)): Path<(u32, String)>) -> Redirect {
    match times.checked_sub(1) {
        None | Some(0) => Redirect::temporary(&format!("/download/{file}")),
        Some(left) => Redirect::temporary(&format!("/redirect/{left}/{file}")),
    }
}

fn lock<T>(mutex: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
