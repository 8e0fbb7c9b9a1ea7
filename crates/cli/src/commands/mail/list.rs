//! `pressroom mail list`

use crate::{
    Exit, Failure, Printer,
    table::{Table, plain},
};
use clap::Args;
use pressroom_base::Timestamp;
use pressroom_fleet::{Caller, Fleet, mail::Mail};

/// Lists the last mails, newest first: to whom, about what, and how far they are. What they
/// say is not shown.
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  pressroom mail list
  pressroom --json mail list --limit 5")]
pub struct List {
    /// At most so many
    #[arg(long, default_value_t = 50)]
    pub limit: u32,
}

impl List {
    pub(in crate::commands) async fn run(
        self,
        fleet: &Fleet,
        caller: &Caller,
        printer: &mut Printer,
    ) -> Result<Exit, Failure> {
        let mails = fleet.list_mails(caller, self.limit.into()).await?;
        show(&mails, printer);
        Ok(Exit::Done)
    }
}

fn show(mails: &[Mail], printer: &mut Printer) {
    let mut table = Table::new(&["id", "about", "to", "state", "attempts", "when", "why"])
        .cut_except(&[0, 2, 3]);
    for mail in mails {
        let when = mail.ended_at.or(mail.due_at);
        table.row([
            mail.id.to_string(),
            mail.kind.clone(),
            mail.recipient.clone(),
            mail.state.replace('_', " "),
            mail.attempts.to_string(),
            when.map(Timestamp::to_rfc3339).unwrap_or_default(),
            plain(mail.error.as_deref().unwrap_or_default()),
        ]);
    }
    printer.many(&mails, &table);
}

#[cfg(test)]
mod tests {
    use super::*;
    use pressroom_base::id::MailId;

    #[test]
    fn one_mail_a_line_and_why_it_was_not_taken() {
        let at = Timestamp::from_millis(0);
        let mail = Mail {
            id: MailId::new(7),
            kind: "user.invited".into(),
            recipient: "bob@example.com".into(),
            subject: "Invitation to agency".into(),
            state: "given_up",
            attempts: 1,
            due_at: None,
            error: Some("550 no such\x1b mailbox".into()),
            created_at: at,
            ended_at: Some(at),
        };
        let (mut printer, captured) = Printer::captured(None);
        show(&[mail], &mut printer);
        let out = captured.out();
        let start = "7\tuser.invited\tbob@example.com\tgiven up\t1\t1970-01-01T00:00:00Z\t550";
        assert!(out.starts_with(start), "{out}");
        assert!(!out.contains('\x1b'), "{out:?}");
    }
}
