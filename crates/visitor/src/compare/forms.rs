//! Forms and buttons that a visitor can no longer use.

use super::{Report, Two, in_all, in_any, listed};
use crate::{
    facts::{Button, Facts, Form},
    finding::{FindingKind, Severity},
    impression::Seen,
};
use std::collections::BTreeSet;

pub(super) fn compare(report: &mut Report<'_>, two: &Two<'_>) {
    let before: Vec<&Facts> = two.before.iter().filter_map(Seen::facts).collect();
    let after: Vec<&Facts> = two.after.iter().filter_map(Seen::facts).collect();
    if before.len() < two.before.len() || before.is_empty() || after.is_empty() {
        return;
    }
    let mut done = BTreeSet::new();
    for form in &before[0].forms {
        if done.insert((&form.name, &form.method)) {
            one(report, two, form, &before, &after);
        }
    }
    buttons(report, two, &before, &after);
}

/// The same form on another look: of the same name, otherwise one that asks for the same.
fn same<'a>(facts: &'a Facts, form: &Form) -> Option<&'a Form> {
    let visible = |other: &&Form| !other.is_hidden;
    let named = |other: &&Form| other.name == form.name && other.method == form.method;
    let asks_the_same =
        |other: &&Form| !form.fields.is_empty() && other.fields.is_superset(&form.fields);
    let forms = || facts.forms.iter();
    forms()
        .filter(visible)
        .find(|other| named(other) && other.fields.is_superset(&form.fields))
        .or_else(|| forms().filter(visible).find(asks_the_same))
        .or_else(|| forms().filter(visible).find(named))
        .or_else(|| forms().find(named))
}

fn one(report: &mut Report<'_>, two: &Two<'_>, form: &Form, before: &[&Facts], after: &[&Facts]) {
    let usable = |form: &&Form| !form.is_hidden && (!form.fields.is_empty() || form.has_submit);
    let then: Vec<&Form> = before
        .iter()
        .filter_map(|facts| same(facts, form).filter(usable))
        .collect();
    if then.len() < before.len() {
        return;
    }
    let now: Vec<&Form> = after.iter().filter_map(|facts| same(facts, form)).collect();
    let name = if form.name.is_empty() {
        "without a name"
    } else {
        &form.name
    };
    let severity = two.at_most(Severity::Blocking);
    if now.iter().all(|form| form.is_hidden) {
        let how = if now.is_empty() { "gone" } else { "hidden" };
        report.add(
            FindingKind::FormGone,
            severity,
            two.place(),
            ("there", how),
            &format!("the form `{name}` is {how}"),
        );
        return;
    }
    let had = in_all(then.iter().map(|form| form.fields.clone()));
    let has = in_any(now.iter().map(|form| form.fields.clone()));
    let gone: Vec<&str> = had.difference(&has).map(String::as_str).collect();
    if !gone.is_empty() {
        let list = listed(gone.iter().copied());
        let unseen = gone
            .iter()
            .all(|field| now.iter().any(|form| form.unseen.contains(*field)));
        let how = if unseen { "hidden" } else { "gone" };
        report.add(
            FindingKind::FieldGone,
            severity,
            two.place(),
            (&list, how),
            &format!("of the form `{name}` is {how}: {list}"),
        );
    }
    if then.iter().all(|form| form.has_submit) && now.iter().all(|form| !form.has_submit) {
        report.add(
            FindingKind::SubmitGone,
            severity,
            two.place(),
            ("there", "gone or hidden"),
            &format!("the form `{name}` has nothing to send it with"),
        );
    }
}

fn buttons(report: &mut Report<'_>, two: &Two<'_>, before: &[&Facts], after: &[&Facts]) {
    // `12 comments` is the same button tomorrow.
    let plain = |facts: &&Facts| -> BTreeSet<Button> {
        facts
            .buttons
            .iter()
            .map(|button| Button {
                name: button
                    .name
                    .chars()
                    .map(|sign| if sign.is_ascii_digit() { '#' } else { sign })
                    .collect(),
                sells: button.sells,
            })
            .collect()
    };
    let had = in_all(before.iter().map(plain));
    let has = in_any(after.iter().map(plain));
    for (sells, severity) in [
        (true, two.at_most(Severity::Blocking)),
        (false, Severity::Warning),
    ] {
        let gone: Vec<&str> = had
            .difference(&has)
            .filter(|button| button.sells == sells)
            .map(|button| button.name.as_str())
            .collect();
        if !gone.is_empty() {
            let list = listed(gone);
            report.add(
                FindingKind::ButtonGone,
                severity,
                two.place(),
                (&list, "gone or hidden"),
                &format!("no longer has the button {list}"),
            );
        }
    }
}
