//! The relay itself: a socket in the clone's directory, and two threads a connection.

use super::{
    packet::{self, Message},
    statement::Territory,
};
use crate::{
    Error, Result,
    cage::{
        attempts::{self, AttemptKind},
        record::{Record, Upstream},
        socket as at,
    },
    database::sql::Server,
    disk,
    home::Home,
    names,
};
use rustix::fs::FlockOperation;
use std::{
    collections::HashMap,
    fs::{self, File, OpenOptions},
    io::{self, Read, Write},
    net::{Shutdown, TcpStream},
    os::unix::{
        fs::{OpenOptionsExt, PermissionsExt},
        net::{UnixListener, UnixStream},
    },
    path::{Path, PathBuf},
    sync::{Arc, Mutex, PoisonError},
    thread,
    time::Duration,
};

/// The socket's name, below the clone's directory.
pub(crate) const SOCKET: &str = "run/db.sock";
const LOCK: &str = "run/db.lock";
/// So long a connection may say nothing before it is through the handshake.
const HANDSHAKE: Duration = Duration::from_secs(30);

/// Gates that this process keeps, by the directory of their clone. The lock says that it is
/// this one which does.
static KEPT: Mutex<Option<HashMap<PathBuf, File>>> = Mutex::new(None);

/// Makes sure that a gate listens for the clone: one of this process, unless another's does.
pub(crate) fn ensure(home: &Home, record: &Record) -> Result<()> {
    let dir = record.dir(home);
    let socket = dir.join(SOCKET);
    if !is_short(&meeting_place(&dir, record)) {
        return Err(Error::BadInput(format!(
            "the home's path is too long for a socket at `{}`",
            socket.display()
        )));
    }
    let mut kept = KEPT.lock().unwrap_or_else(PoisonError::into_inner);
    let kept = kept.get_or_insert_default();
    if kept.contains_key(&dir) {
        if disk::exists(&socket)? {
            return Ok(());
        }
        // The clone was dropped, and this is another of its name.
        kept.remove(&dir);
    }
    let lock = dir.join(LOCK);
    let file = OpenOptions::new()
        .write(true)
        .create(true)
        .truncate(false)
        .mode(0o600)
        .open(&lock)
        .map_err(|why| Error::io("open", &lock, why))?;
    match rustix::fs::flock(&file, FlockOperation::NonBlockingLockExclusive) {
        Ok(()) => {}
        Err(rustix::io::Errno::WOULDBLOCK) => return Ok(()),
        Err(why) => return Err(Error::io("lock", lock, why.into())),
    }
    disk::remove_file(&socket)?;
    let listener = at::bind(&socket)
        .and_then(|listener| {
            fs::set_permissions(&socket, fs::Permissions::from_mode(0o600))?;
            Ok(listener)
        })
        .map_err(|why| Error::io("listen at", &socket, why))?;
    let gate = Arc::new(Gate {
        home: home.clone(),
        dir: dir.clone(),
        record: record.clone(),
    });
    thread::Builder::new()
        .name("gate".into())
        .spawn(move || gate.listen(&listener))
        .map_err(|why| Error::io("start", "a thread for the database", why))?;
    kept.insert(dir, file);
    Ok(())
}

/// Where the PHP of the clone in `dir` meets its gate. Database clients know only short paths:
/// of a deep home it is the database's own, in whose place the clone's processes see the gate.
pub(crate) fn meeting_place(dir: &Path, record: &Record) -> PathBuf {
    let own = dir.join(SOCKET);
    match &record.upstream {
        Upstream::Socket(path) if !is_short(&own) && record.walls.namespaces.stands() => {
            path.clone()
        }
        _ => own,
    }
}

fn is_short(path: &Path) -> bool {
    path.as_os_str().len() <= at::LONGEST
}

/// Forgets the gate of a clone that is gone.
pub(crate) fn forget(dir: &Path) {
    let mut kept = KEPT.lock().unwrap_or_else(PoisonError::into_inner);
    if kept.get_or_insert_default().remove(dir).is_some() {
        // So that the listener looks whether it is still wanted.
        let _ = at::connect(&dir.join(SOCKET));
    }
}

fn is_kept(dir: &Path) -> bool {
    let mut kept = KEPT.lock().unwrap_or_else(PoisonError::into_inner);
    kept.get_or_insert_default().contains_key(dir)
}

struct Gate {
    home: Home,
    dir: PathBuf,
    record: Record,
}

impl Gate {
    fn listen(self: Arc<Self>, listener: &UnixListener) {
        for client in listener.incoming() {
            if !is_kept(&self.dir) {
                return;
            }
            let Ok(client) = client else {
                thread::sleep(Duration::from_millis(20));
                continue;
            };
            let gate = Arc::clone(&self);
            // A client that gets no thread sees its connection closed.
            let _ = thread::Builder::new()
                .name("gate-client".into())
                .spawn(move || {
                    // What merely ended is nobody's attempt.
                    if let Err(why) = gate.serve(&client)
                        && why.kind() == io::ErrorKind::InvalidData
                    {
                        gate.note(&format!("a connection: {why}"));
                    }
                    let _ = client.shutdown(Shutdown::Both);
                });
        }
    }

    fn note(&self, what: &str) {
        attempts::note(&self.dir, AttemptKind::Table, what);
    }

    fn serve(&self, mut client: &UnixStream) -> io::Result<()> {
        let mut server = self.connect()?;
        client.set_read_timeout(Some(HANDSHAKE))?;
        let closed = || io::Error::from(io::ErrorKind::UnexpectedEof);
        let mut hello = Message::read(&mut server)?.ok_or_else(closed)?;
        let Some((version, altered)) = packet::greeting(&hello.payload)? else {
            return hello.write(&mut client);
        };
        hello.payload = altered;
        hello.write(&mut client)?;
        let Some(mut reply) = Message::read(&mut client)? else {
            // Somebody looked whether anybody is there.
            return Ok(());
        };
        let (altered, database) = packet::answer(&reply.payload)?;
        if database.is_some_and(|name| name != self.record.database) {
            self.note("another database");
            let refusal = packet::refusal(
                reply.last.wrapping_add(1),
                1044,
                "42000",
                "a rehearsal has no other database",
            );
            return refusal.write(&mut client);
        }
        reply.payload = altered;
        reply.write(&mut server)?;
        client.set_read_timeout(None)?;
        let answers = server.try_clone()?;
        let back = client.try_clone()?;
        thread::Builder::new()
            .name("gate-server".into())
            .spawn(move || copy(answers, back))?;
        let territory = Territory {
            prefix: self.record.prefix.clone(),
            database: self.record.database.clone(),
            live: self
                .record
                .sources
                .iter()
                .map(|name| name.to_lowercase())
                .collect(),
            server: server_of(&version),
        };
        let ended = self.commands(client, &mut server, &territory);
        server.close();
        ended
    }

    fn commands(
        &self,
        mut client: &UnixStream,
        server: &mut Connection,
        territory: &Territory,
    ) -> io::Result<()> {
        let mut commanded = false;
        while let Some(message) = read_on(&mut client)? {
            if message.first != 0 {
                // What belongs to the handshake; afterwards nothing does.
                if commanded {
                    return Err(packet::violation("a packet that is no command"));
                }
                message.write(server)?;
                continue;
            }
            commanded = true;
            match self.judge(&message.payload, territory) {
                Ok(()) => message.write(server)?,
                Err((code, text)) => {
                    let number = message.last.wrapping_add(1);
                    packet::refusal(number, code, "42000", &text).write(&mut client)?;
                }
            }
        }
        Ok(())
    }

    /// Whether a command may go to the server; else what is answered in its place.
    fn judge(
        &self,
        command: &[u8],
        territory: &Territory,
    ) -> std::result::Result<(), (u16, String)> {
        let (kind, rest) = command
            .split_first()
            .map_or((0xff, command), |(a, b)| (*a, b));
        let no = |what: &str| {
            self.note(what);
            Err((1142, format!("a rehearsal is kept from {what}")))
        };
        match kind {
            // Quit, statistics, ping, close and reset of a statement and its data, reset of
            // the connection, execution and rows of what was prepared, in bulk too.
            0x01 | 0x09 | 0x0e | 0x17..=0x1a | 0x1c | 0x1f | 0xfa => Ok(()),
            // A database.
            0x02 if rest == territory.database.as_bytes() => Ok(()),
            0x02 => no("another database"),
            // A query, and one to be prepared.
            0x03 | 0x16 => match territory.judge(rest) {
                Ok(passed) if passed.made.is_empty() => Ok(()),
                Ok(passed) => self
                    .record
                    .will_make(&self.home, &passed.made)
                    .map_err(|why| (1030, format!("what is made cannot be written down: {why}"))),
                Err(refused) => no(format!("{} {}", refused.act, refused.what).trim()),
            },
            // The columns of a table.
            0x04 => {
                let name = rest.split(|byte| *byte == 0).next().unwrap_or_default();
                match std::str::from_utf8(name) {
                    Ok(name) if territory.holds(name) => Ok(()),
                    Ok(name) => no(name),
                    Err(_) => no("a table that cannot be read"),
                }
            }
            _ => no("a command of this kind"),
        }
    }

    fn connect(&self) -> io::Result<Connection> {
        match &self.record.upstream {
            Upstream::Socket(path) => UnixStream::connect(path).map(Connection::Unix),
            Upstream::Tcp(host, port) => {
                let runtime = tokio::runtime::Builder::new_current_thread()
                    .enable_all()
                    .build()?;
                let found = runtime.block_on(names::addresses(host))?;
                let mut failed = io::Error::from(io::ErrorKind::NotFound);
                for address in found {
                    match TcpStream::connect_timeout(&(address, *port).into(), HANDSHAKE) {
                        Ok(stream) => {
                            let _ = stream.set_nodelay(true);
                            return Ok(Connection::Tcp(stream));
                        }
                        Err(why) => failed = why,
                    }
                }
                Err(failed)
            }
        }
    }
}

/// The next message of a client that may go away at any time.
fn read_on(client: &mut &UnixStream) -> io::Result<Option<Message>> {
    match Message::read(client) {
        Err(why)
            if matches!(
                why.kind(),
                io::ErrorKind::ConnectionReset | io::ErrorKind::UnexpectedEof
            ) =>
        {
            Ok(None)
        }
        read => read,
    }
}

/// Hands on what the server says until either side is gone.
fn copy(mut server: Connection, mut client: UnixStream) {
    let mut buffer = vec![0; 64 * 1024];
    while let Ok(read @ 1..) = server.read(&mut buffer) {
        if client
            .write_all(buffer.get(..read).unwrap_or_default())
            .is_err()
        {
            break;
        }
    }
    let _ = client.shutdown(Shutdown::Both);
    server.close();
}

/// What the server says it is, as executable comments name it.
fn server_of(version: &str) -> Server {
    let mariadb = version.contains("MariaDB");
    // MariaDB before 11 hides behind a number for old replicas.
    let plain = version
        .strip_prefix("5.5.5-")
        .filter(|_| mariadb)
        .unwrap_or(version);
    let mut parts = plain.split(|letter: char| !letter.is_ascii_digit());
    let mut part = || {
        parts
            .next()
            .and_then(|part| part.parse::<u32>().ok())
            .unwrap_or(0)
    };
    let (major, minor, patch) = (part(), part(), part());
    Server {
        mariadb,
        version: major.saturating_mul(10_000) + minor.min(99) * 100 + patch.min(99),
    }
}

enum Connection {
    Unix(UnixStream),
    Tcp(TcpStream),
}

impl Connection {
    fn try_clone(&self) -> io::Result<Self> {
        Ok(match self {
            Self::Unix(stream) => Self::Unix(stream.try_clone()?),
            Self::Tcp(stream) => Self::Tcp(stream.try_clone()?),
        })
    }

    fn close(&self) {
        // Closed already is what is wanted.
        let _ = match self {
            Self::Unix(stream) => stream.shutdown(Shutdown::Both),
            Self::Tcp(stream) => stream.shutdown(Shutdown::Both),
        };
    }
}

impl Read for Connection {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        match self {
            Self::Unix(stream) => stream.read(buffer),
            Self::Tcp(stream) => stream.read(buffer),
        }
    }
}

impl Write for Connection {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        match self {
            Self::Unix(stream) => stream.write(bytes),
            Self::Tcp(stream) => stream.write(bytes),
        }
    }

    fn flush(&mut self) -> io::Result<()> {
        match self {
            Self::Unix(stream) => stream.flush(),
            Self::Tcp(stream) => stream.flush(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn servers_say_what_they_are() {
        for (version, mariadb, number) in [
            ("5.5.5-10.11.6-MariaDB-0+deb12u1", true, 101_106),
            ("11.4.2-MariaDB", true, 110_402),
            ("8.0.36", false, 80_036),
            ("5.7.44-log", false, 50_744),
            ("", false, 0),
        ] {
            let server = server_of(version);
            assert_eq!(
                (server.mariadb, server.version),
                (mariadb, number),
                "{version}"
            );
        }
    }
}
