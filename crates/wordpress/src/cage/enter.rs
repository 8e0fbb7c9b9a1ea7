//! Starting PHP where a clone is.

use super::{
    gate,
    php::{self, Purpose},
    program::{self, Spec, Task},
    record::{self, Record},
    server,
};
use crate::{Error, Result, home::Home};
use std::{
    path::{Path, PathBuf},
    process::Command,
};

/// A clone in which something is about to be started.
pub(crate) struct Entered<'a> {
    home: &'a Home,
    record: Record,
}

/// The clone in which a directory lies, if it lies in one, ready for PHP.
pub(crate) fn enter<'a>(home: &'a Home, dir: &Path) -> Result<Option<Entered<'a>>> {
    let Some(record) = record::holding_path(home, dir)? else {
        return Ok(None);
    };
    gate::ensure(home, &record)?;
    // What was exchanged before, and what the script changes, may be as old as what was
    // there: the next visit meets a web server that has compiled none of it.
    server::stop(&record.dir(home));
    Ok(Some(Entered { home, record }))
}

impl Entered<'_> {
    /// A command that runs a script of ours with the clone's PHP, and ends with this
    /// process. `readable` are further files that it reads.
    pub fn script(&self, script: &Path, readable: &[&Path]) -> Result<Command> {
        let mut readable = readable.to_vec();
        readable.push(script);
        let mut argv = vec![self.record.php.clone()];
        argv.extend(php::options(
            self.home,
            &self.record,
            Purpose::Script,
            &readable,
        ));
        argv.push(
            script
                .to_str()
                .ok_or_else(|| Error::BadPath(script.display().to_string()))?
                .to_owned(),
        );
        let spec = Spec {
            parent: Some(std::process::id()),
            ..php::spec(self.home, &self.record, Task::Become { argv })
        };
        program::command(&spec)
    }

    /// Where its temporary files are.
    pub fn tmp(&self) -> PathBuf {
        self.record.dir(self.home).join("tmp")
    }

    /// A path that is never there, and that its PHP may look for.
    pub fn nowhere(&self) -> PathBuf {
        self.tmp().join("nowhere")
    }
}

/// What is asked of a host before there is a clone: which walls it can build around one.
pub(crate) fn walls(
    home: &Home,
    record: &Record,
    namespaces: bool,
    files: bool,
) -> Result<program::Walls> {
    program::probe(&php::spec(home, record, Task::Nothing), namespaces, files)
}
