//! `pressroom data …`: the store as a whole. The binary holds it; what may be typed, and how
//! answers look, is here.

use crate::{Exit, Printer};
use clap::{Args, Subcommand};
use serde::Serialize;
use std::path::PathBuf;

/// Copies of Pressroom's own records, and the key that seals secrets in them.
#[derive(Debug, Clone, Subcommand)]
#[command(after_help = "Examples:
  pressroom data backup /backup/pressroom-monday.copy
  pressroom data check /backup/pressroom-monday.copy
  pressroom data restore /backup/pressroom-monday.copy")]
pub enum Data {
    /// Copy every record into a file while Pressroom is used
    Backup(Backup),
    /// Load a copy into a database that holds nothing
    Restore(Restore),
    /// Look whether the records, or a copy of them, are whole
    Check(Check),
    /// Seal all secrets with another key
    RotateKey(RotateKey),
}

/// Copies every record into a file, as all of them were at one instant; Pressroom may be
/// used meanwhile. The copy is read back and loaded once before the file gets its name.
/// Sites and snapshots are not in it, nor is the key that opens the secrets in it.
#[derive(Debug, Clone, Args)]
#[command(after_help = "Examples:
  pressroom data backup /backup/pressroom-monday.copy
  pressroom --json data backup /backup/pressroom-monday.copy")]
pub struct Backup {
    /// Where to write it; nothing that is there is overwritten
    pub file: PathBuf,
}

/// Loads a copy into the configured database, which must hold nothing, be it SQLite or
/// PostgreSQL and whatever the copy was made of. Work that was under way when the copy was
/// made is not taken up, and nobody is signed in any more. Passwords, tokens and who is shut out
/// are as they were when it was made. Stop every server of this installation first.
#[derive(Debug, Clone, Args)]
#[command(after_help = "Examples:
  pressroom data restore /backup/pressroom-monday.copy
  pressroom --data /srv/new data restore /backup/pressroom-monday.copy")]
pub struct Restore {
    /// The copy
    pub file: PathBuf,
}

/// Looks whether the database is whole, every secret opens, and the archive has every
/// snapshot; with a file, whether that copy could be loaded. Changes nothing, also not a
/// database of another version, and ends with 1 when something is wrong.
#[derive(Debug, Clone, Args)]
#[command(after_help = "Examples:
  pressroom data check
  pressroom data check /backup/pressroom-monday.copy")]
pub struct Check {
    /// A copy to look at instead
    pub file: Option<PathBuf>,
}

/// Makes a new key and seals every secret with it. The old key stays in the file and opens
/// what others still have; running servers take the new one up by themselves. Where several
/// machines have a copy of the file, bring them the prepared one first.
#[derive(Debug, Clone, Args)]
#[command(after_help = "Examples:
  pressroom data rotate-key
  pressroom data rotate-key --prepare
  pressroom data rotate-key --forget")]
pub struct RotateKey {
    /// Only add a key that opens, for the other machines to have before it seals
    #[arg(long, conflicts_with = "forget")]
    pub prepare: bool,
    /// Remove older keys, once nothing is left that only they open
    #[arg(long)]
    pub forget: bool,
    /// Do not wait until servers have had time to take the new key up
    #[arg(long, requires = "forget")]
    pub now: bool,
}

/// What is in a copy.
#[derive(Debug, Serialize)]
pub struct Copied {
    /// The file.
    pub file: PathBuf,
    /// Its bytes.
    pub bytes: u64,
    /// Rows in it.
    pub rows: u64,
    /// Tables in it.
    pub tables: usize,
    /// When it was made.
    pub made_at: String,
}

impl Copied {
    /// Prints it after what was done.
    pub fn show(&self, done: &str, printer: &mut Printer) -> Exit {
        let text = format!(
            "{done}: {} rows in {} tables, {} bytes, made {}",
            self.rows, self.tables, self.bytes, self.made_at
        );
        printer.one(self, &text);
        Exit::Done
    }
}

/// One thing that was looked at.
#[derive(Debug, Serialize)]
pub struct Looked {
    /// What.
    pub what: &'static str,
    /// What was found, in a word or two.
    pub found: String,
    /// What is wrong.
    pub problems: Vec<String>,
}

/// Prints what was looked at; ends with 1 when something is wrong.
pub fn show(looked: &[Looked], printer: &mut Printer) -> Exit {
    if printer.json() {
        printer.json_line(&looked);
    } else {
        for one in looked {
            let mark = if one.problems.is_empty() {
                "ok"
            } else {
                "WRONG"
            };
            printer.line(&format!("{mark:5}  {}: {}", one.what, one.found));
            for problem in &one.problems {
                printer.line(&format!("       {problem}"));
            }
        }
    }
    if looked.iter().all(|one| one.problems.is_empty()) {
        Exit::Done
    } else {
        Exit::Failed
    }
}
