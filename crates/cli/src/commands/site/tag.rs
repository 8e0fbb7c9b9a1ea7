//! `pressroom site tag …`

mod add;
mod remove;

pub use add::Add;
pub use remove::Remove;

use crate::{Exit, Failure, Printer};
use clap::Subcommand;
use pressroom_fleet::{Caller, Fleet, views::Environment};
use serde_json::json;

/// Words to select sites by. They are kept here alone, and nothing of them is written
/// into a site.
#[derive(Debug, Subcommand)]
#[command(after_help = "Examples:
  pressroom site tag add blog.example shop vip
  pressroom site tag remove blog.example vip
  pressroom site list 'tag:shop -status:down'")]
pub enum Tag {
    /// Give a site tags
    Add(Add),
    /// Take tags from a site
    Remove(Remove),
}

impl Tag {
    pub(in crate::commands) async fn run(
        self,
        fleet: &Fleet,
        caller: &Caller,
        printer: &mut Printer,
    ) -> Result<Exit, Failure> {
        match self {
            Self::Add(add) => add.run(fleet, caller, printer).await,
            Self::Remove(remove) => remove.run(fleet, caller, printer).await,
        }
    }
}

/// The tags that a site has now.
fn show(site: &Environment, tags: &[String], printer: &mut Printer) {
    if printer.json() {
        return printer.json_line(&json!({ "id": site.panel_id, "tags": tags }));
    }
    for tag in tags {
        printer.line(tag);
    }
    if tags.is_empty() {
        printer.note("the site has no tags");
    }
}

#[cfg(test)]
mod tests {
    use super::{super::find::tests::site, *};

    #[test]
    fn the_tags_are_told_one_a_line() {
        let site = site("wp_2f686f6d6");
        let (mut printer, captured) = Printer::captured(None);
        show(&site, &["shop".into(), "vip".into()], &mut printer);
        assert_eq!(
            (captured.out().as_str(), captured.err().as_str()),
            ("shop\nvip\n", "")
        );
        show(&site, &[], &mut printer);
        assert_eq!(captured.err(), "the site has no tags\n");
        printer.set_json(true);
        show(&site, &["shop".into()], &mut printer);
        assert!(
            captured
                .out()
                .ends_with("{\"id\":\"wp_2f686f6d6\",\"tags\":[\"shop\"]}\n")
        );
    }
}
