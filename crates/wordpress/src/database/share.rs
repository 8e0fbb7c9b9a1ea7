//! The site's share of its database: several WordPress may keep their tables in one,
//! and the prefix of one may be the beginning of another's.

use std::collections::BTreeSet;

/// Which names are the site's.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Share {
    prefix: String,
    /// Longer prefixes under which another WordPress lives.
    foreign: Vec<String>,
}

impl Share {
    /// Of the site with this prefix, where these tables and views are there. On a
    /// network `wp_2_` is a site of ours; elsewhere, or with users of its own, it is
    /// somebody else's.
    pub fn new<'a>(prefix: &str, names: impl IntoIterator<Item = &'a str>) -> Self {
        let names: BTreeSet<&str> = names.into_iter().collect();
        let network = names.contains(&*format!("{prefix}blogs"));
        Self::within(prefix, &names, network)
    }

    /// The same for names of which it is not known yet whether they are a network's:
    /// it is taken for one.
    pub fn of_network<'a>(prefix: &str, names: impl IntoIterator<Item = &'a str>) -> Self {
        Self::within(prefix, &names.into_iter().collect(), true)
    }

    fn within(prefix: &str, names: &BTreeSet<&str>, network: bool) -> Self {
        let foreign = names
            .iter()
            .filter_map(|name| name.strip_suffix("options"))
            .filter(|other| other.len() > prefix.len() && other.starts_with(prefix))
            .filter(|other| names.contains(&*format!("{other}posts")))
            .filter(|other| {
                let site = other[prefix.len()..].strip_suffix('_').unwrap_or_default();
                let ours = network
                    && !site.is_empty()
                    && site.bytes().all(|byte| byte.is_ascii_digit())
                    && !names.contains(&*format!("{other}users"));
                !ours
            })
            .map(str::to_owned)
            .collect();
        Self {
            prefix: prefix.to_owned(),
            foreign,
        }
    }

    /// `$table_prefix`.
    pub fn prefix(&self) -> &str {
        &self.prefix
    }

    /// Whether this is a name of the site's own.
    pub fn holds(&self, name: &str) -> bool {
        name.starts_with(&self.prefix) && self.stranger(name).is_none()
    }

    /// The prefix of the other WordPress whose name this is, though it starts with the
    /// site's prefix.
    pub fn stranger(&self, name: &str) -> Option<&str> {
        self.foreign
            .iter()
            .map(String::as_str)
            .find(|other| name.starts_with(other))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn another_wordpress_in_the_database_is_not_ours() {
        let mut names = vec![
            "wp_options",
            "wp_posts",
            "wp_users",
            "wp_shop_orders",
            "wp_2_options",
            "wp_2_posts",
            "wp_x_options",
            "wp_x_posts",
            "wp_x_users",
            "other",
        ];
        let ours = |share: &Share, names: &[&'static str]| -> Vec<&'static str> {
            let held = names.iter().filter(|name| share.holds(name));
            held.copied().collect()
        };
        let single = ["wp_options", "wp_posts", "wp_users", "wp_shop_orders"];
        let share = Share::new("wp_", names.iter().copied());
        assert_eq!(ours(&share, &names), single);
        assert_eq!(share.stranger("wp_x_any"), Some("wp_x_"));
        assert_eq!(share.stranger("wp_y_any"), None);
        let taken = Share::of_network("wp_", names.iter().copied());
        assert!(taken.holds("wp_2_posts") && !taken.holds("wp_x_posts"));
        names.push("wp_blogs");
        let share = Share::new("wp_", names.iter().copied());
        assert!(share.holds("wp_2_posts") && share.holds("wp_blogs"));
        assert!(!share.holds("wp_x_posts") && !share.holds("other"));
        // Users of its own: no site of the network.
        names.push("wp_2_users");
        assert!(!Share::new("wp_", names.iter().copied()).holds("wp_2_posts"));
        let share = Share::new("wp_x_", names.iter().copied());
        let of_x = ["wp_x_options", "wp_x_posts", "wp_x_users"];
        assert_eq!(ours(&share, &names), of_x);
    }
}
