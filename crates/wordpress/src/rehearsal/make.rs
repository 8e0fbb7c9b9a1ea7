//! Making a clone.

use super::{
    config,
    options::{Rehearsal, RehearsalOptions},
    remove::remove,
    tables,
    tree::{self, Outcome},
};
use crate::{
    Error, Result,
    cage::{
        self, gate, php,
        program::Wall,
        record::{self, Address, Record},
    },
    config::{Directories, Settings},
    database::{
        Connection,
        client::{Client, quoted},
        replace::{self, ReplaceOptions, TextPair},
    },
    disk, fence,
    home::Home,
    journal::{self, Entry},
    watch::Watch,
};
use pressroom_base::Epoch;
use pressroom_phpdata::wp_config::{self, Value};
use std::{
    fs::{self, DirBuilder},
    os::unix::fs::{DirBuilderExt, MetadataExt},
    path::Path,
    process::{Command, Stdio},
    time::Instant,
};

/// What a disk keeps free beside a clone, at least.
const MARGIN: u64 = 64 * 1024 * 1024;
/// What PHP gets where nothing is said, in megabytes.
const MEMORY_MB: u32 = 256;
/// Drop-ins that would reach out, or answer in the clone's place.
const DROP_INS: [&str; 3] = ["object-cache.php", "advanced-cache.php", "db.php"];
/// What firewalls put before everything.
const FIREWALLS: [&str; 3] = ["wordfence-waf.php", "malcare-waf.php", "patchstack-waf.php"];

/// Makes a clone of the site in `root`; nothing of it is left after a failure.
///
/// Fails with [`Error::NoRoom`] before anything is made where the disk has no room for it,
/// with [`Error::BadInput`] for a site that cannot be cloned in this way, and why.
pub fn make(
    home: &Home,
    epoch: Epoch,
    root: &str,
    php: &str,
    settings: &Settings,
    options: &RehearsalOptions,
    watch: &Watch,
) -> Result<Rehearsal> {
    let since = Instant::now();
    fence::check(home, epoch, watch)?;
    let live = home.resolve(root)?;
    if !disk::exists(&live.join("wp-load.php"))? {
        return Err(Error::Missing(format!("{root}/wp-load.php")));
    }
    if record::holding(home, root)?.is_some() {
        return Err(Error::BadInput("this is a rehearsal itself".to_owned()));
    }
    php::check_path(home.path())?;
    let layout = Layout::of(home, root, settings)?;
    let connection = Connection::of(settings)?;
    let mut client = Client::open(&connection, watch)?;
    let mut record = begin(epoch, root, php, settings, &connection)?;
    let plan = tables::plan(&mut client, &connection, settings, &record.prefix)?;
    record.address = address(&mut client, settings, &connection)?;
    record.uploads.clone_from(&layout.uploads);
    record.memory_mb = memory(home, root);
    record.sources = plan.names.iter().map(|(from, _)| from.clone()).collect();
    record.tables = plan.names.iter().map(|(_, to)| to.clone()).collect();

    // From here on, the next recovery knows of it.
    fence::critical(home, epoch, watch, || {
        home.state_subdir("rehearsal")?;
        let entry = Entry::Rehearsal {
            epoch,
            record: Box::new(record.clone()),
        };
        journal::write(home, &entry)
    })?;
    let made = Making {
        home,
        settings,
        options,
        layout: &layout,
        plan: &plan,
        live: &live,
        watch,
    }
    .make(&mut record, &mut client);
    match made {
        Ok(made) => Ok(Rehearsal {
            took_ms: u64::try_from(since.elapsed().as_millis()).unwrap_or(u64::MAX),
            ..made
        }),
        Err(why) => {
            drop(client);
            // Whatever stopped us must not stop that; if it fails, recovery tries again.
            let _ = remove(home, epoch, &record, &Watch::unbounded());
            Err(why)
        }
    }
}

struct Making<'a> {
    home: &'a Home,
    settings: &'a Settings,
    options: &'a RehearsalOptions,
    layout: &'a Layout,
    plan: &'a tables::Plan,
    live: &'a Path,
    watch: &'a Watch,
}

impl Making<'_> {
    fn make(&self, record: &mut Record, client: &mut Client) -> Result<Rehearsal> {
        let Self {
            home,
            settings,
            options,
            layout,
            plan,
            live,
            watch,
        } = *self;
        let dir = record.dir(home);
        DirBuilder::new()
            .mode(0o700)
            .create(&dir)
            .map_err(|why| Error::io("create", &dir, why))?;
        let real = fs::canonicalize(live).map_err(|why| Error::io("look at", live, why))?;
        let to = php::real_dir(home, record).join("site");
        let files = tree::Plan {
            from: &real,
            root: &record.root.clone(),
            to: &to,
            uploads: layout.uploads.as_deref(),
            without: &layout.without,
            exclude: &options.exclude,
            watch,
        };
        let share = tree::can_share(&real.join("wp-load.php"), &dir);
        let needed = if share { 0 } else { tree::measure(&files)? };
        room(&dir, needed, plan)?;
        record.write(home)?;
        php::put_files(home, record)?;
        // It is one of what the walls stand around.
        gate::ensure(home, record)?;
        record.walls = cage::walls(home, record, options.namespaces, options.landlock)?;
        record.write(home)?;

        let Outcome {
            files: count,
            bytes_copied,
            bytes_shared,
            read_through,
            mut dropped,
        } = tree::copy(&files, share)?;
        dropped.extend(config::write(home, record, settings, watch)?);
        dropped.extend(plan.dropped.iter().cloned());
        dropped.extend(tables::copy(home, client, record, plan.tables, watch)?);
        paths(home, record, settings, watch)?;
        Ok(Rehearsal {
            handle: record.handle.clone(),
            root: record.site_root(),
            tables: record.tables.len() as u64,
            files: count,
            bytes_copied,
            bytes_shared,
            bytes_tables: plan.bytes,
            files_read_through: read_through,
            dropped,
            unblocked: unblocked(record),
            took_ms: 0,
        })
    }
}

/// What is known before anything is looked at.
fn begin(
    epoch: Epoch,
    root: &str,
    php: &str,
    settings: &Settings,
    connection: &Connection,
) -> Result<Record> {
    let random = |length: usize| -> Result<String> {
        let mut bytes = vec![0; length];
        getrandom::fill(&mut bytes).map_err(|why| {
            Error::io(
                "read",
                "random numbers",
                std::io::Error::other(why.to_string()),
            )
        })?;
        Ok(hex::encode(bytes))
    };
    let name = random(4)?;
    Ok(Record {
        epoch,
        handle: format!("{}-{name}", epoch.get()),
        root: root.to_owned(),
        php: php.to_owned(),
        database: connection.database().to_owned(),
        db_host: settings.db_host.clone().unwrap_or_default(),
        upstream: connection.upstream(),
        live_prefix: connection.prefix().to_owned(),
        prefix: format!("prr{name}_"),
        sources: Vec::new(),
        tables: Vec::new(),
        address: Address::default(),
        uploads: None,
        php_version: php_version(php)?,
        memory_mb: MEMORY_MB,
        walls: cage::program::Walls::default(),
        secret: random(16)?,
    })
}

fn php_version(php: &str) -> Result<u32> {
    if php.is_empty() || php.starts_with('-') || php.contains('\0') {
        return Err(Error::NoPhp(format!("`{php}` is no command for PHP")));
    }
    let said = Command::new(php)
        .args(["-n", "-r", "echo PHP_VERSION_ID;"])
        .current_dir("/")
        .env_clear()
        .env(
            "PATH",
            std::env::var_os("PATH").unwrap_or_else(|| "/usr/local/bin:/usr/bin:/bin".into()),
        )
        .stdin(Stdio::null())
        .stderr(Stdio::null())
        .output()
        .map_err(|why| Error::NoPhp(format!("`{php}` did not start: {why}")))?;
    let version = String::from_utf8_lossy(&said.stdout).trim().parse();
    match version {
        Ok(version @ 70_400..) => Ok(version),
        Ok(_) => Err(Error::NoPhp(format!(
            "`{php}` is older than 7.4, with which no rehearsal is made"
        ))),
        Err(_) => Err(Error::NoPhp(format!("`{php}` does not tell its version"))),
    }
}

/// Where a site has what, relative to WordPress.
struct Layout {
    uploads: Option<String>,
    without: Vec<String>,
}

impl Layout {
    /// Refused where the site is not in one directory.
    fn of(home: &Home, root: &str, settings: &Settings) -> Result<Self> {
        let told = settings.directories.clone();
        let told = told.unwrap_or_else(|| Directories::usual(root));
        let below = |path: Option<&str>| -> Option<String> {
            let path = path?;
            let root = crate::config::plain_root(root);
            if root.is_empty() {
                return Some(path.to_owned());
            }
            path.strip_prefix(root)?
                .strip_prefix('/')
                .map(str::to_owned)
        };
        for (what, place) in [
            ("content", &told.content),
            ("plugins", &told.plugins),
            ("themes", &told.themes),
        ] {
            if below(place.path()).is_none() {
                return Err(Error::BadInput(format!(
                    "the site's {what} are not below `{root}`; a rehearsal of such a site cannot be made"
                )));
            }
        }
        let content = below(told.content.path()).unwrap_or_default();
        let mut without: Vec<String> = FIREWALLS.map(str::to_owned).into();
        for name in DROP_INS {
            let path = format!("{content}/{name}");
            let live = crate::config::below(root, &path);
            if name == "db.php"
                && let Some(text) = home.read_start(&live, 256 * 1024)?
                && memchr::memmem::find(&text.to_ascii_lowercase(), b"sqlite").is_some()
            {
                return Err(Error::BadInput(
                    "the site keeps its tables in SQLite; a rehearsal of such a site cannot be made"
                        .to_owned(),
                ));
            }
            without.push(path);
        }
        Ok(Self {
            uploads: below(told.uploads.path()),
            without,
        })
    }
}

/// How visitors address the site.
fn address(client: &mut Client, settings: &Settings, connection: &Connection) -> Result<Address> {
    let rows: Vec<(String, String)> = client.rows(format!(
        "SELECT option_name, option_value FROM {} WHERE option_name IN ('siteurl', 'home')",
        quoted(&format!("{}options", connection.prefix()))
    ))?;
    let stored = |name: &str| {
        let mut rows = rows.iter();
        rows.find(|(one, _)| one == name)
            .map(|(_, url)| url.as_str())
    };
    let home = settings.wp_home.value().or_else(|| stored("home"));
    let core = settings.wp_siteurl.value().or_else(|| stored("siteurl"));
    let split = |url: &str| -> Option<(bool, String, String)> {
        let (scheme, rest) = url.split_once("://")?;
        let end = rest.find(['/', '?', '#']).unwrap_or(rest.len());
        let (host, path) = rest.split_at(end);
        Some((
            scheme.eq_ignore_ascii_case("https"),
            host.to_owned(),
            path.trim_end_matches('/').to_owned(),
        ))
    };
    let (https, host, _) = home
        .and_then(split)
        .ok_or_else(|| Error::Database("its options do not say the site's address".to_owned()))?;
    let base = core.and_then(split).map(|(.., path)| path);
    Ok(Address {
        https,
        host,
        base: base.unwrap_or_default(),
        directories: settings.multisite == Some(true) && settings.subdomain_install == Some(false),
    })
}

/// What PHP may use, as the site says for its larger tasks.
fn memory(home: &Home, root: &str) -> u32 {
    let file = crate::config::locate(home, root).map(|located| located.bytes);
    let parsed = wp_config::parse(&file.unwrap_or_default());
    let told = ["WP_MAX_MEMORY_LIMIT", "WP_MEMORY_LIMIT"].map(|name| {
        let text = parsed.constant(name).and_then(Value::text)?;
        let digits: String = text.chars().take_while(char::is_ascii_digit).collect();
        let number: u32 = digits.parse().ok()?;
        Some(match text.trim_end().chars().last()?.to_ascii_uppercase() {
            'G' => number.saturating_mul(1024),
            'M' => number,
            'K' => number / 1024,
            _ => number / (1024 * 1024),
        })
    });
    let most = told.into_iter().flatten().max();
    most.unwrap_or(MEMORY_MB).clamp(128, 4096)
}

/// Refuses a clone for which there is no room.
fn room(dir: &Path, files: u64, plan: &tables::Plan) -> Result<()> {
    let free = |path: &Path| {
        let found = rustix::fs::statvfs(path).ok()?;
        Some(found.f_bavail.saturating_mul(found.f_frsize))
    };
    let device = |path: &Path| fs::metadata(path).map(|found| found.dev()).ok();
    // Of a server elsewhere nobody can tell; it refuses by itself.
    let theirs = plan.directory.as_deref().map(Path::new);
    let theirs = theirs.filter(|path| free(path).is_some());
    let together = theirs.is_some_and(|path| device(path) == device(dir));
    let needs = |bytes: u64| bytes + (bytes / 10).max(MARGIN);
    let check = |path: &Path, bytes: u64| match free(path) {
        Some(free) if free < needs(bytes) => Err(Error::NoRoom {
            needed: needs(bytes),
            free,
        }),
        _ => Ok(()),
    };
    if together {
        return check(dir, files + plan.bytes);
    }
    check(dir, files)?;
    theirs.map_or(Ok(()), |path| check(path, plan.bytes))
}

/// Options that name the live site's directory name the clone's.
fn paths(home: &Home, record: &Record, settings: &Settings, watch: &Watch) -> Result<()> {
    let own = Settings {
        table_prefix: Some(record.prefix.clone()),
        ..settings.clone()
    };
    let options = |name: &&String| name.ends_with("options") || name.ends_with("sitemeta");
    let pairs = config::paths(home, record)?;
    replace::search_replace(
        home,
        Some(record.epoch),
        &own,
        &ReplaceOptions {
            pairs: pairs
                .into_iter()
                .map(|(old, new)| TextPair { old, new })
                .collect(),
            run: format!("rehearsal-{}", record.handle),
            tables: record.tables.iter().filter(options).cloned().collect(),
            domains: false,
            ..ReplaceOptions::default()
        },
        watch,
    )
    .map(drop)
}

/// What is not kept from happening, in sentences for people.
fn unblocked(record: &Record) -> Vec<String> {
    let mut told = Vec::new();
    if let Wall::Missing(why) = &record.walls.namespaces {
        told.push(format!(
            "this host gives a process no network of its own ({why}): connections that PHP's \
             extensions open by themselves (SOAP, LDAP, IMAP, DNS) are not stopped"
        ));
        told.push(
            "code that has the database's address and password written down can reach the live \
             tables past the rehearsal"
                .to_owned(),
        );
        told.push(
            "the live site's files are out of reach by PHP's own rules alone, as far as they hold"
                .to_owned(),
        );
    }
    if let Wall::Missing(why) = &record.walls.files {
        told.push(format!(
            "this host cannot confine a process to a directory ({why}): what gets past PHP's \
             `open_basedir` can write wherever the site's user may"
        ));
    }
    if record.php_version < 80_000 {
        told.push(
            "PHP before 8 does not say what was tried by functions that are taken away, only that"
                .to_owned(),
        );
    }
    told
}
