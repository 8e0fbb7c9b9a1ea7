//! Every row of the WisPanel contract at sites that are not like most: a network, a
//! site in a directory, a name in another script, a crowded temporary directory, and a
//! plugin that kills every request.

use anyhow::{Context, Result, ensure};
use pressroom_testkit::{
    Options,
    plugin::{Behaviour, PluginPackage, zip_of},
    site::Site,
};
use pressroom_tests::{fixture::Fixture, network::network};
use serde_json::{Value, json};
use std::fs;

/// One site, and all that is asked of it.
struct Walk<'a> {
    fixture: &'a Fixture,
    site: Site,
    /// Below the site's address: pages that must be served, each with a text.
    pages: Vec<(&'static str, &'static str)>,
    /// Where clones of it go.
    clone_to: &'static str,
}

impl Walk<'_> {
    async fn read(&self, path: &str) -> Result<Value> {
        let token = self.fixture.fresh_token().await?;
        let api = self.fixture.server.api(Some(&token))?;
        let path = format!("/api/v1/wordpress{path}?id={}", self.site.id);
        Ok(api.get(&path).await?.expect(200)?.body)
    }

    /// Asks for a change; what came of it, also where it went on as a job.
    async fn change(&self, path: &str, more: Value) -> Result<Value> {
        let mut body = json!({ "id": self.site.id });
        for (name, value) in more.as_object().context("an object")? {
            body[name] = value.clone();
        }
        let reply = self.fixture.change(path, &body).await?;
        ensure!(
            reply.status < 300,
            "{path} {body}: {} {}",
            reply.status,
            reply.text
        );
        ensure!(reply.body["success"] == true, "{path}: {}", reply.text);
        let Some(job) = reply.body["job_id"].as_str() else {
            return Ok(reply.body);
        };
        let job = self.fixture.finished_job(job).await?;
        ensure!(job["status"] == "completed", "{path}: {job}");
        Ok(job["result"].clone())
    }

    /// Every page is served as it should be.
    async fn served(&self, after: &str) -> Result<()> {
        for (path, text) in &self.pages {
            let page = self.site.get(path).await?;
            ensure!(
                page.status == 200 && page.body.contains(text),
                "after {after}, {path} is {} without `{text}`: {}",
                page.status,
                page.body.chars().take(1500).collect::<String>()
            );
        }
        Ok(())
    }

    async fn reads(&self) -> Result<()> {
        let all = self.fixture.installations().await?;
        ensure!(
            all.iter().any(|one| one["id"] == self.site.id.as_str()),
            "{all:?}"
        );
        let status = self.read("/status").await?;
        ensure!(status["wp_cli_available"] == true, "{status}");
        let one = self.read("/installation").await?;
        ensure!(one["disk_usage_bytes"].as_u64() > Some(1_000_000), "{one}");
        ensure!(one["db_size_bytes"].as_u64() > Some(10_000), "{one}");
        for list in ["/plugins", "/themes"] {
            let found = self.read(list).await?;
            ensure!(
                found.as_array().is_some_and(|found| !found.is_empty()),
                "{list}: {found}"
            );
        }
        ensure!(self.read("/backups").await?.is_array());
        let cache = self.read("/cache").await?;
        ensure!(cache["enabled"] == false, "{cache}");
        ensure!(self.read("/security").await?["score"].is_number());
        let files = self.read("/verify-checksums").await?;
        ensure!(files["verified"] == true, "{files}");
        self.served("reads").await
    }

    async fn maintenance(&self) -> Result<()> {
        self.change("/maintenance", json!({ "enabled": true }))
            .await?;
        for (path, _) in &self.pages {
            let status = self.site.get(path).await?.status;
            ensure!(status == 503, "{path} is {status} in maintenance");
        }
        self.change("/maintenance", json!({ "enabled": false }))
            .await?;
        self.served("maintenance").await
    }

    async fn people(&self) -> Result<()> {
        let ops = json!({ "username": "ops", "email": "ops@press.example" });
        let made = self.change("/admin/create", ops).await?;
        ensure!(made["user"]["role"] == "administrator", "{made}");
        let reset = self
            .change("/password/reset", json!({ "username": "ops" }))
            .await?;
        let password = reset["password"].as_str().context("a password")?;
        let opens = self.site.php(&format!(
            "require 'wp-load.php'; echo wp_authenticate('ops', '{password}') instanceof WP_User ? 'in' : 'out';"
        ))?;
        ensure!(opens == "in", "the password does not open: {opens}");
        let link = self
            .change("/auto-login", json!({ "username": "ops" }))
            .await?;
        let url = link["url"].as_str().context("a link")?;
        let page = self.site.get_url(url).await?;
        let to = page.location.unwrap_or_default();
        ensure!(
            page.status == 302 && to.ends_with("/wp-admin/"),
            "{}: {to}",
            page.status
        );
        let again = self.site.get_url(url).await?;
        ensure!(
            !again.location.unwrap_or_default().ends_with("/wp-admin/"),
            "it worked twice"
        );
        Ok(())
    }

    async fn plugins(&self) -> Result<()> {
        let version = |version: &str| PluginPackage::new("walker").version(version);
        self.fixture.offer(&version("1.0.0"))?;
        let plugin = json!({ "plugin": "walker" });
        let made = self
            .change(
                "/plugins/install",
                json!({ "plugin": "walker", "version": "1.0.0", "activate": true }),
            )
            .await?;
        ensure!(made["plugin"]["status"] == "active", "{made}");
        self.fixture.offer(&version("1.1.0"))?;
        let updated = self.change("/plugins/update", plugin.clone()).await?;
        ensure!(updated["new_version"] == "1.1.0", "{updated}");
        self.served("an update").await?;
        self.change("/plugins/deactivate", plugin.clone()).await?;
        self.change("/plugins/activate", plugin.clone()).await?;
        self.change(
            "/plugins/delete",
            json!({ "plugin": "walker", "force": true }),
        )
        .await?;
        ensure!(!self.site.plugin_directory("walker").exists());
        self.served("plugins").await
    }

    async fn themes(&self) -> Result<()> {
        let theme = |version: &str| {
            let style = format!("/*\nTheme Name: Strider\nVersion: {version}\n*/\n");
            let index = "<!DOCTYPE html><html><head><title><?php bloginfo('name'); ?></title><?php wp_head(); ?>\
                         </head><body><?php wp_footer(); ?></body></html>";
            zip_of(&[("strider/style.css", &style), ("strider/index.php", index)])
        };
        self.fixture.offer_zip("strider.1.0.zip", &theme("1.0"))?;
        let it = json!({ "theme": "strider" });
        self.change("/themes/install", it.clone()).await?;
        let active = self.change("/themes/activate", it.clone()).await?;
        ensure!(active["active_theme"] == "strider", "{active}");
        self.fixture.offer_zip("strider.1.1.zip", &theme("1.1"))?;
        let updated = self.change("/themes/update", it.clone()).await?;
        ensure!(updated["new_version"] == "1.1", "{updated}");
        let back = self.change("/themes/deactivate", it.clone()).await?;
        let back = back["active_theme"].as_str().unwrap_or_default();
        ensure!(back.starts_with("twenty"), "{back}");
        self.change("/themes/delete", it).await?;
        ensure!(!self.site.root.join("wp-content/themes/strider").exists());
        self.served("themes").await
    }

    async fn caches(&self) -> Result<()> {
        let page = json!({ "type": "page" });
        let on = self.change("/cache/enable", page.clone()).await?;
        ensure!(on["cache"]["page_cache"]["enabled"] == true, "{on}");
        for _ in 0..2 {
            self.served("the page cache").await?;
        }
        let filled = self.read("/cache").await?;
        ensure!(filled["page_cache"]["files"].as_u64() > Some(0), "{filled}");
        self.change("/cache/flush", json!({})).await?;
        let purged = self.change("/cache/purge", json!({})).await?;
        ensure!(purged["cache"]["page_cache"]["files"] == 0, "{purged}");
        let off = self.change("/cache/disable", page).await?;
        ensure!(off["cache"]["page_cache"]["enabled"] == false, "{off}");
        self.served("caches").await
    }

    async fn security(&self) -> Result<()> {
        for (measure, member) in [
            ("disable-file-edit", "file_edit_disabled"),
            ("file-protection", "file_protection"),
        ] {
            let path = format!("/security/{measure}");
            let on = self.change(&path, json!({ "enabled": true })).await?;
            ensure!(on["security"][member] == true, "{measure}: {on}");
            self.served(measure).await?;
            self.change(&path, json!({ "enabled": false })).await?;
        }
        let hidden = json!({ "enabled": true, "slug": "side-door" });
        let on = self.change("/security/hide-login", hidden).await?;
        ensure!(on["security"]["hide_login"]["slug"] == "side-door", "{on}");
        let door = self.site.get("/side-door/").await?;
        ensure!(
            door.status == 200 && door.body.contains("user_login"),
            "{}",
            door.status
        );
        ensure!(self.site.get("/wp-login.php").await?.status == 404);
        self.change("/security/hide-login", json!({ "enabled": false }))
            .await?;
        ensure!(self.site.get("/wp-login.php").await?.status == 200);
        let on = self
            .change("/security/toggle-debug", json!({ "enabled": true }))
            .await?;
        ensure!(on["security"]["debug"]["wp_debug"] == true, "{on}");
        let off = self.change("/security/toggle-debug", json!({})).await?;
        ensure!(off["security"]["debug"]["wp_debug"] == false, "{off}");
        self.served("security").await
    }

    async fn texts(&self) -> Result<()> {
        let words = json!({ "search": "Hello world!", "replace": "Good morning!" });
        let done = self.change("/search-replace", words).await?;
        ensure!(done["replacements"].as_u64() > Some(0), "{done}");
        Ok(())
    }

    async fn backups(&self) -> Result<()> {
        let letter = self.site.root.join("wp-content/letter.txt");
        fs::write(&letter, "dear reader")?;
        self.site.own(&letter)?;
        let taken = self.change("/backup", json!({ "type": "full" })).await?;
        fs::remove_file(&letter)?;
        let backup = json!({ "backup_id": taken["backup"]["id"], "safety_backup": false });
        self.change("/restore", backup).await?;
        ensure!(fs::read_to_string(&letter)? == "dear reader");
        self.served("a restore").await
    }

    async fn core(&self) -> Result<()> {
        let file = self.site.root.join("wp-includes/general-template.php");
        let whole = fs::read(&file)?;
        fs::write(&file, [whole.as_slice(), b"\n// damaged\n"].concat())?;
        let laid = self.change("/reinstall-core", json!({})).await?;
        ensure!(laid["version"] == "6.5.5", "{laid}");
        ensure!(fs::read(&file)? == whole, "it is still damaged");
        let done = self.change("/core/update", json!({})).await?;
        ensure!(done["new_version"] == done["old_version"], "{done}");
        self.served("core").await
    }

    async fn clone_it(&self) -> Result<()> {
        self.fixture.add_domain(self.clone_to).await?;
        let body = json!({ "source_id": self.site.id, "target_domain": self.clone_to });
        let made = self.change("/clone", body).await?;
        let id = made["installation"]["id"].as_str().context("an id")?;
        let copy = self.fixture.site(id).await?;
        for (path, text) in &self.pages {
            let page = copy.get(path).await?;
            ensure!(
                page.status == 200 && page.body.contains(text),
                "{path} of the clone is {}",
                page.status
            );
            ensure!(
                !page.body.contains(&format!("{}/", self.site.url)),
                "it leads to the source"
            );
        }
        self.fixture
            .change("/delete", &json!({ "id": id }))
            .await?
            .expect(200)?;
        ensure!(!copy.root.exists(), "{} is left", copy.root.display());
        self.served("a clone").await
    }

    /// While no request gets through PHP: what needs none of it works, and the rest is
    /// refused naming the culprit.
    async fn dead_rows(&self) -> Result<()> {
        for list in [
            "/installation",
            "/plugins",
            "/themes",
            "/backups",
            "/cache",
            "/security",
        ] {
            self.read(list).await?;
        }
        let files = self.read("/verify-checksums").await?;
        ensure!(files["verified"] == true, "{files}");
        for (path, more) in [
            ("/maintenance", json!({ "enabled": true })),
            ("/maintenance", json!({ "enabled": false })),
            (
                "/search-replace",
                json!({ "search": "Hello world!", "replace": "Hello again!" }),
            ),
            (
                "/search-replace",
                json!({ "search": "Hello again!", "replace": "Hello world!" }),
            ),
            ("/backup", json!({ "type": "full" })),
            ("/reinstall-core", json!({})),
            ("/security/disable-file-edit", json!({ "enabled": true })),
            ("/security/toggle-debug", json!({ "enabled": true })),
            ("/security/toggle-debug", json!({ "enabled": false })),
        ] {
            self.change(path, more).await.context("no PHP is needed")?;
        }
        for (path, more) in [
            (
                "/admin/create",
                json!({ "username": "late", "email": "late@press.example" }),
            ),
            ("/auto-login", json!({})),
            ("/plugins/activate", json!({ "plugin": "hello" })),
            ("/cache/enable", json!({ "type": "page" })),
            ("/security/hide-login", json!({ "enabled": true })),
        ] {
            let mut body = more;
            body["id"] = json!(self.site.id);
            let reply = self.fixture.change(path, &body).await?.expect(502)?;
            ensure!(reply.body["code"] == "WP_CLI_ERROR", "{}", reply.text);
            eprintln!("{path}: {}", reply.body["error"]);
        }
        Ok(())
    }

    async fn every_row(&self) -> Result<()> {
        self.reads().await.context("reads")?;
        self.maintenance().await.context("maintenance")?;
        self.people().await.context("people")?;
        self.plugins().await.context("plugins")?;
        self.themes().await.context("themes")?;
        self.caches().await.context("caches")?;
        self.security().await.context("security")?;
        self.texts().await.context("texts")?;
        self.backups().await.context("backups")?;
        self.core().await.context("core")?;
        self.clone_it().await.context("clone")?;
        self.change("/delete", json!({})).await.context("delete")?;
        ensure!(!self.site.root.join("wp-load.php").exists());
        self.fixture.server.cli(&["doctor"], "").await?.line()?;
        Ok(())
    }
}

// Rows: ALL
#[tokio::test]
async fn a_network_in_directories() -> Result<()> {
    let fixture = Fixture::start(Options::default()).await?;
    let site = fixture.install("net.press.example").await?;
    network(&site, false)?;
    // Pressroom learns of it as it does before each change.
    let looked = json!({ "id": site.id, "plugin": "not-there" });
    fixture
        .change("/plugins/update", &looked)
        .await?
        .expect(404)?;
    let walk = Walk {
        fixture: &fixture,
        site,
        pages: vec![
            ("/", "Site of net.press.example"),
            ("/second/", "<title>Second"),
        ],
        clone_to: "copy.press.example",
    };
    walk.every_row().await
}

// Rows: ALL
#[tokio::test]
async fn a_site_in_a_directory_of_a_name_in_another_script() -> Result<()> {
    let fixture = Fixture::start(Options::default()).await?;
    let domain = "bücher.press.example";
    fixture.add_domain(domain).await?;
    let mut body = pressroom_tests::fixture::install_request(domain);
    body["path"] = json!("public_html/blog");
    let started = fixture.change("/install", &body).await?.expect(201)?;
    let job = fixture.finished_job(&started.string("job_id")?).await?;
    ensure!(job["status"] == "completed", "{job}");
    let site = fixture.site(&started.string("id")?).await?;
    ensure!(site.url.ends_with("/blog"), "{}", site.url);
    let walk = Walk {
        fixture: &fixture,
        site,
        pages: vec![("/", "Site of b")],
        clone_to: "kopie.press.example",
    };
    walk.every_row().await
}

// Rows: ALL
#[tokio::test]
async fn a_site_with_a_full_temporary_directory_and_a_plugin_that_kills_it() -> Result<()> {
    let fixture = Fixture::start(Options::default()).await?;
    let site = fixture.install("crowded.press.example").await?;
    let home = site.root.parent().context("a home")?;
    let temporary = home.join("tmp");
    ensure!(
        temporary.is_dir(),
        "the owner has no {}",
        temporary.display()
    );
    for number in 0..10_000 {
        fs::write(temporary.join(format!("sess_{number:05}")), "left behind")?;
    }
    site.own(&temporary)?;
    site.plant_plugin(
        &PluginPackage::new("killer").behaviour(Behaviour::FatalEverywhere),
        "killer",
    )?;
    ensure!(site.get("/").await?.status == 500);
    let walk = Walk {
        fixture: &fixture,
        site,
        pages: vec![("/", "Site of crowded.press.example")],
        clone_to: "roomy.press.example",
    };
    walk.dead_rows().await?;
    let off = walk
        .change("/plugins/deactivate", json!({ "plugin": "killer" }))
        .await?;
    ensure!(off["plugin"]["status"] == "inactive", "{off}");
    walk.change("/plugins/delete", json!({ "plugin": "killer" }))
        .await?;
    walk.every_row().await
}
