//! A database of its own, with a home for what a restore remembers.

use pressroom_base::Epoch;
use pressroom_lab::{Database, Mariadb};
use pressroom_wordpress::{
    Home, Result, Watch,
    config::Settings,
    database::{
        TableChecksum, checksums,
        dump::{DumpOptions, DumpReport, Scope, dump},
        restore::{OtherTables, RestoreOptions, RestoreReport, drop_aside, restore},
    },
    fence,
};
use std::io::Write;
use std::process::{Command, Stdio};
use tempfile::TempDir;

pub struct Place {
    pub database: Database,
    // Holds the home.
    _directory: TempDir,
    pub home: Home,
    pub settings: Settings,
    pub watch: Watch,
}

pub const EPOCH: Epoch = Epoch::new(7);

impl Place {
    pub fn new() -> Self {
        Self::of(Mariadb::of_process().unwrap().database().unwrap())
    }

    pub fn of(database: Database) -> Self {
        let directory = tempfile::tempdir().unwrap();
        let home = Home::open(directory.path()).unwrap();
        let watch = Watch::unbounded();
        fence::take(&home, EPOCH, &watch).unwrap();
        Self {
            settings: settings(&database, "wp_"),
            _directory: directory,
            home,
            watch,
            database,
        }
    }

    /// With these statements run by the server's administrator.
    pub fn with(sql: &str) -> Self {
        let place = Self::new();
        place.sql(sql);
        place
    }

    pub fn sql(&self, sql: &str) -> String {
        self.database.sql(sql).unwrap()
    }

    /// Everything in the database, as text.
    pub fn dump(&self) -> Vec<u8> {
        self.dump_with(&all()).unwrap().0
    }

    pub fn dump_with(&self, options: &DumpOptions) -> Result<(Vec<u8>, DumpReport)> {
        let mut out = Vec::new();
        let report = dump(&self.settings, options, &mut out, &self.watch)?;
        assert_eq!(report.bytes, out.len() as u64);
        Ok((out, report))
    }

    pub fn restore(&self, sql: &[u8]) -> Result<RestoreReport> {
        self.restore_with(
            sql,
            &RestoreOptions {
                others: OtherTables::Restore,
                ..RestoreOptions::default()
            },
        )
    }

    pub fn restore_with(&self, mut sql: &[u8], options: &RestoreOptions) -> Result<RestoreReport> {
        restore(
            &self.home,
            EPOCH,
            &self.settings,
            options,
            &mut sql,
            &self.watch,
        )
    }

    /// Restores, and drops what was there before.
    pub fn replace(&self, sql: &[u8]) -> RestoreReport {
        let report = self.restore(sql).unwrap();
        let aside = report.aside.as_ref().unwrap();
        drop_aside(&self.home, EPOCH, &self.settings, aside, &self.watch).unwrap();
        report
    }

    pub fn checksums(&self) -> Vec<TableChecksum> {
        checksums(&self.settings, &[], &self.watch).unwrap()
    }

    /// Everything with a name: relations with their kind, triggers, routines, events.
    pub fn names(&self) -> String {
        self.sql(
            "SELECT * FROM (SELECT TABLE_NAME, TABLE_TYPE FROM information_schema.TABLES WHERE TABLE_SCHEMA = DATABASE()
             UNION ALL SELECT TRIGGER_NAME, EVENT_OBJECT_TABLE FROM information_schema.TRIGGERS WHERE TRIGGER_SCHEMA = DATABASE()
             UNION ALL SELECT ROUTINE_NAME, ROUTINE_TYPE FROM information_schema.ROUTINES WHERE ROUTINE_SCHEMA = DATABASE()
             UNION ALL SELECT EVENT_NAME, 'EVENT' FROM information_schema.EVENTS WHERE EVENT_SCHEMA = DATABASE()) x ORDER BY 1, 2",
        )
    }

    /// What the stock dump program says of the database.
    pub fn stock_dump(&self, arguments: &[&str]) -> Vec<u8> {
        let output = Command::new("mariadb-dump")
            .arg("--no-defaults")
            .arg(format!("--socket={}", self.database.socket.display()))
            .args(["--user=root", "--max-allowed-packet=512M"])
            .args(arguments)
            .arg(&self.database.name)
            .output()
            .unwrap();
        assert!(
            output.status.success(),
            "{}",
            String::from_utf8_lossy(&output.stderr)
        );
        output.stdout
    }

    /// What the stock client makes of a dump, run as this database's own user.
    pub fn stock_restore(&self, sql: &[u8]) {
        let mut child = Command::new("mariadb")
            .arg("--no-defaults")
            .arg(format!("--socket={}", self.database.socket.display()))
            .arg(format!("--user={}", self.database.user))
            .arg(format!("--password={}", self.database.password))
            .arg("--max-allowed-packet=512M")
            .arg(&self.database.name)
            .stdin(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let mut input = child.stdin.take().unwrap();
        let _ = input.write_all(sql);
        drop(input);
        let output = child.wait_with_output().unwrap();
        assert!(
            output.status.success(),
            "{}",
            String::from_utf8_lossy(&output.stderr)
        );
    }
}

pub fn settings(database: &Database, prefix: &str) -> Settings {
    Settings {
        db_name: Some(database.name.clone()),
        db_user: Some(database.user.clone()),
        db_password: Some(database.password.clone()),
        db_host: Some(database.host()),
        table_prefix: Some(prefix.to_owned()),
        ..Settings::default()
    }
}

pub fn all() -> DumpOptions {
    DumpOptions {
        scope: Scope::Database,
        ..DumpOptions::default()
    }
}

pub fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

/// Says where two dumps differ, and only there.
#[track_caller]
pub fn same(left: &[u8], right: &[u8]) {
    let lines = |bytes| text(bytes).lines().map(str::to_owned).collect::<Vec<_>>();
    let (one, other) = (lines(left), lines(right));
    for (one, other) in one.iter().zip(&other) {
        let shown = |line: &str| line.chars().take(400).collect::<String>();
        assert_eq!(shown(one), shown(other));
        assert!(one == other, "lines differ after 400 letters");
    }
    assert_eq!(one.len(), other.len());
    assert!(left == right, "bytes differ");
}
