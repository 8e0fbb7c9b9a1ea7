//! What mails say, as text and as HTML.

use askama::Template;
use pressroom_base::Timestamp;

/// A mail without its recipient.
pub(super) struct Words {
    pub subject: String,
    pub plain: String,
    pub html: String,
}

/// Something that an account's owner is to know at once.
#[derive(Clone)]
pub(super) struct Alert {
    pub account: String,
    /// What of the site: `is down`.
    pub what: &'static str,
    pub site: String,
    pub at: String,
    pub details: Vec<String>,
    pub link: String,
}

/// A receiver of webhooks that is told nothing any more.
#[derive(Clone)]
pub(super) struct Disabled {
    pub account: String,
    pub url: String,
    /// It said so itself, and did not merely fail.
    pub gone: bool,
    pub given_up: u64,
    pub link: String,
}

/// Somebody is invited to an account.
#[derive(Clone)]
pub(super) struct Invited {
    /// Who invites; nobody in particular where it was done at the command line.
    pub inviter: Option<String>,
    pub account: String,
    /// Of whom is invited; may be empty.
    pub name: String,
    pub role: &'static str,
    pub until: String,
    pub link: String,
}

/// Somebody asked for another password.
#[derive(Clone)]
pub(super) struct Reset {
    pub email: String,
    /// The installation's address.
    pub place: String,
    pub until: String,
    pub link: String,
}

/// Somebody's password was changed.
#[derive(Clone)]
pub(super) struct Changed {
    pub email: String,
    pub place: String,
    pub at: String,
    pub link: String,
}

#[derive(Template)]
#[template(path = "mail/alert.txt", escape = "none")]
struct AlertPlain<'a> {
    mail: &'a Alert,
}

#[derive(Template)]
#[template(path = "mail/alert.html")]
struct AlertHtml<'a> {
    mail: &'a Alert,
}

#[derive(Template)]
#[template(path = "mail/disabled.txt", escape = "none")]
struct DisabledPlain<'a> {
    mail: &'a Disabled,
}

#[derive(Template)]
#[template(path = "mail/disabled.html")]
struct DisabledHtml<'a> {
    mail: &'a Disabled,
}

#[derive(Template)]
#[template(path = "mail/invitation.txt", escape = "none")]
struct InvitationPlain<'a> {
    mail: &'a Invited,
}

#[derive(Template)]
#[template(path = "mail/invitation.html")]
struct InvitationHtml<'a> {
    mail: &'a Invited,
}

#[derive(Template)]
#[template(path = "mail/reset.txt", escape = "none")]
struct ResetPlain<'a> {
    mail: &'a Reset,
}

#[derive(Template)]
#[template(path = "mail/reset.html")]
struct ResetHtml<'a> {
    mail: &'a Reset,
}

#[derive(Template)]
#[template(path = "mail/changed.txt", escape = "none")]
struct ChangedPlain<'a> {
    mail: &'a Changed,
}

#[derive(Template)]
#[template(path = "mail/changed.html")]
struct ChangedHtml<'a> {
    mail: &'a Changed,
}

#[derive(Template)]
#[template(path = "mail/test.txt", escape = "none")]
struct TestPlain<'a> {
    place: &'a str,
}

#[derive(Template)]
#[template(path = "mail/test.html")]
struct TestHtml<'a> {
    place: &'a str,
}

impl Alert {
    pub(super) fn words(&self) -> Words {
        Words {
            subject: line(&format!("{} {}", self.site, self.what)),
            plain: rendered(&AlertPlain { mail: self }),
            html: rendered(&AlertHtml { mail: self }),
        }
    }
}

impl Disabled {
    pub(super) fn words(&self) -> Words {
        Words {
            subject: line(&format!("Webhooks of {} are disabled", self.account)),
            plain: rendered(&DisabledPlain { mail: self }),
            html: rendered(&DisabledHtml { mail: self }),
        }
    }
}

impl Invited {
    pub(super) fn words(&self) -> Words {
        Words {
            subject: line(&format!("Invitation to {}", self.account)),
            plain: rendered(&InvitationPlain { mail: self }),
            html: rendered(&InvitationHtml { mail: self }),
        }
    }
}

impl Reset {
    pub(super) fn words(&self) -> Words {
        Words {
            subject: "Another password for Pressroom".to_owned(),
            plain: rendered(&ResetPlain { mail: self }),
            html: rendered(&ResetHtml { mail: self }),
        }
    }
}

impl Changed {
    pub(super) fn words(&self) -> Words {
        Words {
            subject: "Your password for Pressroom was changed".to_owned(),
            plain: rendered(&ChangedPlain { mail: self }),
            html: rendered(&ChangedHtml { mail: self }),
        }
    }
}

/// For whoever wants to know whether mail arrives.
pub(super) fn test(place: &str) -> Words {
    Words {
        subject: "A test of Pressroom's mail".to_owned(),
        plain: rendered(&TestPlain { place }),
        html: rendered(&TestHtml { place }),
    }
}

/// An instant for a person.
pub(super) fn at(at: Timestamp) -> String {
    at.to_rfc3339().replace('T', " ").replace('Z', " UTC")
}

/// Writing to memory does not fail.
fn rendered(template: &impl Template) -> String {
    template.render().unwrap_or_default()
}

/// A subject is one line, and not endless.
fn line(text: &str) -> String {
    let text: String = text
        .chars()
        .map(|c| if c.is_control() { ' ' } else { c })
        .collect();
    text.chars().take(200).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_others_wrote_stays_text() {
        let alert = Alert {
            account: "Acme".into(),
            what: "is down",
            site: "<b>Blog</b>\r\nBcc: all@example.com".into(),
            at: "2026-03-17 12:00:00 UTC".into(),
            details: vec!["Error: <script>".into()],
            link: "https://press.example".into(),
        };
        let words = alert.words();
        assert_eq!(words.subject, "<b>Blog</b>  Bcc: all@example.com is down");
        assert!(words.plain.contains("Error: <script>"), "{}", words.plain);
        assert!(!words.html.contains("<script>"), "{}", words.html);
        assert!(words.html.contains("&#60;b&#62;Blog"), "{}", words.html);
    }

    #[test]
    fn an_invitation_says_who_where_and_what() {
        let mut invited = Invited {
            inviter: Some("ann@example.com".into()),
            account: "Acme\r\nBcc: all@example.com <b>".into(),
            name: "Bob".into(),
            role: "member",
            until: "2026-03-17 12:00:00 UTC".into(),
            link: "https://press.example/invitation/{secret}".into(),
        };
        let words = invited.words();
        assert_eq!(
            words.subject,
            "Invitation to Acme  Bcc: all@example.com <b>"
        );
        assert!(
            words
                .plain
                .starts_with("Hello Bob,\n\nann@example.com invites you to Acme")
        );
        assert!(words.plain.contains("as member"), "{}", words.plain);
        assert!(words.html.contains("&#60;b&#62;"), "{}", words.html);
        for text in [&words.plain, &words.html] {
            assert!(text.contains("/invitation/{secret}"), "{text}");
        }
        invited.inviter = None;
        invited.name = String::new();
        let plain = invited.words().plain;
        assert!(
            plain.starts_with("Hello,\n\nyou are invited to Acme"),
            "{plain}"
        );
    }

    #[test]
    fn why_a_receiver_is_told_nothing() {
        let mut disabled = Disabled {
            account: "Acme".into(),
            url: "https://hooks.example/in".into(),
            gone: true,
            given_up: 3,
            link: "https://press.example".into(),
        };
        assert!(disabled.words().plain.contains("answered 410"));
        disabled.gone = false;
        let words = disabled.words();
        assert!(words.plain.contains("for five days"), "{}", words.plain);
        assert!(words.html.contains("https://hooks.example/in"));
    }
}
