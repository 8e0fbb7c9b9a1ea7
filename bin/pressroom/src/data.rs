//! The data directory: made with the modes its parts need, whatever the umask.
//!
//! The web server's user and sites' own users pass through the directory on their way
//! to the sites, so it is 0711: they may pass and not look. What they must not read is
//! closed itself: the key and the database are 0600, the package cache 0700.

use pressroom_base::{Kind, keyring::Keyring};
use pressroom_cli::{Failure, config::Config};
use std::{
    fs::{self, DirBuilder, File, OpenOptions, Permissions},
    io::{self, Write},
    os::unix::fs::{DirBuilderExt, MetadataExt, OpenOptionsExt, PermissionsExt},
    path::{Path, PathBuf},
    time::Duration,
};

/// The file with the link that adds the first person.
const SET_UP: &str = "set-up-link";

/// Whether this process may do everything.
pub fn is_root() -> bool {
    rustix::process::geteuid().is_root()
}

/// Makes what is missing and answers the key that seals stored secrets.
pub fn prepare(config: &Config) -> Result<Keyring, Failure> {
    data_directory(&config.data)?;
    directory(&config.packages.cache, 0o700)?;
    let database = config.sqlite_file();
    let text = match fs::read_to_string(&config.secrets.key_file) {
        Ok(text) => text,
        Err(error) if error.kind() == io::ErrorKind::NotFound => {
            // A new key would open nothing that is in there.
            if database.as_deref().is_some_and(has_content) {
                return Err(Failure::new(
                    Kind::Invalid,
                    format!(
                        "the secret key `{}` is missing",
                        config.secrets.key_file.display()
                    ),
                )
                .with_hint(
                    "secrets in the existing database open with that key only, restore it",
                ));
            }
            make_key(&config.secrets.key_file)?
        }
        Err(error) => return Err(refused("read", &config.secrets.key_file, &error)),
    };
    if let Some(database) = database {
        private_file(&database)?;
    }
    parse_keys(config, &text)
}

/// Refuses a place where nothing was ever kept: what is asked for is not made there.
pub fn refuse_nothing(config: &Config) -> Result<(), Failure> {
    existing_keys(config)?;
    match config.sqlite_file() {
        Some(file) if !has_content(&file) => Err(Failure::new(
            Kind::NotFound,
            format!("there is no database `{}`", file.display()),
        )
        .with_hint("`--data` names the directory of Pressroom's data")),
        _ => Ok(()),
    }
}

/// The keys that are there; none is made.
pub fn existing_keys(config: &Config) -> Result<Keyring, Failure> {
    parse_keys(config, &read_keys(config)?)
}

/// The file of keys, which nobody else changes while this is held.
pub struct KeyFile {
    /// The file itself, wherever a link to it leads.
    path: PathBuf,
    /// What was read there.
    lines: Vec<String>,
    _lock: File,
}

impl KeyFile {
    /// Reads it. Errors: it is missing or holds no key; somebody else is exchanging it.
    pub fn open(config: &Config) -> Result<Self, Failure> {
        // Before anything is locked: a mistyped place is left as it is.
        existing_keys(config)?;
        let named = &config.secrets.key_file;
        let path = fs::canonicalize(named).map_err(|error| refused("find", named, &error))?;
        let lock = beside(&path, ".lock");
        let held = OpenOptions::new()
            .append(true)
            .create(true)
            .mode(0o600)
            .open(&lock)
            .map_err(|error| refused("open", &lock, &error))?;
        held.try_lock().map_err(|_| {
            Failure::new(
                Kind::Conflict,
                "the key is being exchanged by somebody else",
            )
            .with_hint("wait for that to end, then look at `pressroom data check`")
        })?;
        // Under the lock: what was there before may be old.
        let text = read_keys(config)?;
        parse_keys(config, &text)?;
        let lines = text.lines().map(str::trim).filter(|line| !line.is_empty());
        Ok(Self {
            lines: lines.map(str::to_owned).collect(),
            path,
            _lock: held,
        })
    }

    /// The keys, one a line; the first seals.
    pub fn lines(&self) -> &[String] {
        &self.lines
    }

    /// When it was last changed.
    pub fn age(&self) -> Duration {
        let changed = fs::metadata(&self.path).and_then(|found| found.modified());
        changed
            .ok()
            .and_then(|at| at.elapsed().ok())
            .unwrap_or_default()
    }

    /// Replaces it: it has the old keys or these, whatever happens.
    pub fn replace(&mut self, lines: Vec<String>) -> Result<(), Failure> {
        let draft = beside(&self.path, ".new");
        let _ = fs::remove_file(&draft);
        OpenOptions::new()
            .write(true)
            .create_new(true)
            .mode(0o600)
            .open(&draft)
            .and_then(|mut file| {
                for line in &lines {
                    writeln!(file, "{line}")?;
                }
                file.sync_all()
            })
            .and_then(|()| like(&self.path, &draft))
            .and_then(|()| fs::rename(&draft, &self.path))
            .map_err(|error| refused("write", &self.path, &error))?;
        if let Some(directory) = self.path.parent() {
            // Where that cannot be done, the rename reaches the disk a little later.
            let _ = File::open(directory).and_then(|directory| directory.sync_all());
        }
        self.lines = lines;
        Ok(())
    }
}

/// Whoever reads one file must be able to read the other.
fn like(one: &Path, other: &Path) -> io::Result<()> {
    let (found, made) = (fs::metadata(one)?, fs::metadata(other)?);
    if (found.uid(), found.gid()) != (made.uid(), made.gid()) {
        std::os::unix::fs::chown(other, Some(found.uid()), Some(found.gid()))?;
    }
    fs::set_permissions(other, Permissions::from_mode(found.mode() & 0o777))
}

fn beside(path: &Path, end: &str) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(end);
    PathBuf::from(name)
}

fn read_keys(config: &Config) -> Result<String, Failure> {
    let path = &config.secrets.key_file;
    fs::read_to_string(path).map_err(|error| match error.kind() {
        io::ErrorKind::NotFound => Failure::new(
            Kind::NotFound,
            format!("the secret key `{}` is missing", path.display()),
        )
        .with_hint("put it back first: no copy is of use without it"),
        _ => refused("read", path, &error),
    })
}

fn parse_keys(config: &Config, text: &str) -> Result<Keyring, Failure> {
    Keyring::parse(text).map_err(|error| {
        Failure::new(
            Kind::Invalid,
            format!("`{}` holds no key", config.secrets.key_file.display()),
        )
        .because(&error)
    })
}

/// Keeps the link that adds the first person where only the data's owner may read it;
/// answers the file.
pub fn keep_set_up_link(config: &Config, link: &str) -> Result<PathBuf, Failure> {
    let file = config.data.join(SET_UP);
    // Made anew each time, for its mode.
    let _ = fs::remove_file(&file);
    OpenOptions::new()
        .write(true)
        .create_new(true)
        .mode(0o600)
        .open(&file)
        .and_then(|mut open| writeln!(open, "{link}"))
        .map_err(|error| refused("write", &file, &error))?;
    Ok(file)
}

/// Removes it, once it leads nowhere.
pub fn drop_set_up_link(config: &Config) {
    let _ = fs::remove_file(config.data.join(SET_UP));
}

/// 0711 for a directory that is new, empty or already ours; one that somebody uses
/// for other things as well keeps its mode.
fn data_directory(path: &Path) -> Result<(), Failure> {
    if !path.exists() {
        return directory(path, 0o711);
    }
    let ours = ["secret.key", "pressroom.db", "pressroom.toml"]
        .iter()
        .any(|name| path.join(name).exists());
    let is_empty = || fs::read_dir(path).is_ok_and(|mut entries| entries.next().is_none());
    let found = fs::metadata(path).map_err(|error| refused("look at", path, &error))?;
    let own = found.uid() == rustix::process::geteuid().as_raw();
    if own && found.mode() & 0o777 != 0o711 && (ours || is_empty()) {
        fs::set_permissions(path, Permissions::from_mode(0o711))
            .map_err(|error| refused("set the mode of", path, &error))?;
    }
    Ok(())
}

/// Makes a directory with this mode, and parents that everyone may pass.
fn directory(path: &Path, mode: u32) -> Result<(), Failure> {
    if path.is_dir() {
        return Ok(());
    }
    if let Some(parent) = path.parent() {
        directory(parent, 0o711)?;
    }
    match DirBuilder::new().mode(mode).create(path) {
        Ok(()) => fs::set_permissions(path, Permissions::from_mode(mode)),
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists && path.is_dir() => Ok(()),
        Err(error) => Err(error),
    }
    .map_err(|error| refused("make", path, &error))
}

/// Makes a key. Of several processes that start for the first time together, one wins
/// and all use its key: the file appears whole or not at all.
fn make_key(path: &Path) -> Result<String, Failure> {
    if let Some(parent) = path.parent() {
        directory(parent, 0o700)?;
    }
    let draft = &beside(path, &format!(".{}", std::process::id()));
    let made = OpenOptions::new()
        .write(true)
        .create_new(true)
        .mode(0o600)
        .open(draft)
        .and_then(|mut file| {
            file.set_permissions(Permissions::from_mode(0o600))?;
            writeln!(file, "{}", Keyring::generate().expose())?;
            file.sync_all()
        })
        .and_then(|()| fs::hard_link(draft, path));
    // A left-over of a killed process with our number must not stop us for ever.
    let _ = fs::remove_file(draft);
    match made {
        Ok(()) => {}
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists && path.exists() => {}
        Err(error) => return Err(refused("make", path, &error)),
    }
    fs::read_to_string(path).map_err(|error| refused("read", path, &error))
}

/// `SQLite` gives its log and its index the mode of the database, and would make that
/// readable for everyone.
fn private_file(path: &Path) -> Result<(), Failure> {
    if let Some(parent) = path.parent() {
        directory(parent, 0o711)?;
    }
    OpenOptions::new()
        .append(true)
        .create(true)
        .mode(0o600)
        .open(path)
        .and_then(|file| {
            if file.metadata()?.mode() & 0o077 != 0 {
                file.set_permissions(Permissions::from_mode(0o600))?;
            }
            Ok(())
        })
        .map_err(|error| refused("open", path, &error))
}

fn has_content(path: &Path) -> bool {
    fs::metadata(path).is_ok_and(|found| found.len() > 0)
}

fn refused(verb: &str, path: &Path, error: &io::Error) -> Failure {
    let kind = match error.kind() {
        io::ErrorKind::PermissionDenied => Kind::Forbidden,
        _ => Kind::Internal,
    };
    let failure = Failure::new(kind, format!("cannot {verb} `{}`", path.display())).because(error);
    if kind == Kind::Forbidden {
        failure
            .with_hint("run as the user the data belongs to, or name another place with `--data`")
    } else {
        failure
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use pressroom_cli::config::Sources;

    fn mode(path: &Path) -> u32 {
        fs::metadata(path).expect("it is there").mode() & 0o777
    }

    fn config(data: &Path) -> Config {
        let sources = Sources {
            auto_data: data.to_owned(),
            ..Sources::default()
        };
        sources.load().expect("defaults")
    }

    #[test]
    fn a_first_run_sets_every_mode_and_a_second_keeps_the_key() {
        let place = tempfile::tempdir().expect("a directory");
        let data = place.path().join("deep/data");
        let config = config(&data);
        assert!(prepare(&config).is_ok());
        assert_eq!(mode(&data), 0o711);
        assert_eq!(mode(&place.path().join("deep")), 0o711);
        assert_eq!(mode(&data.join("packages")), 0o700);
        assert_eq!(mode(&data.join("secret.key")), 0o600);
        assert_eq!(mode(&data.join("pressroom.db")), 0o600);
        let key = fs::read_to_string(data.join("secret.key")).expect("a key");
        assert!(prepare(&config).is_ok());
        assert_eq!(
            fs::read_to_string(data.join("secret.key")).expect("a key"),
            key
        );
        let left: Vec<_> = fs::read_dir(&data)
            .expect("a directory")
            .flatten()
            .collect();
        assert_eq!(left.len(), 3, "{left:?}");
    }

    #[test]
    fn an_empty_directory_is_opened_to_passers_and_a_used_one_is_left_alone() {
        let place = tempfile::tempdir().expect("a directory");
        let closed = Permissions::from_mode(0o700);
        fs::set_permissions(place.path(), closed.clone()).expect("ours");
        data_directory(place.path()).expect("ours");
        assert_eq!(mode(place.path()), 0o711);
        fs::write(place.path().join("diary.txt"), "").expect("ours");
        fs::set_permissions(place.path(), closed).expect("ours");
        data_directory(place.path()).expect("ours");
        assert_eq!(mode(place.path()), 0o700);
    }

    #[test]
    fn a_lost_or_damaged_key_is_not_replaced() {
        let place = tempfile::tempdir().expect("a directory");
        let config = config(place.path());
        fs::write(place.path().join("pressroom.db"), "rows").expect("ours");
        let failure = prepare(&config).map(|_| ()).expect_err("the key is gone");
        assert!(
            failure.to_text().contains("restore it"),
            "{}",
            failure.to_text()
        );
        fs::write(place.path().join("secret.key"), "zz").expect("ours");
        let failure = prepare(&config).map(|_| ()).expect_err("no key");
        assert!(
            failure.to_text().contains("holds no key"),
            "{}",
            failure.to_text()
        );
    }
}
