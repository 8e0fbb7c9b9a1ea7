//! Whether this machine can host, in words that say what to do.

use super::{
    Isolation, LocalHosting, PhpServer, Result,
    daemon::DaemonStatus,
    layout::check_traversable,
    ownership,
    stack::{Fpm, Nginx, Serving},
    web::Described,
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
            Check::of("php", programs.find_php(), shown),
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
        match self.serving() {
            Ok(Serving::Stack) => checks.extend([
                Check::of("php-fpm", programs.find_php_fpm(), shown),
                Check::of("nginx", programs.find_nginx(), shown),
            ]),
            found => checks.push(Check::of("web server", found, |_| {
                "development mode: PHP's own server for each domain, install nginx and php-fpm to serve visitors".into()
            })),
        }
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
        checks.push(daemon("MariaDB", &status.mariadb));
        if status.serving == Serving::Stack {
            checks.push(daemon("php-fpm pools", &status.php_fpm));
            checks.push(daemon("nginx server", &status.nginx));
        } else {
            checks.push(php_servers(&status.php_servers));
        }
        checks.push(ownership_check(ownership::wrong(self)));
        let served = Described::all(self).map(|all| all.len());
        let max = config.max_domains;
        checks.push(Check::of("domains", served, |served| {
            format!("{served} of at most {max} are served")
        }));
        if status.php_fpm.pid.is_some() {
            checks.push(match Fpm::of(self).excluded() {
                Ok(files) if !files.is_empty() => Check {
                    name: "left out pools",
                    ok: false,
                    message: format!(
                        "php-fpm did not start with {}, mend or remove it",
                        listed(files.iter().map(|file| file.display().to_string()))
                    ),
                },
                found => Check::of("left out pools", found, |_| "none".into()),
            });
            checks.push(Check::of(
                "pool files",
                Fpm::of(self).check(&[]).await,
                |()| "accepted by php-fpm".into(),
            ));
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
                Nginx::of(self).check(&[]).await,
                |()| "accepted by nginx".into(),
            ));
        }
        checks
    }
}

fn daemon(name: &'static str, daemon: &DaemonStatus) -> Check {
    Check {
        name,
        ok: daemon.answers,
        message: match daemon.pid {
            Some(pid) if daemon.answers => format!("runs as process {pid}"),
            Some(pid) => format!("process {pid} runs but does not answer, restart it"),
            None => "does not run, `pressroom serve` starts it".into(),
        },
    }
}

fn php_servers(servers: &[PhpServer]) -> Check {
    let down: Vec<_> = servers
        .iter()
        .filter(|server| !server.daemon.answers)
        .map(|server| server.domain.clone())
        .collect();
    Check {
        name: "PHP servers",
        ok: down.is_empty(),
        message: if down.is_empty() {
            format!("{} run", servers.len())
        } else {
            format!(
                "{} do not run, `pressroom serve` starts them",
                listed(down.into_iter())
            )
        },
    }
}

fn ownership_check(found: Result<Vec<String>>) -> Check {
    const SHOWN: usize = 5;
    match found {
        Ok(wrong) if !wrong.is_empty() => {
            let more = match wrong.len().saturating_sub(SHOWN) {
                0 => String::new(),
                more => format!("; and {more} more"),
            };
            let shown = wrong.into_iter().take(SHOWN).collect::<Vec<_>>().join("; ");
            Check {
                name: "owners and modes",
                ok: false,
                message: shown + &more,
            }
        }
        found => Check::of("owners and modes", found, |_| "as they were made".into()),
    }
}

/// Names in backticks.
fn listed(names: impl Iterator<Item = String>) -> String {
    let names: Vec<_> = names.map(|name| format!("`{name}`")).collect();
    names.join(", ")
}
