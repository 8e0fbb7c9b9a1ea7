//! The parent of a web server: it hands on what comes to a socket, and ends with whoever
//! started it.

use super::walls;
use pressroom_wordpress::cage::{
    program::{self, Spec, Task, Wall, Walls},
    socket,
};
use std::{
    env,
    ffi::{OsStr, OsString},
    fs,
    io::{self, Read, Write},
    net::{Ipv4Addr, Shutdown, TcpStream},
    os::unix::{fs::PermissionsExt, net::UnixStream},
    path::Path,
    process::{Child, Command, ExitCode, Stdio},
    thread,
    time::{Duration, Instant},
};

/// So long the server may take until it listens.
const START: Duration = Duration::from_secs(20);
const POLL: Duration = Duration::from_millis(10);

/// Starts the server behind walls and serves until standard input ends or the server does.
pub(super) fn serve(
    spec: &Spec,
    argv: &[String],
    at: &Path,
    port: u16,
) -> Result<ExitCode, String> {
    // Where it is, nothing can be made once the walls stand.
    let listener = socket::bind(at)
        .and_then(|listener| {
            fs::set_permissions(at, fs::Permissions::from_mode(0o600))?;
            Ok(listener)
        })
        .map_err(|why| format!("`{}` cannot be listened at: {why}", at.display()))?;
    walls::build(spec)?;
    let mut server = start(spec, argv)?;
    let since = Instant::now();
    while TcpStream::connect((Ipv4Addr::LOCALHOST, port)).is_err() {
        if let Ok(Some(status)) = server.try_wait() {
            return Err(format!("the web server ended: {status}"));
        }
        if since.elapsed() > START {
            let _ = server.kill();
            return Err("the web server does not listen".to_owned());
        }
        thread::sleep(POLL);
    }
    let spawn = |name: &str, act: Box<dyn FnOnce() + Send>| {
        let started = thread::Builder::new().name(name.to_owned()).spawn(act);
        started.map(drop).map_err(|why| format!("no thread: {why}"))
    };
    // What started this is gone when nothing more can come from it.
    spawn(
        "parent",
        Box::new(|| {
            let _ = io::copy(&mut io::stdin(), &mut io::sink());
            end();
        }),
    )?;
    spawn(
        "relay",
        Box::new(move || {
            for client in listener.incoming().flatten() {
                // One that gets no thread sees its connection closed.
                let _ = thread::Builder::new().spawn(move || hand_on(&client, port));
            }
        }),
    )?;
    let mut out = io::stdout();
    let _ = out.write_all(b"+").and_then(|()| out.flush());
    let ended = server.wait().map_err(|why| why.to_string())?;
    // Its workers may not have noticed.
    let _ = writeln!(io::stderr(), "the web server ended: {ended}");
    end()
}

/// Ends this process and all that it started: they are a group.
fn end() -> ! {
    if rustix::process::getpgrp() == rustix::process::getpid() {
        let _ = rustix::process::kill_current_process_group(rustix::process::Signal::KILL);
    }
    std::process::exit(1)
}

/// The server as a process that ends with this one: by this program once more, which has
/// the walls already.
fn start(spec: &Spec, argv: &[String]) -> Result<Child, String> {
    let inner = Spec {
        task: Task::Become {
            argv: argv.to_vec(),
        },
        parent: Some(std::process::id()),
        walls: Walls {
            namespaces: Wall::default(),
            files: Wall::default(),
        },
        ..spec.clone()
    };
    let json = serde_json::to_vec(&inner).map_err(|why| why.to_string())?;
    let exe = env::current_exe().map_err(|why| format!("this program is not found: {why}"))?;
    let words: Vec<OsString> = env::args_os().skip(1).collect();
    let before = words
        .iter()
        .take_while(|word| *word != OsStr::new(program::WORD));
    Command::new(exe)
        .args(before)
        .arg(program::WORD)
        .arg(hex::encode(json))
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .spawn()
        .map_err(|why| format!("the web server did not start: {why}"))
}

fn hand_on(client: &UnixStream, port: u16) {
    let Ok(server) = TcpStream::connect((Ipv4Addr::LOCALHOST, port)) else {
        return;
    };
    let (Ok(from), Ok(to)) = (client.try_clone(), server.try_clone()) else {
        return;
    };
    let asked = thread::Builder::new().spawn(move || {
        copy(from, &to);
        let _ = to.shutdown(Shutdown::Write);
    });
    if asked.is_ok() {
        copy(server, client);
    }
    let _ = client.shutdown(Shutdown::Both);
}

fn copy(mut from: impl Read, mut to: impl Write) {
    // Either side may go at any time.
    let _ = io::copy(&mut from, &mut to);
}
