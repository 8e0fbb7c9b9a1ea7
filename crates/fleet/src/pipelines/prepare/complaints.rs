//! What PHP wrote of errors in a clone.

use crate::pipelines::{StageName, looking::BLOCKING};
use pressroom_store::NewFinding;
use pressroom_wordpress::rehearsal::RehearsalLog;
use std::collections::BTreeSet;

/// Errors of PHP that are told.
const MOST: usize = 20;
/// Levels of which PHP dies.
const DEADLY: [&str; 4] = ["fatal", "parse", "core error", "compile"];

/// Errors of PHP that were not there before the updates. A page that died is told by the
/// look; what died without anybody seeing it is told here.
pub(super) fn new_errors(before: &RehearsalLog, now: &RehearsalLog) -> Vec<NewFinding> {
    let known: BTreeSet<_> = before
        .php_errors
        .iter()
        .map(|error| (&error.level, &error.message))
        .collect();
    let new = now
        .php_errors
        .iter()
        .filter(|error| !known.contains(&(&error.level, &error.message)));
    let mut found: Vec<NewFinding> = new
        .map(|error| {
            let (what, severity) = weighed(&error.level, &error.message);
            let place = match (&error.file, error.line) {
                (Some(file), Some(line)) => format!("{file}:{line}"),
                (Some(file), None) => file.clone(),
                _ => "PHP's log".to_owned(),
            };
            NewFinding {
                stage: StageName::Rehearsal.as_str().to_owned(),
                target: None,
                what: what.to_owned(),
                severity: severity.to_owned(),
                message: format!("PHP: {}: {} ({place})", error.level, error.message),
                place,
                was: String::new(),
                now: error.message.clone(),
            }
        })
        .collect();
    // What is bad is told, however much else there is.
    found.sort_by_key(|found| found.severity != BLOCKING);
    found.truncate(MOST);
    found
}

/// What an error is, and what it weighs.
fn weighed(level: &str, message: &str) -> (&'static str, &'static str) {
    let level = level.to_ascii_lowercase();
    if DEADLY.iter().any(|word| level.contains(word)) {
        return ("php_died", BLOCKING);
    }
    // `include` goes on without the file, and the page without what is in it.
    if message.contains("Failed opening") && message.contains("for inclusion") {
        return ("file_missing", BLOCKING);
    }
    // Cookies and redirects are lost, where a host does not happen to buffer: nobody signs in.
    if message.contains("headers already sent") {
        return ("headers_sent", BLOCKING);
    }
    ("php_complains", "note")
}

#[cfg(test)]
mod tests {
    use super::weighed;

    #[test]
    fn a_complaint_weighs_what_it_does_to_the_site() {
        for (level, message, what) in [
            ("Fatal error", "Uncaught Error: x", "php_died"),
            ("Parse error", "syntax error", "php_died"),
            (
                "Warning",
                "include(): Failed opening '/a/b.php' for inclusion (include_path='.')",
                "file_missing",
            ),
            (
                "Warning",
                "Cannot modify header information - headers already sent by (output started at /a.php:1)",
                "headers_sent",
            ),
            ("Deprecated", "x is old", "php_complains"),
            ("Warning", "Undefined variable $headers", "php_complains"),
        ] {
            assert_eq!(weighed(level, message).0, what, "{message}");
        }
    }
}
