//! Tables that cannot be brought back row by row in their place: made anew beside, and
//! put in place together by one `RENAME TABLE`.
//!
//! That is an exchange as a restore's, journalled as one: recovery takes one that was
//! interrupted back, and the merge begins again. What was in place is kept aside. Rows that
//! somebody wrote in the last instant are in it, and are brought over afterwards.

use super::{
    super::{
        compare::find,
        diff::NUMBER,
        record::{Image, Record},
        work::Work,
    },
    replay::Replay,
};
use crate::{
    Error, Result,
    database::{
        client::quoted,
        dump::strip_definer,
        restore::{
            exchange::Exchange,
            record::{Move, Record as Exchanged, State},
            run::{give_up, new_run},
            statement::Made,
            table::foreign_keys_of,
        },
        working::Run,
    },
    fence,
};

/// One table that is put in place, or only away.
pub(super) struct Rebuild {
    pub name: String,
    /// As it was; `None` for one that the update made.
    pub before: Option<Image>,
    /// As the update left it; `None` for one that it dropped.
    pub after: Option<Image>,
    /// As it is; `None` where nothing is.
    pub now: Option<Image>,
    /// How what others wrote is brought over; `None` where rows are not told apart.
    pub replay: Option<Replay>,
    /// Rows that only the table of now has stay, whosever they are.
    pub keep_added: bool,
    /// A copy of the table of now, where others wrote: what was brought over is known by it.
    pub base: Option<String>,
    /// Where what was in place is kept.
    pub aside: Option<String>,
    /// Numbers of rows in the list that did not fit.
    pub unfit: Vec<u64>,
}

impl Rebuild {
    /// Whether it was written to since the update.
    pub fn is_written(&self) -> bool {
        match (&self.after, &self.now) {
            (Some(after), Some(now)) => after.content != now.content,
            _ => false,
        }
    }
}

impl Work<'_> {
    /// Builds all of these and puts them in place.
    pub(super) fn exchange_all(
        &mut self,
        record: &mut Record,
        tables: &mut [Rebuild],
    ) -> Result<()> {
        let run = new_run(self.home, self.epoch, self.connection.prefix())?;
        let mut exchanged = Exchanged::new(self.epoch, run.stem());
        exchanged.point = Some(record.stem.clone());
        fence::critical(self.home, self.epoch, self.watch, || {
            exchanged.save(self.home)
        })?;
        let done = self
            .build(record, &run, tables)
            .and_then(|moves| self.put_in_place(&mut exchanged, moves, tables));
        if let Err(why) = done {
            // A worker that was overtaken must leave the rest to its successor.
            if !matches!(why, Error::Fenced { .. }) {
                give_up(self.home, self.epoch, &self.connection, &mut exchanged).map_err(
                    |other| Error::Database(format!("{why}; and taking it back failed: {other}")),
                )?;
            }
            return Err(why);
        }
        self.session()
    }

    fn build(
        &mut self,
        record: &mut Record,
        run: &Run,
        tables: &mut [Rebuild],
    ) -> Result<Vec<Move>> {
        let mut moves = Vec::new();
        for (number, table) in tables.iter_mut().enumerate() {
            let new = match &table.before {
                None => None,
                Some(before) => {
                    let new = run.new_name(number, &table.name);
                    self.make_like(&new, &before.copy)?;
                    self.fill_from(&new, &before.copy)?;
                    Some(new)
                }
            };
            if let (Some(new), Some(replay), Some(after)) = (&new, &table.replay, &table.after) {
                // What is brought over again after the exchange begins where this ends.
                let mut base = after.copy.clone();
                if table.is_written() {
                    base = self.work_name(record, &format!("{}{number}", table.name))?;
                    self.make_like(&base, &table.name)?;
                    self.fill_from(&base, &table.name)?;
                    table.unfit = replay.run(self, &after.copy, &base, new)?;
                    table.base = Some(base.clone());
                } else if table.keep_added {
                    table.unfit = replay.run_new(self, &base, new)?;
                }
                record.replay.push((table.name.clone(), base));
                self.save(record)?;
            }
            if let Some(new) = &new {
                self.number_on(new, table)?;
            }
            let old = table
                .now
                .as_ref()
                .map(|_| run.old_name(number, &table.name));
            table.aside.clone_from(&old);
            moves.push(Move {
                name: table.name.clone(),
                new,
                old,
                view: false,
                old_view: false,
            });
        }
        Ok(moves)
    }

    /// Numbers that were handed out are not handed out again.
    fn number_on(&mut self, new: &str, table: &Rebuild) -> Result<()> {
        let images = [&table.before, &table.now].into_iter().flatten();
        let next = images.filter_map(|image| next_number(&image.create)).max();
        let counts = table
            .before
            .as_ref()
            .is_some_and(|image| memchr::memmem::find(&image.create, b" AUTO_INCREMENT").is_some());
        if let Some(next) = next.filter(|_| counts) {
            self.act(format!(
                "ALTER TABLE {} AUTO_INCREMENT = {next}",
                quoted(new)
            ))?;
        }
        Ok(())
    }

    fn put_in_place(
        &mut self,
        exchanged: &mut Exchanged,
        moves: Vec<Move>,
        tables: &[Rebuild],
    ) -> Result<()> {
        let (mut later, mut made) = (Vec::new(), Vec::new());
        for table in tables {
            let Some(before) = &table.before else {
                continue;
            };
            for (_, definition) in foreign_keys_of(&before.create) {
                let head = format!("ALTER TABLE {} ", quoted(&table.name));
                later.push([head.as_bytes(), &definition].concat());
            }
            for trigger in &before.triggers {
                made.push(Made {
                    kind: Some(trigger.kind),
                    name: trigger.name.clone(),
                    table: Some(table.name.clone()),
                    // Another account's comes back as the site's own.
                    statement: strip_definer(&trigger.statement)
                        .unwrap_or_else(|| trigger.statement.clone()),
                    session: trigger.session(),
                });
            }
        }
        exchanged.moves = moves;
        self.client.run("SET NAMES utf8mb4")?;
        let stem = exchanged.stem.clone();
        let mut exchange = Exchange {
            home: self.home,
            epoch: self.epoch,
            watch: self.watch,
            stem: &stem,
            client: &mut self.client,
        };
        exchange.prepare(exchanged, &made)?;
        exchanged.state = State::Exchanging;
        exchange.save(exchanged)?;
        exchange.exchange(exchanged, &later, &made)?;
        exchange
            .client
            .run("SET NAMES utf8mb4, sql_mode = '', time_zone = '+00:00'")?;
        exchange.verify(exchanged)?;
        exchanged.state = State::Done;
        exchange.save(exchanged)
    }

    /// What was written into the tables aside in the last instant is brought over; again
    /// when a worker was killed before it was.
    pub fn bring_over_the_last(&mut self, record: &mut Record) -> Result<()> {
        let exchanged = self.exchanged(&record.stem)?;
        for (name, base) in record.replay.clone() {
            let aside = exchanged
                .iter()
                .find(|one| one.name == name)
                .and_then(|one| one.old.clone());
            let before = find(&record.before, &name).map(|image| image.copy.clone());
            if let (Some(aside), Some(before)) = (aside, before)
                && let Some(live) = self.keyed(&name)?
                && let Some(replay) = self.replay_of(record, &name, &aside)?
                // Somebody may have changed it since a worker before us put it in place.
                && replay.shared.is_part_of(&live)
            {
                // Rows that do not fit stay aside with the others.
                replay.run_late(self, &base, &before, &aside, &name)?;
            }
            // Before what it was done by goes.
            record.replay.retain(|(one, _)| *one != name);
            self.save(record)?;
        }
        Ok(())
    }

    /// What this point's exchanges have put in place.
    pub fn exchanged(&self, stem: &str) -> Result<Vec<Move>> {
        let records = Exchanged::list(self.home)?.into_iter();
        Ok(records
            .filter(|one| one.point.as_deref() == Some(stem) && one.state == State::Done)
            .flat_map(|one| one.moves)
            .collect())
    }

    /// How rows of one table are brought over into another.
    pub(super) fn replay_of(
        &mut self,
        record: &mut Record,
        name: &str,
        now: &str,
    ) -> Result<Option<Replay>> {
        let Some(before) = record.before.iter().find(|image| image.name == name) else {
            return Ok(None);
        };
        let copy = before.copy.clone();
        let (Some(old), Some(changed)) = (self.keyed(&copy)?, self.keyed(now)?) else {
            return Ok(None);
        };
        let Some(shared) = old.shared(&changed) else {
            return Ok(None);
        };
        Ok(Some(Replay {
            list: self.work_name(record, name)?,
            shared,
            changed,
        }))
    }
}

/// The number that `SHOW CREATE TABLE` says comes next.
fn next_number(create: &[u8]) -> Option<u64> {
    let options = memchr::memmem::rfind(create, b"\n)")?;
    let mark = b" AUTO_INCREMENT=";
    let at = options + memchr::memmem::find(&create[options..], mark)? + mark.len();
    let digits = create[at..].iter().take_while(|byte| byte.is_ascii_digit());
    let end = at + digits.count();
    std::str::from_utf8(&create[at..end]).ok()?.parse().ok()
}

/// For the order of rows that are listed.
pub(super) fn by_number() -> String {
    format!("ORDER BY d.{NUMBER}")
}
