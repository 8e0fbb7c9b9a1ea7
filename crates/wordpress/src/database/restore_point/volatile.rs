//! Rows that change by themselves: caches, schedules, sessions, locks.
//!
//! A row of these that is still what the update left returns like any other. The rule is
//! for one that the update changed *and* that changed again since: that says nothing of a
//! person's work.

use super::work::Work;
use crate::database::{client::literal, facts::user_tables};
use serde::Serialize;

/// Rows of one name, and what becomes of them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct Volatile {
    /// The table, without prefix and number of the blog.
    pub table: &'static str,
    /// The column that holds the name; `None` for all rows of the table.
    pub column: Option<&'static str>,
    /// The name, with `*` for anything at its end or its beginning.
    pub pattern: &'static str,
    /// What becomes of it when it changed again after the update had changed it.
    pub rule: VolatileRule,
    /// What it is.
    pub what: &'static str,
}

/// What becomes of a row that the update changed, and that changed again since.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum VolatileRule {
    /// It stays as it is now.
    Keep,
    /// It is removed: `WordPress` makes it anew when it is asked for, and it may be in the
    /// form of the version that is taken back.
    Drop,
    /// Events that the update scheduled go, those that it took off the schedule come back,
    /// all others stay as they are now.
    Events,
}

const fn row(
    table: &'static str,
    column: &'static str,
    pattern: &'static str,
    rule: VolatileRule,
    what: &'static str,
) -> Volatile {
    Volatile {
        table,
        column: Some(column),
        pattern,
        rule,
        what,
    }
}

const fn all(table: &'static str, what: &'static str) -> Volatile {
    Volatile {
        table,
        column: None,
        pattern: "*",
        rule: VolatileRule::Keep,
        what,
    }
}

use VolatileRule::{Drop, Events, Keep};

/// All of them; the first that fits counts.
pub const VOLATILE: &[Volatile] = &[
    row(
        "options",
        "option_name",
        "_transient_timeout_*",
        Keep,
        "until when a transient is good",
    ),
    row(
        "options",
        "option_name",
        "_site_transient_timeout_*",
        Keep,
        "until when a transient is good",
    ),
    row(
        "options",
        "option_name",
        "_transient_*",
        Drop,
        "transients: caches that may go at any time",
    ),
    row(
        "options",
        "option_name",
        "_site_transient_*",
        Drop,
        "transients of a site that is no network",
    ),
    row("options", "option_name", "cron", Events, "the schedule"),
    row(
        "options",
        "option_name",
        "rewrite_rules",
        Drop,
        "rules of addresses, derived from code and settings",
    ),
    row(
        "options",
        "option_name",
        "*.lock",
        Keep,
        "locks of the updater and the like",
    ),
    row(
        "options",
        "option_name",
        "action_scheduler_lock_*",
        Keep,
        "locks of Action Scheduler",
    ),
    row(
        "options",
        "option_name",
        "recovery_keys",
        Keep,
        "keys of recovery mode",
    ),
    row(
        "options",
        "option_name",
        "recovery_mode_email_last_sent",
        Keep,
        "when recovery mode last wrote a mail",
    ),
    row(
        "options",
        "option_name",
        "_wp_session_*",
        Keep,
        "visitors' sessions of WP Session Manager",
    ),
    row(
        "options",
        "option_name",
        "post_count",
        Keep,
        "how many posts a blog of a network has",
    ),
    row(
        "options",
        "option_name",
        "user_count",
        Keep,
        "how many users there are",
    ),
    row(
        "sitemeta",
        "meta_key",
        "_site_transient_timeout_*",
        Keep,
        "until when a transient is good",
    ),
    row(
        "sitemeta",
        "meta_key",
        "_site_transient_*",
        Drop,
        "transients of a network",
    ),
    row(
        "sitemeta",
        "meta_key",
        "*.lock",
        Keep,
        "locks of the updater and the like",
    ),
    row(
        "usermeta",
        "meta_key",
        "session_tokens",
        Keep,
        "who is logged in",
    ),
    row(
        "usermeta",
        "meta_key",
        "community-events-location",
        Keep,
        "where somebody was last seen",
    ),
    row(
        "usermeta",
        "meta_key",
        "wc_last_active",
        Keep,
        "when a customer was last seen",
    ),
    row(
        "postmeta",
        "meta_key",
        "_edit_lock",
        Keep,
        "who is editing a post",
    ),
    row(
        "postmeta",
        "meta_key",
        "_edit_last",
        Keep,
        "who edited a post last",
    ),
    row(
        "postmeta",
        "meta_key",
        "_pingme",
        Keep,
        "pings that wait to be sent",
    ),
    row(
        "postmeta",
        "meta_key",
        "_encloseme",
        Keep,
        "enclosures that wait to be looked for",
    ),
    all(
        "actionscheduler_actions",
        "jobs of Action Scheduler and how far they are",
    ),
    all(
        "actionscheduler_claims",
        "which worker holds which of these jobs",
    ),
    all("actionscheduler_logs", "what became of these jobs"),
    all("woocommerce_sessions", "visitors' sessions of WooCommerce"),
    all("wc_rate_limits", "how often somebody tried something"),
    all("wc_reserved_stock", "stock held for carts"),
];

/// The part of the list that is about one table.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Rules {
    /// With their place in [`VOLATILE`], counted from one.
    rules: Vec<(usize, Volatile)>,
}

impl Rules {
    pub fn is_empty(&self) -> bool {
        self.rules.is_empty()
    }

    /// An expression that is the number of the rule for a row, and 0 for a row without
    /// one. `name` makes the row's name of a column.
    pub fn number(&self, name: impl Fn(&str) -> String) -> String {
        if self.rules.is_empty() {
            return "0".to_owned();
        }
        let cases: Vec<String> = self
            .rules
            .iter()
            .map(|(number, rule)| match rule.column {
                None => format!("WHEN 1 THEN {number}"),
                Some(column) => {
                    let like = literal(&like(rule.pattern));
                    format!("WHEN {} LIKE {like} ESCAPE '|' THEN {number}", name(column))
                }
            })
            .collect();
        format!("CASE {} ELSE 0 END", cases.join(" "))
    }

    /// The numbers of the rules of this kind, for `IN (…)`.
    pub fn numbers(&self, rule: VolatileRule) -> Option<String> {
        let list: Vec<String> = self
            .rules
            .iter()
            .filter(|(_, one)| one.rule == rule)
            .map(|(number, _)| number.to_string())
            .collect();
        (!list.is_empty()).then(|| list.join(","))
    }
}

impl Work<'_> {
    /// The rules for a table of this site.
    pub fn rules(&self, table: &str) -> Rules {
        let prefix = self.connection.prefix();
        let users = user_tables(self.settings, prefix);
        let plain = match users {
            Some(users) if users.meta == table => "usermeta",
            _ => plain(prefix, table),
        };
        let rules = VOLATILE
            .iter()
            .enumerate()
            .filter(|(_, one)| one.table == plain)
            .map(|(at, one)| (at + 1, *one))
            .collect();
        Rules { rules }
    }
}

/// The rule of this number.
pub(super) fn rule(number: u64) -> Option<&'static Volatile> {
    let at = usize::try_from(number).ok()?.checked_sub(1)?;
    VOLATILE.get(at)
}

/// A table's name without the prefix and the number of a blog.
fn plain<'a>(prefix: &str, table: &'a str) -> &'a str {
    let rest = table.strip_prefix(prefix).unwrap_or(table);
    match rest.split_once('_') {
        Some((number, rest))
            if !number.is_empty() && number.bytes().all(|byte| byte.is_ascii_digit()) =>
        {
            rest
        }
        _ => rest,
    }
}

/// A pattern for `LIKE … ESCAPE '|'`.
fn like(pattern: &str) -> String {
    let mut like = String::new();
    for letter in pattern.chars() {
        match letter {
            '*' => like.push('%'),
            '_' | '%' | '|' => {
                like.push('|');
                like.push(letter);
            }
            _ => like.push(letter),
        }
    }
    like
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn patterns_are_taken_literally_but_for_the_star() {
        assert_eq!(like("_transient_*"), "|_transient|_%");
        assert_eq!(like("*.lock"), "%.lock");
        assert_eq!(like("cron"), "cron");
    }

    #[test]
    fn tables_of_blogs_are_known() {
        for (table, is) in [
            ("wp_options", "options"),
            ("wp_2_options", "options"),
            ("wp_2x_options", "2x_options"),
            ("wp_woocommerce_sessions", "woocommerce_sessions"),
            ("users_elsewhere", "users_elsewhere"),
        ] {
            assert_eq!(plain("wp_", table), is);
        }
    }

    #[test]
    fn the_first_rule_that_fits_is_the_narrower_one() {
        let at = |pattern| {
            let found = VOLATILE.iter().position(|one| one.pattern == pattern);
            found.unwrap()
        };
        assert!(at("_transient_timeout_*") < at("_transient_*"));
        assert!(at("_site_transient_timeout_*") < at("_site_transient_*"));
    }
}
