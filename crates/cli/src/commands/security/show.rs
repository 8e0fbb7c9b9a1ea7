//! `pressroom security show`

use crate::{
    Exit, Failure, Printer,
    commands::site::find,
    table::{Table, plain},
};
use clap::Args;
use pressroom_base::Timestamp;
use pressroom_fleet::{Caller, Fleet, authorize::Action, security::SiteSecurity};

/// Looks at a site's configuration, files and tables, and at what its visitors are given.
/// What cannot be found out counts as bad.
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  pressroom security show blog.example
  pressroom --json security show wp_2f686f6d6")]
pub struct Show {
    /// The site's id (`wp_…`) or domain
    pub site: String,
}

impl Show {
    pub(in crate::commands) async fn run(
        self,
        fleet: &Fleet,
        caller: &Caller,
        printer: &mut Printer,
    ) -> Result<Exit, Failure> {
        let site = find(&self.site, Action::SiteRead, fleet, caller).await?;
        let seen = fleet.site_security(caller, site.id).await?;
        show(&seen, printer);
        Ok(Exit::Done)
    }
}

fn show(seen: &SiteSecurity, printer: &mut Printer) {
    let mut table = Table::new(&["what", "is so", "points", "seen"]);
    for (points, what, good) in seen.weights() {
        table.row([
            what.to_owned(),
            String::from(if good { "yes" } else { "no" }),
            format!("{}/{points}", if good { points } else { 0 }),
            remark(seen, what),
        ]);
    }
    printer.many(seen, &table);
    printer.note(&format!("{} of 100 points", seen.score));
}

/// What a person wants to know beside yes and no.
fn remark(seen: &SiteSecurity, what: &str) -> String {
    let remark = match what {
        "file protection" if !seen.exposed.is_empty() => {
            format!("visitors are given {}", seen.exposed.join(", "))
        }
        "files verified" => match seen.checksums.checked_at {
            Some(at) => format!("{} {}", seen.checksums.status, Timestamp::to_rfc3339(at)),
            None => "nobody has looked; `pressroom site verify` does".to_owned(),
        },
        "no errors shown to visitors" => match &seen.debug.log_file {
            Some(file) => format!("logged to {file}"),
            None => String::new(),
        },
        "login page hidden" => match &seen.hide_login.slug {
            Some(slug) => format!("at /{slug}/"),
            None => String::new(),
        },
        "wp-config.php private" => seen.wp_config_mode.clone(),
        _ => String::new(),
    };
    plain(&remark)
}

#[cfg(test)]
mod tests {
    use super::*;
    use pressroom_fleet::security::{DebugLog, FileCheck, HideLogin};

    #[test]
    fn a_weighed_site() {
        let seen = SiteSecurity {
            file_edit_disabled: true,
            file_protection: false,
            hide_login: HideLogin {
                enabled: true,
                slug: Some("side-door".into()),
            },
            debug: DebugLog::default(),
            checksums: FileCheck {
                status: "unknown".into(),
                checked_at: None,
            },
            xmlrpc_enabled: true,
            directory_listing: false,
            wp_config_mode: "0644".into(),
            admin_user_exists: false,
            core_up_to_date: true,
            score: 50,
            exposed: vec!["readme.html".into(), "PHP in wp-content/cache".into()],
        };
        let (mut printer, captured) = Printer::captured(None);
        show(&seen, &mut printer);
        let rows: Vec<_> = captured.out().lines().map(str::to_owned).collect();
        assert_eq!(
            rows,
            [
                "core up to date\tyes\t20/20\t",
                "file protection\tno\t0/20\tvisitors are given readme.html, PHP in wp-content/cache",
                "files verified\tno\t0/15\tnobody has looked; `pressroom site verify` does",
                "file editing off\tyes\t10/10\t",
                "no errors shown to visitors\tyes\t10/10\t",
                "login page hidden\tyes\t5/5\tat /side-door/",
                "XML-RPC refused\tno\t0/5\t",
                "no directory listing\tyes\t5/5\t",
                "wp-config.php private\tno\t0/5\t0644",
                "no user `admin`\tyes\t5/5\t",
            ]
        );
    }
}
