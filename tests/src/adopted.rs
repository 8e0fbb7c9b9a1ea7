//! A site of somebody who knows nothing of Pressroom, and a Pressroom that takes it over.

use crate::fixture::{ACCOUNT, EMAIL, add_owner, add_token};
use anyhow::{Context, Result, ensure};
use pressroom_lab::{Hosted, Login, Sshd, Wordpress};
use pressroom_testkit::{Options, Pressroom, plugin::PluginPackage, server::Finished};
use serde_json::Value;
use std::{fs, path::Path};

/// What people call the site by: it has no name, only an address.
pub const DOMAIN: &str = "site.localhost";

/// A small disk that has room for a site and what is done with it.
const ROOMY: &str = "size=1g";

/// How a site is reached.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Way {
    /// It is on this machine.
    Local,
    /// Its owner logs in, on another network.
    Login,
    /// The same, with a profile that prints 10 kB.
    Noisy,
    /// The owner logs in on this machine, and the home is a small disk of its own.
    Small,
    /// Another user logs in and becomes its owner by `sudo`.
    Sudo,
    /// Root logs in and becomes its owner.
    Root,
}

/// Everything of one test; what runs in it ends with it.
#[derive(Debug)]
pub struct World {
    /// The server.
    pub server: Pressroom,
    /// The site.
    pub hosted: Hosted,
    /// The owner of the site.
    pub login: Login,
    /// The site's id, once it is adopted.
    pub site: String,
    /// A key of the account.
    pub token: String,
    /// What it is reached through, unless it is on this machine.
    pub sshd: Sshd,
    way: Way,
    _other: Option<Login>,
}

impl World {
    /// A site, a server that can reach it, and nothing adopted.
    pub async fn prepare(way: Way) -> Result<Self> {
        Self::prepare_with(way, Options::default()).await
    }

    /// The same with options for the server.
    pub async fn prepare_with(way: Way, options: Options) -> Result<Self> {
        let mut server = Pressroom::prepare(options)?;
        add_owner(&server, EMAIL, ACCOUNT).await?;
        let token = add_token(&server, EMAIL).await?;
        let sshd = match way {
            // Another network is another set of mounts: a disk that is added later is not there.
            Way::Local | Way::Root | Way::Sudo | Way::Small => Sshd::start()?,
            Way::Login | Way::Noisy => Sshd::start_elsewhere()?,
        };
        let mut login = sshd.login()?;
        if way == Way::Small {
            login.mount_home(ROOMY)?;
        }
        let hosted = Hosted::new(Wordpress::V6_4, &login, "www", DOMAIN, sshd.namespace())?;
        let mut other = None;
        if way != Way::Local {
            let public_line = server
                .cli(&["key", "add", "--account", ACCOUNT], "")
                .await?
                .line()?;
            let user = match way {
                Way::Root => "root".to_owned(),
                Way::Sudo => {
                    let deploy = sshd.login()?;
                    deploy.may_become(login.name())?;
                    other.insert(deploy).name().to_owned()
                }
                _ => login.name().to_owned(),
            };
            if way == Way::Noisy {
                let noise = "for i in $(seq 200); do echo 'Welcome to this very talkative machine! $?;'; done\n";
                login.write(".bashrc", noise)?;
            }
            sshd.authorize(&user, "", &public_line)?;
            let address = format!("{user}@{}:{}", sshd.address(), sshd.port());
            let add = [
                "host",
                "add",
                &address,
                "--account",
                ACCOUNT,
                "--label",
                "web1",
            ];
            server.cli(&add, "").await?.line()?;
        }
        server.cli(&["hosting", "up"], "").await?.line()?;
        server.launch().await?;
        Ok(Self {
            server,
            hosted,
            login,
            site: String::new(),
            token,
            sshd,
            way,
            _other: other,
        })
    }

    /// The same, with the site adopted.
    pub async fn adopted(way: Way) -> Result<Self> {
        Self::adopted_with(way, Options::default()).await
    }

    /// The same with options for the server.
    pub async fn adopted_with(way: Way, options: Options) -> Result<Self> {
        let mut world = Self::prepare_with(way, options).await?;
        let adopted = world.adopt(&[]).await?;
        ensure!(adopted["state"] == "active", "{adopted}");
        ensure!(adopted["trouble"].is_null(), "{adopted}");
        adopted["panel_id"]
            .as_str()
            .context("an id")?
            .clone_into(&mut world.site);
        Ok(world)
    }

    /// Adopts the site, with these words behind the usual ones.
    pub async fn adopt(&self, more: &[&str]) -> Result<Value> {
        let root = self.hosted.root.display().to_string();
        let origin = format!("http://{}", self.hosted.addr);
        let mut words = vec!["site", "adopt", &root, "--origin", &origin];
        match self.way {
            Way::Local => words.extend(["--account", ACCOUNT]),
            // A login may not look into another's home.
            Way::Sudo => words.extend(["--host", "web1", "--user", self.login.name()]),
            _ => words.extend(["--host", "web1"]),
        }
        words.extend(more);
        self.server.cli_json(&words).await
    }

    /// The owner's home.
    pub fn owner(&self) -> &Path {
        self.login.home()
    }

    /// A command that must succeed.
    pub async fn cli(&self, words: &[&str]) -> Result<Finished> {
        let done = self.server.cli(words, "").await?;
        ensure!(done.code == 0, "{words:?}: {done:?}");
        Ok(done)
    }

    /// The same, as JSON.
    pub async fn json(&self, words: &[&str]) -> Result<Value> {
        self.server.cli_json(words).await
    }

    /// A page as a visitor gets it.
    pub async fn page(&self, path: &str) -> Result<String> {
        let url = format!("http://{}{path}", self.hosted.addr);
        let host = self.hosted.url.trim_start_matches("http://").to_owned();
        let request = reqwest::Client::new().get(url).header("host", host);
        Ok(request.send().await?.text().await?)
    }

    /// A page that has this in it.
    pub async fn page_with(&self, path: &str, text: &str) -> Result<()> {
        let page = self.page(path).await?;
        ensure!(page.contains(text), "no `{text}` in {page}");
        Ok(())
    }

    /// Makes a package available to the server.
    pub fn offer(&self, package: &PluginPackage) -> Result<()> {
        fs::write(
            self.server.packages().join(package.file_name()),
            package.zip(),
        )?;
        Ok(())
    }

    /// A plugin's directory at the site.
    pub fn plugin(&self, slug: &str) -> std::path::PathBuf {
        self.hosted.root.join("wp-content/plugins").join(slug)
    }

    /// Every file of the site belongs to its owner.
    pub fn is_its_owners(&self) -> Result<()> {
        use std::os::unix::fs::MetadataExt;
        let mut left = vec![self.hosted.root.clone()];
        while let Some(path) = left.pop() {
            let seen = fs::symlink_metadata(&path)?;
            ensure!(
                seen.uid() == self.login.uid(),
                "{} is another's",
                path.display()
            );
            if seen.is_dir() {
                left.extend(fs::read_dir(&path)?.flatten().map(|entry| entry.path()));
            }
        }
        Ok(())
    }
}
