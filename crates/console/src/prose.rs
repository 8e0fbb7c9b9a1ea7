//! Messages as people read them: literals between backticks are set as code.

use askama::{Template, filters::HtmlSafe};
use std::fmt;

/// A message for a person.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Prose(String);

#[derive(Template)]
#[template(
    source = "{% for (literal, text) in pieces %}{% if *literal %}<code>{{ text }}</code>{% else %}{{ text }}{% endif %}{% endfor %}",
    ext = "html"
)]
struct Pieces<'a> {
    pieces: Vec<(bool, &'a str)>,
}

// Its template escapes every piece.
impl HtmlSafe for Prose {}

impl fmt::Display for Prose {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let pieces: Vec<_> = self.0.split('`').collect();
        // A backtick without its partner is only a character.
        let pieces = if pieces.len() % 2 == 1 {
            pieces
                .into_iter()
                .enumerate()
                .map(|(index, text)| (index % 2 == 1, text))
                .collect()
        } else {
            vec![(false, self.0.as_str())]
        };
        Pieces { pieces }.render_into(f).map_err(|_| fmt::Error)
    }
}

impl Prose {
    /// Whether there is nothing to say.
    pub(crate) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

impl<T: Into<String>> From<T> for Prose {
    fn from(text: T) -> Self {
        Self(text.into())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sets_literals_as_code_and_escapes_both() {
        let html = Prose::from("ask for `<b>` & wait").to_string();
        assert_eq!(html, "ask for <code>&#60;b&#62;</code> &#38; wait");
        assert_eq!(Prose::from("one ` alone").to_string(), "one ` alone");
    }
}
