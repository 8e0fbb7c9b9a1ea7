//! How the engine gets into a site's database: with what its `wp-config.php` says.

use crate::{
    Error, Result,
    config::{self, Settings},
    watch::Watch,
};
use mysql_async::{Conn, Opts, OptsBuilder};
use std::{future::Future, time::Duration};

const POLL: Duration = Duration::from_millis(20);
/// The protocol's own bound on a packet, in bytes.
const LARGEST: usize = 1024 * 1024 * 1024;
/// What a server allows who was told nothing, in seconds.
const IDLE: usize = 28_800;

/// What a connection needs; holds the password, prints nothing of it.
#[derive(Clone)]
pub struct Connection {
    opts: Opts,
    database: String,
    prefix: String,
}

impl std::fmt::Debug for Connection {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Connection")
            .field("database", &self.database)
            .field("prefix", &self.prefix)
            .finish_non_exhaustive()
    }
}

impl Connection {
    /// With what a configuration says; refused when something needed is unknown or
    /// the prefix could not stand in a statement.
    pub fn of(settings: &Settings) -> Result<Self> {
        let known = |value: &Option<String>, name: &str| {
            value.clone().ok_or_else(|| {
                Error::Database(format!("`wp-config.php` does not say `{name}` plainly"))
            })
        };
        let prefix = known(&settings.table_prefix, "$table_prefix")?;
        if !config::is_prefix(&prefix) {
            return Err(Error::Database(format!(
                "table prefix `{prefix}` may hold only letters, digits and `_`"
            )));
        }
        let database = known(&settings.db_name, "DB_NAME")?;
        let opts = address(&known(&settings.db_host, "DB_HOST")?)?
            .user(Some(known(&settings.db_user, "DB_USER")?))
            .pass(Some(known(&settings.db_password, "DB_PASSWORD")?))
            .db_name(Some(database.clone()))
            .prefer_socket(false)
            // Known, so that no connection begins by asking the server for them.
            .max_allowed_packet(Some(LARGEST))
            .wait_timeout(Some(IDLE))
            .stmt_cache_size(0);
        Ok(Self {
            opts: opts.into(),
            database,
            prefix,
        })
    }

    /// `DB_NAME`.
    pub fn database(&self) -> &str {
        &self.database
    }

    /// `$table_prefix`; letters, digits and `_` only.
    pub fn prefix(&self) -> &str {
        &self.prefix
    }

    /// Opens one connection whose rows and statements may be as large as the
    /// protocol has them.
    pub(crate) async fn open(&self) -> std::result::Result<Conn, mysql_async::Error> {
        Conn::new(self.opts.clone()).await
    }
}

/// Runs a conversation with the database until it ends or the watch gives up.
pub(crate) fn run<T>(watch: &Watch, conversation: impl Future<Output = Result<T>>) -> Result<T> {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .map_err(|why| Error::io("start", "a runtime", why))?;
    runtime.block_on(async {
        tokio::select! {
            ended = conversation => ended,
            why = given_up(watch) => Err(why),
        }
    })
}

pub(super) async fn given_up(watch: &Watch) -> Error {
    loop {
        if let Err(why) = watch.check() {
            return why;
        }
        tokio::time::sleep(POLL).await;
    }
}

impl From<mysql_async::Error> for Error {
    fn from(why: mysql_async::Error) -> Self {
        Self::Database(why.to_string())
    }
}

/// `DB_HOST` as WordPress takes it apart: `host`, `host:port`, `[v6]:port`,
/// `:/socket`, `host:/socket`.
fn address(host: &str) -> Result<OptsBuilder> {
    let opts = OptsBuilder::default();
    if let Some(at) = host.find(":/") {
        return Ok(opts.socket(Some(host[at + 1..].to_owned())));
    }
    if let Some(socket) = host.strip_prefix('/') {
        return Ok(opts.socket(Some(format!("/{socket}"))));
    }
    let bad = || Error::Database(format!("`DB_HOST` `{host}` is not understood"));
    let (name, port) = if host.matches(':').count() > 1 {
        match host.strip_prefix('[').and_then(|rest| rest.split_once(']')) {
            Some((name, port)) => (name, port.strip_prefix(':')),
            None => (host, None),
        }
    } else {
        match host.split_once(':') {
            Some((name, port)) => (name, Some(port)),
            None => (host, None),
        }
    };
    let port = match port {
        None | Some("") => None,
        Some(port) => Some(port.parse::<u16>().map_err(|_| bad())?),
    };
    if matches!(name, "" | "localhost") && port.is_none() {
        // To MySQL clients `localhost` is the socket, wherever this system has it.
        let socket = [
            "/run/mysqld/mysqld.sock",
            "/var/lib/mysql/mysql.sock",
            "/tmp/mysql.sock",
        ]
        .into_iter()
        .find(|socket| std::path::Path::new(socket).exists());
        if let Some(socket) = socket {
            return Ok(opts.socket(Some(socket)));
        }
    }
    let name = match name {
        "" | "localhost" => "127.0.0.1",
        name => name,
    };
    Ok(opts.ip_or_hostname(name).tcp_port(port.unwrap_or(3306)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn takes_hosts_apart_as_wordpress_does() {
        let parts = |host: &str| {
            let opts: Opts = address(host).unwrap().into();
            (
                opts.ip_or_hostname().to_owned(),
                opts.tcp_port(),
                opts.socket().map(str::to_owned),
            )
        };
        assert_eq!(parts("db.local"), ("db.local".into(), 3306, None));
        assert_eq!(parts("db.local:3307"), ("db.local".into(), 3307, None));
        assert_eq!(parts("localhost:3307"), ("127.0.0.1".into(), 3307, None));
        assert_eq!(parts("::1"), ("::1".into(), 3306, None));
        assert_eq!(parts("[::1]:3307"), ("::1".into(), 3307, None));
        assert_eq!(parts("localhost:/a/b.sock").2.as_deref(), Some("/a/b.sock"));
        assert_eq!(parts(":/a/b.sock").2.as_deref(), Some("/a/b.sock"));
        assert!(address("h:port").is_err());
    }
}
