//! `pressroom doctor`

use crate::{Exit, Failure, Printer, table::Table};
use clap::Args;
use pressroom_fleet::{Caller, Fleet, operations::Check};

/// Looks at everything Pressroom needs.
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  pressroom doctor
  pressroom --json doctor")]
pub struct Doctor {}

impl Doctor {
    pub(super) async fn run(
        self,
        fleet: &Fleet,
        caller: &Caller,
        printer: &mut Printer,
    ) -> Result<Exit, Failure> {
        let checks = fleet.doctor(caller).await?;
        Ok(show(&checks, printer))
    }
}

fn show(checks: &[Check], printer: &mut Printer) -> Exit {
    let mut table = Table::new(&["check", "status", "found"]);
    for check in checks {
        table.row([
            check.name.clone(),
            check.status.to_owned(),
            check.message.clone(),
        ]);
    }
    printer.many(&checks, &table);
    let failed = checks
        .iter()
        .filter(|check| check.status == "failed")
        .count();
    let warnings = checks
        .iter()
        .filter(|check| check.status == "warning")
        .count();
    printer.note(&format!(
        "{} looked at, {warnings} to know about, {failed} failed",
        checks.len()
    ));
    if failed > 0 { Exit::Failed } else { Exit::Done }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_failed_check_fails_the_command() {
        let check = |status| Check {
            name: "store".into(),
            status,
            message: "answers".into(),
        };
        let (mut printer, captured) = Printer::captured(None);
        assert_eq!(
            show(&[check("ok"), check("warning")], &mut printer),
            Exit::Done
        );
        assert_eq!(
            show(&[check("ok"), check("failed")], &mut printer),
            Exit::Failed
        );
        assert_eq!(
            captured.err(),
            "2 looked at, 1 to know about, 0 failed\n2 looked at, 0 to know about, 1 failed\n"
        );
        assert!(
            captured
                .out()
                .starts_with("store\tok\tanswers\nstore\twarning\tanswers\n")
        );
    }
}
