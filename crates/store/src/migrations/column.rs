//! The few kinds of column there are, and how tables get more of them. Times are milliseconds in a `bigint`,
//! because text instants do not order the same way on both databases.

use pressroom_base::id::ShortId;
use sea_orm::{ConnectionTrait, Statement};
use sea_orm_migration::prelude::*;

pub(super) fn id() -> ColumnDef {
    ColumnDef::new("id")
        .big_integer()
        .not_null()
        .auto_increment()
        .primary_key()
        .take()
}

pub(super) fn text(name: &'static str) -> ColumnDef {
    ColumnDef::new(name).text().not_null().take()
}

pub(super) fn maybe_text(name: &'static str) -> ColumnDef {
    ColumnDef::new(name).text().null().take()
}

/// A time, a count or another row's id.
pub(super) fn number(name: &'static str) -> ColumnDef {
    ColumnDef::new(name).big_integer().not_null().take()
}

pub(super) fn maybe_number(name: &'static str) -> ColumnDef {
    ColumnDef::new(name).big_integer().null().take()
}

pub(super) fn bytes(name: &'static str) -> ColumnDef {
    ColumnDef::new(name).blob().not_null().take()
}

pub(super) fn small(name: &'static str) -> ColumnDef {
    ColumnDef::new(name).integer().not_null().take()
}

pub(super) fn flag(name: &'static str) -> ColumnDef {
    ColumnDef::new(name).boolean().not_null().take()
}

pub(super) fn maybe_flag(name: &'static str) -> ColumnDef {
    ColumnDef::new(name).boolean().null().take()
}

/// A table with these columns, made unless it exists.
pub(super) fn table(
    name: &'static str,
    columns: impl IntoIterator<Item = ColumnDef>,
) -> TableCreateStatement {
    let mut table = Table::create();
    table.table(name).if_not_exists().col(id());
    for column in columns {
        table.col(column);
    }
    table
}

/// A reference to `to.id`.
pub(super) fn reference(
    from: &'static str,
    column: &'static str,
    to: &'static str,
    on_delete: ForeignKeyAction,
) -> ForeignKeyCreateStatement {
    ForeignKey::create()
        .name(format!("fk_{from}_{column}"))
        .from(from, column)
        .to(to, "id")
        .on_delete(on_delete)
        .take()
}

/// An index, made unless it exists. `condition` restricts it to some rows, which
/// both databases can do and spell alike.
pub(super) async fn index(
    manager: &SchemaManager<'_>,
    unique: bool,
    name: &str,
    on: &str,
    condition: &str,
) -> Result<(), DbErr> {
    let kind = if unique { "UNIQUE INDEX" } else { "INDEX" };
    let condition = if condition.is_empty() {
        String::new()
    } else {
        format!(" WHERE {condition}")
    };
    manager
        .get_connection()
        .execute_unprepared(&format!(
            "CREATE {kind} IF NOT EXISTS {name} ON {on}{condition}"
        ))
        .await?;
    Ok(())
}

/// Adds columns, each with its kind, unless they are there: SQLite cannot do so by itself.
pub(super) async fn add(
    manager: &SchemaManager<'_>,
    table: &str,
    columns: &[(&str, &str)],
) -> Result<(), DbErr> {
    for (column, kind) in columns {
        if !manager.has_column(table, column).await? {
            let add = format!("ALTER TABLE {table} ADD COLUMN {column} {kind}");
            manager.get_connection().execute_unprepared(&add).await?;
        }
    }
    Ok(())
}

/// Gives each row without one a name for programs.
pub(super) async fn name_rows(
    manager: &SchemaManager<'_>,
    table: &str,
    column: &str,
) -> Result<(), DbErr> {
    let connection = manager.get_connection();
    let backend = manager.get_database_backend();
    let unnamed = format!("SELECT id FROM {table} WHERE {column} IS NULL");
    let rows = connection
        .query_all_raw(Statement::from_string(backend, unnamed))
        .await?;
    for row in rows {
        let id: i64 = row.try_get("", "id")?;
        connection
            .execute_raw(Statement::from_sql_and_values(
                backend,
                format!("UPDATE {table} SET {column} = $1 WHERE id = $2"),
                [ShortId::random().as_str().into(), id.into()],
            ))
            .await?;
    }
    Ok(())
}
