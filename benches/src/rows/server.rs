//! The server itself: how fast it is there, and what it holds when idle.

use crate::{
    machine::{self, Server},
    table::{Row, Table},
};
use anyhow::{Context, Result};
use pressroom_base::keyring::Keyring;
use pressroom_store::{
    EnvironmentKind, EnvironmentState, NewComponent, NewEnvironment, Store, accounts, components,
    environments,
};
use std::{path::Path, time::Duration};
use tokio::runtime::Runtime;

const ENVIRONMENTS: usize = 10_000;
const COMPONENTS: usize = 40;

pub fn measure(table: &mut Table) -> Result<()> {
    let dir = tempfile::tempdir()?;
    let data = dir.path();
    machine::cli(data, &["hosting", "up"], "")?;
    machine::account(data)?;
    Runtime::new()?.block_on(seed(data))?;
    let mut starts = Vec::new();
    for _ in 0..5 {
        let (server, time) = Server::start(data)?;
        starts.push(time);
        drop(server);
    }
    starts.sort_unstable();
    let (server, _) = Server::start(data)?;
    std::thread::sleep(Duration::from_secs(5));
    let resident = server.resident()?;
    drop(server);
    machine::cli(data, &["hosting", "down"], "")?;
    table.push(Row::below(
        "start to ready, 10,000 environments",
        starts[2].as_secs_f64() * 1000.0,
        "ms",
        1000.0,
    ));
    #[expect(clippy::cast_precision_loss, reason = "megabytes, for people")]
    let megabytes = resident as f64 / 1_048_576.0;
    table.push(Row::below(
        "resident memory, 10,000 environments, idle",
        megabytes,
        "MB",
        150.0,
    ));
    Ok(())
}

/// Environments with components, straight into the store.
async fn seed(data: &Path) -> Result<()> {
    let keyring = Keyring::parse(&std::fs::read_to_string(data.join("secret.key"))?)?;
    let url = format!("sqlite://{}", data.join("pressroom.db").display());
    let store = Store::open(&url, keyring).await?;
    let account = accounts::by_name(&store, "Bench")
        .await?
        .context("the account")?;
    for chunk in 0..ENVIRONMENTS / 100 {
        let tx = store.begin().await?;
        for number in chunk * 100..(chunk + 1) * 100 {
            let site =
                environments::create_site(&tx, account.id, &format!("s-{number}"), "Bench").await?;
            let environment = environments::create(
                &tx,
                NewEnvironment {
                    site_id: site.id,
                    account_id: account.id,
                    domain_id: None,
                    host_id: None,
                    kind: EnvironmentKind::Production,
                    panel_id: format!("wp_{number:09x}"),
                    root: format!("/srv/site-{number}/public_html"),
                    path: "public_html".into(),
                    url: format!("http://site-{number}.test"),
                    origin_addr: None,
                    origin_host: None,
                    unix_user: None,
                    state: EnvironmentState::Active,
                    db_name: format!("db_{number}"),
                    db_user: format!("u_{number}"),
                    db_host: "localhost".into(),
                    db_password: None,
                    table_prefix: "wp_".into(),
                    core_version: "6.5.5".into(),
                    locale: "en_US".into(),
                    title: format!("Site {number}"),
                },
            )
            .await?;
            let parts = (0..COMPONENTS)
                .map(|part| component(part, number))
                .collect();
            components::replace_all(&tx, environment.id, parts).await?;
        }
        tx.commit().await?;
    }
    Ok(())
}

fn component(part: usize, number: usize) -> NewComponent {
    NewComponent {
        kind: if part < 36 { "plugin" } else { "theme" }.into(),
        place: "normal".into(),
        slug: format!("part-{part}"),
        file: format!("part-{part}/part-{part}.php"),
        name: format!("Part {part}"),
        version: format!("1.{}.{}", part, number % 10),
        status: "active".into(),
        new_version: None,
        offer_unknown: None,
        tree_hash: None,
        author: "Bench".into(),
        description: "One of many.".into(),
        parent: None,
    }
}
