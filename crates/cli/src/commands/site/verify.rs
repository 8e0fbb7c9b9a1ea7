//! `pressroom site verify`

use super::find;
use crate::{Exit, Failure, Printer, table::Table};
use clap::Args;
use pressroom_fleet::{
    Caller, Fleet,
    authorize::Action,
    checksums::{Verdict, Verification, Verified, VerifySite},
};

/// Holds a site's files against the packages they came from. What no package source
/// has in the installed version is unknown, which is not the same as clean. Ends with 1
/// when a file is modified, missing or unexpected.
#[derive(Debug, Args)]
#[expect(clippy::struct_excessive_bools, reason = "independent switches")]
#[command(after_help = "Examples:
  pressroom site verify blog.example
  pressroom site verify blog.example --core
  pressroom --json site verify wp_2f686f6d6 --plugins --themes")]
pub struct Verify {
    /// The site's id (`wp_…`) or domain
    pub id: String,
    /// WordPress itself, without `wp-content`
    #[arg(long)]
    pub core: bool,
    /// Plugins
    #[arg(long)]
    pub plugins: bool,
    /// Themes
    #[arg(long)]
    pub themes: bool,
    /// All of them, as when none is named
    #[arg(long)]
    pub all: bool,
}

impl Verify {
    pub(in crate::commands) async fn run(
        self,
        fleet: &Fleet,
        caller: &Caller,
        printer: &mut Printer,
    ) -> Result<Exit, Failure> {
        let site = find(&self.id, Action::SiteRead, fleet, caller).await?;
        let found = fleet.verify_site(caller, site.id, self.wanted()).await?;
        show(&found, printer);
        Ok(if found.differs() {
            Exit::Failed
        } else {
            Exit::Done
        })
    }

    const fn wanted(&self) -> VerifySite {
        if self.all || !(self.core || self.plugins || self.themes) {
            return VerifySite::ALL;
        }
        VerifySite {
            core: self.core,
            plugins: self.plugins,
            themes: self.themes,
        }
    }
}

fn show(found: &Verification, printer: &mut Printer) {
    let mut table = Table::new(&["kind", "name", "version", "verdict", "file"]);
    for subject in &found.subjects {
        rows(subject, &mut table);
    }
    printer.many(found, &table);
    if found.has_unknown() {
        printer.note("what is unknown was not compared: nothing is said about it");
    }
}

/// One row for the subject, then one for each file.
fn rows(subject: &Verified, table: &mut Table) {
    let mut row = |verdict: &str, what: String| {
        table.row([
            subject.kind.to_owned(),
            subject.slug.clone(),
            subject.version.clone(),
            verdict.to_owned(),
            what,
        ]);
    };
    let verdict = match subject.verdict {
        Verdict::Clean => "clean",
        Verdict::Differs => "differs",
        Verdict::Unknown => "unknown",
    };
    let why = subject.why.clone();
    row(
        verdict,
        why.unwrap_or_else(|| format!("{} files are the package's", subject.intact)),
    );
    let differences = &subject.differences;
    for (difference, path) in differences.decisive() {
        row(difference, path.to_owned());
    }
    for named in &differences.minor {
        row("minor", format!("{} {}", named.difference, named.path));
    }
    if differences.more > 0 {
        row("more", format!("{} more files differ", differences.more));
    }
}
