//! `pressroom user two-factor …`

mod codes;
mod confirm;
mod disable;
mod enable;
mod show;

pub use codes::Codes;
pub use confirm::Confirm;
pub use disable::Disable;
pub use enable::Enable;
pub use show::Show;

use crate::{Exit, Failure, Printer};
use clap::Subcommand;
use pressroom_fleet::{Caller, Fleet, users::BackupCodes};
use serde_json::json;

/// Codes of an app that signing in takes besides the password, in the console and in the
/// APIs. Keys that were issued before go on.
#[derive(Debug, Subcommand)]
#[command(after_help = "Examples:
  pressroom user two-factor enable ann@example.com
  pressroom user two-factor confirm ann@example.com 123456
  pressroom user two-factor disable ann@example.com")]
pub enum TwoFactor {
    /// Make a secret to put into an app; nothing is asked for yet
    Enable(Enable),
    /// Have a code asked for from now on; prints backup codes
    Confirm(Confirm),
    /// Ask for a password alone
    Disable(Disable),
    /// Give other backup codes
    Codes(Codes),
    /// Tell how it stands
    Show(Show),
}

impl TwoFactor {
    pub(in crate::commands) async fn run(
        self,
        fleet: &Fleet,
        caller: &Caller,
        printer: &mut Printer,
    ) -> Result<Exit, Failure> {
        match self {
            Self::Enable(enable) => enable.run(fleet, caller, printer).await,
            Self::Confirm(confirm) => confirm.run(fleet, caller, printer).await,
            Self::Disable(disable) => disable.run(fleet, caller, printer).await,
            Self::Codes(codes) => codes.run(fleet, caller, printer).await,
            Self::Show(show) => show.run(fleet, caller, printer).await,
        }
    }
}

/// Backup codes, one a line: shown this once.
fn tell(codes: BackupCodes, printer: &mut Printer) {
    let codes: Vec<String> = codes
        .0
        .into_iter()
        .map(pressroom_base::Secret::into_inner)
        .collect();
    if printer.json() {
        return printer.json_line(&json!({ "backup_codes": codes }));
    }
    for code in &codes {
        printer.line(code);
    }
    printer.note("write these backup codes down: each is good once, and they are not shown again");
}

#[cfg(test)]
mod tests {
    use super::*;
    use pressroom_base::Secret;

    #[test]
    fn backup_codes_are_told_one_a_line() {
        let codes = || {
            BackupCodes(vec![
                Secret::new("ab-cd".into()),
                Secret::new("ef-gh".into()),
            ])
        };
        let (mut printer, captured) = Printer::captured(None);
        tell(codes(), &mut printer);
        assert_eq!(captured.out(), "ab-cd\nef-gh\n");
        assert!(captured.err().contains("not shown again"));
        printer.set_json(true);
        tell(codes(), &mut printer);
        assert!(
            captured
                .out()
                .ends_with("{\"backup_codes\":[\"ab-cd\",\"ef-gh\"]}\n")
        );
    }
}
