//! All that a site is.

use anyhow::{Result, ensure};
use pressroom_lab::Database;
use pressroom_testkit::tree::Tree;
use pressroom_tests::adopted::World;

/// Its files, byte for byte, and its rows, by table.
pub struct Seen {
    files: Tree,
    rows: String,
}

impl Seen {
    pub fn of(world: &World) -> Result<Self> {
        Ok(Self {
            files: Tree::of_directory(&world.hosted.root)?,
            rows: rows(&world.hosted.database)?,
        })
    }

    /// Fails when it is not what it was.
    pub fn is_still(&self, world: &World) -> Result<()> {
        let now = Self::of(world)?;
        let files = self.files.difference(&now.files);
        ensure!(files.is_empty(), "files differ: {files:#?}");
        ensure!(
            self.rows == now.rows,
            "rows differ: {}\nnow: {}",
            self.rows,
            now.rows
        );
        Ok(())
    }
}

fn rows(database: &Database) -> Result<String> {
    let names = database.sql("SHOW TABLES")?;
    let names: Vec<String> = names.lines().map(|name| format!("`{name}`")).collect();
    ensure!(!names.is_empty(), "it has no tables");
    database.sql(&format!("CHECKSUM TABLE {}", names.join(", ")))
}
