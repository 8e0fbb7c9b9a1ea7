//! Where the programs of the stack are.

use super::{Error, Programs, Result};
use std::{
    fs,
    os::unix::fs::PermissionsExt,
    path::{Path, PathBuf},
};

const ALSO: [&str; 5] = [
    "/usr/local/sbin",
    "/usr/local/bin",
    "/usr/sbin",
    "/usr/bin",
    "/sbin",
];

impl Programs {
    /// `php-fpm`; Debian's carries its version in its name, the highest is taken.
    pub fn find_php_fpm(&self) -> Result<PathBuf> {
        let missing = Error::Missing {
            program: "php-fpm",
            package: "php-fpm",
        };
        given(self.php_fpm.as_deref())
            .or_else(|| find("php-fpm"))
            .or_else(|| highest("php-fpm"))
            .ok_or(missing)
    }

    /// `php`, the command line interpreter.
    pub fn find_php(&self) -> Result<PathBuf> {
        given(self.php.as_deref())
            .or_else(|| find("php"))
            .ok_or(Error::Missing {
                program: "php",
                package: "php-cli",
            })
    }

    /// `nginx`.
    pub fn find_nginx(&self) -> Result<PathBuf> {
        given(self.nginx.as_deref())
            .or_else(|| find("nginx"))
            .ok_or(Error::Missing {
                program: "nginx",
                package: "nginx-light",
            })
    }

    /// `mariadbd`.
    pub fn find_mariadbd(&self) -> Result<PathBuf> {
        given(self.mariadbd.as_deref())
            .or_else(|| find("mariadbd"))
            .ok_or(Error::Missing {
                program: "mariadbd",
                package: "mariadb-server",
            })
    }

    /// `systemctl`.
    pub fn find_systemctl(&self) -> Result<PathBuf> {
        given(self.systemctl.as_deref())
            .or_else(|| find("systemctl"))
            .ok_or(Error::Missing {
                program: "systemctl",
                package: "systemd",
            })
    }

    /// `mariadb-install-db`.
    pub fn find_mariadb_install_db(&self) -> Result<PathBuf> {
        given(self.mariadb_install_db.as_deref())
            .or_else(|| find("mariadb-install-db"))
            .ok_or(Error::Missing {
                program: "mariadb-install-db",
                package: "mariadb-server",
            })
    }
}

/// `setsid`, `useradd` and the like.
pub fn tool(program: &'static str, package: &'static str) -> Result<PathBuf> {
    find(program).ok_or(Error::Missing { program, package })
}

fn given(path: Option<&Path>) -> Option<PathBuf> {
    path.filter(|path| is_program(path)).map(Path::to_path_buf)
}

fn find(name: &str) -> Option<PathBuf> {
    directories()
        .map(|dir| dir.join(name))
        .find(|path| is_program(path))
}

fn highest(prefix: &str) -> Option<PathBuf> {
    let version = |path: &PathBuf| -> Option<Vec<u32>> {
        let rest = path.file_name()?.to_str()?.strip_prefix(prefix)?;
        rest.trim_start_matches('-')
            .split('.')
            .map(|part| part.parse().ok())
            .collect()
    };
    directories()
        .filter_map(|dir| fs::read_dir(dir).ok())
        .flatten()
        .filter_map(|entry| Some(entry.ok()?.path()))
        .filter(|path| version(path).is_some() && is_program(path))
        .max_by_key(version)
}

fn directories() -> impl Iterator<Item = PathBuf> {
    let path = std::env::var_os("PATH").unwrap_or_default();
    let own: Vec<_> = std::env::split_paths(&path)
        .filter(|dir| dir.is_absolute())
        .collect();
    own.into_iter().chain(ALSO.map(PathBuf::from))
}

fn is_program(path: &Path) -> bool {
    fs::metadata(path).is_ok_and(|data| data.is_file() && data.permissions().mode() & 0o111 != 0)
}
