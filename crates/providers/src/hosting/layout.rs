//! Where the private stack keeps its files, and the directory of its sockets.
//!
//! A Unix socket's path may have 107 bytes at most. Where the stack's own directory
//! is too deep for that, the sockets move to a short directory with a random name;
//! the choice is kept in a file, because sites' `wp-config.php` name it.

use super::{Error, HostingConfig, Isolation, Result, names};
use pressroom_base::token;
use std::{
    fs,
    os::unix::fs::{DirBuilderExt, MetadataExt, PermissionsExt},
    path::{Path, PathBuf},
};

/// The longest socket path that the kernel takes.
const SOCKET_PATH_MAX: usize = 107;
/// `fpm/` + the longest pool key + `.sock`.
const LONGEST_SOCKET: usize = "/mariadb/mysqld.sock".len() + 8;

/// Paths of the private stack.
#[derive(Debug, Clone)]
pub struct Layout {
    pub dir: PathBuf,
}

impl Layout {
    pub fn new(config: &HostingConfig) -> Self {
        Self {
            dir: config.dir.clone(),
        }
    }

    pub fn lock(&self) -> PathBuf {
        self.dir.join("lock")
    }
    pub fn logs(&self) -> PathBuf {
        self.dir.join("logs")
    }
    pub fn mariadb(&self) -> PathBuf {
        self.dir.join("mariadb")
    }
    pub fn mariadb_conf(&self) -> PathBuf {
        self.mariadb().join("my.cnf")
    }
    pub fn mariadb_pid(&self) -> PathBuf {
        self.mariadb().join("data/mariadbd.pid")
    }
    pub fn mariadb_log(&self) -> PathBuf {
        self.logs().join("mariadb/error.log")
    }
    pub fn admin_password(&self) -> PathBuf {
        self.mariadb().join("admin-password")
    }
    pub fn fpm(&self) -> PathBuf {
        self.dir.join("fpm")
    }
    pub fn fpm_conf(&self) -> PathBuf {
        self.fpm().join("php-fpm.conf")
    }
    pub fn pools(&self) -> PathBuf {
        self.fpm().join("pools")
    }
    pub fn pool(&self, domain: &str) -> PathBuf {
        self.pools().join(format!("{domain}.conf"))
    }
    pub fn fpm_pid(&self) -> PathBuf {
        self.fpm().join("php-fpm.pid")
    }
    pub fn fpm_log(&self) -> PathBuf {
        self.logs().join("php-fpm.log")
    }
    pub fn nginx(&self) -> PathBuf {
        self.dir.join("nginx")
    }
    pub fn nginx_conf(&self) -> PathBuf {
        self.nginx().join("nginx.conf")
    }
    pub fn sites(&self) -> PathBuf {
        self.nginx().join("sites")
    }
    pub fn site(&self, domain: &str) -> PathBuf {
        self.sites().join(format!("{domain}.conf"))
    }
    pub fn nginx_pid(&self) -> PathBuf {
        self.nginx().join("nginx.pid")
    }
    pub fn nginx_log(&self) -> PathBuf {
        self.logs().join("nginx-error.log")
    }
    /// What is written down of each domain.
    pub fn descriptions(&self) -> PathBuf {
        self.dir.join("web")
    }
    pub fn described(&self, domain: &str) -> PathBuf {
        self.descriptions().join(format!("{domain}.json"))
    }
    pub fn access_logs(&self) -> PathBuf {
        self.logs().join("access")
    }
    pub fn access_log(&self, domain: &str) -> PathBuf {
        self.access_logs().join(format!("{domain}.log"))
    }
    /// What PHP's own servers are started from.
    pub fn php(&self) -> PathBuf {
        self.dir.join("php")
    }
    /// Foreign pool files that php-fpm did not survive.
    pub fn fpm_excluded(&self) -> PathBuf {
        self.fpm().join("excluded.json")
    }
    /// Remembers the address that nginx got.
    pub fn http_addr(&self) -> PathBuf {
        self.nginx().join("http-addr")
    }

    /// The directory of the sockets, once [`Layout::make`] has chosen it.
    pub fn run(&self) -> Result<PathBuf> {
        let choice = self.run_choice();
        match fs::read_to_string(&choice) {
            Ok(text) => Ok(PathBuf::from(text.trim())),
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(self.dir.join("run")),
            Err(error) => Err(Error::io("read", choice)(error)),
        }
    }
    pub fn mariadb_socket(&self) -> Result<PathBuf> {
        Ok(self.run()?.join("mariadb/mysqld.sock"))
    }
    /// Where pool `key` listens.
    pub fn pool_socket(&self, key: &str) -> Result<PathBuf> {
        Ok(self.run()?.join(format!("fpm/{key}.sock")))
    }
    /// Where nginx tells us, and nobody else, which server blocks are live.
    pub fn control_socket(&self) -> Result<PathBuf> {
        Ok(self.run()?.join("nginx/control.sock"))
    }

    fn run_choice(&self) -> PathBuf {
        self.dir.join("run-dir")
    }

    /// Makes every directory and chooses where the sockets live.
    pub fn make(&self, isolation: Isolation) -> Result<()> {
        names::absolute_path(&self.dir)?;
        // Site users and the daemons' users pass these, but may not list them.
        let passable = match isolation {
            Isolation::UnixUsers => 0o711,
            Isolation::None => 0o700,
        };
        make_dir(&self.dir, passable)?;
        if isolation == Isolation::UnixUsers {
            check_traversable(&self.dir)?;
        }
        for dir in [
            self.logs(),
            // nginx' workers open its files again after a rotation.
            self.access_logs(),
            self.mariadb(),
            self.nginx(),
            self.fpm(),
        ] {
            make_dir(&dir, passable)?;
        }
        for dir in [
            self.sites(),
            self.pools(),
            self.descriptions(),
            self.php(),
            self.logs().join("mariadb"),
        ] {
            make_dir(&dir, 0o700)?;
        }
        let run = self.choose_run(passable)?;
        make_dir(&run.join("mariadb"), passable)?;
        make_dir(&run.join("fpm"), passable)?;
        make_dir(&run.join("nginx"), 0o700)
    }

    fn choose_run(&self, mode: u32) -> Result<PathBuf> {
        let here = self.dir.join("run");
        if here.as_os_str().len() + LONGEST_SOCKET <= SOCKET_PATH_MAX {
            make_dir(&here, mode)?;
            return Ok(here);
        }
        // The same again after a reboot emptied `/run`: sites name it.
        let chosen = self.run()?;
        if chosen != here && (is_own_dir(&chosen) || make_new_dir(&chosen, mode)?) {
            return Ok(chosen);
        }
        // A random name that `mkdir` must create: nobody can have put a link there.
        let base = [
            PathBuf::from("/run"),
            PathBuf::from(format!("/run/user/{}", rustix::process::geteuid().as_raw())),
            PathBuf::from("/tmp"),
        ];
        for parent in base {
            let run = parent.join(format!("pressroom-{}", token::name(10)));
            if make_new_dir(&run, mode)? {
                write_atomically(
                    &self.run_choice(),
                    run.as_os_str().as_encoded_bytes(),
                    0o644,
                )?;
                return Ok(run);
            }
        }
        Err(Error::NotTraversable(PathBuf::from("/tmp")))
    }

    /// Takes the directory of the sockets away, if it stands outside.
    pub fn remove_run(&self) -> Result<()> {
        let run = self.run()?;
        if run.starts_with(&self.dir) || !is_own_dir(&run) {
            return Ok(());
        }
        fs::remove_dir_all(&run).map_err(Error::io("remove", &run))?;
        fs::remove_file(self.run_choice()).map_err(Error::io("remove", self.run_choice()))
    }
}

/// Makes a directory (its parents too) and sets its mode whatever the umask.
pub fn make_dir(path: &Path, mode: u32) -> Result<()> {
    fs::create_dir_all(path).map_err(Error::io("create", path))?;
    fs::set_permissions(path, fs::Permissions::from_mode(mode))
        .map_err(Error::io("set the mode of", path))
}

/// Makes a directory that must not exist before; false when it cannot be made.
fn make_new_dir(path: &Path, mode: u32) -> Result<bool> {
    if fs::DirBuilder::new().mode(mode).create(path).is_err() {
        return Ok(false);
    }
    fs::set_permissions(path, fs::Permissions::from_mode(mode))
        .map_err(Error::io("set the mode of", path))?;
    Ok(true)
}

/// Fails on the first parent that other users cannot pass.
pub fn check_traversable(path: &Path) -> Result<()> {
    for dir in path.ancestors() {
        match fs::metadata(dir) {
            Ok(data) if data.mode() & 0o001 == 0 => {
                return Err(Error::NotTraversable(dir.to_path_buf()));
            }
            _ => {}
        }
    }
    Ok(())
}

/// Replaces a file's content in one step. The temporary name begins with a dot so
/// that no `include *.conf` ever reads it.
pub fn write_atomically(path: &Path, content: &[u8], mode: u32) -> Result<()> {
    use std::{io::Write, os::unix::fs::OpenOptionsExt};
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    let temporary = path.with_file_name(format!(".new-{}-{}", token::hex(8), truncate(&name, 100)));
    let written = fs::OpenOptions::new()
        .write(true)
        .create_new(true)
        .mode(mode)
        .open(&temporary)
        .and_then(|mut file| {
            file.write_all(content)?;
            file.set_permissions(fs::Permissions::from_mode(mode))?;
            file.sync_all()
        })
        .and_then(|()| fs::rename(&temporary, path));
    written.map_err(|error| {
        let _gone_or_harmless = fs::remove_file(&temporary);
        Error::io("write", path)(error)
    })
}

/// What is in a file, `None` when there is none.
pub fn read_if_there(path: &Path) -> Result<Option<Vec<u8>>> {
    match fs::read(path) {
        Ok(bytes) => Ok(Some(bytes)),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(Error::io("read", path)(error)),
    }
}

/// Removes a file; tells whether there was one.
pub fn remove_if_there(path: &Path) -> Result<bool> {
    match fs::remove_file(path) {
        Ok(()) => Ok(true),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(false),
        Err(error) => Err(Error::io("remove", path)(error)),
    }
}

/// Writes or removes a configuration file.
pub fn put(path: &Path, content: Option<&[u8]>) -> Result<()> {
    match content {
        Some(bytes) => write_atomically(path, bytes, 0o600),
        None => remove_if_there(path).map(drop),
    }
}

/// Names of `*.conf` in a directory without the ending, sorted.
pub fn conf_names(dir: &Path) -> Result<Vec<String>> {
    let entries = match fs::read_dir(dir) {
        Ok(entries) => entries,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(Vec::new()),
        Err(error) => return Err(Error::io("list", dir)(error)),
    };
    let mut names: Vec<_> = entries
        .flatten()
        .filter_map(|entry| entry.file_name().into_string().ok())
        .filter(|name| !name.starts_with('.'))
        .filter_map(|name| name.strip_suffix(".conf").map(str::to_owned))
        .collect();
    names.sort();
    Ok(names)
}

fn is_own_dir(path: &Path) -> bool {
    fs::symlink_metadata(path)
        .is_ok_and(|data| data.is_dir() && data.uid() == rustix::process::geteuid().as_raw())
}

fn truncate(text: &str, len: usize) -> String {
    text.chars().take(len).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_deep_directory_gets_short_sockets_and_keeps_them() {
        let temp = tempfile::tempdir().unwrap();
        let deep = temp.path().join("d".repeat(120));
        let layout = Layout { dir: deep };
        layout.make(Isolation::None).unwrap();
        let first = layout.run().unwrap();
        assert!(layout.pool_socket("pr_abcdefgh").unwrap().as_os_str().len() <= SOCKET_PATH_MAX);
        layout.make(Isolation::None).unwrap();
        assert_eq!(layout.run().unwrap(), first);
        fs::remove_dir_all(&first).unwrap();
        layout.make(Isolation::None).unwrap();
        assert_eq!(layout.run().unwrap(), first, "also after a reboot");
        layout.remove_run().unwrap();
        assert!(!first.exists());
        layout.make(Isolation::None).unwrap();
        assert_ne!(layout.run().unwrap(), first);
        layout.remove_run().unwrap();
    }

    #[test]
    fn a_closed_parent_is_named() {
        let temp = tempfile::tempdir().unwrap();
        let closed = temp.path().join("closed");
        make_dir(&closed, 0o700).unwrap();
        fs::set_permissions(temp.path(), fs::Permissions::from_mode(0o711)).unwrap();
        let error = check_traversable(&closed.join("inside")).unwrap_err();
        assert_eq!(
            error.to_string(),
            format!(
                "other users cannot enter `{}`, allow it with `chmod o+x`",
                closed.display()
            )
        );
    }

    #[test]
    fn writing_replaces_in_one_step_and_leaves_no_rest() {
        let temp = tempfile::tempdir().unwrap();
        let path = temp.path().join("a.conf");
        write_atomically(&path, b"one", 0o600).unwrap();
        write_atomically(&path, b"two", 0o644).unwrap();
        assert_eq!(fs::read(&path).unwrap(), b"two");
        assert_eq!(fs::metadata(&path).unwrap().mode() & 0o777, 0o644);
        assert_eq!(fs::read_dir(temp.path()).unwrap().count(), 1);
    }
}
