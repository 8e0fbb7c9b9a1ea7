//! Collations of other servers, and the nearest that this one has.

use crate::{Result, database::client::Client};
use std::collections::{BTreeMap, BTreeSet};

/// What this server knows, and what had to be replaced so far.
#[derive(Debug, Default, Clone)]
pub(super) struct Collations {
    known: BTreeSet<String>,
    charsets: BTreeSet<String>,
    replaced: BTreeMap<String, String>,
}

impl Collations {
    /// Asks the server.
    pub fn of(client: &mut Client) -> Result<Self> {
        let mut known: BTreeSet<String> = client
            .rows("SELECT COLLATION_NAME FROM information_schema.COLLATIONS")?
            .into_iter()
            .collect();
        // Where a collation serves several character sets it has a full name too.
        if let Ok(full) = client.rows::<Option<String>>(
            "SELECT FULL_COLLATION_NAME FROM information_schema.COLLATION_CHARACTER_SET_APPLICABILITY",
        ) {
            known.extend(full.into_iter().flatten());
        }
        let charsets = client
            .rows("SELECT CHARACTER_SET_NAME FROM information_schema.CHARACTER_SETS")?
            .into_iter()
            .collect();
        Ok(Self {
            known,
            charsets,
            replaced: BTreeMap::new(),
        })
    }

    /// A server that knows these, for tests and fuzz targets.
    pub fn know(&mut self, charsets: &[&str], collations: &[&str]) {
        let own = |names: &[&str]| names.iter().map(|&name| name.to_owned()).collect();
        self.charsets = own(charsets);
        self.known = own(collations);
    }

    /// The collation to use for this one; `None` when there is no near one.
    pub fn collation(&mut self, name: &str) -> Option<String> {
        let name = name.to_ascii_lowercase();
        if self.known.contains(&name) || name == "default" || name == "binary" {
            return Some(name);
        }
        let found = candidates(&name)
            .into_iter()
            .find(|candidate| self.known.contains(candidate))?;
        self.replaced.insert(name, found.clone());
        Some(found)
    }

    /// The character set to use for this one; `None` when there is no equal one.
    pub fn charset(&mut self, name: &str) -> Option<String> {
        let name = name.to_ascii_lowercase();
        if self.charsets.contains(&name) || name == "default" || name == "binary" {
            return Some(name);
        }
        // The same set has had two names.
        let found = match name.as_str() {
            "utf8mb3" => "utf8",
            "utf8" => "utf8mb3",
            _ => return None,
        };
        if self.charsets.contains(found) {
            self.replaced.insert(name, found.to_owned());
            return Some(found.to_owned());
        }
        // Servers that say `utf8mb3` still understand `utf8`.
        (name == "utf8").then_some(name)
    }

    /// What was replaced, by what.
    pub fn replaced(&self) -> impl Iterator<Item = (&String, &String)> {
        self.replaced.iter()
    }
}

/// Nearest first: the same table of weights, then the same treatment of trailing
/// blanks, then of case.
fn candidates(name: &str) -> Vec<String> {
    let (charset, rest) = match name.split_once('_') {
        Some((charset @ ("utf8mb4" | "utf8mb3" | "utf8" | "ucs2" | "utf16" | "utf32"), rest)) => {
            (charset, rest)
        }
        _ if name.starts_with("uca1400_") => ("utf8mb4", name),
        _ => return Vec::new(),
    };
    let tails: &[&str] = if rest.ends_with("bin") {
        &["nopad_bin", "bin"]
    } else if rest.ends_with("_cs") {
        &["uca1400_nopad_as_cs", "uca1400_as_cs", "bin"]
    } else if rest.ends_with("_as_ci") {
        &[
            "uca1400_nopad_as_ci",
            "uca1400_as_ci",
            "unicode_520_nopad_ci",
            "unicode_520_ci",
        ]
    } else if rest.contains("0900") || rest.contains("nopad") {
        // Trailing blanks count in these.
        &[
            "uca1400_nopad_ai_ci",
            "unicode_520_nopad_ci",
            "unicode_520_ci",
            "unicode_ci",
        ]
    } else {
        &["uca1400_ai_ci", "unicode_520_ci", "unicode_ci"]
    };
    let sets: &[&str] = match charset {
        "utf8" | "utf8mb3" => &["utf8mb3", "utf8"],
        _ => &[charset],
    };
    // The other name of the same set comes first of all.
    let mut found: Vec<String> = sets.iter().map(|set| format!("{set}_{rest}")).collect();
    for tail in tails.iter().chain(&["general_ci"]) {
        found.extend(sets.iter().map(|set| format!("{set}_{tail}")));
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    fn server(known: &[&str]) -> Collations {
        Collations {
            known: known.iter().map(|&name| name.to_owned()).collect(),
            charsets: ["utf8mb4", "utf8mb3"].map(str::to_owned).into(),
            replaced: BTreeMap::new(),
        }
    }

    #[test]
    fn the_nearest_known_takes_the_place() {
        let new = [
            "utf8mb4_bin",
            "utf8mb4_general_ci",
            "utf8mb4_unicode_520_ci",
            "utf8mb4_uca1400_ai_ci",
            "utf8mb4_uca1400_nopad_ai_ci",
            "utf8mb3_general_ci",
        ];
        let old = [
            "utf8mb4_bin",
            "utf8mb4_general_ci",
            "utf8mb4_unicode_520_ci",
        ];
        for (known, name, expected) in [
            (
                &new[..],
                "utf8mb4_0900_ai_ci",
                Some("utf8mb4_uca1400_nopad_ai_ci"),
            ),
            (&old, "utf8mb4_0900_ai_ci", Some("utf8mb4_unicode_520_ci")),
            (
                &old,
                "utf8mb4_uca1400_ai_ci",
                Some("utf8mb4_unicode_520_ci"),
            ),
            (&old, "uca1400_ai_ci", Some("utf8mb4_unicode_520_ci")),
            (&old, "utf8mb4_0900_bin", Some("utf8mb4_bin")),
            (&old, "utf8mb4_0900_as_cs", Some("utf8mb4_bin")),
            (&new, "utf8_general_ci", Some("utf8mb3_general_ci")),
            (&new, "klingon_ci", None),
        ] {
            let mut server = server(known);
            assert_eq!(server.collation(name).as_deref(), expected, "{name}");
            assert_eq!(server.replaced().count(), usize::from(expected.is_some()));
        }
        assert_eq!(server(&old).charset("UTF8MB4").as_deref(), Some("utf8mb4"));
        assert_eq!(server(&old).charset("klingon"), None);
    }
}
