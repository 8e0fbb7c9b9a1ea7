//! Which paths a process itself opened, as the kernel saw it.
//!
//! The server starts agents that work below a site's home; only what the server
//! process does with its own hands counts here. `strace` writes one file per task;
//! a task belongs to the server as long as it is a thread of it, or a child that
//! has not become another program yet.

use anyhow::{Context, Result, ensure};
use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

/// One recorded life of a process.
#[derive(Debug)]
pub struct Trace {
    prefix: PathBuf,
}

impl Trace {
    /// Records into files `name.<task>` in `directory`.
    pub fn new(directory: &Path, name: &str) -> Result<Self> {
        let found = Command::new("strace").arg("-V").output();
        ensure!(
            found.is_ok_and(|output| output.status.success()),
            "`strace` is not installed"
        );
        Ok(Self {
            prefix: directory.join(name),
        })
    }

    /// The command, run under the recorder. The process keeps its own id and its
    /// parent: the recorder detaches itself (`-D`), so signals and waits still work.
    pub fn wrap(&self, command: &Command) -> Command {
        let mut traced = Command::new("strace");
        traced
            .args([
                "-D",
                "-qq",
                "-f",
                "-ff",
                "-y",
                "-s",
                "4096",
                "--seccomp-bpf",
            ])
            .args(["-e", "trace=%file,clone,clone3,fork,vfork,fchdir"])
            .args(["-e", "signal=none", "-o"])
            .arg(&self.prefix)
            .arg(command.get_program())
            .args(command.get_args());
        for (name, value) in command.get_envs() {
            match value {
                Some(value) => traced.env(name, value),
                None => traced.env_remove(name),
            };
        }
        if let Some(directory) = command.get_current_dir() {
            traced.current_dir(directory);
        }
        traced
    }

    /// Every path the process named in a system call, opened or not.
    pub fn paths(&self) -> Result<Vec<String>> {
        let name = self
            .prefix
            .file_name()
            .and_then(|name| name.to_str())
            .context("a trace has a name")?;
        let directory = self.prefix.parent().context("a trace has a directory")?;
        let mut tasks = BTreeMap::new();
        for entry in fs::read_dir(directory)? {
            let entry = entry?;
            let file = entry.file_name();
            let task = file
                .to_str()
                .and_then(|file| file.strip_prefix(name))
                .and_then(|rest| rest.strip_prefix('.'))
                .and_then(|task| task.parse::<u32>().ok());
            if let Some(task) = task {
                let text = fs::read(entry.path())?;
                tasks.insert(task, String::from_utf8_lossy(&text).into_owned());
            }
        }
        ensure!(!tasks.is_empty(), "nothing was recorded");
        Ok(own_paths(&tasks))
    }
}

/// Follows the server from its first task through its threads and through children
/// up to their `execve`.
fn own_paths(tasks: &BTreeMap<u32, String>) -> Vec<String> {
    // The first task is the one that nobody else started.
    let started: BTreeSet<u32> = tasks.values().flat_map(|text| children(text)).collect();
    let mut paths = Vec::new();
    let mut waiting: Vec<(u32, bool)> = tasks
        .keys()
        .filter(|task| !started.contains(task))
        .map(|task| (*task, true))
        .collect();
    let mut seen = BTreeSet::new();
    while let Some((task, is_root)) = waiting.pop() {
        if !seen.insert(task) {
            continue;
        }
        let Some(text) = tasks.get(&task) else {
            continue;
        };
        // The very first task begins with the `execve` of the server itself.
        let mut may_become_the_server = is_root;
        for line in text.lines() {
            if line.starts_with("execve(") && line.ends_with("= 0") {
                if may_become_the_server {
                    may_become_the_server = false;
                    continue;
                }
                break;
            }
            if let Some(child) = child(line) {
                waiting.push((child, false));
            } else {
                paths.extend(quoted_path(line));
            }
        }
    }
    paths
}

fn children(text: &str) -> Vec<u32> {
    text.lines().filter_map(child).collect()
}

/// The task that a `clone`-like call started.
fn child(line: &str) -> Option<u32> {
    let call = line.split('(').next()?;
    if !matches!(call, "clone" | "clone3" | "fork" | "vfork") {
        return None;
    }
    let result = line.rsplit("= ").next()?;
    result.split_whitespace().next()?.parse().ok()
}

/// The first quoted argument, made absolute with the directory the call names.
fn quoted_path(line: &str) -> Option<String> {
    let open = line.find('"')?;
    let close = open + 1 + line[open + 1..].find('"')?;
    let path = &line[open + 1..close];
    if path.starts_with('/') {
        return Some(path.to_owned());
    }
    let directory = line[..open]
        .split_once('<')
        .and_then(|(_, rest)| rest.split('>').next())?;
    Some(format!("{directory}/{path}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn follows_threads_and_stops_at_other_programs() {
        let tasks = BTreeMap::from([
            (
                1,
                "execve(\"/bin/pressroom\", [\"pressroom\"], 0x7 /* 9 vars */) = 0\n\
                 openat(AT_FDCWD</>, \"/etc/hosts\", O_RDONLY) = 3</etc/hosts>\n\
                 clone3({flags=CLONE_VM|CLONE_THREAD}, 88) = 2\n"
                    .to_owned(),
            ),
            (
                2,
                "openat(7</srv/data>, \"key\", O_RDONLY) = 8</srv/data/key>\nvfork() = 3\n"
                    .to_owned(),
            ),
            (
                3,
                "chdir(\"/\") = 0\nexecve(\"/bin/agent\", [\"agent\"], 0x7 /* 0 vars */) = 0\n\
                 openat(AT_FDCWD</>, \"/home/site/wp-config.php\", O_RDONLY) = 3\n"
                    .to_owned(),
            ),
        ]);
        assert_eq!(
            own_paths(&tasks),
            ["/etc/hosts", "/srv/data/key", "/"],
            "the agent's own opening does not count"
        );
    }

    #[test]
    fn records_a_real_process() {
        let scratch = crate::Scratch::new().expect("a directory can be made");
        let trace = Trace::new(scratch.path(), "t").expect("strace is here");
        let mut command = Command::new("/bin/sh");
        // The builtin reads the first file itself, `cat` is another program.
        command.args(["-c", "read x < /etc/hostname; cat /etc/passwd > /dev/null"]);
        let status = trace.wrap(&command).status().expect("it runs");
        assert!(status.success());
        let looked = std::time::Instant::now();
        let paths = loop {
            // The recorder writes its last lines after the process has ended.
            match trace.paths() {
                Ok(paths) if paths.iter().any(|path| path == "/etc/hostname") => break paths,
                other if looked.elapsed().as_secs() > 10 => panic!("recorded: {other:?}"),
                _ => std::thread::yield_now(),
            }
        };
        assert!(!paths.iter().any(|path| path == "/etc/passwd"), "{paths:?}");
    }
}
