//! How the engine gets into a site's database: with what its `wp-config.php` says.

use crate::{
    Error, Result,
    cage::record::Upstream,
    config::{self, Settings},
    names,
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

    /// Whether the server is on this machine, as far as the address tells.
    pub(crate) fn is_local(&self) -> bool {
        let host = self.opts.ip_or_hostname();
        self.opts.socket().is_some() || matches!(host, "127.0.0.1" | "::1" | "localhost")
    }

    /// Where the server is.
    pub(crate) fn upstream(&self) -> Upstream {
        match self.opts.socket() {
            Some(socket) => Upstream::Socket(socket.into()),
            None => Upstream::Tcp(self.opts.ip_or_hostname().to_owned(), self.opts.tcp_port()),
        }
    }

    /// Opens one connection whose rows and statements may be as large as the
    /// protocol has them.
    pub(crate) async fn open(&self) -> std::result::Result<Conn, mysql_async::Error> {
        let mut opts = self.opts.clone();
        if opts.socket().is_none() {
            let found = names::addresses(opts.ip_or_hostname()).await?;
            opts = OptsBuilder::from_opts(opts)
                .resolved_ips(Some(found))
                .into();
        }
        Conn::new(opts).await
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

/// Where the socket of this system's server usually is.
const SOCKETS: [&str; 4] = [
    "/run/mysqld/mysqld.sock",
    "/var/lib/mysql/mysql.sock",
    "/tmp/mysql.sock",
    "/run/mysql/mysql.sock",
];

/// Where `DB_HOST` leads, as PHP goes there: `localhost` is the socket whatever port
/// is named, and any other host is TCP whatever socket is named.
fn address(host: &str) -> Result<OptsBuilder> {
    let usual = || {
        let mut sockets = SOCKETS.into_iter();
        sockets.find(|socket| std::path::Path::new(socket).exists())
    };
    address_with(host, usual)
}

fn address_with(host: &str, usual: impl FnOnce() -> Option<&'static str>) -> Result<OptsBuilder> {
    let bad = || Error::Database(format!("`DB_HOST` `{host}` is not understood"));
    let parts = parts(host).ok_or_else(bad)?;
    let port = match parts.port {
        None => None,
        Some(port) => Some(port.parse::<u16>().map_err(|_| bad())?),
    };
    let opts = OptsBuilder::default();
    let local = parts.name.is_empty() || parts.name.eq_ignore_ascii_case("localhost");
    let socket = || {
        parts
            .socket
            .map_or_else(|| usual().map(str::to_owned), |own| Some(own.to_owned()))
    };
    if local && let Some(socket) = socket() {
        return Ok(opts.socket(Some(socket)));
    }
    let name = if local { "127.0.0.1" } else { parts.name };
    Ok(opts.ip_or_hostname(name).tcp_port(port.unwrap_or(3306)))
}

/// `DB_HOST` in parts.
#[derive(Debug, PartialEq, Eq)]
struct Parts<'a> {
    name: &'a str,
    port: Option<&'a str>,
    socket: Option<&'a str>,
}

/// What `wpdb::parse_db_host` makes of `DB_HOST`: `host`, `host:port`, `v6`,
/// `[v6]:port`, each with `:/socket` behind it; what follows that is passed over.
fn parts(host: &str) -> Option<Parts<'_>> {
    let (host, socket) = match host.find(":/") {
        Some(at) => (&host[..at], Some(&host[at + 1..])),
        None => (host, None),
    };
    let digits = |text: &str| text.bytes().take_while(u8::is_ascii_digit).count();
    let (name, port) = if host.matches(':').count() > 1 {
        let bare = host.strip_prefix('[').unwrap_or(host);
        let address = |byte: &u8| byte.is_ascii_hexdigit() || *byte == b':';
        let end = bare.bytes().take_while(|byte| address(byte)).count();
        if end == 0 {
            return None;
        }
        (&bare[..end], bare[end..].strip_prefix("]:"))
    } else {
        let end = host.find([':', '/']).unwrap_or(host.len());
        (&host[..end], host[end..].strip_prefix(':'))
    };
    let port = port.map(|port| &port[..digits(port)]);
    Some(Parts {
        name,
        port: port.filter(|port| port.bytes().any(|digit| digit != b'0')),
        socket,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn takes_hosts_apart_as_wordpress_does() {
        let leads = |host: &str, usual: Option<&'static str>| {
            let opts: Opts = address_with(host, || usual).unwrap().into();
            (
                opts.ip_or_hostname().to_owned(),
                opts.tcp_port(),
                opts.socket().map(str::to_owned),
            )
        };
        let parts = |host: &str| leads(host, None);
        assert_eq!(parts("db.local"), ("db.local".into(), 3306, None));
        assert_eq!(parts("db.local:3307"), ("db.local".into(), 3307, None));
        assert_eq!(parts("db.local:"), ("db.local".into(), 3306, None));
        assert_eq!(parts("db.local:3307x"), ("db.local".into(), 3307, None));
        assert_eq!(parts("h:port"), ("h".into(), 3306, None));
        assert_eq!(parts("localhost:3307"), ("127.0.0.1".into(), 3307, None));
        assert_eq!(parts("::1"), ("::1".into(), 3306, None));
        assert_eq!(parts("[::1]"), ("::1".into(), 3306, None));
        assert_eq!(parts("[::1]:3307"), ("::1".into(), 3307, None));
        assert_eq!(parts("2001:db8::7"), ("2001:db8::7".into(), 3306, None));
        for host in [
            "localhost:/a/b.sock",
            ":/a/b.sock",
            "LOCALHOST:3307:/a/b.sock",
        ] {
            assert_eq!(parts(host).2.as_deref(), Some("/a/b.sock"), "{host}");
        }
        // PHP goes to a socket for `localhost` alone, and then always.
        assert_eq!(
            parts("127.0.0.1:/a/b.sock"),
            ("127.0.0.1".into(), 3306, None)
        );
        assert_eq!(parts("[::1]:3307:/a/b.sock"), ("::1".into(), 3307, None));
        for host in ["localhost", "", "localhost:3307", "Localhost"] {
            let socket = leads(host, Some("/usual")).2;
            assert_eq!(socket.as_deref(), Some("/usual"), "{host}");
        }
        assert_eq!(leads("127.0.0.1", Some("/usual")).2, None);
        for bad in ["[x:y:z", "h:99999"] {
            assert!(address(bad).is_err(), "{bad}");
        }
    }
}
