//! Two sites in one domain: they share a user and a home, and must not disturb each
//! other.

use anyhow::{Result, ensure};
use pressroom_testkit::Options;
use pressroom_testkit::plugin::PluginPackage;
use pressroom_tests::fixture::{Fixture, install_request};
use serde_json::{Value, json};

const DOMAIN: &str = "shared.press.example";

fn into(path: &str, database: &str) -> Value {
    let mut request = install_request(DOMAIN);
    request["path"] = json!(path);
    request["db_name"] = json!(database);
    request
}

#[tokio::test]
async fn sites_of_one_domain_take_turns() -> Result<()> {
    let mut fixture = Fixture::start(Options::traced()).await?;
    fixture.add_domain(DOMAIN).await?;

    // Two at once into a fresh domain: one is taken, the other told to wait.
    let left = into("public_html/left", "left");
    let right = into("public_html/right", "right");
    let (first, second) = tokio::join!(
        fixture.post("/install", &left),
        fixture.post("/install", &right)
    );
    let (first, second) = (first?, second?);
    let mut statuses = [first.status, second.status];
    statuses.sort_unstable();
    ensure!(statuses == [201, 409], "{} {}", first.text, second.text);
    let (taken, refused, again) = if first.status == 201 {
        (first, second, right)
    } else {
        (second, first, left)
    };
    assert_eq!(
        refused.body["error"],
        "Another operation is running on this installation"
    );
    let job = fixture.finished_job(&taken.string("job_id")?).await?;
    assert_eq!(job["status"], "completed", "{job}");
    let later = fixture.post("/install", &again).await?.expect(201)?;
    let job = fixture.finished_job(&later.string("job_id")?).await?;
    assert_eq!(job["status"], "completed", "{job}");

    // Both answer under their own addresses, and both can be updated and entered.
    for id in [taken.string("id")?, later.string("id")?] {
        let site = fixture.site(&id).await?;
        let plugin = PluginPackage::new("sample");
        site.plant_plugin(&plugin, "sample")?;
        site.front_page_with(&plugin.mark()).await?;
        fixture
            .post("/auto-login", &json!({"id": id}))
            .await?
            .expect(200)?;
    }
    fixture.offer(&PluginPackage::new("sample").version("1.1.0"))?;
    for id in [taken.string("id")?, later.string("id")?] {
        let site = fixture.site(&id).await?;
        let reply = fixture.update_plugin(&site, "sample").await?.expect(200)?;
        assert_eq!(reply.body["new_version"], "1.1.0");
    }
    fixture.touched_no_site()
}

#[tokio::test]
async fn a_failed_installation_leaves_the_neighbour_its_addresses() -> Result<()> {
    let mut fixture = Fixture::start(Options::traced()).await?;
    fixture.add_domain(DOMAIN).await?;
    let root = fixture
        .post("/install", &into("public_html", "root"))
        .await?
        .expect(201)?;
    fixture.finished_job(&root.string("job_id")?).await?;
    let site = fixture.site(&root.string("id")?).await?;
    let before = site.get("/blog/").await?;

    // Cancelled in the middle, it is undone.
    let started = fixture
        .post("/install", &into("public_html/blog", "blog"))
        .await?
        .expect(201)?;
    let job = started.string("job_id")?;
    fixture.server.cli(&["job", "cancel", &job], "").await?;
    let ended = fixture.finished_job(&job).await?;
    ensure!(ended["status"] == "failed", "{ended}");

    // The page below the front page is the first site's again, not a hole.
    let after = site.get("/blog/").await?;
    assert_eq!((before.status, after.status), (404, 404));
    ensure!(
        after.body.contains("</html>"),
        "not WordPress' own page: {}",
        after.body
    );
    fixture.touched_no_site()
}
