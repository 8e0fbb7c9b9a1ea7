//! The PHP of a clone: what it is told, and the files that it loads.

use super::{
    gate,
    program::{Spec, Task},
    record::{Record, Upstream},
};
use crate::{Error, Result, disk, home::Home};
use serde::Serialize;
use std::{
    fs::{self, DirBuilder},
    os::unix::fs::DirBuilderExt,
    path::{Path, PathBuf},
};

const PREPEND: &str = include_str!("php/prepend.php");
const ROUTER: &str = include_str!("php/router.php");
const SINK: &str = include_str!("php/sink.sh");
/// Directories of a clone: its WordPress, what else its PHP may write, what is ours.
pub(crate) const DIRECTORIES: [&str; 5] = ["site", "tmp", "log", "php", "run"];
/// Those of them that PHP may write.
const WRITABLE: [&str; 3] = ["site", "tmp", "log"];
/// What PHP writes of errors.
pub(crate) const ERROR_LOG: &str = "log/php.log";

/// Functions that reach out.
const DISABLED: [&str; 29] = [
    "curl_exec",
    "curl_errno",
    "curl_error",
    "dl",
    "exec",
    "fsockopen",
    "ftp_connect",
    "ftp_ssl_connect",
    "passthru",
    "pcntl_exec",
    "pcntl_fork",
    "pcntl_rfork",
    "pcntl_forkx",
    "pfsockopen",
    "popen",
    "posix_kill",
    "posix_mkfifo",
    "posix_setuid",
    "posix_setgid",
    "proc_open",
    "shell_exec",
    "socket_connect",
    "socket_sendmsg",
    "socket_sendto",
    "ssh2_connect",
    "stream_socket_client",
    "stream_socket_sendto",
    "system",
    "link",
];
/// Those that send mail: since PHP 8 what takes their place says to whom.
const MAILERS: [&str; 2] = ["mail", "mb_send_mail"];

/// What a process is started for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Purpose {
    /// Requests of visitors.
    Web,
    /// A script of ours.
    Script,
}

#[derive(Serialize)]
struct AddressFile<'a> {
    secret: &'a str,
    https: bool,
    host: &'a str,
    base: &'a str,
    directories: bool,
    software: &'a str,
}

/// Makes the clone's own directories and writes the files that PHP loads.
pub(crate) fn put_files(home: &Home, record: &Record) -> Result<()> {
    let dir = record.dir(home);
    for name in DIRECTORIES {
        let path = dir.join(name);
        DirBuilder::new()
            .mode(0o700)
            .create(&path)
            .map_err(|why| Error::io("create", path, why))?;
    }
    let apache = home
        .resolve(&record.root)?
        .join(".htaccess")
        .symlink_metadata()
        .is_ok();
    let address = serde_json::to_vec(&AddressFile {
        secret: &record.secret,
        https: record.address.https,
        host: &record.address.host,
        base: &record.address.base,
        directories: record.address.directories,
        software: if apache { "Apache" } else { "nginx" },
    })
    .map_err(|why| Error::BadInput(why.to_string()))?;
    let php = dir.join("php");
    disk::write_aside(&php.join("prepend.php"), PREPEND.as_bytes(), 0o600)?;
    disk::write_aside(&php.join("router.php"), ROUTER.as_bytes(), 0o600)?;
    disk::write_aside(&php.join("sink.sh"), SINK.as_bytes(), 0o600)?;
    disk::write_aside(&php.join("address.json"), &address, 0o600)
}

/// Refuses a home whose path could not stand in PHP's settings.
pub(crate) fn check_path(path: &Path) -> Result<()> {
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"/._-+@~".contains(&byte);
    match path.to_str() {
        Some(text) if text.bytes().all(plain) => Ok(()),
        _ => Err(Error::BadInput(format!(
            "`{}` holds letters that cannot stand in PHP's settings; a rehearsal cannot be made there",
            path.display()
        ))),
    }
}

/// The clone's directory as PHP tells it.
pub(crate) fn real_dir(home: &Home, record: &Record) -> PathBuf {
    let dir = record.dir(home);
    fs::canonicalize(&dir).unwrap_or(dir)
}

/// Directories that its processes may write.
pub(crate) fn writable(home: &Home, record: &Record) -> Vec<PathBuf> {
    let dir = real_dir(home, record);
    WRITABLE.iter().map(|name| dir.join(name)).collect()
}

/// Places that its processes do not see, where the kernel can take them away: the live
/// site itself.
pub(crate) fn hidden(home: &Home, record: &Record) -> Vec<PathBuf> {
    match home.resolve(&record.root).map(fs::canonicalize) {
        // The home itself holds the clone too.
        Ok(Ok(live)) if !real_dir(home, record).starts_with(&live) => vec![live],
        _ => Vec::new(),
    }
}

/// Files in whose place is another: the database's own socket, which is the gate.
pub(crate) fn replaced(home: &Home, record: &Record) -> Vec<(PathBuf, PathBuf)> {
    match &record.upstream {
        Upstream::Socket(path) => {
            let path = fs::canonicalize(path).unwrap_or_else(|_| path.clone());
            vec![(path, real_dir(home, record).join(gate::SOCKET))]
        }
        Upstream::Tcp(..) => Vec::new(),
    }
}

/// Walls as the host can build them around a task in the clone.
pub(crate) fn spec(home: &Home, record: &Record, task: Task) -> Spec {
    Spec {
        task,
        parent: None,
        walls: record.walls.clone(),
        writable: writable(home, record),
        hidden: hidden(home, record),
        replaced: replaced(home, record),
    }
}

/// The options that PHP is started with; `readable` are further files that it reads.
pub(crate) fn options(
    home: &Home,
    record: &Record,
    purpose: Purpose,
    readable: &[&Path],
) -> Vec<String> {
    let dir = real_dir(home, record);
    let within = |name: &str| dir.join(name).display().to_string();
    let mut open: Vec<String> = WRITABLE.iter().map(|name| within(name) + "/").collect();
    open.push(within("php") + "/");
    open.extend(readable.iter().map(|path| path.display().to_string()));
    let mut disabled: Vec<&str> = DISABLED.to_vec();
    if record.php_version >= 80_000 {
        disabled.extend(MAILERS);
    }
    if !record.walls.namespaces.stands() {
        // Libraries wait for it for ever; where there is no network it fails by itself.
        disabled.push("curl_multi_exec");
    }
    let (errors, time) = match purpose {
        Purpose::Web => ("display_errors=0", 60),
        Purpose::Script => ("display_errors=stderr", 120),
    };
    let database = gate::meeting_place(&dir, record).display().to_string();
    let settings = [
        format!("open_basedir={}", open.join(":")),
        format!("sendmail_path=/bin/sh {}", within("php/sink.sh")),
        format!("auto_prepend_file={}", within("php/prepend.php")),
        format!("error_log={}", within(ERROR_LOG)),
        format!("memory_limit={}M", record.memory_mb),
        format!("max_execution_time={time}"),
        format!("disable_functions={}", disabled.join(",")),
        format!("mysqli.default_socket={database}"),
        format!("pdo_mysql.default_socket={database}"),
        format!("upload_tmp_dir={}", within("tmp")),
        format!("sys_temp_dir={}", within("tmp")),
        format!("session.save_path={}", within("tmp")),
        format!("opcache.lockfile_path={}", within("tmp")),
        errors.to_owned(),
    ];
    let fixed = [
        "auto_append_file=",
        "allow_url_fopen=0",
        "allow_url_include=0",
        "log_errors=1",
        "html_errors=0",
        "ffi.enable=0",
        "implicit_flush=1",
        "user_ini.filename=",
        "zend.exception_ignore_args=1",
        "session.save_handler=files",
        "mail.log=",
        "opcache.enable_cli=0",
        "opcache.preload=",
        // What a plugin writes is seen at once. What is exchanged may be as old as what was
        // there: the web server starts anew after a script (`enter`).
        "opcache.validate_timestamps=1",
        "opcache.revalidate_freq=0",
        "opcache.file_cache=",
        "opcache.restrict_api=",
    ];
    let all = settings
        .iter()
        .map(String::as_str)
        .chain(fixed.iter().copied());
    all.flat_map(|setting| ["-d".to_owned(), setting.to_owned()])
        .collect()
}
