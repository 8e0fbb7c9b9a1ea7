//! New versions that leave the front page standing, and must not pass all the same.

use anyhow::{Context, Result, ensure};
use pressroom_testkit::plugin::{Behaviour, PluginPackage};
use pressroom_testkit::tree::Tree;
use pressroom_testkit::{Options, site::Site};
use pressroom_tests::fixture::Fixture;

// Rows: T19
#[tokio::test]
async fn versions_that_hurt_in_other_ways_are_taken_back() -> Result<()> {
    let mut fixture = Fixture::start(Options::traced()).await?;
    let site = fixture.install("verdict.press.example").await?;
    for (number, behaviour, said) in [
        (1, Behaviour::FatalInAdmin, "wp-admin"),
        (2, Behaviour::FatalInTheFooter, "front page"),
        (3, Behaviour::Redirects, "/wizard/"),
        (4, Behaviour::DeactivatesItself, "deactivated itself"),
    ] {
        is_taken_back(&fixture, &site, &format!("sample{number}"), behaviour, said)
            .await
            .with_context(|| said.to_owned())?;
    }
    fixture.touched_no_site()
}

async fn is_taken_back(
    fixture: &Fixture,
    site: &Site,
    slug: &str,
    behaviour: Behaviour,
    said: &str,
) -> Result<()> {
    let old = PluginPackage::new(slug).files(3);
    site.plant_plugin(&old, slug)?;
    site.front_page_with(&old.mark()).await?;
    fixture.offer(&old.clone().version("1.1.0").behaviour(behaviour))?;
    let reply = fixture.update_plugin(site, slug).await?.expect(502)?;
    let error = reply.string("error")?;
    ensure!(
        error.contains("was taken back") && error.contains(said),
        "{error}"
    );
    let packed = Tree::of_package(&old.zip(), slug)?;
    assert_eq!(
        packed.difference(&site.plugin_tree(slug)?),
        Vec::<String>::new()
    );
    Ok(())
}

#[tokio::test]
async fn a_plugin_that_writes_into_itself_can_be_updated_again_and_again() -> Result<()> {
    let mut fixture = Fixture::start(Options::traced()).await?;
    let site = fixture.install("writer.press.example").await?;
    let old = PluginPackage::new("writer").behaviour(Behaviour::WritesIntoItself);
    site.plant_plugin(&old, "writer")?;
    for version in ["1.1.0", "1.2.0", "1.3.0"] {
        let next = old.clone().version(version);
        fixture.offer(&next)?;
        let reply = fixture.update_plugin(&site, "writer").await?.expect(200)?;
        assert_eq!(reply.body["new_version"], version);
        site.front_page_with(&next.mark()).await?;
    }
    fixture.touched_no_site()
}
