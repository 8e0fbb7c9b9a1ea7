//! A conversation with the database, one statement after another, for long work that
//! reads and writes elsewhere in between.

use super::connection::{Connection, given_up};
use crate::{Error, Result, watch::Watch};
use mysql_async::{
    Conn, Row,
    prelude::{FromRow, Queryable},
};
use std::future::Future;
use tokio::runtime::Runtime;

/// What the server said no with.
#[derive(Debug)]
pub(crate) struct Refused {
    /// The server's number, e.g. 1142 for a right that is missing.
    pub code: Option<u16>,
    /// The same for the caller.
    pub error: Error,
}

impl From<Refused> for Error {
    fn from(refused: Refused) -> Self {
        refused.error
    }
}

impl From<mysql_async::Error> for Refused {
    fn from(why: mysql_async::Error) -> Self {
        let code = match &why {
            mysql_async::Error::Server(said) => Some(said.code),
            _ => None,
        };
        Self {
            code,
            error: why.into(),
        }
    }
}

impl From<Error> for Refused {
    fn from(error: Error) -> Self {
        Self { code: None, error }
    }
}

/// Numbers of refusals for want of a right: user, database, table, column,
/// statement, routine, view.
const DENIED: [u16; 9] = [1044, 1045, 1142, 1143, 1227, 1345, 1370, 1419, 1449];

impl Refused {
    /// Whether a right was missing.
    pub fn is_denied(&self) -> bool {
        self.code.is_some_and(|code| DENIED.contains(&code))
    }

    /// Whether what was to be removed is not there.
    pub fn is_absent(&self) -> bool {
        self.code.is_some_and(|code| ABSENT.contains(&code))
    }
}

/// Not there (any more): table, view or table, trigger, routine, foreign key, event.
const ABSENT: [u16; 6] = [1051, 1146, 1360, 1305, 1091, 1539];

/// One open connection with its runtime. Every call gives up when the watch does.
pub(crate) struct Client {
    runtime: Runtime,
    conn: Conn,
    watch: Watch,
}

impl Client {
    /// Opens a connection that receives rows of any size and waits long for a slow
    /// reader of ours.
    pub fn open(connection: &Connection, watch: &Watch) -> Result<Self> {
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()
            .map_err(|why| Error::io("start", "a runtime", why))?;
        let conn = drive(&runtime, watch, async {
            Ok::<_, Refused>(connection.open().await?)
        })?;
        let mut client = Self {
            runtime,
            conn,
            watch: watch.clone(),
        };
        // Whatever consumes a dump or feeds a restore may be slower than a minute.
        client.run(
            "SET SESSION net_write_timeout = 86400, net_read_timeout = 86400, \
             wait_timeout = 86400, sql_quote_show_create = 1, time_zone = '+00:00'",
        )?;
        Ok(client)
    }

    /// The server's number for this connection.
    pub fn id(&self) -> u32 {
        self.conn.id()
    }

    /// The server's version, e.g. `(10, 11, 6)`.
    pub fn version(&self) -> (u16, u16, u16) {
        self.conn.server_version()
    }

    /// What the last statement changed.
    pub fn affected(&self) -> u64 {
        self.conn.affected_rows()
    }

    /// The last statement's number of warnings.
    pub fn warnings(&self) -> u16 {
        self.conn.get_warnings()
    }

    /// Runs a statement and passes over what it answers.
    pub fn run(&mut self, statement: impl AsRef<[u8]>) -> Result<(), Refused> {
        let Self {
            runtime,
            conn,
            watch,
        } = self;
        drive(runtime, watch, async {
            Ok(conn.query_drop(statement.as_ref()).await?)
        })
    }

    /// Runs a statement; its rows, of which there must be few.
    pub fn rows<T: FromRow + Send + 'static>(
        &mut self,
        statement: impl AsRef<[u8]>,
    ) -> Result<Vec<T>, Refused> {
        let Self {
            runtime,
            conn,
            watch,
        } = self;
        drive(runtime, watch, async {
            Ok(conn.query(statement.as_ref()).await?)
        })
    }

    /// Runs a statement; its first row.
    pub fn first<T: FromRow + Send + 'static>(
        &mut self,
        statement: impl AsRef<[u8]>,
    ) -> Result<Option<T>, Refused> {
        Ok(self.rows(statement)?.into_iter().next())
    }

    /// Runs a statement and hands over its rows one by one; how many there were.
    pub fn each(
        &mut self,
        statement: impl AsRef<[u8]>,
        mut act: impl FnMut(&Row) -> Result<()>,
    ) -> Result<u64, Refused> {
        let Self {
            runtime,
            conn,
            watch,
        } = self;
        let ticker = watch.clone();
        drive(runtime, watch, async {
            let mut result = conn.query_iter(statement.as_ref()).await?;
            let mut count = 0_u64;
            while let Some(row) = result.next().await? {
                // The loop may never yield while the server is faster than we.
                if count.is_multiple_of(1024) {
                    ticker.check()?;
                }
                act(&row)?;
                count += 1;
            }
            Ok(count)
        })
    }
}

fn drive<T>(
    runtime: &Runtime,
    watch: &Watch,
    conversation: impl Future<Output = Result<T, Refused>>,
) -> Result<T, Refused> {
    runtime.block_on(async {
        tokio::select! {
            biased;
            ended = conversation => ended,
            why = given_up(watch) => Err(why.into()),
        }
    })
}

/// A name between back quotes.
pub(crate) fn quoted(name: &str) -> String {
    format!("`{}`", name.replace('`', "``"))
}

/// A text between quotes, for a session without `NO_BACKSLASH_ESCAPES`.
pub(crate) fn literal(text: &str) -> String {
    format!("'{}'", text.replace('\\', "\\\\").replace('\'', "''"))
}
