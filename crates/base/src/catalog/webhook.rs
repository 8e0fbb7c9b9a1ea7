//! Events that programs may be told of by webhook. They are names of
//! [`super::event`], or of what is not there yet.

/// Subscribes to all events but those in [`ON_REQUEST`].
pub const EVERYTHING: &str = "*";

/// Sent only to receivers that name it: it is not on the published list.
pub const ON_REQUEST: &[&str] = &["upgrade.awaiting_approval"];

/// Every event with what it says.
pub const ALL: &[(&str, &str)] = &[
    ("site.down", "A site is unreachable, or answers with errors"),
    ("site.recovered", "A site is back"),
    ("site.connected", "A site was connected, and verified"),
    ("site.disconnected", "The connection to a site was lost"),
    (
        "security.vulnerability_found",
        "A component of a site has a known hole",
    ),
    (
        "security.scan_completed",
        "A site's components were held against the known holes",
    ),
    ("performance.degraded", "A site is slower than it may be"),
    (
        "performance.check_completed",
        "A site's speed was looked at",
    ),
    ("dns.changed", "A site's name leads elsewhere"),
    ("upgrade.started", "An upgrade began"),
    ("upgrade.completed", "An upgrade went well"),
    ("upgrade.failed", "An upgrade failed"),
    ("upgrade.rolled_back", "An upgrade was taken back"),
    ("upgrade.awaiting_approval", "An upgrade waits for somebody"),
    ("snapshot.created", "A snapshot is in the archive"),
    ("snapshot.expired", "A snapshot's time was over"),
];

/// Whether there is such an event.
pub fn is_known(name: &str) -> bool {
    ALL.iter().any(|(known, _)| *known == name)
}

/// Whether a receiver that asked for `wanted` is told of `event`.
pub fn is_wanted(wanted: &[String], event: &str) -> bool {
    wanted.iter().any(|name| {
        name == event || (name == EVERYTHING && is_known(event) && !ON_REQUEST.contains(&event))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn everything_is_what_is_published() {
        let wanted = |names: &[&str], event| {
            let names: Vec<String> = names.iter().map(|name| (*name).to_owned()).collect();
            is_wanted(&names, event)
        };
        assert!(wanted(&["*"], "site.down") && wanted(&["site.down"], "site.down"));
        assert!(!wanted(&["site.down"], "site.recovered"));
        assert!(!wanted(&["*"], "user.created"));
        assert!(!wanted(&["*"], "upgrade.awaiting_approval"));
        assert!(wanted(
            &["*", "upgrade.awaiting_approval"],
            "upgrade.awaiting_approval"
        ));
        assert!(ON_REQUEST.iter().all(|name| is_known(name)));
    }
}
