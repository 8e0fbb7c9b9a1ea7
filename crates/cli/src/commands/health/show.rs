//! `pressroom health show`

use super::parse_id;
use crate::{
    Exit, Failure, Printer,
    table::{Table, plain},
};
use clap::Args;
use pressroom_base::id::ShortId;
use pressroom_fleet::{Caller, Fleet, health::HealthCheck};

/// Shows one look, with all that was looked at.
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  pressroom health show hc_2f686f6d6a1b2c3d4e5f
  pressroom --json health show hc_2f686f6d6a1b2c3d4e5f")]
pub struct Show {
    /// The look's id
    #[arg(value_parser = parse_id)]
    pub id: ShortId,
}

impl Show {
    pub(in crate::commands) async fn run(
        self,
        fleet: &Fleet,
        caller: &Caller,
        printer: &mut Printer,
    ) -> Result<Exit, Failure> {
        show(&fleet.get_health_check(caller, &self.id).await?, printer);
        Ok(Exit::Done)
    }
}

/// A look: one line for each thing that was looked at, and one for the whole.
pub(super) fn show(look: &HealthCheck, printer: &mut Printer) {
    let mut table = Table::new(&["what", "status", "message"]).cut_except(&[0, 1]);
    for check in &look.checks {
        table.row([
            check.name.as_str().to_owned(),
            check.status.as_str().to_owned(),
            plain(&check.message),
        ]);
    }
    printer.many(look, &table);
    printer.note(&format!(
        "{} at {}, hc_{}",
        look.status,
        look.at.to_rfc3339(),
        look.id
    ));
}

#[cfg(test)]
mod tests {
    use super::*;
    use pressroom_base::Timestamp;
    use pressroom_fleet::health::{Check, CheckKind, CheckName, CheckStatus, Verdict};
    use serde_json::json;

    #[test]
    fn one_line_for_each_thing() {
        let check = |name, status, message: &str| Check {
            name,
            status,
            message: message.to_owned(),
            data: json!({}),
        };
        let look = HealthCheck {
            id: "2f686f6d6a1b2c3d4e5f".into(),
            site_id: "a".into(),
            status: CheckStatus::Failed,
            kind: CheckKind::Manual,
            http_status: Some(200),
            response_time_ms: Some(412),
            ttfb_ms: Some(180),
            ssl_expires_at: None,
            wp_version: None,
            php_version: None,
            checks: vec![
                check(CheckName::Http, Verdict::Failed, "no\x1b answer"),
                check(CheckName::Tls, Verdict::Skipped, "without TLS"),
            ],
            error: None,
            pipeline_id: None,
            at: Timestamp::from_millis(0),
        };
        let (mut printer, captured) = Printer::captured(None);
        show(&look, &mut printer);
        let rows: Vec<_> = captured.out().lines().map(str::to_owned).collect();
        assert_eq!(rows.len(), 2, "{rows:?}");
        assert!(rows[0].starts_with("http\tfailed\tno") && !rows[0].contains('\x1b'));
        assert_eq!(rows[1], "tls\tskipped\twithout TLS");
        assert!(parse_id("hc_2f686f6d6a1b2c3d4e5f").is_ok());
        assert!(parse_id("hc_1").is_err());
    }
}
