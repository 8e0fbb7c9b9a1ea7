//! Whether this machine can host, in words that say what to do.

use super::{
    Isolation, LocalHosting, Result,
    layout::check_traversable,
    stack::{Fpm, Nginx},
};
use serde::Serialize;

/// One thing looked at.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Check {
    /// What was looked at, e.g. `nginx`.
    pub name: &'static str,
    /// Whether it is as it should be.
    pub ok: bool,
    /// What was found, and what to do about it.
    pub message: String,
}

impl Check {
    fn of<T>(name: &'static str, found: Result<T>, say: impl FnOnce(T) -> String) -> Self {
        match found {
            Ok(value) => Self {
                name,
                ok: true,
                message: say(value),
            },
            Err(error) => Self {
                name,
                ok: false,
                message: error.to_string(),
            },
        }
    }
}

impl LocalHosting {
    /// Looks at everything hosting needs, without changing anything.
    pub async fn doctor(&self) -> Vec<Check> {
        let config = self.config();
        let programs = &config.programs;
        let shown = |path: std::path::PathBuf| format!("found `{}`", path.display());
        let mut checks = vec![
            Check::of("mariadbd", programs.find_mariadbd(), shown),
            Check::of("mariadb-install-db", programs.find_mariadb_install_db(), shown),
            Check::of("php-fpm", programs.find_php_fpm(), shown),
            Check::of("php", programs.find_php(), shown),
            Check::of("nginx", programs.find_nginx(), shown),
            match config.isolation {
                Isolation::UnixUsers => Check {
                    name: "isolation",
                    ok: Isolation::detect() == Isolation::UnixUsers,
                    message: "each domain runs as a Unix user of its own, which needs root".into(),
                },
                Isolation::None => Check {
                    name: "isolation",
                    ok: true,
                    message: "no isolation: all sites run as one user and can read each other, run Pressroom as root to separate them".into(),
                },
            },
        ];
        if config.isolation == Isolation::UnixUsers {
            for (name, dir) in [
                ("hosting directory", &config.dir),
                ("sites directory", &config.sites_dir),
            ] {
                checks.push(Check::of(name, check_traversable(dir), |()| {
                    format!("site users can reach `{}`", dir.display())
                }));
            }
        }
        let status = self.status().await;
        for (name, daemon) in [
            ("MariaDB", &status.mariadb),
            ("php-fpm pools", &status.php_fpm),
            ("nginx server", &status.nginx),
        ] {
            checks.push(Check {
                name,
                ok: daemon.answers,
                message: match daemon.pid {
                    Some(pid) if daemon.answers => format!("runs as process {pid}"),
                    Some(pid) => format!("process {pid} runs but does not answer, restart it"),
                    None => "does not run, `pressroom serve` starts it".into(),
                },
            });
        }
        if status.php_fpm.pid.is_some() {
            checks.push(Check::of("pool files", Fpm::of(self).check().await, |()| {
                "accepted by php-fpm".into()
            }));
            checks.push(match Fpm::of(self).orphans() {
                Ok(orphans) if !orphans.is_empty() => Check {
                    name: "pool users",
                    ok: false,
                    message: format!(
                        "no Unix user for the pools of `{}`, remove these domains",
                        orphans.join("`, `")
                    ),
                },
                found => Check::of("pool users", found, |_| "all exist".into()),
            });
        }
        if status.nginx.pid.is_some() {
            checks.push(Check::of(
                "server blocks",
                Nginx::of(self).check().await,
                |()| "accepted by nginx".into(),
            ));
        }
        checks
    }
}
