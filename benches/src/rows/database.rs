//! A database of 200 MB: dumped, restored, searched and replaced.

use crate::{
    rival::WpCli,
    site::{self, Filling},
    table::{Row, Table},
    timing,
};
use anyhow::{Context, Result, ensure};
use pressroom_agent::protocol::SiteRef;
use pressroom_base::Epoch;
use pressroom_carrier::{CancellationToken, Place, Session};
use pressroom_lab::Site;
use pressroom_wordpress::database::{
    dump::DumpOptions,
    replace::{ReplaceOptions, ReplaceReport, TextPair},
    restore::RestoreOptions,
};
use std::{
    cell::Cell,
    fs::{self, File},
    path::Path,
    process::Command,
    time::Instant,
};
use tokio::runtime::Runtime;

const OLD: &str = "http://example.test";
const NEW: &str = "https://www.example.test";

/// The tables written as SQL to a file, and put back from one; both sides from
/// nothing, ours with its agent started and its caller's pipe in between.
pub fn dump_and_restore(table: &mut Table) -> Result<()> {
    let runtime = Runtime::new()?;
    let site = filled(Filling::Pages)?;
    let place = site::place(site.home())?;
    let results = site::scratch()?;
    let (ours, theirs) = (results.path().join("ours"), results.path().join("theirs"));
    let before = sums(&site)?;
    let dump = || {
        runtime.block_on(async {
            let session = open(&place).await?;
            let mut out = tokio::fs::File::create(&ours).await?;
            let report = session
                .dump_database(reference(&site), DumpOptions::default(), &mut out)
                .await?;
            tokio::io::AsyncWriteExt::flush(&mut out).await?;
            session.close().await;
            ensure!(report.left_out.is_empty(), "not everything was dumped");
            Ok(())
        })
    };
    let other_dump = || {
        let mut command = client("mariadb-dump", &site);
        command
            .args(["--single-transaction", "--quick"])
            .arg(&site.database.name)
            .stdout(File::create(&theirs)?);
        run(command)
    };
    let (our_time, other) = timing::side_by_side(5, dump, other_dump)?;
    let megabytes = |path: &Path| Ok::<_, anyhow::Error>(fs::metadata(path)?.len() / 1_000_000);
    let what = format!("dump of {} MB", megabytes(&ours)?);
    let name = format!("`mariadb-dump` ({} MB)", megabytes(&theirs)?);
    table.push(Row::faster(&what, our_time, Some((&name, other)), 1.0));

    let epoch = Cell::new(0_i64);
    let restore = |from: &Path| {
        epoch.set(epoch.get() + 1);
        let epoch = Epoch::new(epoch.get());
        runtime.block_on(async {
            let session = open(&place).await?;
            session.recover(epoch).await?;
            let sql = tokio::fs::File::open(from).await?;
            let report = session
                .restore_database(epoch, reference(&site), RestoreOptions::default(), sql)
                .await?;
            let aside = report.aside.context("nothing was put aside")?;
            session
                .drop_database_aside(epoch, reference(&site), aside)
                .await?;
            session.close().await;
            Ok::<_, anyhow::Error>(())
        })
    };
    let other_restore = || {
        let mut command = client("mariadb", &site);
        command.arg(&site.database.name).stdin(File::open(&theirs)?);
        run(command)
    };
    // Our own dump first, and once: its rows must be the same ones again.
    restore(&ours)?;
    ensure!(sums(&site)? == before, "our dump restored other rows");
    let (our_time, other) = timing::side_by_side(3, || restore(&theirs), other_restore)?;
    ensure!(sums(&site)? == before, "a restore left other rows");
    restore(&theirs)?;
    ensure!(sums(&site)? == before, "our restore left other rows");
    let what = format!(
        "restore of {} MB, loaded by the side, exchanged, old tables dropped",
        megabytes(&theirs)?
    );
    let other = Some(("`mariadb <` the same dump", other));
    table.push(Row::faster(&what, our_time, other, 1.5));
    Ok(())
}

/// One address for another in all tables: in pages as builders keep them, which is what
/// the budget names, and in many small rows.
pub fn search_replace(table: &mut Table) -> Result<()> {
    table.push(replaced(Filling::Pages)?);
    let row = replaced(Filling::Rows)?;
    let what = format!("{}, in small rows", row.what);
    table.push(Row { what, ..row }.reported());
    Ok(())
}

/// Each side from the same rows; WP-CLI may take the better part of a minute and runs
/// once, between ours.
fn replaced(filling: Filling) -> Result<Row> {
    let runtime = Runtime::new()?;
    let site = filled(filling)?;
    let place = site::place(site.home())?;
    let kept = Copies::keep(&site)?;
    let epoch = Cell::new(0_i64);
    let ours = || {
        kept.put_back()?;
        epoch.set(epoch.get() + 1);
        let start = Instant::now();
        let report = runtime.block_on(replace(&place, &site, Epoch::new(epoch.get())))?;
        let time = start.elapsed();
        ensure!(
            report.verified == Some(true) && report.broken == 0 && report.failed == 0,
            "not all was replaced"
        );
        Ok::<_, anyhow::Error>((time, report))
    };
    let what = format!("search-replace in {} MB", kept.megabytes);
    let Some(wp) = WpCli::find() else {
        let mut times = Vec::new();
        for _ in 0..3 {
            times.push(ours()?.0);
        }
        return Ok(Row::faster(&what, timing::middle(times), None, 20.0));
    };
    let mut times = vec![ours()?.0];
    kept.put_back()?;
    let path = site.path();
    let theirs = timing::once(|| {
        let arguments = [
            "search-replace",
            OLD,
            NEW,
            "--all-tables-with-prefix",
            "--skip-columns=guid",
            "--quiet",
        ];
        wp.run(&path, &arguments).map(drop)
    })?;
    kept.set_aside()?;
    times.push(ours()?.0);
    let (time, report) = ours()?;
    times.push(time);
    let differing = kept.differing()?;
    let escaped = kept.escaped()?;
    ensure!(
        differing == escaped,
        "{differing} rows differ from WP-CLI's, {escaped} hold an escaped address"
    );
    let what = format!(
        "{what}, {} rows changed: WP-CLI's and {escaped} with an address escaped as JSON, which it leaves",
        report.rows
    );
    let other = Some(("`wp search-replace`", theirs));
    Ok(Row::faster(&what, timing::middle(times), other, 20.0))
}

async fn replace(place: &Place, site: &Site, epoch: Epoch) -> Result<ReplaceReport> {
    let options = ReplaceOptions {
        pairs: vec![TextPair {
            old: OLD.to_owned(),
            new: NEW.to_owned(),
        }],
        run: format!("bench-{epoch}"),
        ..ReplaceOptions::default()
    };
    let session = open(place).await?;
    session.recover(epoch).await?;
    let report = session
        .search_replace(Some(epoch), reference(site), options)
        .await?;
    session.close().await;
    Ok(report)
}

/// Copies of a site's tables in two databases beside its own: how they were, and how
/// the other side left them.
struct Copies<'a> {
    site: &'a Site,
    tables: Vec<String>,
    megabytes: u64,
}

impl<'a> Copies<'a> {
    fn keep(site: &'a Site) -> Result<Self> {
        let name = &site.database.name;
        let tables: Vec<String> = site
            .database
            .sql("SHOW TABLES")?
            .lines()
            .map(str::to_owned)
            .collect();
        let bytes = site.database.sql(&format!(
            "SELECT SUM(data_length) FROM information_schema.tables WHERE table_schema = '{name}'"
        ))?;
        site.database.sql(
            "CREATE OR REPLACE DATABASE bench_kept; CREATE OR REPLACE DATABASE bench_theirs",
        )?;
        for table in &tables {
            site.database.sql(&format!(
                "CREATE TABLE bench_kept.{table} LIKE {name}.{table}; \
                 INSERT INTO bench_kept.{table} SELECT * FROM {name}.{table}"
            ))?;
        }
        Ok(Self {
            site,
            tables,
            megabytes: bytes.trim().parse::<u64>()? / 1_000_000,
        })
    }

    /// Makes the site's tables what they were.
    fn put_back(&self) -> Result<()> {
        for table in &self.tables {
            self.site.database.sql(&format!(
                "DROP TABLE IF EXISTS {table}; CREATE TABLE {table} LIKE bench_kept.{table}; \
                 INSERT INTO {table} SELECT * FROM bench_kept.{table}; ANALYZE TABLE {table}"
            ))?;
        }
        Ok(())
    }

    /// Takes what the other side made of them away.
    fn set_aside(&self) -> Result<()> {
        for table in &self.tables {
            self.site
                .database
                .sql(&format!("RENAME TABLE {table} TO bench_theirs.{table}"))?;
        }
        Ok(())
    }

    /// Rows that are not as the other side left them.
    fn differing(&self) -> Result<u64> {
        let mut rows = 0;
        for table in &self.tables {
            let name = &self.site.database.name;
            let columns = self.site.database.sql(&format!(
                "SELECT column_name, column_key FROM information_schema.columns \
                 WHERE table_schema = '{name}' AND table_name = '{table}'"
            ))?;
            let (mut same, mut key) = (Vec::new(), Vec::new());
            for line in columns.lines() {
                let (column, kind) = line.split_once('\t').context("a column and its key")?;
                same.push(format!(
                    "CAST(o.{column} AS BINARY) <=> CAST(t.{column} AS BINARY)"
                ));
                if kind == "PRI" {
                    key.push(format!("o.{column} = t.{column}"));
                }
            }
            let count = self.site.database.sql(&format!(
                "SELECT COUNT(*) FROM {table} o LEFT JOIN bench_theirs.{table} t ON {} WHERE NOT ({})",
                key.join(" AND "),
                same.join(" AND ")
            ))?;
            rows += count.trim().parse::<u64>()?;
        }
        Ok(rows)
    }

    /// Rows of metas that held the address as JSON writes it.
    fn escaped(&self) -> Result<u64> {
        let count = self.site.database.sql(&format!(
            "SELECT COUNT(*) FROM bench_kept.{}postmeta WHERE INSTR(meta_value, '{}')",
            self.site.prefix,
            OLD.replace('/', "\\\\/")
        ))?;
        Ok(count.trim().parse()?)
    }
}

fn filled(filling: Filling) -> Result<Site> {
    let site = site::with_plugins()?;
    site::fill_database(&site, filling)?;
    Ok(site)
}

/// What the server says of the contents of all tables.
fn sums(site: &Site) -> Result<String> {
    let tables = site.database.sql("SHOW TABLES")?;
    let names: Vec<&str> = tables.lines().collect();
    site.database
        .sql(&format!("CHECKSUM TABLE {}", names.join(", ")))
}

/// A program of the server's, told where it is.
fn client(program: &str, site: &Site) -> Command {
    let mut command = Command::new(program);
    command
        .arg("--no-defaults")
        .arg(format!("--socket={}", site.database.socket.display()))
        .args(["--user=root", "--max-allowed-packet=64M"]);
    command
}

fn run(mut command: Command) -> Result<()> {
    let name = command.get_program().to_owned();
    let status = command
        .status()
        .with_context(|| format!("cannot run {}", name.display()))?;
    ensure!(status.success(), "{} failed", name.display());
    Ok(())
}

async fn open(place: &Place) -> Result<Session> {
    Ok(Session::open(place, CancellationToken::new()).await?)
}

fn reference(site: &Site) -> SiteRef {
    SiteRef {
        root: site.root().to_owned(),
        php: None,
    }
}
