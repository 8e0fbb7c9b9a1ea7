//! A server with a person, an account and a key, and the steps most tests begin
//! with.

use anyhow::{Context, Result, ensure};
use pressroom_testkit::api::{Api, Reply};
use pressroom_testkit::plugin::PluginPackage;
use pressroom_testkit::site::Site;
use pressroom_testkit::wait::eventually_every;
use pressroom_testkit::{Options, Pressroom};
use serde_json::{Value, json};
use std::fs;
use std::time::Duration;

/// Who owns everything in a test.
pub const EMAIL: &str = "owner@press.example";
/// Their password in the console.
pub const PASSWORD: &str = "correct horse battery staple";
/// Their account.
pub const ACCOUNT: &str = "Example Press";

/// How long a job may take on a busy machine of two cores.
pub const JOB_TIME: Duration = Duration::from_mins(2);

/// Key limits are 60 requests a minute: between looks at a job, wait this long.
const LOOK: Duration = Duration::from_millis(400);

const PREFIX: &str = "/api/v1/wordpress";

/// A server that somebody can work with.
#[derive(Debug)]
pub struct Fixture {
    /// The server.
    pub server: Pressroom,
    /// A panel key of the owner, good for everything.
    pub token: String,
}

impl Fixture {
    /// Clean data, then user, account and key by the command line, then `serve`.
    pub async fn start(options: Options) -> Result<Self> {
        let mut server = Pressroom::prepare(options)?;
        add_owner(&server, EMAIL, ACCOUNT).await?;
        let token = add_token(&server, EMAIL).await?;
        // The stack belongs to nobody's life: it is there before and after the server.
        server.cli(&["hosting", "up"], "").await?.line()?;
        server.launch().await?;
        Ok(Self { server, token })
    }

    /// A client with the owner's key.
    pub fn api(&self) -> Result<Api> {
        self.server.api(Some(&self.token))
    }

    /// GETs a path of the dialect.
    pub async fn get(&self, path: &str) -> Result<Reply> {
        self.api()?.get(&format!("{PREFIX}{path}")).await
    }

    /// POSTs to a path of the dialect.
    pub async fn post(&self, path: &str, body: &Value) -> Result<Reply> {
        self.api()?.post(&format!("{PREFIX}{path}"), body).await
    }

    /// A key that has not used up any of its minute.
    pub async fn fresh_token(&self) -> Result<String> {
        add_token(&self.server, EMAIL).await
    }

    /// Gives a domain to the account.
    pub async fn add_domain(&self, name: &str) -> Result<()> {
        self.server
            .cli(&["domain", "add", name, "--account", ACCOUNT], "")
            .await?
            .line()?;
        Ok(())
    }

    /// Asks for an installation of WordPress 6.5 in the domain's document root.
    pub async fn start_install(&self, domain: &str) -> Result<Reply> {
        self.post("/install", &install_request(domain)).await
    }

    /// Waits until a job is in a final state; answers the job object.
    pub async fn finished_job(&self, job: &str) -> Result<Value> {
        let api = self.server.api(Some(&self.fresh_token().await?))?;
        let path = format!("{PREFIX}/install/{job}/progress");
        eventually_every(LOOK, format!("the end of `{job}`"), JOB_TIME, || async {
            let job = api.get(&path).await?.expect(200)?.body;
            ensure!(
                job["status"] == "completed" || job["status"] == "failed",
                "{job}"
            );
            Ok(job)
        })
        .await
    }

    /// Waits until no job is queued or running; answers all jobs, newest first, as
    /// the command line lists them.
    pub async fn settled_jobs(&self) -> Result<Vec<Value>> {
        eventually_every(LOOK, "the end of all jobs", JOB_TIME, || async {
            let list = self.server.cli_json(&["job", "list"]).await?;
            let jobs = list.as_array().context("a list of jobs")?;
            let open: Vec<_> = jobs
                .iter()
                .filter(|job| job["state"] == "queued" || job["state"] == "running")
                .collect();
            ensure!(open.is_empty(), "still open: {open:?}");
            Ok(jobs.clone())
        })
        .await
    }

    /// Stops the server and fails if a process of it named a path below any home in
    /// any of its lives. It must have been started with [`Options::trace`].
    pub fn touched_no_site(&mut self) -> Result<()> {
        self.server.stop()?;
        let homes: Vec<String> = fs::read_dir(self.server.data().join("sites"))?
            .flatten()
            .map(|entry| format!("{}/", entry.path().display()))
            .collect();
        ensure!(!homes.is_empty(), "no home was made");
        let opened = self.server.opened_paths()?;
        let key = self.server.data().join("secret.key").display().to_string();
        ensure!(
            opened.contains(&key),
            "the record is blind: the server must have opened its own key"
        );
        let below: Vec<_> = opened
            .iter()
            .filter(|path| homes.iter().any(|home| path.starts_with(home.as_str())))
            .collect();
        ensure!(below.is_empty(), "the server itself opened {below:?}");
        Ok(())
    }

    /// The installation objects of the account.
    pub async fn installations(&self) -> Result<Vec<Value>> {
        let token = self.fresh_token().await?;
        let reply = self
            .server
            .api(Some(&token))?
            .get(&format!("{PREFIX}/installations"))
            .await?
            .expect(200)?;
        reply
            .body
            .as_array()
            .cloned()
            .with_context(|| format!("not a bare array: {}", reply.text))
    }

    /// Installs WordPress into a new domain and waits until it answers.
    pub async fn install(&self, domain: &str) -> Result<Site> {
        self.add_domain(domain).await?;
        let started = self.start_install(domain).await?.expect(201)?;
        let job = self.finished_job(&started.string("job_id")?).await?;
        ensure!(job["status"] == "completed", "not installed: {job}");
        self.site(&started.string("id")?).await
    }

    /// One installation by its id, as a site to look at.
    pub async fn site(&self, id: &str) -> Result<Site> {
        let all = self.installations().await?;
        let object = all
            .iter()
            .find(|object| object["id"] == id)
            .with_context(|| format!("`{id}` is not among {all:?}"))?;
        Site::of_installation(object, self.server.sites_port())
    }

    /// Makes a package available to the server.
    pub fn offer(&self, package: &PluginPackage) -> Result<()> {
        self.offer_zip(&package.file_name(), &package.zip())
    }

    /// Makes any package available to the server.
    pub fn offer_zip(&self, name: &str, zip: &[u8]) -> Result<()> {
        let directory = self.server.packages();
        // Whoever reads the directory sees a whole zip or none.
        let part = directory.join(".part");
        fs::write(&part, zip)?;
        fs::rename(part, directory.join(name))?;
        Ok(())
    }

    /// POSTs with a key of its own: a minute has 60 requests for one.
    pub async fn change(&self, path: &str, body: &Value) -> Result<Reply> {
        let token = self.fresh_token().await?;
        self.server
            .api(Some(&token))?
            .post(&format!("{PREFIX}{path}"), body)
            .await
    }

    /// Asks for a plugin's update.
    pub async fn update_plugin(&self, site: &Site, slug: &str) -> Result<Reply> {
        let token = self.fresh_token().await?;
        self.server
            .api(Some(&token))?
            .post(
                &format!("{PREFIX}/plugins/update"),
                &json!({"id": site.id, "plugin": slug}),
            )
            .await
    }
}

/// Leases that lapse soon, so that what a killed worker left is taken over at once.
pub const SHORT_LEASES: &str = "[jobs]\nlease_s = 3\nheartbeat_s = 1\npoll_ms = 100\n";

/// The body of an installation request for a domain.
pub fn install_request(domain: &str) -> Value {
    let name: String = domain
        .chars()
        .filter(char::is_ascii_alphanumeric)
        .take(12)
        .collect();
    json!({
        "domain": domain,
        "path": "public_html",
        "db_name": name,
        "title": format!("Site of {domain}"),
        "admin_user": "editor",
        "admin_password": "a long enough password",
        "admin_email": "editor@press.example",
        "version": "6.5.5",
    })
}

/// Adds a person and an account of theirs.
pub async fn add_owner(server: &Pressroom, email: &str, account: &str) -> Result<()> {
    let user = server
        .cli(
            &[
                "user",
                "add",
                email,
                "--name",
                "Olive Owner",
                "--password-stdin",
            ],
            &format!("{PASSWORD}\n"),
        )
        .await?
        .line()?;
    ensure!(user.parse::<i64>().is_ok(), "not a user's id: {user}");
    let account = server
        .cli(&["account", "add", account, "--owner", email], "")
        .await?
        .line()?;
    ensure!(
        account.parse::<i64>().is_ok(),
        "not an account's id: {account}"
    );
    Ok(())
}

/// Issues a panel key for everything.
pub async fn add_token(server: &Pressroom, email: &str) -> Result<String> {
    let token = server
        .cli(&["token", "add", "--user", email, "--kind", "panel"], "")
        .await?
        .line()?;
    ensure!(token.starts_with("wsp_"), "not a panel key: {token}");
    Ok(token)
}
