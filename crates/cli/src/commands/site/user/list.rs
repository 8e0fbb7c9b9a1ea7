//! `pressroom site user list`

use crate::{Exit, Failure, Printer, commands::site::find, table::Table};
use clap::Args;
use pressroom_fleet::{Caller, Fleet, authorize::Action, sites::SiteUser};

/// Lists users by rising id, as the site's tables have them.
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  pressroom site user list blog.example
  pressroom site user list wp_2f686f6d6 --limit 1000 --after 1000")]
pub struct List {
    /// The site's id (`wp_…`) or domain
    pub site: String,
    /// At most so many
    #[arg(long, default_value_t = 500)]
    pub limit: usize,
    /// Only those with higher ids
    #[arg(long, default_value_t = 0)]
    pub after: u64,
}

impl List {
    pub(in crate::commands) async fn run(
        self,
        fleet: &Fleet,
        caller: &Caller,
        printer: &mut Printer,
    ) -> Result<Exit, Failure> {
        let site = find(&self.site, Action::SiteUsers, fleet, caller).await?;
        let users = fleet
            .list_site_users(caller, site.id, self.after, self.limit)
            .await?;
        show(&users, printer);
        Ok(Exit::Done)
    }
}

fn show(users: &[SiteUser], printer: &mut Printer) {
    let mut table = Table::new(&["id", "login", "email", "roles", "name"]);
    for user in users {
        let roles = user
            .roles
            .as_ref()
            .map_or_else(|| "unknown".to_owned(), |roles| roles.join(" "));
        table.row([
            user.id.to_string(),
            user.login.clone(),
            user.email.clone(),
            roles,
            user.display_name.clone(),
        ]);
    }
    printer.many(&users, &table);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn users_are_lines_in_a_pipe() {
        let user = |id, roles: Option<&[&str]>| SiteUser {
            id,
            login: format!("user{id}"),
            email: format!("user{id}@x.example"),
            display_name: "Some Body".into(),
            roles: roles.map(|roles| roles.iter().map(ToString::to_string).collect()),
        };
        let users = vec![
            user(1, Some(&["administrator"])),
            user(2, Some(&[])),
            user(3, None),
        ];
        let (mut printer, captured) = Printer::captured(None);
        show(&users, &mut printer);
        insta::assert_snapshot!(captured.out(), @"
        1	user1	user1@x.example	administrator	Some Body
        2	user2	user2@x.example		Some Body
        3	user3	user3@x.example	unknown	Some Body
        ");
    }
}
