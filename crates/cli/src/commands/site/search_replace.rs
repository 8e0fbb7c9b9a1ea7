//! `pressroom site search-replace`

use super::find;
use crate::{Exit, Failure, Printer, commands::place::Elsewhere, table::Table};
use clap::Args;
use pressroom_fleet::{
    Caller, Fleet,
    authorize::Action,
    database::{ObjectRule, ReplaceReport, SearchReplace as Wanted},
    runs::Operation,
};

/// Replaces a text in a site's tables, inside serialized values too. Lengths are put
/// right; values that PHP could not read are left as they are and told. Passwords,
/// `posts.guid` and tables without the site's prefix are not touched unasked. A snapshot of
/// the tables is taken first, and kept.
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  pressroom site search-replace blog.example http://old.example http://blog.example --dry-run
  pressroom site search-replace blog.example http://old.example http://blog.example
  pressroom site search-replace wp_2f686f6d6 cat dog --table wp_posts --skip-column post_title --no-backup
  pressroom site search-replace --on tag:shop http://cdn.old.example https://cdn.example")]
#[expect(
    clippy::struct_excessive_bools,
    reason = "independent switches of a command line"
)]
pub struct SearchReplace {
    /// The site's id (`wp_…`) or domain; with `--on` what is searched
    pub id: String,
    /// What is searched, byte by byte; with `--on` what replaces it
    #[arg(allow_hyphen_values = true)]
    pub old: String,
    /// What replaces it
    #[arg(
        allow_hyphen_values = true,
        required_unless_present = "on",
        conflicts_with = "on"
    )]
    pub new: Option<String>,
    /// Where else
    #[command(flatten)]
    pub elsewhere: Elsewhere,
    /// Only count
    #[arg(long, conflicts_with = "on")]
    pub dry_run: bool,
    /// Also `posts.guid`, which feed readers know posts by
    #[arg(long)]
    pub guid: bool,
    /// All tables of the database, whatever their prefix
    #[arg(long)]
    pub all_tables: bool,
    /// Only this table; may be repeated
    #[arg(long = "table", value_name = "TABLE")]
    pub tables: Vec<String>,
    /// Not this column, alone or as `table.column`; may be repeated
    #[arg(long = "skip-column", value_name = "COLUMN")]
    pub skip_columns: Vec<String>,
    /// Take a snapshot of the tables first; the default
    #[arg(long, overrides_with = "no_backup")]
    pub backup: bool,
    /// Do not take one
    #[arg(long, overrides_with = "backup")]
    pub no_backup: bool,
    /// Leave serialized objects as they are, every byte
    #[arg(long)]
    pub keep_objects: bool,
}

impl SearchReplace {
    pub(in crate::commands) async fn run(
        self,
        fleet: &Fleet,
        caller: &Caller,
        printer: &mut Printer,
    ) -> Result<Exit, Failure> {
        let words = [Some(self.old), self.new].into_iter().flatten().collect();
        let (place, words) = self.elsewhere.among(Some(self.id), words);
        let mut words = words.into_iter();
        let wanted = Wanted {
            old: words.next().unwrap_or_default(),
            new: words.next().unwrap_or_default(),
            guid: self.guid,
            all_tables: self.all_tables,
            tables: self.tables,
            skip_columns: self.skip_columns,
            backup: self.backup || !self.no_backup,
            objects: if self.keep_objects {
                ObjectRule::Keep
            } else {
                ObjectRule::Values
            },
        };
        if self.dry_run {
            let site = place.site.unwrap_or_default();
            let site = find(&site, Action::SiteDatabase, fleet, caller).await?;
            let report = fleet
                .preview_search_replace(caller, site.id, &wanted)
                .await?;
            show(&report, printer);
            return Ok(Exit::Done);
        }
        let operation = Operation::SearchReplace(wanted);
        place.carry_out(operation, fleet, caller, printer).await
    }
}

fn show(report: &ReplaceReport, printer: &mut Printer) {
    let mut table = Table::new(&["table", "column", "texts", "rows", "left", "remark"]);
    for found in &report.tables {
        if let Some(why) = &found.skipped {
            table.row([
                found.name.clone(),
                String::new(),
                "0".into(),
                "0".into(),
                String::new(),
                why.clone(),
            ]);
        }
        for column in &found.columns {
            let left = column.broken + column.remaining.unwrap_or(0);
            if column.rows == 0 && left == 0 {
                continue;
            }
            let mut remarks: Vec<String> = column.skipped.iter().cloned().collect();
            if column.broken > 0 {
                remarks.push(format!(
                    "{} broken serialized values stay ({})",
                    column.broken,
                    column.broken_keys.join(", ")
                ));
            }
            table.row([
                found.name.clone(),
                column.name.clone(),
                column.replacements.to_string(),
                column.rows.to_string(),
                left.to_string(),
                remarks.join("; "),
            ]);
        }
    }
    printer.many(report, &table);
    printer.note(&format!(
        "{} texts in {} rows would be replaced; nothing was written",
        report.replacements, report.rows
    ));
}
