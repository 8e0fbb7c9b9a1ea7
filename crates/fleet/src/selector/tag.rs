//! What a tag may be called.

/// Characters of a tag.
const LONGEST: usize = 50;

/// The rule, as it is told to people.
pub(crate) const TAG_RULE: &str = "a tag has 1 to 50 letters, digits, `-`, `_` and `.`, and \
                                   begins with a letter or digit";

/// The tag that a word means, whatever its case; `None` where there can be none.
pub(crate) fn tag_name(word: &str) -> Option<String> {
    let folded = word.trim().to_lowercase();
    let begins = folded.chars().next().is_some_and(char::is_alphanumeric);
    let fits = folded.chars().count() <= LONGEST;
    let allowed = |char: char| char.is_alphanumeric() || "-_.".contains(char);
    (begins && fits && folded.chars().all(allowed)).then_some(folded)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_are_tags_and_noise_is_not() {
        for (word, tag) in [
            ("Shop", Some("shop")),
            (" shop ", Some("shop")),
            ("2024.q3_eu-west", Some("2024.q3_eu-west")),
            ("GRÖßE", Some("größe")),
            ("店", Some("店")),
            ("", None),
            (" ", None),
            ("-shop", None),
            (".hidden", None),
            ("two words", None),
            ("a,b", None),
            ("a:b", None),
            ("a\0", None),
            ("\u{202e}a", None),
            ("tag\n", Some("tag")),
            ("a\nb", None),
            // It folds to two characters, of which the second is no letter.
            ("İ", None),
        ] {
            assert_eq!(tag_name(word).as_deref(), tag, "{word:?}");
        }
        assert!(tag_name(&"ä".repeat(LONGEST)).is_some());
        assert!(tag_name(&"ä".repeat(LONGEST + 1)).is_none());
    }
}
