//! Accounts that run something else than what they are asked to.

use super::{Address, Restriction, RunAs, error::Error};

/// What stood in the way when a script was not heard of: `said` is all that was printed,
/// `status` how it ended.
pub(super) fn recognise(
    address: &Address,
    run_as: &RunAs,
    said: &str,
    status: Option<u32>,
) -> Error {
    let says = |words: &[&str]| words.iter().any(|words| said.contains(words));
    let (RunAs::Sudo(user) | RunAs::Root(user)) = run_as else {
        return restricted(address, said, status);
    };
    if says(&["unknown user", "does not exist", "no passwd entry"]) {
        return Error::NoSuchUser {
            address: address.clone(),
            user: user.clone(),
        };
    }
    if says(&["sudo:", "not allowed to execute", "may not run sudo"]) {
        return Error::Sudo {
            address: address.clone(),
            user: user.clone(),
            said: shown(said),
        };
    }
    restricted(address, said, status)
}

fn restricted(address: &Address, said: &str, status: Option<u32>) -> Error {
    let says = |words: &[&str]| words.iter().any(|words| said.contains(words));
    let restriction = if says(&["allows sftp connections only", "sftp-server"]) {
        Restriction::SftpOnly
    } else if says(&[
        "account is currently not available",
        "account is not available",
    ]) || (said.is_empty() && status == Some(1))
    {
        Restriction::NoLogin
    } else if says(&["sh: No such file or directory"]) {
        Restriction::Chroot
    } else if says(&["restricted", "rbash:", "git-shell", "unknown command"]) {
        Restriction::Shell
    } else {
        Restriction::ForcedCommand
    };
    Error::Restricted {
        address: address.clone(),
        restriction,
        said: shown(said),
    }
}

/// The end of what was said, for a message.
fn shown(said: &str) -> String {
    let said = said.trim();
    let from = said
        .char_indices()
        .rev()
        .nth(399)
        .map_or(0, |(from, _)| from);
    match said.get(from..) {
        Some(tail) if !tail.is_empty() => format!("`{tail}`"),
        _ => "nothing".to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::recognise;
    use crate::ssh::{Error, Restriction, RunAs};

    #[test]
    fn names_what_servers_say() {
        let address = "deploy@web1".parse().unwrap();
        for (said, status, expected) in [
            (
                "This service allows sftp connections only.\n",
                1,
                Restriction::SftpOnly,
            ),
            (
                "This account is currently not available.\n",
                1,
                Restriction::NoLogin,
            ),
            ("", 1, Restriction::NoLogin),
            (
                "/bin/bash: No such file or directory",
                1,
                Restriction::Chroot,
            ),
            ("This account is restricted by rssh.", 1, Restriction::Shell),
            ("Welcome! 1) mail 2) web", 0, Restriction::ForcedCommand),
            ("", 0, Restriction::ForcedCommand),
        ] {
            let error = recognise(&address, &RunAs::Login, said, Some(status));
            let Error::Restricted { restriction, .. } = error else {
                panic!("{said}: {error}");
            };
            assert_eq!(restriction, expected, "{said}");
        }
        let sudo = RunAs::Sudo("shop".into());
        let error = recognise(&address, &sudo, "sudo: a password is required", Some(1));
        assert!(matches!(error, Error::Sudo { .. }), "{error}");
        let error = recognise(&address, &sudo, "sudo: unknown user shop", Some(1));
        assert!(matches!(error, Error::NoSuchUser { .. }), "{error}");
    }
}
