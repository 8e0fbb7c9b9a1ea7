//! `pressroom data …` over the store as a whole.

use crate::{
    data,
    opened::{open_store, unusable},
    rotation, wire,
};
use pressroom_base::{Kind, Timestamp, keyring::Keyring, token};
use pressroom_cli::{
    Exit, Failure, Printer,
    commands::data::{self as verbs, Copied, Data, Looked},
    config::Config,
};
use pressroom_fleet::{Caller, Principal, Selecting};
use pressroom_store::{
    Store,
    copy::{self, Summary},
    integrity, sealed,
};
use std::{
    fs::{self, File, OpenOptions},
    io::{self, BufWriter},
    os::unix::fs::OpenOptionsExt,
    path::{Path, PathBuf},
};

/// Does what was asked.
pub async fn run(verb: Data, config: &Config, printer: &mut Printer) -> Result<Exit, Failure> {
    match verb {
        Data::Backup(backup) => {
            let copied = write(config, &backup.file).await?;
            Ok(copied.show("copied and loaded once to see that it can be", printer))
        }
        Data::Restore(restore) => {
            let copied = load(config, &restore.file).await?;
            printer.note(
                "nobody is signed in any more; passwords, tokens and who is shut out are as they were \
                 when the copy was made: `pressroom token list`, `user list`. Work that was under \
                 way then has ended: `job list`. What changed at sites since is not known here: \
                 `doctor`",
            );
            Ok(copied.show("restored", printer))
        }
        Data::Check(check) => match check.file {
            Some(file) => {
                let keyring = data::existing_keys(config)?;
                let scratch = scratch(config);
                let summary = copy::check(&keyring, &file, &scratch)
                    .await
                    .map_err(unusable)?;
                let copied = copied(&file, &summary)?;
                Ok(copied.show("whole, and can be loaded", printer))
            }
            None => look(config, printer).await,
        },
        Data::RotateKey(rotate) => rotation::run(&rotate, config, printer).await,
    }
}

/// Writes beside the file first: what bears its name is whole.
async fn write(config: &Config, file: &Path) -> Result<Copied, Failure> {
    if file.exists() {
        return Err(Failure::new(
            Kind::Conflict,
            format!("`{}` is there already", file.display()),
        )
        .with_hint("name another file; nothing is overwritten"));
    }
    let keyring = existing(config).await?;
    let mut draft = file.as_os_str().to_owned();
    draft.push(format!(".{}", token::hex(8)));
    let draft = Draft(PathBuf::from(draft));
    let refused = |error: io::Error| {
        Failure::local(
            format!("cannot write `{}`", file.display()).as_str(),
            &error,
        )
    };
    let open = OpenOptions::new()
        .write(true)
        .create_new(true)
        .mode(0o600)
        .open(&draft.0)
        .map_err(refused)?;
    let store = open_store(config, keyring.clone()).await?;
    let out = BufWriter::new(open.try_clone().map_err(refused)?);
    let secrets = sealed::look(&store).await.map_err(unusable)?;
    if !secrets.shut.is_empty() {
        return Err(Failure::new(
            Kind::Conflict,
            format!(
                "secrets do not open with this key: {}",
                secrets.shut.join("; ")
            ),
        )
        .with_hint("`secrets.key_file` must name the key they were sealed with"));
    }
    let written = copy::write(&store, out).await.map_err(unusable)?;
    open.sync_all().map_err(refused)?;
    let read = copy::check(&keyring, &draft.0, &scratch(config))
        .await
        .map_err(unusable)?;
    if read != written {
        return Err(Failure::new(
            Kind::Internal,
            "what was read back is not what was written",
        ));
    }
    let copied = copied(&draft.0, &read)?;
    // Not over what appeared meanwhile, where the file system knows how.
    rename_new(&draft.0, file).map_err(refused)?;
    if let Some(directory) = file.parent() {
        // Where that cannot be done, the file is still whole.
        let _ = File::open(directory).and_then(|directory| directory.sync_all());
    }
    Ok(Copied {
        file: file.to_path_buf(),
        ..copied
    })
}

/// The keys of a store that is there and of this version.
async fn existing(config: &Config) -> Result<Keyring, Failure> {
    data::refuse_nothing(config)?;
    let pending = Store::pending_migrations(config.database_url.expose())
        .await
        .map_err(unusable)?;
    if !pending.is_empty() {
        return Err(Failure::new(
            Kind::Conflict,
            "the database is of an older version of Pressroom",
        )
        .with_hint("use the program of that version, or start this version's server first"));
    }
    data::existing_keys(config)
}

/// Gives a file its name, unless there is something by that name.
fn rename_new(from: &Path, to: &Path) -> io::Result<()> {
    use rustix::fs::{CWD, RenameFlags, renameat_with};
    match renameat_with(CWD, from, CWD, to, RenameFlags::NOREPLACE) {
        Ok(()) => Ok(()),
        // A file system that cannot do that, as of some network drives.
        Err(rustix::io::Errno::INVAL | rustix::io::Errno::NOSYS) if !to.exists() => {
            fs::rename(from, to)
        }
        Err(error) => Err(error.into()),
    }
}

async fn load(config: &Config, file: &Path) -> Result<Copied, Failure> {
    let keyring = data::existing_keys(config)?;
    let url = config.database_url.expose();
    let summary = copy::restore(url, &keyring, file).await.map_err(unusable)?;
    copied(file, &summary)
}

/// Looks at everything and changes nothing.
async fn look(config: &Config, printer: &mut Printer) -> Result<Exit, Failure> {
    existing(config).await?;
    let wired = wire::open(config, Selecting::Directly).await?;
    let store = &wired.store;
    let pages = integrity::problems(store).await.map_err(unusable)?;
    let secrets = sealed::look(store).await.map_err(unusable)?;
    let caller = Caller::new(Principal::console());
    let (ready, missing) = wired.fleet.missing_snapshots(&caller).await?;
    let looked = [
        Looked {
            what: "database",
            found: "schema of this version, pages and references".to_owned(),
            problems: pages,
        },
        Looked {
            what: "secrets",
            found: match secrets.older {
                0 => format!("{} open", secrets.current),
                older => format!(
                    "{} open, {older} of them with an older key",
                    secrets.current + older
                ),
            },
            problems: secrets.shut,
        },
        Looked {
            what: "archive",
            found: format!("{ready} snapshots are recorded as ready"),
            problems: missing,
        },
    ];
    Ok(verbs::show(&looked, printer))
}

/// A database of its own for a moment, where the data's owner alone looks.
fn scratch(config: &Config) -> PathBuf {
    config.data.join(format!("check-{}.db", token::hex(8)))
}

fn copied(file: &Path, summary: &Summary) -> Result<Copied, Failure> {
    let found = fs::metadata(file).map_err(|error| {
        Failure::local(
            format!("cannot look at `{}`", file.display()).as_str(),
            &error,
        )
    })?;
    Ok(Copied {
        file: file.to_path_buf(),
        bytes: found.len(),
        rows: summary.rows(),
        tables: summary.tables.len(),
        made_at: Timestamp::from_millis(summary.made_at).to_rfc3339(),
    })
}

/// A file that is removed unless it got its name.
struct Draft(PathBuf);

impl Drop for Draft {
    fn drop(&mut self) {
        let _ = fs::remove_file(&self.0);
    }
}
