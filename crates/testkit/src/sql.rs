//! A database as somebody has it who has none of the store's code.

use anyhow::{Context, Result};
use sea_orm::{ConnectionTrait, Database, DatabaseConnection, QueryResult, Statement};

/// An open database.
#[derive(Debug)]
pub struct Raw(DatabaseConnection);

impl Raw {
    /// Opens `sqlite:…` or `postgres:…`.
    pub async fn open(url: &str) -> Result<Self> {
        Ok(Self(Database::connect(url).await?))
    }

    /// Runs statements.
    pub async fn run(&self, sql: &str) -> Result<()> {
        let done = self.0.execute_unprepared(sql).await;
        done.with_context(|| sql.to_owned())?;
        Ok(())
    }

    /// The rows that a question finds.
    pub async fn rows(&self, sql: &str) -> Result<Vec<QueryResult>> {
        let statement = Statement::from_string(self.0.get_database_backend(), sql);
        let rows = self.0.query_all_raw(statement).await;
        rows.with_context(|| sql.to_owned())
    }
}
