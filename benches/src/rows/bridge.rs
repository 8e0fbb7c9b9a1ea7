//! WordPress' own code run in a site.

use crate::{
    rival::WpCli,
    site,
    table::{Row, Table},
    timing,
};
use anyhow::{Context, Result, ensure};
use pressroom_carrier::{CancellationToken, Session};
use pressroom_wordpress::bridge::Action;
use serde_json::Value;
use tokio::runtime::Runtime;

/// How many operations go into one boot in the second row.
const MANY: usize = 10;

/// One option as WordPress says it, from nothing (agent started, WordPress booted,
/// agent gone), with the compiled files of earlier calls at hand.
pub fn measure(table: &mut Table) -> Result<()> {
    let runtime = Runtime::new()?;
    let site = site::with_plugins()?;
    let place = site::place(site.home())?;
    let read = |times: usize| {
        let action = Action::GetOption {
            name: "blogname".to_owned(),
            network: false,
        };
        runtime.block_on(async {
            let session = Session::open(&place, CancellationToken::new()).await?;
            let report = session
                .bridge(None, site.root(), "php", vec![action; times])
                .await?;
            session.close().await;
            ensure!(
                report.is_ok() && report.outcomes.len() == times,
                "WordPress did not answer: {report:?}"
            );
            let last = report.outcomes.last().context("no answer")?;
            Ok(last.data.get("value").cloned().unwrap_or(Value::Null))
        })
    };
    let one = || read(1).map(drop);
    let what = format!(
        "bridge call on a warm site, {} plugins, one option",
        site::PLUGINS
    );
    let Some(wp) = WpCli::find() else {
        table.push(Row::faster(&what, timing::median(9, one)?, None, 2.0));
        return Ok(());
    };
    let code = "echo json_encode(get_option('blogname'));";
    let path = site.path();
    let eval = |wp: &WpCli| wp.run(&path, &["eval", code]);
    let theirs: Value = serde_json::from_str(&eval(&wp)?)?;
    ensure!(read(1)? == theirs, "the two answers differ");
    let (ours, other) = timing::side_by_side(9, one, || eval(&wp).map(drop))?;
    table.push(Row::faster(&what, ours, Some(("`wp eval`", other)), 2.0));
    let cache = tempfile::tempdir()?;
    let quick = wp.with_file_cache(cache.path());
    let (ours, other) = timing::side_by_side(9, one, || eval(&quick).map(drop))?;
    let other = Some(("`wp eval` with OPcache's file cache", other));
    table.push(Row::faster(&what, ours, other, 0.0).reported());
    let what = format!("bridge, {MANY} operations in one boot");
    let (ours, other) = timing::side_by_side(
        3,
        || read(MANY).map(drop),
        || (0..MANY).try_for_each(|_| eval(&quick).map(drop)),
    )?;
    let other = Some(("as many `wp eval` with OPcache's file cache", other));
    table.push(Row::faster(&what, ours, other, 0.0).reported());
    Ok(())
}
