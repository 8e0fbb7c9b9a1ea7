//! `pressroom policy show`

use super::Whose;
use crate::{
    Exit, Failure, Printer,
    table::{Table, plain},
};
use clap::Args;
use pressroom_fleet::{
    Caller, Fleet,
    policies::{Origin, PolicyField, PolicyView},
};

/// Shows what applies at sites, or in an account, and who says so.
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  pressroom policy show site:shop.example
  pressroom policy show --account acme
  pressroom --json policy show all")]
pub struct Show {
    /// Whose
    #[command(flatten)]
    pub whose: Whose,
}

impl Show {
    pub(super) async fn run(
        self,
        fleet: &Fleet,
        caller: &Caller,
        printer: &mut Printer,
    ) -> Result<Exit, Failure> {
        let meant = self.whose.find(fleet, caller, printer).await?;
        if meant.is_empty() {
            return Ok(Exit::NotFound);
        }
        let mut views = Vec::new();
        for one in meant {
            let view = fleet.update_policy_of(caller, one.target).await?;
            views.push((one.name, view));
        }
        show(&views, printer);
        Ok(Exit::Done)
    }
}

/// Each as people call it, with what applies.
pub(super) fn show(views: &[(String, PolicyView)], printer: &mut Printer) {
    let mut table = Table::new(&["of", "what", "is", "says"]).cut_except(&[0, 1]);
    for (name, view) in views {
        for field in PolicyField::ALL {
            table.row([
                plain(name),
                field.as_str().replace('_', " "),
                plain(&value(view, field)),
                origin(view, field).to_owned(),
            ]);
        }
    }
    let values: Vec<_> = views.iter().map(|(_, view)| view).collect();
    printer.many(&values, &table);
    for (name, view) in views {
        if let Some(note) = standing(view) {
            printer.note(&format!("{}: {note}", plain(name)));
        }
    }
}

fn value(view: &PolicyView, field: PolicyField) -> String {
    let yes = |is| String::from(if is { "yes" } else { "no" });
    let policy = &view.policy;
    match field {
        PolicyField::Automatic => yes(policy.automatic),
        PolicyField::HoldDays => policy.hold_days.to_string(),
        PolicyField::MinorOnly => yes(policy.minor_only),
        PolicyField::Exclusions if policy.exclusions.is_empty() => "none".to_owned(),
        PolicyField::Exclusions => policy.exclusions.join(" "),
        PolicyField::Windows if policy.windows.is_empty() => "at any time".to_owned(),
        PolicyField::Windows => {
            let windows: Vec<_> = policy.windows.iter().map(ToString::to_string).collect();
            windows.join("; ")
        }
        PolicyField::TimeZone => match (&policy.time_zone, &view.zone) {
            (Some(zone), _) => zone.clone(),
            (None, Some(zone)) => format!("the site's: {zone}"),
            (None, None) => "the site's".to_owned(),
        },
        PolicyField::AutoApprove => yes(policy.auto_approve),
    }
}

fn origin(view: &PolicyView, field: PolicyField) -> &'static str {
    match view.from.get(&field) {
        // A site adds to what its account excludes.
        Some(Origin::Site) if field == PolicyField::Exclusions => "the site and its account",
        Some(Origin::Site) => "the site",
        Some(Origin::Account) => "the account",
        Some(Origin::Default) | None => "nobody",
    }
}

/// What it means now, in a sentence.
fn standing(view: &PolicyView) -> Option<String> {
    view.site.as_ref()?;
    if !view.policy.automatic {
        return Some("nothing is updated by itself".to_owned());
    }
    if let Some(hindrance) = view.hindrance {
        return Some(hindrance.words().to_owned());
    }
    let Some(now) = view.now else {
        return Some("the site's time zone, which is that of its windows, was not read yet".into());
    };
    let at = now.until.map(pressroom_base::Timestamp::to_rfc3339);
    Some(match (now.open, at) {
        (true, None) => "may be updated at any time".to_owned(),
        (true, Some(at)) => format!("may be updated until {at}"),
        (false, Some(at)) => format!("may be updated from {at} on"),
        (false, None) => "is never updated: no window ever opens".to_owned(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use pressroom_base::{Timestamp, id::AccountId};
    use pressroom_fleet::policies::{Hindrance, Standing, UpdatePolicy, Window};

    #[test]
    fn a_policy_is_shown_with_who_says_it() {
        let mut view = PolicyView {
            account: "acme".into(),
            site: Some("https://shop.example".into()),
            policy: UpdatePolicy {
                automatic: true,
                hold_days: 7,
                exclusions: vec!["core".into(), "plugin:woo*".into()],
                windows: vec![Window::parse("sat 22:00-04:00").unwrap()],
                ..UpdatePolicy::default()
            },
            from: [
                (PolicyField::Automatic, Origin::Account),
                (PolicyField::HoldDays, Origin::Site),
                (PolicyField::Exclusions, Origin::Site),
                (PolicyField::Windows, Origin::Account),
            ]
            .into(),
            account_id: AccountId::new(1),
            own_exclusions: vec!["plugin:woo*".into()],
            actor: Some("mara@acme.example".into()),
            said_at: Some(Timestamp::from_millis(0)),
            hindrance: None,
            zone: Some("Europe/Berlin".into()),
            now: Some(Standing {
                open: false,
                until: Some(Timestamp::from_millis(0)),
            }),
        };
        let (mut printer, captured) = Printer::captured(None);
        show(&[("shop.example".into(), view.clone())], &mut printer);
        assert_eq!(
            captured.out(),
            "shop.example\tautomatic\tyes\tthe account\n\
             shop.example\thold days\t7\tthe site\n\
             shop.example\tminor only\tno\tnobody\n\
             shop.example\texclusions\tcore plugin:woo*\tthe site and its account\n\
             shop.example\twindows\tsat 22:00-04:00\tthe account\n\
             shop.example\ttime zone\tthe site's: Europe/Berlin\tnobody\n\
             shop.example\tauto approve\tno\tnobody\n"
        );
        assert!(
            captured
                .err()
                .starts_with("shop.example: may be updated from 1970-01-01T")
        );
        view.now = None;
        let unknown = standing(&view).unwrap();
        assert!(unknown.contains("was not read yet"), "{unknown}");
        view.hindrance = Some(Hindrance::Paused);
        assert!(standing(&view).unwrap().starts_with("the site is paused"));
        view.policy.automatic = false;
        assert_eq!(
            standing(&view).as_deref(),
            Some("nothing is updated by itself")
        );
    }
}
