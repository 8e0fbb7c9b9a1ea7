//! `pressroom key list`

use crate::{Exit, Failure, Printer, table::Table};
use clap::Args;
use pressroom_fleet::{Caller, Fleet, ssh_keys::SshKey};

/// Lists keys, oldest first, without the private halves.
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  pressroom key list
  pressroom --json key list")]
pub struct List {}

impl List {
    pub(in crate::commands) async fn run(
        self,
        fleet: &Fleet,
        caller: &Caller,
        printer: &mut Printer,
    ) -> Result<Exit, Failure> {
        show(&fleet.list_ssh_keys(caller).await?, printer);
        Ok(Exit::Done)
    }
}

fn show(keys: &[SshKey], printer: &mut Printer) {
    let mut table =
        Table::new(&["id", "account", "label", "kind", "used", "fingerprint"]).cut_except(&[0, 5]);
    for key in keys {
        table.row([
            key.id.to_string(),
            key.account.clone(),
            key.label.clone(),
            key.kind.to_owned(),
            if key.primary { "primary" } else { "by name" }.to_owned(),
            key.fingerprint.clone(),
        ]);
    }
    printer.many(&keys, &table);
}

#[cfg(test)]
mod tests {
    use super::*;
    use pressroom_base::{Timestamp, id::SshKeyId};

    #[test]
    fn one_key_a_line_and_never_its_private_half() {
        let keys = [SshKey {
            id: SshKeyId::new(1),
            account: "agency".into(),
            label: "pressroom".into(),
            kind: "ed25519",
            public_line: "ssh-ed25519 AAAA pressroom".into(),
            fingerprint: "SHA256:x".into(),
            primary: true,
            created_at: Timestamp::from_millis(0),
        }];
        let (mut printer, captured) = Printer::captured(None);
        show(&keys, &mut printer);
        assert_eq!(
            captured.out(),
            "1\tagency\tpressroom\ted25519\tprimary\tSHA256:x\n"
        );
        let (mut printer, captured) = Printer::captured(None);
        printer.set_json(true);
        show(&keys, &mut printer);
        assert!(!captured.out().contains("private"));
    }
}
