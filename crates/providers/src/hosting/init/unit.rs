//! The text of a unit for systemd.

use crate::hosting::{LocalHosting, Result, SiteUser, names, programs};
use std::{fmt::Write, path::PathBuf};

/// How a daemon says that it is ready.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// It stays in the foreground and tells systemd.
    Notify,
    /// Its first process ends when the second one is ready.
    Forking,
}

/// How a daemon is started.
pub struct Unit {
    /// `mariadb`, `php-fpm` or `nginx`.
    pub daemon: &'static str,
    pub program: PathBuf,
    pub args: Vec<String>,
    pub kind: Kind,
    pub pid_file: PathBuf,
    /// Whom it runs as from its start; `None` for root, which gives up rights itself.
    pub account: Option<SiteUser>,
    /// What it prints before it has its own log.
    pub log: PathBuf,
}

/// What the daemons may do differs: MariaDB is an ordinary user's program, nginx and
/// php-fpm change users, and PHP's `mail()` runs `sendmail`, which on many machines is
/// a program with rights of its own and is broken by `NoNewPrivileges`.
pub fn render(hosting: &LocalHosting, unit: &Unit) -> Result<String> {
    let dir = names::absolute_path(&hosting.config().dir)?;
    let kill = programs::tool("kill", "procps")?;
    let command = std::iter::once(unit.program.display().to_string())
        .chain(unit.args.iter().cloned())
        .map(|word| quote(&word))
        .collect::<Vec<_>>()
        .join(" ");
    let mut text = format!(
        "# Written by Pressroom for {dir}\n\
         [Unit]\n\
         Description=Pressroom's {daemon}\n\
         After=network.target\n\n\
         [Service]\n",
        daemon = unit.daemon,
    );
    let mut line = |line: std::fmt::Arguments<'_>| {
        let _infallible = writeln!(text, "{line}");
    };
    match unit.kind {
        Kind::Notify => line(format_args!("Type=notify")),
        Kind::Forking => {
            line(format_args!("Type=forking"));
            line(format_args!("PIDFile={}", unit.pid_file.display()));
        }
    }
    if let Some(account) = &unit.account {
        line(format_args!("User={0}\nGroup={0}", account.name));
    }
    line(format_args!("ExecStart={command}"));
    match unit.daemon {
        "nginx" => line(format_args!(
            "ExecReload={command} -t -q\nExecReload={} -HUP $MAINPID",
            kill.display()
        )),
        "php-fpm" => line(format_args!("ExecReload={} -USR2 $MAINPID", kill.display())),
        _ => {}
    }
    line(format_args!(
        "Restart=on-failure\nRestartSec=1\nTimeoutStartSec=80\nTimeoutStopSec=60\nLimitNOFILE=65536"
    ));
    // The first process stops its workers; what is left after it is killed.
    line(format_args!("KillMode=mixed"));
    line(format_args!(
        "ProtectSystem=full\n\
         PrivateDevices=true\n\
         ProtectClock=true\n\
         ProtectHostname=true\n\
         ProtectKernelTunables=true\n\
         ProtectKernelModules=true\n\
         ProtectKernelLogs=true\n\
         ProtectControlGroups=true\n\
         RestrictRealtime=true\n\
         RestrictNamespaces=true\n\
         LockPersonality=true\n\
         SystemCallArchitectures=native\n\
         RestrictAddressFamilies=AF_UNIX AF_INET AF_INET6 AF_NETLINK"
    ));
    match unit.daemon {
        "php-fpm" => line(format_args!(
            "CapabilityBoundingSet=CAP_CHOWN CAP_DAC_OVERRIDE CAP_FOWNER CAP_KILL CAP_SETGID CAP_SETUID CAP_SYS_RESOURCE"
        )),
        "nginx" => line(format_args!(
            "NoNewPrivileges=true\n\
             RestrictSUIDSGID=true\n\
             CapabilityBoundingSet=CAP_CHOWN CAP_DAC_OVERRIDE CAP_FOWNER CAP_KILL CAP_NET_BIND_SERVICE CAP_SETGID CAP_SETUID CAP_SYS_RESOURCE"
        )),
        _ => line(format_args!(
            "NoNewPrivileges=true\nRestrictSUIDSGID=true\nCapabilityBoundingSet="
        )),
    }
    line(format_args!("\n[Install]\nWantedBy=multi-user.target"));
    Ok(text)
}

/// A word of a command line as systemd reads it. `%` and `$` would be replaced.
fn quote(word: &str) -> String {
    let plain = !word.is_empty()
        && word
            .bytes()
            .all(|byte| byte.is_ascii_alphanumeric() || b"/._-+@=:,".contains(&byte));
    if plain {
        return word.to_owned();
    }
    let escaped = word
        .replace('\\', "\\\\")
        .replace('"', "\\\"")
        .replace('%', "%%")
        .replace('$', "$$");
    format!("\"{escaped}\"")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::hosting::{HostingConfig, init::unit_name};

    fn text(daemon: &'static str, kind: Kind, account: Option<SiteUser>) -> String {
        let hosting = LocalHosting::new(HostingConfig::new("/srv/p/hosting", "/srv/p/sites"));
        let unit = Unit {
            daemon,
            program: format!("/usr/sbin/{daemon}").into(),
            args: vec!["-c".into(), "/srv/p/hosting/a.conf".into()],
            kind,
            pid_file: "/srv/p/hosting/a.pid".into(),
            account,
            log: "/srv/p/hosting/a.log".into(),
        };
        render(&hosting, &unit).unwrap()
    }

    #[test]
    fn each_daemon_is_confined_as_far_as_it_can_work() {
        let nginx = text("nginx", Kind::Forking, None);
        for line in [
            "Type=forking",
            "PIDFile=/srv/p/hosting/a.pid",
            "ExecStart=/usr/sbin/nginx -c /srv/p/hosting/a.conf",
            "ExecReload=/usr/sbin/nginx -c /srv/p/hosting/a.conf -t -q",
            "Restart=on-failure",
            "NoNewPrivileges=true",
            "ProtectSystem=full",
            "WantedBy=multi-user.target",
        ] {
            assert!(nginx.lines().any(|found| found == line), "{line}\n{nginx}");
        }
        let fpm = text("php-fpm", Kind::Notify, None);
        assert!(fpm.contains("Type=notify\n") && !fpm.contains("NoNewPrivileges"));
        let mysql = SiteUser {
            name: "mysql".into(),
            uid: 100,
            gid: 100,
        };
        let mariadb = text("mariadb", Kind::Notify, Some(mysql));
        assert!(mariadb.contains("User=mysql\nGroup=mysql\n"));
        assert!(mariadb.contains("CapabilityBoundingSet=\n"));
    }

    #[test]
    fn words_reach_the_program_as_they_are() {
        assert_eq!(quote("a=b/c.d"), "a=b/c.d");
        assert_eq!(quote("a b%c$d\"e"), "\"a b%%c$$d\\\"e\"");
    }

    #[test]
    fn two_stacks_do_not_share_a_unit() {
        let name =
            |dir: &str| unit_name(&LocalHosting::new(HostingConfig::new(dir, "/s")), "nginx");
        assert_eq!(
            name("/var/lib/pressroom/hosting"),
            "pressroom-nginx.service"
        );
        assert_ne!(name("/a"), name("/b"));
    }

    /// systemd's own opinion, where its tool is installed.
    #[test]
    fn systemd_understands_the_units() {
        let Ok(analyze) = programs::tool("systemd-analyze", "systemd") else {
            panic!("`systemd-analyze` is not installed, it comes with `systemd`");
        };
        let temp = tempfile::tempdir().unwrap();
        for (daemon, program) in [
            ("nginx", "nginx"),
            ("php-fpm", "php-fpm"),
            ("mariadb", "mariadbd"),
        ] {
            let kind = match daemon {
                "nginx" => Kind::Forking,
                _ => Kind::Notify,
            };
            // `verify` wants the program to exist; any will do.
            let text =
                text(daemon, kind, None).replace(&format!("/usr/sbin/{daemon} "), "/bin/true ");
            let path = temp.path().join(format!("pressroom-{program}.service"));
            std::fs::write(&path, &text).unwrap();
            let output = std::process::Command::new(&analyze)
                .args(["verify", "--man=no", "--recursive-errors=no"])
                .arg(&path)
                .env("SYSTEMD_LOG_LEVEL", "warning")
                .output()
                .unwrap();
            let said = String::from_utf8_lossy(&output.stderr);
            assert!(
                output.status.success() && !said.contains("pressroom-"),
                "{said}\n{text}"
            );
        }
    }
}
