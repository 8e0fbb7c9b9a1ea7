//! Ratios against what people use today.
//!
//! One command (`benches/run`) makes a site with 40 plugins and a database of 200 MB,
//! measures both sides of each row in the same run, and prints a table. A row whose
//! other side is not on this machine says so and never counts as reached.

mod machine;
mod rival;
mod rows;
mod site;
mod table;
mod timing;

use anyhow::Result;
use table::Table;

fn main() -> Result<()> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    if let [word, database, address] = arguments.as_slice()
        && word == "control-server"
    {
        return rows::api::control(database, address);
    }
    rustls::crypto::ring::default_provider()
        .install_default()
        .map_err(|_| anyhow::anyhow!("a TLS provider is installed already"))?;
    let mut table = Table::default();
    rows::run_all(&arguments, &mut table)?;
    table.print();
    Ok(())
}
