//! What follows a restore: the old tables are dropped, or taken back, or what a
//! killed restore left is removed.

use super::{
    exchange::Exchange,
    options::Aside,
    record::{Record, State},
};
use crate::{
    Error, Result,
    config::Settings,
    database::{client::Client, connection::Connection, dump::relations, working},
    fence,
    home::Home,
    watch::Watch,
};
use pressroom_base::Epoch;
use serde::{Deserialize, Serialize};
use std::{thread, time::Duration};

/// What recovery found.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Recovered {
    /// Restores that were interrupted in their exchange and were taken back.
    pub taken_back: Vec<Aside>,
    /// Working tables that were dropped.
    pub dropped: Vec<String>,
    /// Finished restores whose old tables are still kept.
    pub kept: Vec<Aside>,
    /// Old tables of which nothing is known any more; they are never dropped unasked.
    pub unknown: Vec<String>,
    /// Handles of restore points that are still kept; see [`crate::database::restore_point`].
    #[serde(default)]
    pub points: Vec<String>,
}

const POLL: Duration = Duration::from_millis(20);
/// Looks at the server's list of statements, 20 ms apart.
const LOOKS: u32 = 500;

/// Drops the old tables of a finished restore for good; content when they are gone
/// already.
pub fn drop_aside(
    home: &Home,
    epoch: Epoch,
    settings: &Settings,
    aside: &Aside,
    watch: &Watch,
) -> Result<()> {
    fence::check(home, epoch, watch)?;
    let Some(mut record) = Record::load(home, &aside.stem)? else {
        return Ok(());
    };
    if matches!(
        record.state,
        State::Loading | State::Exchanging | State::Undone
    ) {
        return Err(Error::BadInput(format!(
            "restore `{}` was interrupted; it can only be taken back",
            aside.stem
        )));
    }
    let mut client = Client::open(&Connection::of(settings)?, watch)?;
    client.run("SET NAMES utf8mb4, sql_mode = ''")?;
    let mut exchange = Exchange {
        home,
        epoch,
        watch,
        stem: &aside.stem,
        client: &mut client,
    };
    record.state = State::Dropping;
    exchange.save(&record)?;
    exchange.drop_working(&record.stem, true)?;
    exchange.forget(&record)
}

/// Puts the old tables back in their place, with their triggers and foreign keys, and
/// drops the new ones, also those that came at their names since; views, routines and
/// events that the dump brought go too. When it fails or is killed on its way it may
/// be repeated.
///
/// # Errors
/// [`Error::Missing`] when nothing is known of the restore: its tables were dropped, or
/// taken back already; [`Error::Database`] when some of them are gone.
pub fn take_back(
    home: &Home,
    epoch: Epoch,
    settings: &Settings,
    aside: &Aside,
    watch: &Watch,
) -> Result<()> {
    fence::check(home, epoch, watch)?;
    let Some(mut record) = Record::load(home, &aside.stem)? else {
        return Err(Error::Missing(format!("restore {}", aside.stem)));
    };
    if record.state == State::Dropping {
        return Err(Error::BadInput(format!(
            "the old tables of restore `{}` are being dropped",
            aside.stem
        )));
    }
    let mut client = Client::open(&Connection::of(settings)?, watch)?;
    client.run("SET NAMES utf8mb4, sql_mode = ''")?;
    let mut exchange = Exchange {
        home,
        epoch,
        watch,
        stem: &aside.stem,
        client: &mut client,
    };
    if record.state == State::Done {
        exchange.verify_kept(&record)?;
    }
    exchange.undo(&mut record)?;
    exchange.forget(&record)
}

/// Removes what restores of dead workers left: working tables are dropped, an
/// interrupted exchange is taken back, a begun removal is finished. Tables of other
/// sites in the same database are not touched. Call it with an epoch that has taken
/// the fence: restores with a higher one are alive.
pub fn recover(home: &Home, epoch: Epoch, settings: &Settings, watch: &Watch) -> Result<Recovered> {
    fence::check(home, epoch, watch)?;
    let connection = Connection::of(settings)?;
    let stem = working::site_stem(connection.prefix());
    let mut client = Client::open(&connection, watch)?;
    client.run("SET NAMES utf8mb4, sql_mode = ''")?;
    end_statements(&mut client, &stem, watch)?;
    let mut exchange = Exchange {
        home,
        epoch,
        watch,
        stem: &stem,
        client: &mut client,
    };
    let mut recovered = Recovered::default();
    let mut known = Vec::new();
    for mut record in Record::list(home)? {
        if record.epoch.get() > epoch.get() || !record.stem.starts_with(&stem) {
            continue;
        }
        let aside = aside_of(&record);
        match record.state {
            State::Done => {
                known.push(record.stem.clone());
                // What a restore point was taken back by is dropped with the point.
                if record.point.is_none() {
                    recovered.kept.push(aside);
                }
            }
            State::Loading => {
                let dropped = exchange.drop_working(&record.stem, false)?;
                recovered.dropped.extend(dropped);
                exchange.forget(&record)?;
            }
            State::Exchanging | State::Undone => {
                exchange.undo(&mut record)?;
                exchange.forget(&record)?;
                if record.point.is_none() {
                    recovered.taken_back.push(aside);
                }
            }
            State::Dropping => {
                let dropped = exchange.drop_working(&record.stem, true)?;
                recovered.dropped.extend(dropped);
                exchange.forget(&record)?;
            }
        }
    }
    // Without a record: the home was cleaned, or restored from elsewhere.
    for relation in relations(exchange.client)? {
        let Some(found) = working::parse(&relation.name) else {
            continue;
        };
        if !found.stem.starts_with(&stem) || found.epoch > epoch.get() || found.point {
            continue;
        }
        if !found.old {
            recovered
                .dropped
                .extend(exchange.drop_working(found.stem, false)?);
        } else if !known.iter().any(|stem| stem == found.stem) {
            recovered.unknown.push(relation.name);
        }
    }
    Ok(recovered)
}

/// The handle of a record.
pub(in crate::database) fn aside_of(record: &Record) -> Aside {
    let old = record.moves.iter().filter(|one| one.old.is_some());
    Aside {
        epoch: record.epoch,
        stem: record.stem.clone(),
        tables: old.map(|one| one.name.clone()).collect(),
    }
}

/// Ends statements that a killed worker left running: one that waits for a table
/// would still rename it after we have looked.
pub(in crate::database) fn end_statements(
    client: &mut Client,
    stem: &str,
    watch: &Watch,
) -> Result<()> {
    let ours = client.id();
    for _ in 0..LOOKS {
        let rows: Vec<(u64, Option<Vec<u8>>)> =
            // Sites with the same prefix in other databases have the same stem.
            client.rows(
                "SELECT ID, INFO FROM information_schema.PROCESSLIST WHERE DB = DATABASE()",
            )?;
        let running: Vec<u64> = rows
            .into_iter()
            .filter(|(id, text)| {
                *id != u64::from(ours)
                    && text
                        .as_ref()
                        .is_some_and(|text| memchr::memmem::find(text, stem.as_bytes()).is_some())
            })
            .map(|(id, _)| id)
            .collect();
        if running.is_empty() {
            return Ok(());
        }
        for id in running {
            // It may have ended by itself.
            let _ = client.run(format!("KILL {id}"));
        }
        watch.check()?;
        thread::sleep(POLL);
    }
    Err(Error::Database(
        "a statement of an earlier restore does not end".to_owned(),
    ))
}
