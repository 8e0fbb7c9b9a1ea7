//! Directories whose WordPress is protected beyond what every site is: texts that name
//! versions, and programs among what caches wrote, are not given out.

use super::{WebSite, rules};

impl WebSite {
    /// Has the WordPress in this directory (empty for the document root) protected, or not.
    pub(super) fn set_protected(&mut self, directory: &str, wanted: bool) {
        self.protected.retain(|known| known != directory);
        if wanted {
            self.protected.push(directory.to_owned());
        }
        // One order for the same directories: the text of the server block is compared.
        self.protected.sort();
    }

    /// Paths that are answered with 403 here, beside those that are everywhere; regular
    /// expressions as [`rules::REFUSED`].
    pub(in crate::hosting) fn refused(&self) -> Vec<String> {
        let rules = self.protected.iter().flat_map(|directory| {
            let at = match directory.as_str() {
                "" => String::new(),
                directory => format!("/{}", directory.replace('.', r"\.")),
            };
            rules::PROTECTED.map(|rule| rule.replace("@AT@", &at))
        });
        rules.collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rules_are_those_of_their_directory() {
        let mut site = WebSite::new("a.example", "/srv/a", None);
        assert_eq!(site.refused(), [""; 0]);
        site.set_protected("v1.2", true);
        site.set_protected("", true);
        site.set_protected("v1.2", true);
        assert_eq!(site.protected, ["", "v1.2"]);
        let rules = site.refused();
        assert_eq!(rules.len(), 2 * rules::PROTECTED.len());
        assert!(rules[0].starts_with("(?i)^/"), "{rules:?}");
        assert!(
            rules[rules::PROTECTED.len()].starts_with(r"(?i)^/v1\.2/"),
            "{rules:?}"
        );
        site.set_protected("", false);
        site.set_protected("other", false);
        assert_eq!(site.protected, ["v1.2"]);
    }
}
