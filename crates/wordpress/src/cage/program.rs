//! The program that puts walls around a process and then becomes it: what it is told, and
//! how it is started. What it does is the agent's `cage`.

use crate::{Error, Result};
use serde::{Deserialize, Serialize};
use std::{
    env,
    ffi::{OsStr, OsString},
    path::PathBuf,
    process::{Command, Stdio},
};

/// The word by which the agent's program is asked for it.
pub const WORD: &str = "cage";
/// The one by which it serves, in whose place [`WORD`] is said.
const SERVE: &str = "serve";

/// What to put where.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Spec {
    /// What to do inside.
    pub task: Task,
    /// The process that must stay, for this to stay.
    pub parent: Option<u32>,
    /// Which walls to build; where one cannot be built, nothing is started.
    pub walls: Walls,
    /// Directories that may be written.
    pub writable: Vec<PathBuf>,
    /// Directories in whose place is nothing.
    pub hidden: Vec<PathBuf>,
    /// Files, and what is in their place.
    pub replaced: Vec<(PathBuf, PathBuf)>,
}

/// What to do behind the walls.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Task {
    /// End at once: whether the walls can be built.
    Nothing,
    /// Become a program.
    Become {
        /// The program and its arguments.
        argv: Vec<String>,
    },
    /// Start a program that listens at a port of its own, and hand on to it what comes to a
    /// socket, until standard input ends.
    Serve {
        /// The program and its arguments.
        argv: Vec<String>,
        /// The socket.
        socket: PathBuf,
        /// Where the program listens, on this machine's own address.
        port: u16,
    },
}

/// What the kernel of a host keeps away from a process.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Walls {
    /// A network, users and mounts of its own.
    pub namespaces: Wall,
    /// Files, by Landlock.
    pub files: Wall,
}

/// One of them.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Wall {
    /// It can be built.
    Stands,
    /// It cannot, and why.
    Missing(String),
}

impl Default for Wall {
    fn default() -> Self {
        Self::Missing("it was not asked for".to_owned())
    }
}

impl Wall {
    /// Whether it can be built.
    pub const fn stands(&self) -> bool {
        matches!(self, Self::Stands)
    }
}

/// The way to the program, or why there is none.
pub(crate) fn command(spec: &Spec) -> Result<Command> {
    let json = serde_json::to_vec(spec)
        .map_err(|why| Error::BadInput(format!("a cage cannot be described: {why}")))?;
    let (program, words) = own_program().ok_or_else(|| {
        Error::BadInput("this agent is no program of its own, and cannot keep a rehearsal".into())
    })?;
    let mut command = Command::new(program);
    command.args(words).arg(WORD).arg(hex::encode(json));
    Ok(command)
}

/// The words that come before the one by which this program serves.
fn own_program() -> Option<(PathBuf, Vec<OsString>)> {
    let words: Vec<OsString> = env::args_os().skip(1).collect();
    let at = words.iter().position(|word| word == OsStr::new(SERVE))?;
    // `agent serve`, `serve`: anything else is another program's.
    (at <= 1).then_some(())?;
    Some((
        env::current_exe().ok()?,
        words.into_iter().take(at).collect(),
    ))
}

/// Which walls this host can build, those left out that are not wanted.
pub(crate) fn probe(spec: &Spec, namespaces: bool, files: bool) -> Result<Walls> {
    let mut walls = Walls::default();
    let unwanted = || Wall::Missing("it was switched off".to_owned());
    walls.namespaces = if namespaces {
        try_one(spec, |walls| walls.namespaces = Wall::Stands)?
    } else {
        unwanted()
    };
    walls.files = if files {
        try_one(spec, |walls| walls.files = Wall::Stands)?
    } else {
        unwanted()
    };
    Ok(walls)
}

fn try_one(spec: &Spec, set: impl FnOnce(&mut Walls)) -> Result<Wall> {
    let mut spec = Spec {
        task: Task::Nothing,
        walls: Walls::default(),
        ..spec.clone()
    };
    set(&mut spec.walls);
    let output = command(&spec)?
        .env_clear()
        .stdin(Stdio::null())
        .output()
        .map_err(|why| Error::io("start", "the agent's own program", why))?;
    if output.status.success() {
        return Ok(Wall::Stands);
    }
    let mut said = String::from_utf8_lossy(&output.stderr).trim().to_owned();
    said.truncate(said.floor_char_boundary(200));
    Ok(Wall::Missing(if said.is_empty() {
        "it ended without a word".to_owned()
    } else {
        said
    }))
}
