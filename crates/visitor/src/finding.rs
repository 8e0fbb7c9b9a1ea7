//! What became worse.

use serde::{Deserialize, Serialize};
use std::fmt;

/// What a finding means for an update.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Severity {
    /// For the record.
    Note,
    /// A person should know; the update goes on.
    Warning,
    /// The update stops, or is taken back.
    Blocking,
}

/// Lists the kinds once: name in code, name that is kept, and what it means.
macro_rules! kinds {
    ($($(#[doc = $doc:literal])+ $kind:ident = $name:literal,)+) => {
        /// What was found. The names are stable.
        #[derive(
            Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize,
        )]
        #[serde(rename_all = "snake_case")]
        pub enum FindingKind {
            $($(#[doc = $doc])+ $kind,)+
        }

        impl FindingKind {
            /// All of them, in the order of the documentation.
            pub const ALL: &[Self] = &[$(Self::$kind,)+];

            /// The name that is kept and shown.
            pub const fn as_str(self) -> &'static str {
                match self {
                    $(Self::$kind => $name,)+
                }
            }

            /// What it means, for the documentation.
            pub const fn meaning(self) -> &'static str {
                match self {
                    $(Self::$kind => concat!($($doc),+),)+
                }
            }
        }
    };
}

kinds! {
    /// A page that was looked at before was not looked at afterwards.
    NotLookedAt = "not_looked_at",
    /// A page that was dead before and still is: an update cannot be judged by it.
    BrokenBefore = "broken_before",
    /// Nothing answers any more.
    NoAnswer = "no_answer",
    /// The page answers with a server's error.
    ServerError = "server_error",
    /// The page answers with a worse status.
    StatusWorse = "status_worse",
    /// PHP died.
    FatalError = "fatal_error",
    /// WordPress shows its page of a critical error.
    CriticalErrorPage = "critical_error_page",
    /// The database was not understood or not reached.
    DatabaseError = "database_error",
    /// The site was left in maintenance.
    Maintenance = "maintenance",
    /// The page is there and shows nothing.
    WhitePage = "white_page",
    /// The page ends in the middle.
    TruncatedPage = "truncated_page",
    /// Much less is sent than before.
    BodyShrunk = "body_shrunk",
    /// Much less is to be read than before.
    TextLost = "text_lost",
    /// Many links are gone.
    LinksLost = "links_lost",
    /// The page has no headings any more.
    HeadingsLost = "headings_lost",
    /// The page has no title any more.
    TitleLost = "title_lost",
    /// The page is called something else.
    TitleChanged = "title_changed",
    /// Visitors are sent round and round.
    RedirectLoop = "redirect_loop",
    /// Visitors are sent elsewhere.
    RedirectedAway = "redirected_away",
    /// The page shows messages of PHP.
    PhpNotice = "php_notice",
    /// Something was written before the headers were sent.
    HeadersSent = "headers_sent",
    /// Something stands before the page begins.
    OutputBeforePage = "output_before_page",
    /// A file that the page is made with does not arrive.
    FileBroken = "file_broken",
    /// A stylesheet is no longer asked for, and nothing came in its place.
    StyleGone = "style_gone",
    /// A script is no longer asked for.
    ScriptGone = "script_gone",
    /// Most of the page's style is gone.
    StyleLost = "style_lost",
    /// A script of the page fails.
    ScriptError = "script_error",
    /// A script of the page complains.
    ConsoleError = "console_error",
    /// Something that the page asks for while it is shown does not arrive.
    RequestFailed = "request_failed",
    /// A form is gone or hidden.
    FormGone = "form_gone",
    /// A field of a form is gone or hidden.
    FieldGone = "field_gone",
    /// A form can no longer be sent.
    SubmitGone = "submit_gone",
    /// A button is gone or hidden.
    ButtonGone = "button_gone",
    /// WordPress' REST API does not answer as one.
    RestGone = "rest_gone",
    /// Routes of the REST API are gone.
    RestRouteGone = "rest_route_gone",
    /// The feed is no feed any more.
    FeedBroken = "feed_broken",
    /// The feed has no entries any more.
    FeedEmpty = "feed_empty",
    /// The page takes much longer.
    Slower = "slower",
    /// Things on the page stand elsewhere.
    LayoutMoved = "layout_moved",
    /// The content is pushed out of sight.
    PushedDown = "pushed_down",
    /// The page looks different.
    LooksChanged = "looks_changed",
    /// Something new covers most of the page.
    Covered = "covered",
    /// No pictures could be made: the visual check was not made.
    NoPictures = "no_pictures",
}

impl fmt::Display for FindingKind {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(self.as_str())
    }
}

/// One difference that matters.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Finding {
    /// What it is.
    pub what: FindingKind,
    /// What it means for an update.
    pub severity: Severity,
    /// The page, file or route.
    pub place: String,
    /// How it was; empty where there was nothing.
    pub before: String,
    /// How it is now.
    pub after: String,
    /// One line for a person.
    pub message: String,
}

impl Finding {
    /// Whether an update stops for it.
    pub const fn is_blocking(&self) -> bool {
        matches!(self.severity, Severity::Blocking)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_that_are_kept_are_those_that_are_shown() {
        for kind in FindingKind::ALL {
            let kept = serde_json::to_value(kind).unwrap();
            assert_eq!(kept, kind.as_str());
        }
        assert!(Severity::Blocking > Severity::Warning);
    }
}
