//! What somebody may have meant.

/// The nearest of the names, if it is near: one slip in three letters.
pub(crate) fn closest<'a>(word: &str, names: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    let letters: Vec<char> = word.chars().take(32).collect();
    names
        .into_iter()
        .map(|name| (distance(&letters, name), name))
        .filter(|(distance, name)| *distance <= name.len().div_ceil(3))
        .min_by_key(|(distance, _)| *distance)
        .map(|(_, name)| name)
}

/// How many letters to add, drop or change.
fn distance(a: &[char], b: &str) -> usize {
    let mut row: Vec<usize> = (0..=a.len()).collect();
    for (at, letter) in b.chars().enumerate() {
        let mut before = at;
        let mut left = at + 1;
        let mut next = vec![left];
        for (other, above) in a.iter().zip(row.iter().skip(1)) {
            let change = before + usize::from(*other != letter);
            left = change.min(above + 1).min(left + 1);
            before = *above;
            next.push(left);
        }
        row = next;
    }
    row.last().copied().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn slips_are_found_and_strangers_are_not() {
        let names = ["plugin", "theme", "php", "snapshot"];
        for (word, found) in [
            ("plugn", Some("plugin")),
            ("plugins", Some("plugin")),
            ("snapshto", Some("snapshot")),
            ("ph", Some("php")),
            ("wordpress", None),
            ("", None),
            ("x", None),
        ] {
            assert_eq!(closest(word, names), found, "{word}");
        }
        let of = |a: &str, b| distance(&a.chars().collect::<Vec<_>>(), b);
        assert_eq!(of("kitten", "sitting"), 3);
        assert_eq!(of("", "abc"), 3);
        assert_eq!(of("abc", "abc"), 0);
    }
}
