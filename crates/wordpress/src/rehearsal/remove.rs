//! Removing a clone, whoever made it: processes, tables, files, and then what is known of it.

use super::tables;
use crate::{
    Error, Result,
    cage::{
        gate,
        record::{self, Record},
        server,
    },
    config,
    database::{Connection, client::Client},
    disk, fence,
    home::{self, Home},
    journal::{self, Entry},
    package,
    watch::Watch,
};
use pressroom_base::Epoch;
use rustix::process::{Pid, Signal, kill_process};
use std::{
    fs,
    os::unix::fs::MetadataExt,
    path::Path,
    thread,
    time::{Duration, Instant},
};

/// So long killed processes may take to be gone.
const PATIENCE: Duration = Duration::from_secs(10);

/// Removes a clone by its name; one that is gone is fine.
pub fn drop_rehearsal(home: &Home, epoch: Epoch, handle: &str, watch: &Watch) -> Result<()> {
    if !home::is_rehearsal(handle) {
        return Err(Error::BadInput(format!("`{handle}` names no rehearsal")));
    }
    let entries = fence::critical(home, epoch, watch, || journal::entries(home))?;
    let journalled = entries.into_iter().find_map(|(_, entry)| match entry {
        Entry::Rehearsal { record, .. } if record.handle == handle => Some(*record),
        _ => None,
    });
    let record = match journalled {
        Some(record) => Some(record),
        None => match record::read(home, handle) {
            Ok(record) => Some(record),
            Err(Error::Missing(_)) => None,
            Err(why) => return Err(why),
        },
    };
    match record {
        Some(record) => remove(home, epoch, &record, watch),
        None => disk::remove_tree(&record::dir(home, handle)),
    }
}

/// Removes what a record names, and looks that it is gone. What cannot be removed stays in
/// the journal and is tried again by the next recovery.
pub(crate) fn remove(home: &Home, epoch: Epoch, record: &Record, watch: &Watch) -> Result<()> {
    fence::check(home, epoch, watch)?;
    record.check()?;
    let dir = record.dir(home);
    server::stop(&dir);
    gate::forget(&dir);
    end_processes(&record.handle)?;
    let names = record.all_tables(home)?;
    let settings = config::read_or_evaluate(home, &record.root, Some(&record.php), watch)?;
    let connection = Connection::of(&settings)?;
    if connection.database() != record.database {
        return Err(Error::Database(format!(
            "the site is in `{}` now; the rehearsal `{}` was made in `{}`",
            connection.database(),
            record.handle,
            record.database
        )));
    }
    let mut client = Client::open(&connection, watch)?;
    tables::remove(&mut client, record, &names)?;
    disk::remove_tree(&dir)?;
    // What was exchanged in it has no place to be taken back to.
    let staged = fence::critical(home, epoch, watch, || {
        let mut staged = Vec::new();
        for (path, entry) in journal::entries(home)? {
            if let Some(name) = entry.staged_in(&record.site_root()) {
                staged.push(name.to_owned());
                disk::remove_file(&path)?;
            }
        }
        journal::settle_rehearsal(home, &record.handle)?;
        Ok(staged)
    })?;
    for name in staged.iter().filter(|name| package::is_handle(name)) {
        disk::remove_tree(&home.state_path("staging").join(name))?;
    }
    Ok(())
}

/// Ends every process of this user whose command names the clone, and waits for it.
fn end_processes(handle: &str) -> Result<()> {
    let until = Instant::now() + PATIENCE;
    loop {
        let found = processes(handle);
        if found.is_empty() {
            return Ok(());
        }
        if Instant::now() >= until {
            return Err(Error::Php(format!(
                "processes of the rehearsal `{handle}` do not end"
            )));
        }
        for process in found {
            // Gone already is what is wanted.
            let _ = kill_process(process, Signal::KILL);
        }
        thread::sleep(Duration::from_millis(20));
    }
}

fn processes(handle: &str) -> Vec<Pid> {
    let plain = format!("{}/", record::relative(handle)).into_bytes();
    // A cage is told in hexadecimal what it is for.
    let coded = hex::encode(&plain).into_bytes();
    let own = rustix::process::geteuid().as_raw();
    let mut found = Vec::new();
    for entry in fs::read_dir("/proc").into_iter().flatten().flatten() {
        let Some(process) = entry
            .file_name()
            .to_str()
            .and_then(|name| name.parse().ok())
        else {
            continue;
        };
        let path = entry.path();
        let ours = entry.metadata().is_ok_and(|found| found.uid() == own);
        if !ours || u32::try_from(process) == Ok(std::process::id()) || is_dead(&path) {
            continue;
        }
        let words = fs::read(path.join("cmdline")).unwrap_or_default();
        let names = [&plain, &coded]
            .into_iter()
            .any(|text| memchr::memmem::find(&words, text).is_some());
        if names {
            found.extend(Pid::from_raw(process));
        }
    }
    found
}

/// Whether nothing is left of a process but that nobody waited for it.
fn is_dead(process: &Path) -> bool {
    let status = fs::read_to_string(process.join("stat")).unwrap_or_default();
    let state = status.rsplit(')').next().unwrap_or_default().trim_start();
    state.starts_with(['Z', 'X'])
}
