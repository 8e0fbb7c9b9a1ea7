//! What is read by machines: the REST API and the feed.

use super::{Report, Two, listed};
use crate::{
    finding::{FindingKind, Severity},
    impression::{Content, Impression, PageKind},
};
use std::collections::BTreeMap;

pub(super) fn rest(report: &mut Report<'_>, before: &Impression, after: &Impression) {
    let Some(then) = &before.rest else { return };
    let page = before
        .chosen()
        .find(|page| page.kind == PageKind::Rest)
        .map_or("/wp-json/", |page| page.address.as_str());
    let Some(now) = &after.rest else {
        if !report.is_blocked(page) {
            report.add(
                FindingKind::RestGone,
                Severity::Blocking,
                page,
                ("an index", "none"),
                "is no index of a REST API any more",
            );
        }
        return;
    };
    let mut gone: BTreeMap<String, Vec<&str>> = BTreeMap::new();
    for route in then.routes.difference(&now.routes) {
        let mut steps = route.trim_start_matches('/').split('/');
        let namespace: Vec<&str> = steps.by_ref().take(2).collect();
        gone.entry(namespace.join("/")).or_default().push(route);
    }
    for (namespace, routes) in gone {
        let list = listed(routes.iter().copied());
        let all = !now.namespaces.contains(&namespace) && then.namespaces.contains(&namespace);
        let what = if all {
            format!("the REST API has no `{namespace}` any more")
        } else {
            format!("routes of the REST API are gone: {list}")
        };
        report.add(
            FindingKind::RestRouteGone,
            Severity::Blocking,
            page,
            (&list, "gone"),
            &what,
        );
    }
}

pub(super) fn feed(report: &mut Report<'_>, two: &Two<'_>) {
    let state = |content: &Content| match content {
        Content::Feed { is_valid, items } => Some((*is_valid, *items)),
        _ => None,
    };
    let before: Vec<_> = two
        .before
        .iter()
        .filter_map(|seen| state(&seen.content))
        .collect();
    let after: Vec<_> = two
        .after
        .iter()
        .filter_map(|seen| state(&seen.content))
        .collect();
    if before.is_empty() || after.is_empty() || !before.iter().all(|(is_valid, _)| *is_valid) {
        return;
    }
    if after.iter().any(|(is_valid, _)| !is_valid) {
        report.add(
            FindingKind::FeedBroken,
            Severity::Blocking,
            two.place(),
            ("a feed", "none"),
            "is no feed any more",
        );
    } else if before.iter().all(|(_, items)| *items > 0)
        && after.iter().all(|(_, items)| *items == 0)
    {
        report.add(
            FindingKind::FeedEmpty,
            Severity::Warning,
            two.place(),
            ("entries", "none"),
            "has no entries any more",
        );
    }
}
