//! `pressroom health list`

use crate::{
    Exit, Failure, Printer,
    commands::site::find,
    table::{Table, plain},
};
use clap::Args;
use pressroom_fleet::{
    Caller, Fleet,
    authorize::Action,
    health::{CheckKind, CheckStatus, HealthCheck, HealthQuery},
};

/// Lists the looks at a site, newest first.
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  pressroom health list blog.example
  pressroom health list blog.example --status failed --limit 5
  pressroom --json health list wp_2f686f6d6 --kind manual")]
pub struct List {
    /// The site's id (`wp_…`) or domain
    pub site: String,
    /// Only those with this result
    #[arg(long, value_parser = ["passed", "warning", "failed"])]
    pub status: Option<String>,
    /// Only those for this reason
    #[arg(long, value_parser = ["scheduled", "manual", "pre_upgrade", "post_upgrade", "canary", "post_rollback"])]
    pub kind: Option<String>,
    /// At most so many
    #[arg(long, default_value_t = 20, value_parser = clap::value_parser!(u64).range(1..=10_000))]
    pub limit: u64,
}

impl List {
    pub(in crate::commands) async fn run(
        self,
        fleet: &Fleet,
        caller: &Caller,
        printer: &mut Printer,
    ) -> Result<Exit, Failure> {
        let site = find(&self.site, Action::SiteRead, fleet, caller).await?;
        let query = HealthQuery {
            status: self.status.as_deref().and_then(CheckStatus::parse),
            kind: self.kind.as_deref().and_then(CheckKind::parse),
            ..HealthQuery::default()
        };
        let (looks, total) = fleet
            .list_health_checks_of(caller, site.site_id, query, self.limit)
            .await?;
        show(&looks, printer);
        if total > looks.len() as u64 {
            printer.note(&format!("{} of {total} looks", looks.len()));
        }
        Ok(Exit::Done)
    }
}

fn show(looks: &[HealthCheck], printer: &mut Printer) {
    let mut table =
        Table::new(&["id", "at", "kind", "status", "http", "ms", "what"]).cut_except(&[0, 1, 3]);
    let number = |number: Option<u64>| number.map(|it| it.to_string()).unwrap_or_default();
    for look in looks {
        table.row([
            format!("hc_{}", look.id),
            look.at.to_rfc3339(),
            look.kind.to_string(),
            look.status.to_string(),
            number(look.http_status.map(u64::from)),
            number(look.response_time_ms),
            plain(look.error.as_deref().unwrap_or_default()),
        ]);
    }
    printer.many(&looks, &table);
}
