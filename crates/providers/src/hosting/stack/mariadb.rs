//! The private MariaDB: one socket, no network, one administrator of ours.

use crate::hosting::{
    Error, Isolation, LocalHosting, Result, SiteUser, command,
    daemon::{Daemon, DaemonStatus},
    init::{Init, Kind, Unit},
    layout::{self, make_dir, write_atomically},
    names::ADMIN,
    unix_user,
};
use mysql_async::{Conn, OptsBuilder, prelude::Queryable};
use pressroom_base::{Secret, token};
use rustix::process::Signal;
use std::{
    fs,
    os::unix::fs::chown,
    path::Path,
    time::{Duration, Instant},
};

const CONNECT: Duration = Duration::from_secs(5);
const START: Duration = Duration::from_mins(1);
const STOP: Duration = Duration::from_mins(1);
const INSTALL: Duration = Duration::from_mins(2);

/// The private MariaDB.
pub struct Mariadb<'a> {
    hosting: &'a LocalHosting,
}

impl<'a> Mariadb<'a> {
    pub fn of(hosting: &'a LocalHosting) -> Self {
        Self { hosting }
    }

    pub fn find(&self) -> Option<Daemon> {
        let layout = self.hosting.layout();
        Daemon::find(&layout.mariadb_pid(), &layout.mariadb_conf())
    }

    pub async fn status(&self) -> DaemonStatus {
        let daemon = self.find();
        let answers = match daemon {
            Some(_) => self.ping().await.is_ok(),
            None => false,
        };
        DaemonStatus::of(daemon, answers)
    }

    /// A connection with all rights, over the private socket.
    pub async fn connect(&self) -> Result<Conn> {
        let layout = self.hosting.layout();
        let socket = layout.mariadb_socket()?;
        let down = |source| Error::Down {
            daemon: "MariaDB",
            log: layout.mariadb_log(),
            source,
        };
        let Some(password) = self.password()? else {
            return Err(down(None));
        };
        let opts = OptsBuilder::default()
            .socket(Some(socket.to_string_lossy()))
            .user(Some(ADMIN))
            .pass(Some(password.into_inner()));
        match tokio::time::timeout(CONNECT, Conn::new(opts)).await {
            Ok(Ok(connection)) => Ok(connection),
            Ok(Err(mysql_async::Error::Io(mysql_async::IoError::Io(source)))) => {
                Err(down(Some(source)))
            }
            Ok(Err(source)) => Err(Error::Database {
                what: "let Pressroom in".into(),
                source,
            }),
            Err(_) => Err(down(None)),
        }
    }

    pub async fn start(&self) -> Result<()> {
        let layout = self.hosting.layout();
        if self.find().is_some() {
            return self.wait_until_it_answers(None).await;
        }
        let account = self.account()?;
        let temporary = layout.mariadb().join("tmp");
        make_dir(&temporary, 0o700)?;
        for dir in [
            temporary,
            layout.run()?.join("mariadb"),
            layout.logs().join("mariadb"),
        ] {
            give(&dir, account.as_ref())?;
        }
        self.install(account.as_ref()).await?;
        self.write_conf(account.as_ref())?;
        self.write_init_file(account.as_ref())?;

        let program = self.hosting.config().programs.find_mariadbd()?;
        let args = [format!(
            "--defaults-file={}",
            layout.mariadb_conf().display()
        )];
        let unit = Unit {
            daemon: "mariadb",
            program,
            args: args.to_vec(),
            kind: Kind::Notify,
            pid_file: layout.mariadb_pid(),
            account,
            log: layout.logs().join("mariadb-start.log"),
        };
        let child = Init::of(self.hosting)?.start(self.hosting, &unit).await?;
        self.wait_until_it_answers(child).await
    }

    /// Opens the log again, after it was set aside.
    pub async fn reopen_logs(&self) -> Result<()> {
        if self.find().is_none() {
            return Ok(());
        }
        let mut connection = self.connect().await?;
        connection
            .query_drop("FLUSH LOCAL ERROR LOGS")
            .await
            .map_err(|source| Error::Database {
                what: "open its log again".into(),
                source,
            })
    }

    pub async fn stop(&self) -> Result<()> {
        Init::of(self.hosting)?
            .stop(self.hosting, "mariadb")
            .await?;
        match self.find() {
            Some(daemon) => {
                daemon
                    .stop(&self.hosting.layout().mariadb_conf(), Signal::TERM, STOP)
                    .await
            }
            None => Ok(()),
        }
    }

    async fn ping(&self) -> Result<()> {
        let mut connection = self.connect().await?;
        let failed = |source| Error::Database {
            what: "answer a ping".into(),
            source,
        };
        connection.ping().await.map_err(failed)?;
        connection.disconnect().await.map_err(failed)
    }

    async fn wait_until_it_answers(&self, mut child: Option<tokio::process::Child>) -> Result<()> {
        let end = Instant::now() + START;
        loop {
            let error = match self.ping().await {
                Ok(()) => return Ok(()),
                Err(error) => error,
            };
            let exit = child
                .as_mut()
                .and_then(|child| child.try_wait().ok().flatten());
            if let Some(status) = exit {
                let log = fs::read(self.hosting.layout().mariadb_log()).unwrap_or_default();
                return Err(Error::Command {
                    program: "mariadbd".into(),
                    status: status.to_string(),
                    stderr: command::tail(&log),
                });
            }
            if Instant::now() > end {
                return Err(error);
            }
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    }

    /// Makes the data directory, once. Done beside its place and renamed, so that an
    /// interrupted attempt is not taken for a finished one.
    async fn install(&self, account: Option<&SiteUser>) -> Result<()> {
        let layout = self.hosting.layout();
        let data = layout.mariadb().join("data");
        if data.exists() {
            return Ok(());
        }
        let fresh = layout.mariadb().join("data.new");
        if fresh.exists() {
            fs::remove_dir_all(&fresh).map_err(Error::io("remove", &fresh))?;
        }
        make_dir(&fresh, 0o700)?;
        give(&fresh, account)?;
        let mut args = vec![
            "--no-defaults".to_owned(),
            format!("--datadir={}", fresh.display()),
            // `root` is whoever is root on this machine; nobody else enters without a password.
            "--auth-root-authentication-method=socket".to_owned(),
            "--auth-root-socket-user=root".to_owned(),
            "--skip-test-db".to_owned(),
            "--skip-name-resolve".to_owned(),
            // Any MariaDB that starts removes temporary tables of all others in `/tmp`.
            format!("--tmpdir={}", layout.mariadb().join("tmp").display()),
        ];
        args.extend(account.map(|account| format!("--user={}", account.name)));
        let program = self.hosting.config().programs.find_mariadb_install_db()?;
        command::succeed(&program, args, INSTALL).await?;
        fs::rename(&fresh, &data).map_err(Error::io("rename", &fresh))
    }

    fn write_conf(&self, account: Option<&SiteUser>) -> Result<()> {
        let layout = self.hosting.layout();
        let dir = layout.mariadb();
        let user = account
            .map(|account| format!("user = {}\n", account.name))
            .unwrap_or_default();
        let text = format!(
            "[mariadbd]\n{user}\
             datadir = {dir}/data\n\
             tmpdir = {dir}/tmp\n\
             socket = {socket}\n\
             pid-file = {pid}\n\
             log-error = {log}\n\
             init-file = {dir}/init.sql\n\
             skip-networking\n\
             skip-name-resolve\n\
             local-infile = 0\n\
             character-set-server = utf8mb4\n\
             collation-server = utf8mb4_unicode_ci\n\
             max-connections = 300\n\
             innodb-buffer-pool-size = 128M\n\
             innodb-log-file-size = 48M\n\
             performance-schema = OFF\n",
            dir = dir.display(),
            socket = layout.mariadb_socket()?.display(),
            pid = layout.mariadb_pid().display(),
            log = layout.mariadb_log().display(),
        );
        write_atomically(&layout.mariadb_conf(), text.as_bytes(), 0o644)
    }

    /// Statements that MariaDB runs before it listens: our administrator exists with
    /// the password of our file, and nobody enters without a name.
    fn write_init_file(&self, account: Option<&SiteUser>) -> Result<()> {
        let password = if let Some(password) = self.password()? {
            password
        } else {
            let password = token::password();
            let path = self.hosting.layout().admin_password();
            write_atomically(&path, password.expose().as_bytes(), 0o600)?;
            password
        };
        let path = self.hosting.layout().mariadb().join("init.sql");
        let text = format!(
            "CREATE USER IF NOT EXISTS '{ADMIN}'@'localhost';\n\
             ALTER USER '{ADMIN}'@'localhost' IDENTIFIED BY '{password}';\n\
             GRANT ALL PRIVILEGES ON *.* TO '{ADMIN}'@'localhost' WITH GRANT OPTION;\n\
             DELETE FROM mysql.global_priv WHERE User = '';\n\
             FLUSH PRIVILEGES;\n",
            password = password.expose(),
        );
        write_atomically(&path, text.as_bytes(), 0o600)?;
        give(&path, account)
    }

    /// Our administrator's password: letters and digits, see [`token::password`].
    fn password(&self) -> Result<Option<Secret<String>>> {
        let bytes = layout::read_if_there(&self.hosting.layout().admin_password())?;
        Ok(bytes
            .and_then(|bytes| String::from_utf8(bytes).ok())
            .filter(|text| {
                !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_alphanumeric())
            })
            .map(Secret::new))
    }

    /// Whom MariaDB runs as; `None` for ourselves.
    fn account(&self) -> Result<Option<SiteUser>> {
        if self.hosting.config().isolation == Isolation::None {
            return Ok(None);
        }
        unix_user::system_account("mysql")?
            .map(Some)
            .ok_or(Error::Missing {
                program: "mariadbd (with its user `mysql`)",
                package: "mariadb-server",
            })
    }
}

fn give(path: &Path, account: Option<&SiteUser>) -> Result<()> {
    match account {
        Some(account) => {
            chown(path, Some(account.uid), Some(account.gid)).map_err(Error::io("give away", path))
        }
        None => Ok(()),
    }
}
