//! Databases and their users, each user confined to one database.

use super::{Error, LocalHosting, Result, names, stack::Mariadb};
use mysql_async::{Conn, prelude::Queryable};
use pressroom_base::Secret;

/// `ER_DB_CREATE_EXISTS`.
const DATABASE_EXISTS: u16 = 1007;
/// `ER_DB_DROP_EXISTS`.
const NO_SUCH_DATABASE: u16 = 1008;
/// `ER_CANNOT_USER`: creating one that exists, or dropping one that does not.
const CANNOT_USER: u16 = 1396;

impl LocalHosting {
    /// Makes an empty database. An existing one, even an empty one, is never adopted.
    pub async fn create_database(&self, name: &str) -> Result<()> {
        names::database(name)?;
        let mut connection = Mariadb::of(self).connect().await?;
        let sql =
            format!("CREATE DATABASE `{name}` CHARACTER SET utf8mb4 COLLATE utf8mb4_unicode_ci");
        match connection.query_drop(sql).await {
            Err(error) if is(&error, DATABASE_EXISTS) => Err(Error::Occupied {
                what: "database",
                name: name.into(),
            }),
            done => done.map_err(failed(format!("create the database `{name}`"))),
        }
    }

    /// Makes a user that may do everything in `database` and nothing elsewhere. An
    /// existing one is never adopted.
    pub async fn create_database_user(
        &self,
        user: &str,
        password: &Secret<String>,
        database: &str,
    ) -> Result<()> {
        names::database_user(user)?;
        names::database(database)?;
        let mut connection = Mariadb::of(self).connect().await?;
        // The server hashes the password as a parameter; it never stands in a statement.
        let hash: Option<String> = connection
            .exec_first("SELECT PASSWORD(?)", (password.expose(),))
            .await
            .map_err(failed("hash a password"))?;
        let hash = hash.filter(|hash| {
            hash.strip_prefix('*')
                .is_some_and(|hex| hex.bytes().all(|byte| byte.is_ascii_hexdigit()))
        });
        let Some(hash) = hash else {
            return Err(Error::BadName {
                what: "password (it is empty)",
                name: String::new(),
            });
        };
        let sql = format!("CREATE USER '{user}'@'localhost' IDENTIFIED BY PASSWORD '{hash}'");
        match connection.query_drop(sql).await {
            Err(error) if is(&error, CANNOT_USER) => {
                return Err(Error::Occupied {
                    what: "database user",
                    name: user.into(),
                });
            }
            done => done.map_err(failed(format!("create the user `{user}`")))?,
        }
        let sql = format!(
            "GRANT ALL PRIVILEGES ON `{}`.* TO '{user}'@'localhost'",
            names::grant_pattern(database)
        );
        if let Err(error) = connection.query_drop(sql).await {
            let _best_effort = drop_user(&mut connection, user).await;
            return Err(failed(format!("give `{user}` its database"))(error));
        }
        Ok(())
    }

    /// Drops a database with all that is in it; false when there is none.
    pub async fn drop_database(&self, name: &str) -> Result<bool> {
        names::database(name)?;
        self.refuse_released(
            "database",
            |_, released| released.databases.iter().any(|database| database == name),
            name,
        )?;
        let mut connection = Mariadb::of(self).connect().await?;
        match connection
            .query_drop(format!("DROP DATABASE `{name}`"))
            .await
        {
            Ok(()) => Ok(true),
            Err(error) if is(&error, NO_SUCH_DATABASE) => Ok(false),
            Err(error) => Err(failed(format!("drop the database `{name}`"))(error)),
        }
    }

    /// Drops a user with its grants and ends its connections; false when there is none.
    pub async fn drop_database_user(&self, user: &str) -> Result<bool> {
        names::database_user(user)?;
        self.refuse_released(
            "database user",
            |_, released| released.users.iter().any(|name| name == user),
            user,
        )?;
        let mut connection = Mariadb::of(self).connect().await?;
        let there = user_exists(&mut connection, user).await?;
        if there {
            drop_user(&mut connection, user)
                .await
                .map_err(failed(format!("drop the user `{user}`")))?;
            // A connection outlives its account, and so would what it still may do.
            let _no_connection_is_fine = connection
                .query_drop(format!("KILL USER '{user}'@'localhost'"))
                .await;
        }
        Ok(there)
    }

    /// Whether a database of this name exists, whoever made it.
    pub async fn database_exists(&self, name: &str) -> Result<bool> {
        names::database(name)?;
        let mut connection = Mariadb::of(self).connect().await?;
        count(
            &mut connection,
            "SELECT COUNT(*) FROM information_schema.schemata WHERE schema_name = ?",
            name,
        )
        .await
        .map(|count| count > 0)
    }

    /// Whether a database user of this name exists, whoever made it.
    pub async fn database_user_exists(&self, user: &str) -> Result<bool> {
        names::database_user(user)?;
        user_exists(&mut Mariadb::of(self).connect().await?, user).await
    }

    /// Whether anything is in the database; false also when there is no such database.
    pub async fn database_has_tables(&self, name: &str) -> Result<bool> {
        names::database(name)?;
        let mut connection = Mariadb::of(self).connect().await?;
        count(
            &mut connection,
            "SELECT COUNT(*) FROM information_schema.tables WHERE table_schema = ?",
            name,
        )
        .await
        .map(|count| count > 0)
    }
}

async fn user_exists(connection: &mut Conn, user: &str) -> Result<bool> {
    let sql = "SELECT COUNT(*) FROM mysql.global_priv WHERE User = ? AND Host = 'localhost'";
    count(connection, sql, user).await.map(|count| count > 0)
}

async fn drop_user(connection: &mut Conn, user: &str) -> mysql_async::Result<()> {
    connection
        .query_drop(format!("DROP USER IF EXISTS '{user}'@'localhost'"))
        .await
}

async fn count(connection: &mut Conn, sql: &str, value: &str) -> Result<u64> {
    let count: Option<u64> = connection
        .exec_first(sql, (value,))
        .await
        .map_err(failed("look"))?;
    Ok(count.unwrap_or(0))
}

fn is(error: &mysql_async::Error, code: u16) -> bool {
    matches!(error, mysql_async::Error::Server(server) if server.code == code)
}

pub(super) fn failed(what: impl Into<String>) -> impl FnOnce(mysql_async::Error) -> Error {
    let what = what.into();
    move |source| Error::Database { what, source }
}
