//! What mails say, as text and as HTML.

use askama::Template;

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
