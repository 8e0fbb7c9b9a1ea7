//! One hosted WordPress as its visitors, its owner and an intruder see it.

use crate::api::client_builder;
use crate::plugin::PluginPackage;
use crate::tree::Tree;
use anyhow::{Context, Result, ensure};
use serde_json::Value;
use std::fs;
use std::net::SocketAddr;
use std::os::unix::fs::{MetadataExt, chown};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

/// A page as served.
#[derive(Debug, Clone)]
pub struct Page {
    /// HTTP status.
    pub status: u16,
    /// Where a redirect points.
    pub location: Option<String>,
    /// What Pressroom's page cache says of it.
    pub cache: Option<String>,
    /// The body.
    pub body: String,
}

/// A WordPress that Pressroom installed on this machine.
#[derive(Debug, Clone)]
pub struct Site {
    /// Its id in the dialect that told of it.
    pub id: String,
    /// Directory of `wp-config.php`.
    pub root: PathBuf,
    /// Its address, as WordPress knows it.
    pub url: String,
    client: reqwest::Client,
}

impl Site {
    /// Takes an installation object of the WisPanel dialect; `port` is where the
    /// sites of that server answer.
    pub fn of_installation(installation: &Value, port: u16) -> Result<Self> {
        let text = |name: &str| {
            installation[name]
                .as_str()
                .map(str::to_owned)
                .with_context(|| format!("no `{name}` in {installation}"))
        };
        // No resolver knows the domains of a test: all of them are this machine.
        let address = SocketAddr::from(([127, 0, 0, 1], port));
        Self::at(
            &text("id")?,
            Path::new(&text("path")?),
            &text("site_url")?,
            address,
        )
    }

    /// A site with this id whose `wp-config.php` is in `root`, of this address, which answers
    /// at `origin` whatever a resolver says.
    pub fn at(id: &str, root: &Path, url: &str, origin: SocketAddr) -> Result<Self> {
        let host = url
            .split_once("://")
            .map_or(url, |(_, rest)| rest)
            .split(['/', ':'])
            .next()
            .unwrap_or_default();
        let client = client_builder()
            .resolve(host, origin)
            .redirect(reqwest::redirect::Policy::none())
            .timeout(Duration::from_secs(30))
            .build()?;
        Ok(Self {
            id: id.to_owned(),
            root: root.to_owned(),
            url: url.trim_end_matches('/').to_owned(),
            client,
        })
    }

    /// Requests a path of the site at its origin.
    pub async fn get(&self, path: &str) -> Result<Page> {
        self.get_url(&format!("{}{path}", self.url)).await
    }

    /// Requests an absolute address on the site.
    pub async fn get_url(&self, url: &str) -> Result<Page> {
        self.send(self.client.get(url)).await
    }

    /// Requests a path as somebody with a cookie.
    pub async fn get_with_cookie(&self, path: &str, cookie: &str) -> Result<Page> {
        let request = self.client.get(format!("{}{path}", self.url));
        self.send(request.header("cookie", cookie)).await
    }

    /// Posts a form.
    pub async fn post(&self, path: &str, form: &str) -> Result<Page> {
        let request = self.client.post(format!("{}{path}", self.url));
        let request = request.header("content-type", "application/x-www-form-urlencoded");
        self.send(request.body(form.to_owned())).await
    }

    async fn send(&self, request: reqwest::RequestBuilder) -> Result<Page> {
        let response = request
            .send()
            .await
            .with_context(|| format!("no answer from {}", self.url))?;
        page(response).await
    }

    /// Requests a path as a browser with these cookies (`a=1; b=2`), and posts a form where
    /// one is given; answers the page and the cookies that it sets.
    pub async fn browse(
        &self,
        path: &str,
        cookies: &str,
        form: Option<&[(&str, &str)]>,
    ) -> Result<(Page, Vec<String>)> {
        let url = format!("{}{path}", self.url);
        let request = match form {
            None => self.client.get(&url),
            Some(fields) => {
                let body = url::form_urlencoded::Serializer::new(String::new())
                    .extend_pairs(fields)
                    .finish();
                self.client
                    .post(&url)
                    .header("content-type", "application/x-www-form-urlencoded")
                    .body(body)
            }
        };
        let response = request.header("cookie", cookies).send().await?;
        let mut set: Vec<String> = Vec::new();
        for cookie in response.headers().get_all("set-cookie") {
            let pair = cookie.to_str()?.split(';').next().unwrap_or_default();
            let name = pair.split('=').next().unwrap_or_default();
            // One that is cleared and set again is the last of both.
            set.retain(|other| other.split('=').next() != Some(name));
            set.push(pair.to_owned());
        }
        let page = page(response).await?;
        Ok((page, set))
    }

    /// The front page, which must answer and contain `text`.
    pub async fn front_page_with(&self, text: &str) -> Result<Page> {
        let page = self.get("/").await?;
        ensure!(
            page.status == 200 && page.body.contains(text),
            "the front page answers {} without `{text}`: {}",
            page.status,
            page.body.chars().take(2000).collect::<String>()
        );
        Ok(page)
    }

    /// Where a plugin lies.
    pub fn plugin_directory(&self, slug: &str) -> PathBuf {
        self.root.join("wp-content/plugins").join(slug)
    }

    /// What a plugin's directory contains now.
    pub fn plugin_tree(&self, slug: &str) -> Result<Tree> {
        Tree::of_directory(&self.plugin_directory(slug))
    }

    /// Lays a plugin into the site behind Pressroom's back, as its owner would by
    /// hand, and activates it. It is activated before it is there, because a hostile
    /// plugin would end the process that activates it.
    pub fn plant_plugin(&self, package: &PluginPackage, slug: &str) -> Result<()> {
        self.php(&format!(
            "require 'wp-load.php'; \
             $a = get_option('active_plugins', []); $a[] = '{slug}/{slug}.php'; \
             update_option('active_plugins', array_values(array_unique($a)));"
        ))?;
        let directory = self.plugin_directory(slug);
        for (path, content) in package.contents() {
            let file = directory.join(path);
            fs::create_dir_all(file.parent().context("a file lies in a directory")?)?;
            fs::write(file, content)?;
        }
        self.own(&directory)
    }

    /// Gives everything below a directory to the site's owner.
    pub fn own(&self, directory: &Path) -> Result<()> {
        let owner = fs::metadata(self.root.join("wp-config.php"))?;
        give(directory, owner.uid(), owner.gid())
    }

    /// Runs PHP code as the site's owner in the site's directory.
    pub fn php(&self, code: &str) -> Result<String> {
        let owner = fs::metadata(self.root.join("wp-config.php"))?;
        let mut command = if crate::place::is_root() {
            let mut command = Command::new("setpriv");
            command.args([
                format!("--reuid={}", owner.uid()),
                format!("--regid={}", owner.gid()),
                "--clear-groups".to_owned(),
                "php".to_owned(),
            ]);
            command
        } else {
            Command::new("php")
        };
        let output = command
            .args(["-d", "display_errors=stderr", "-r", code])
            .current_dir(&self.root)
            .output()
            .context("cannot run `php`")?;
        ensure!(
            output.status.success(),
            "php failed: {}{}",
            String::from_utf8_lossy(&output.stdout),
            String::from_utf8_lossy(&output.stderr)
        );
        Ok(String::from_utf8_lossy(&output.stdout).into_owned())
    }
}

async fn page(response: reqwest::Response) -> Result<Page> {
    let header = |name: &str| {
        let value = response.headers().get(name)?;
        value.to_str().ok().map(str::to_owned)
    };
    Ok(Page {
        status: response.status().as_u16(),
        location: header("location"),
        cache: header("x-pressroom-cache"),
        body: response.text().await?,
    })
}

fn give(path: &Path, uid: u32, gid: u32) -> Result<()> {
    std::os::unix::fs::lchown(path, Some(uid), Some(gid))
        .with_context(|| format!("cannot give {} away", path.display()))?;
    if path.symlink_metadata()?.is_dir() {
        for entry in fs::read_dir(path)? {
            give(&entry?.path(), uid, gid)?;
        }
    } else if !path.symlink_metadata()?.is_symlink() {
        chown(path, Some(uid), Some(gid))?;
    }
    Ok(())
}
