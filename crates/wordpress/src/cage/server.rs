//! The clone's web server: PHP's own, behind a socket in the clone's directory.

use super::{
    enter::spec,
    gate,
    php::{self, Purpose},
    program::{self, Task},
    record::Record,
};
use crate::{Error, Result, disk, home::Home};
use std::{
    collections::HashMap,
    fs::File,
    io::Read,
    net::{Ipv4Addr, TcpListener},
    os::unix::process::CommandExt,
    path::{Path, PathBuf},
    process::{Child, Stdio},
    sync::{Mutex, PoisonError},
};

/// So many requests at once; one waits for another where a site asks itself.
const WORKERS: &str = "4";
/// Where it listens in a network of its own.
const PORT: u16 = 8080;

/// Web servers of this process, by the directory of their clone. They end with it.
static RUNNING: Mutex<Option<HashMap<PathBuf, Child>>> = Mutex::new(None);

/// The socket of the clone's web server, which is started unless it runs.
pub(crate) fn ensure(home: &Home, record: &Record) -> Result<PathBuf> {
    gate::ensure(home, record)?;
    let dir = record.dir(home);
    let socket = dir.join(socket_of(std::process::id()));
    let mut running = RUNNING.lock().unwrap_or_else(PoisonError::into_inner);
    let running = running.get_or_insert_default();
    if let Some(child) = running.get_mut(&dir) {
        if matches!(child.try_wait(), Ok(None)) && disk::exists(&socket)? {
            return Ok(socket);
        }
        if let Some(child) = running.remove(&dir) {
            end(child);
        }
    }
    disk::remove_file(&socket)?;
    let mut child = start(home, record, &socket)?;
    // It says a word when the socket is there, and nothing when it ends before.
    let mut word = [0; 1];
    let said = child.stdout.take().map(|mut out| out.read_exact(&mut word));
    if !matches!(said, Some(Ok(()))) {
        end(child);
        let why = std::fs::read_to_string(dir.join("run/web.log")).unwrap_or_default();
        return Err(Error::Php(format!(
            "the rehearsal's web server did not start: {}",
            why.trim().chars().take(300).collect::<String>()
        )));
    }
    running.insert(dir, child);
    Ok(socket)
}

/// The socket's name, below the clone's directory, in the process of this number. It is never
/// longer than the gate's: a home has room for both or is refused for the gate's.
fn socket_of(process: u32) -> String {
    // Linux counts processes to 2^22.
    format!("run/w{process:x}")
}

fn start(home: &Home, record: &Record, socket: &Path) -> Result<Child> {
    let port = if record.walls.namespaces.stands() {
        PORT
    } else {
        free_port()?
    };
    let dir = php::real_dir(home, record);
    let mut argv = vec![record.php.clone()];
    argv.extend(php::options(home, record, Purpose::Web, &[]));
    argv.extend([
        "-S".to_owned(),
        format!("127.0.0.1:{port}"),
        "-t".to_owned(),
    ]);
    argv.push(dir.join("site").display().to_string());
    argv.push(dir.join("php/router.php").display().to_string());
    let task = Task::Serve {
        argv,
        socket: socket.to_owned(),
        port,
    };
    let log = dir.join("run/web.log");
    let errors = File::create(&log).map_err(|why| Error::io("create", log, why))?;
    program::command(&spec(home, record, task))?
        .current_dir(dir.join("site"))
        .env_clear()
        .env("HOME", &dir)
        .env("TMPDIR", dir.join("tmp"))
        .env("PHP_CLI_SERVER_WORKERS", WORKERS)
        .env(
            "PATH",
            std::env::var_os("PATH").unwrap_or_else(|| "/usr/local/bin:/usr/bin:/bin".into()),
        )
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(errors)
        .process_group(0)
        .spawn()
        .map_err(|why| Error::NoPhp(format!("the web server did not start: {why}")))
}

fn free_port() -> Result<u16> {
    TcpListener::bind((Ipv4Addr::LOCALHOST, 0))
        .and_then(|listener| listener.local_addr())
        .map(|address| address.port())
        .map_err(|why| Error::io("find", "a free port", why))
}

/// Ends the web server of a clone, if this process has one.
pub(crate) fn stop(dir: &Path) {
    let mut running = RUNNING.lock().unwrap_or_else(PoisonError::into_inner);
    if let Some(child) = running.get_or_insert_default().remove(dir) {
        end(child);
    }
}

fn end(mut child: Child) {
    // The end of its input ends it, and it takes PHP along; a signal does if it hangs.
    drop(child.stdin.take());
    let group = i32::try_from(child.id())
        .ok()
        .and_then(rustix::process::Pid::from_raw);
    if let Some(group) = group {
        let _ = rustix::process::kill_process_group(group, rustix::process::Signal::KILL);
    }
    let _ = child.wait();
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn where_the_gate_has_room_the_web_server_has() {
        assert!(socket_of(1 << 22).len() <= gate::SOCKET.len());
    }
}
