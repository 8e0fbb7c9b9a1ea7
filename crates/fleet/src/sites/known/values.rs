//! What can be said of a site, checked before anything is recorded.

use crate::{Problem, selector::tag_name, sites::address, tags::MAX_TAGS};
use std::collections::BTreeSet;
use url::Url;

/// Characters of a name.
const LONGEST_NAME: usize = 255;

/// A name on one line.
pub(super) fn name(given: &str, problems: &mut Vec<Problem>) -> String {
    let name = given.trim();
    let problem = if name.is_empty() {
        "can't be blank"
    } else if name.chars().count() > LONGEST_NAME {
        "is too long (maximum is 255 characters)"
    } else if name.chars().any(char::is_control) {
        "is invalid"
    } else {
        return name.to_owned();
    };
    problems.push(Problem::new("name", problem));
    String::new()
}

/// An address.
pub(super) fn url(given: &str, problems: &mut Vec<Problem>) -> Option<Url> {
    let url = address::parse(given);
    if url.is_none() {
        problems.push(Problem::new("url", "is invalid"));
    }
    url
}

/// Tags, each once, in the order of letters.
pub(super) fn tags(given: &[String], problems: &mut Vec<Problem>) -> Vec<String> {
    if given.len() > MAX_TAGS {
        let text = format!("is too long (maximum is {MAX_TAGS} tags)");
        problems.push(Problem::new("tags", text));
        return Vec::new();
    }
    let read: Option<BTreeSet<String>> = given.iter().map(|tag| tag_name(tag)).collect();
    let Some(tags) = read else {
        problems.push(Problem::new("tags", "is invalid"));
        return Vec::new();
    };
    tags.into_iter().collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_fault_is_told() {
        let mut problems = Vec::new();
        assert_eq!(name("  Mein Laden ", &mut problems), "Mein Laden");
        assert_eq!(
            tags(&["Shop".into(), "a".into(), "shop".into()], &mut problems),
            ["a", "shop"]
        );
        assert!(problems.is_empty());
        name(" ", &mut problems);
        name(&"x".repeat(256), &mut problems);
        name("a\nb", &mut problems);
        url("shop.example", &mut problems);
        tags(&["no tag!".into()], &mut problems);
        tags(&vec!["a".into(); 51], &mut problems);
        let told: Vec<_> = problems.iter().map(Problem::sentence).collect();
        assert_eq!(
            told,
            [
                "name can't be blank",
                "name is too long (maximum is 255 characters)",
                "name is invalid",
                "url is invalid",
                "tags is invalid",
                "tags is too long (maximum is 50 tags)",
            ]
        );
    }
}
