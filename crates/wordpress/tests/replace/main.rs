//! Search-replace on real WordPress tables in a real server.

mod charsets;
mod corpus;
mod fenced;
mod hard_tables;
mod interrupted;
mod network;
mod reference;

use pressroom_base::Epoch;
use pressroom_lab::Site;
use pressroom_wordpress::{
    Home, Result, Watch, config,
    database::replace::{ReplaceOptions, ReplaceReport, TextPair, search_replace},
    fence,
};

fn pair(old: &str, new: &str) -> TextPair {
    TextPair {
        old: old.into(),
        new: new.into(),
    }
}

fn options(pairs: &[(&str, &str)]) -> ReplaceOptions {
    ReplaceOptions {
        pairs: pairs.iter().map(|(old, new)| pair(old, new)).collect(),
        ..ReplaceOptions::default()
    }
}

fn run(site: &Site, options: &ReplaceOptions) -> Result<ReplaceReport> {
    let home = Home::open(site.home())?;
    let watch = Watch::unbounded();
    let epoch = Epoch::new(1);
    fence::take(&home, epoch, &watch)?;
    let settings = config::read(&home, site.root())?;
    search_replace(&home, Some(epoch), &settings, options, &watch)
}

/// The sum of rows that a report gives for a column.
fn rows(report: &ReplaceReport, table: &str, column: &str) -> u64 {
    column_of(report, table, column).rows
}

fn column_of<'a>(
    report: &'a ReplaceReport,
    table: &str,
    column: &str,
) -> &'a pressroom_wordpress::database::replace::ColumnReport {
    report
        .tables
        .iter()
        .find(|found| found.name == table)
        .and_then(|found| found.columns.iter().find(|found| found.name == column))
        .unwrap_or_else(|| panic!("{table}.{column} is not in the report"))
}

/// A checksum of every table.
fn checksums(site: &Site) -> String {
    let tables = site
        .database
        .sql("SHOW FULL TABLES WHERE Table_type = 'BASE TABLE'")
        .expect("tables");
    let names: Vec<String> = tables
        .lines()
        .filter_map(|line| line.split('\t').next())
        .map(|name| format!("`{}`", name.replace('`', "``")))
        .collect();
    site.database
        .sql(&format!("CHECKSUM TABLE {} EXTENDED", names.join(",")))
        .expect("checksums")
}
