//! Stored names as people say them.

use crate::prose::Prose;
use pressroom_fleet::{
    mail::MailTrouble,
    pipelines::{StageName, StageStatus},
    principal::Role,
    snapshots::Snapshot,
};

/// What a kind of job does.
pub(crate) fn job_kind(kind: &str) -> String {
    match kind {
        "site_install" => "Install WordPress".to_owned(),
        "site_connect" => "Connect the site".to_owned(),
        "site_login" => "Log in to WordPress".to_owned(),
        "site_user_add" => "Add a WordPress user".to_owned(),
        "site_password_reset" => "Reset a password".to_owned(),
        "site_maintenance" => "Switch maintenance".to_owned(),
        "site_clone" => "Copy the site".to_owned(),
        "core_update" => "Update WordPress".to_owned(),
        "site_cache" => "Change caches".to_owned(),
        "site_security" => "Switch a security measure".to_owned(),
        "pipeline_prepare" => "Try updates in a clone".to_owned(),
        "pipeline_apply" => "Update safely".to_owned(),
        "component_update" => "Update components".to_owned(),
        "component_change" => "Change components".to_owned(),
        "site_snapshot" => "Take a snapshot".to_owned(),
        "site_restore" => "Restore a snapshot".to_owned(),
        "snapshot_verify" => "Verify a snapshot".to_owned(),
        "site_move" => "Move to another domain".to_owned(),
        "site_remove" => "Remove the site".to_owned(),
        "site_search_replace" => "Search and replace".to_owned(),
        "site_import" => "Import a database".to_owned(),
        "fleet_run" => "Command over many sites".to_owned(),
        "site_command" => "Run a command".to_owned(),
        "site_sweep" => "Remove what restores kept aside".to_owned(),
        other => from_snake(other),
    }
}

/// What a role is called, and what it may do.
pub(crate) const fn role(role: Role) -> (&'static str, &'static str) {
    match role {
        Role::Viewer => ("Viewer", "looks"),
        Role::Member => ("Member", "works on sites"),
        Role::Admin => ("Admin", "also adds and removes sites, and invites people"),
        Role::Owner => ("Owner", "may do everything in the account"),
    }
}

/// What is wrong with mail, and what to do.
pub(crate) fn mail_trouble(trouble: MailTrouble) -> Prose {
    match trouble {
        MailTrouble::NotConfigured => "No mail is sent from here: nobody is told when a site \
            is down, and links are passed on by hand. `mail.smtp` in the configuration names a \
            server"
            .into(),
        MailTrouble::GivenUp(number) => {
            let number = usize::try_from(number).unwrap_or(usize::MAX);
            format!(
                "The mail server did not take {} in the last day. `pressroom mail list` says why",
                count(number, "mail")
            )
            .into()
        }
    }
}

/// Why somebody looked at a site.
pub(crate) fn look_kind(kind: &str) -> String {
    from_snake(kind)
}

/// What was held against a package.
pub(crate) fn verified_kind(kind: &str) -> String {
    match kind {
        "core" => "WordPress".to_owned(),
        "must_use" => "Must-use plugin".to_owned(),
        "drop_in" => "Drop-in".to_owned(),
        other => from_snake(other),
    }
}

/// What is the matter with a file.
pub(crate) fn difference(name: &str) -> String {
    name.replace('_', " ")
}

/// A step's name.
pub(crate) fn step(name: &str) -> String {
    from_snake(name)
}

/// What a finding is.
pub(crate) fn finding(what: &str) -> String {
    match what {
        "php_died" => "PHP died".to_owned(),
        "php_complains" | "php_notice" => "PHP complains".to_owned(),
        "rest_gone" => "The REST API does not answer as one".to_owned(),
        "rest_route_gone" => "A route of the REST API is gone".to_owned(),
        "cron_broken" => "A scheduled event dies".to_owned(),
        "admin_broken" => "`wp-admin` does not start".to_owned(),
        "translation_left" => "A translation stays as it was".to_owned(),
        "looks_changed" => "A page looks different".to_owned(),
        other => from_snake(other),
    }
}

/// What a part of a safe update does.
pub(crate) const fn stage(name: StageName) -> &'static str {
    match name {
        StageName::Preflight => "Make the plan",
        StageName::Snapshot => "Keep a snapshot",
        StageName::Rehearsal => "Try in a clone",
        StageName::Approval => "Wait for a yes",
        StageName::Upgrade => "Update the site",
        StageName::Verification => "Verify the whole",
        StageName::Rollback => "Take back",
    }
}

/// How a part of a safe update stands.
pub(crate) const fn stage_status(status: StageStatus) -> &'static str {
    match status {
        StageStatus::Pending => "to come",
        StageStatus::Running => "running",
        StageStatus::Waiting => "waiting",
        StageStatus::Passed => "done",
        StageStatus::Failed => "failed",
        StageStatus::Skipped => "left out",
        StageStatus::NotNeeded => "not needed",
    }
}

/// `3 sites`, `1 site`, `no sites`.
pub(crate) fn count(number: usize, noun: &str) -> String {
    match number {
        0 => format!("no {noun}s"),
        1 => format!("1 {noun}"),
        _ => format!("{number} {noun}s"),
    }
}

/// What of a site is in a snapshot.
pub(crate) fn contents(snapshot: &Snapshot) -> &'static str {
    match snapshot.contents.as_str() {
        "database" => "tables only",
        "files" => "files only",
        _ => "tables and files",
    }
}

/// A number of bytes, to three digits.
pub(crate) fn bytes(number: u64) -> String {
    let mut unit = 1_u64;
    let mut name = "bytes";
    for larger in ["kB", "MB", "GB", "TB"] {
        if number / unit < 1_000 {
            break;
        }
        unit *= 1_000;
        name = larger;
    }
    let (whole, tenth) = (number / unit, number % unit * 10 / unit);
    if unit == 1 || whole >= 100 {
        format!("{whole} {name}")
    } else {
        format!("{whole}.{tenth} {name}")
    }
}

/// A member of a result, as its label.
pub(crate) fn member(name: &str) -> String {
    match name {
        "url" => "Address".to_owned(),
        "admin_user" => "Administrator".to_owned(),
        other => from_snake(other),
    }
}

fn from_snake(name: &str) -> String {
    let name = name.replace('_', " ");
    let mut rest = name.chars();
    rest.next()
        .map(|first| first.to_uppercase().chain(rest).collect())
        .unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_read_as_words() {
        assert_eq!(step("swap_in"), "Swap in");
        assert_eq!(job_kind("site_install"), "Install WordPress");
        assert_eq!(count(0, "site"), "no sites");
        for (number, text) in [
            (0, "0 bytes"),
            (999, "999 bytes"),
            (1_000, "1.0 kB"),
            (12_345_678, "12.3 MB"),
            (345_678_901_234, "345 GB"),
            (u64::MAX, "18446744 TB"),
        ] {
            assert_eq!(bytes(number), text);
        }
    }
}
