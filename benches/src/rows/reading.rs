//! Reading sites: the inventory, one option of many sites.

use crate::{
    rival::WpCli,
    site,
    table::{Row, Table},
    timing,
};
use anyhow::{Context, Result, ensure};
use pressroom_agent::protocol::SiteRef;
use pressroom_carrier::{Place, Session};
use pressroom_lab::{Site, SiteOptions};
use pressroom_wordpress::inventory::Survey;
use std::{collections::BTreeSet, process::Command};
use tokio::{runtime::Runtime, task::JoinSet};
use tokio_util::sync::CancellationToken;

const SITES: usize = 50;

pub fn measure(table: &mut Table) -> Result<()> {
    let runtime = Runtime::new()?;
    let site = site::with_plugins()?;
    inventory(table, &runtime, &site)?;
    options(table, &runtime)
}

async fn open(place: &Place) -> Result<Session> {
    Ok(Session::open(place, CancellationToken::new()).await?)
}

/// What is installed and what is active, from nothing: agent started, files and
/// tables read, agent gone.
fn inventory(table: &mut Table, runtime: &Runtime, site: &Site) -> Result<()> {
    let place = site::place(site.home())?;
    let read = || {
        runtime.block_on(async {
            let session = open(&place).await?;
            let reference = SiteRef {
                root: site.root().to_owned(),
                php: None,
            };
            let survey = session.survey(reference, &[]).await?;
            session.close().await;
            Ok::<_, anyhow::Error>(survey)
        })
    };
    let ours = components(&read()?)?;
    let what = format!("inventory of a site with {} plugins", site::PLUGINS);
    let Some(wp) = WpCli::find() else {
        let ours = timing::median(15, || read().map(drop))?;
        table.push(Row::faster(&what, ours, None, 100.0));
        return Ok(());
    };
    let cache = tempfile::tempdir()?;
    for (name, wp) in [
        ("wp", wp.clone()),
        (
            "wp with OPcache's file cache",
            wp.with_file_cache(cache.path()),
        ),
    ] {
        let list = || {
            let plugins = wp.run(&site.path(), &["plugin", "list", "--format=json"])?;
            wp.run(&site.path(), &["theme", "list", "--format=json"])?;
            wp.run(&site.path(), &["core", "version"])?;
            Ok::<_, anyhow::Error>(plugins)
        };
        ensure!(ours == listed(&list()?)?, "the two lists differ");
        let (our_time, other) = timing::side_by_side(5, || read().map(drop), || list().map(drop))?;
        let least = if name == "wp" { 100.0 } else { 40.0 };
        table.push(Row::faster(&what, our_time, Some((name, other)), least));
    }
    Ok(())
}

/// The plugins that were made for this, as the agent saw them: names and versions.
pub fn components(survey: &Survey) -> Result<BTreeSet<(String, String)>> {
    let facts = survey.facts.as_ref().context("no tables were read")?;
    ensure!(
        facts.options.contains_key("active_plugins"),
        "no options were read"
    );
    let seen: BTreeSet<(String, String)> = survey
        .inspection
        .components
        .iter()
        .filter(|found| found.file.starts_with("bench-"))
        .map(|found| (found.slug.clone(), found.version.clone()))
        .collect();
    ensure!(
        seen.len() == site::PLUGINS,
        "{} plugins were seen",
        seen.len()
    );
    Ok(seen)
}

/// The same as `wp plugin list --format=json` prints them.
pub fn listed(json: &str) -> Result<BTreeSet<(String, String)>> {
    let plugins: serde_json::Value = serde_json::from_str(json)?;
    Ok(plugins
        .as_array()
        .context("a list of plugins")?
        .iter()
        .map(|plugin| (text(plugin, "name"), text(plugin, "version")))
        .filter(|(name, _)| name.starts_with("bench-"))
        .collect())
}

fn text(value: &serde_json::Value, name: &str) -> String {
    value[name].as_str().unwrap_or_default().to_owned()
}

/// One option of 50 sites, each through its own database user.
fn options(table: &mut Table, runtime: &Runtime) -> Result<()> {
    site::database_server()?;
    let sites: Vec<Site> = (0..SITES)
        .map(|number| {
            let site = Site::with(&SiteOptions {
                url: format!("http://site-{number}.test"),
                linked: true,
                ..SiteOptions::default()
            })?;
            site::give_away(site.home())?;
            Ok(site)
        })
        .collect::<Result<_>>()?;
    let places: Vec<Place> = sites
        .iter()
        .map(|site| site::place(site.home()))
        .collect::<Result<_>>()?;
    let read = || {
        runtime.block_on(async {
            let mut tasks = JoinSet::new();
            for place in places.clone() {
                tasks.spawn(async move {
                    let session = open(&place).await?;
                    let facts = session.read_site("public_html", &["home"]).await?;
                    Ok::<_, anyhow::Error>(facts.options.get("home").cloned())
                });
            }
            let mut found = BTreeSet::new();
            while let Some(ended) = tasks.join_next().await {
                found.insert(ended??.context("no option")?);
            }
            Ok::<_, anyhow::Error>(found)
        })
    };
    ensure!(read()?.len() == SITES, "not every site answered");
    let what = format!("one option of {SITES} sites");
    let Some(wp) = WpCli::find() else {
        let ours = timing::median(9, || read().map(drop))?;
        table.push(Row::faster(&what, ours, None, 40.0));
        return Ok(());
    };
    let cache = tempfile::tempdir()?;
    for (name, wp, least) in [
        ("`xargs -P2 wp`", wp.clone(), 40.0),
        (
            "the same with OPcache's file cache",
            wp.with_file_cache(cache.path()),
            17.0,
        ),
    ] {
        let theirs = || two_at_a_time(&wp, &sites);
        let (ours, other) = timing::side_by_side(2, || read().map(drop), theirs)?;
        table.push(Row::faster(&what, ours, Some((name, other)), least));
    }
    Ok(())
}

/// As `xargs -P2` does it.
fn two_at_a_time(wp: &WpCli, sites: &[Site]) -> Result<()> {
    let halves = sites.split_at(sites.len() / 2);
    std::thread::scope(|scope| {
        let read = |half: &[Site]| {
            for site in half {
                let mut command: Command = wp.command(&site.path(), &["option", "get", "home"]);
                let output = command.output()?;
                ensure!(output.status.success(), "`wp option get` failed");
            }
            Ok(())
        };
        let other = scope.spawn(move || read(halves.1));
        read(halves.0)?;
        other
            .join()
            .map_err(|_| anyhow::anyhow!("the other half panicked"))?
    })
}
