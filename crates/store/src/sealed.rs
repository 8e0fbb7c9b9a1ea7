//! Everything that is sealed, to be sealed anew when the key is exchanged.

use crate::{
    Error, Result, Store, environments, idempotency, jobs, mails, second_factors, sql, ssh_keys,
    webhooks,
};
use pressroom_base::keyring::Keyring;
use sea_orm::{ConnectionTrait, QueryResult, Statement};

/// A column of sealed values.
struct Column {
    table: &'static str,
    name: &'static str,
    /// What the place is made of.
    named_by: &'static str,
    place: fn(&QueryResult) -> Result<String>,
    /// Which values of the column are sealed at all.
    only: &'static str,
}

const fn column(
    table: &'static str,
    name: &'static str,
    named_by: &'static str,
    place: fn(&QueryResult) -> Result<String>,
) -> Column {
    Column {
        table,
        name,
        named_by,
        place,
        only: "",
    }
}

/// All there are; a test holds them against the columns of the database.
const COLUMNS: &[Column] = &[
    column(
        "environments",
        "db_password_sealed",
        "panel_id",
        environments::place_of_row,
    ),
    column(
        "jobs",
        "secrets_sealed",
        "public_id",
        jobs::secrets_place_of_row,
    ),
    column(
        "jobs",
        "result_sealed",
        "public_id",
        jobs::result_place_of_row,
    ),
    column(
        "second_factors",
        "secret_sealed",
        "user_id",
        second_factors::place_of_row,
    ),
    column(
        "idempotency",
        "body_sealed",
        "id",
        idempotency::place_of_row,
    ),
    column(
        "ssh_keys",
        "private_sealed",
        "account_id, fingerprint",
        ssh_keys::place_of_row,
    ),
    column(
        "webhook_endpoints",
        "secret_sealed",
        "short_id",
        webhooks::endpoints::place_of_row,
    ),
    column(
        "webhook_endpoints",
        "old_secret_sealed",
        "short_id",
        webhooks::endpoints::place_of_row,
    ),
    column("mails", "secret_sealed", "id", mails::place_of_row),
    Column {
        only: "AND value LIKE 'v1.%'",
        ..column("settings", "value", "name", setting_place)
    },
];

fn setting_place(row: &QueryResult) -> Result<String> {
    let name: String = row.try_get("", "name")?;
    Ok(format!("settings.value/{name}"))
}

/// Rows looked at in one transaction.
const BATCH: i64 = 200;

/// What came of looking at everything that is sealed.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Found {
    /// Opened with the key that seals now.
    pub current: u64,
    /// Opened with an older key; sealed anew by [`renew`].
    pub older: u64,
    /// Opened with none: `table.column` and the row.
    pub shut: Vec<String>,
}

/// Opens everything that is sealed and changes nothing.
pub async fn look(store: &Store) -> Result<Found> {
    each(store, false).await
}

/// Seals with the newest key whatever was sealed with an older one. Others may go on
/// using the store: a value that changes meanwhile keeps its change.
pub async fn renew(store: &Store) -> Result<Found> {
    each(store, true).await
}

/// Refuses a database whose secrets do not all open.
pub(crate) async fn refuse_shut(
    from: &impl ConnectionTrait,
    has: impl Fn(&str) -> bool,
    keyring: &Keyring,
) -> Result<()> {
    for column in COLUMNS.iter().filter(|column| has(column.table)) {
        let mut last = 0;
        loop {
            let rows = rows(from, column, last).await?;
            let Some(end) = rows.last() else {
                break;
            };
            last = end.id;
            for row in rows {
                if keyring.open(&row.place, &row.sealed).is_err() {
                    return Err(Error::Copy(format!(
                        "`{}.{}` of row {} does not open with this key",
                        column.table, column.name, row.id
                    )));
                }
            }
        }
    }
    Ok(())
}

/// The columns that hold sealed values, as `table.column`.
pub fn columns() -> impl Iterator<Item = String> {
    COLUMNS
        .iter()
        .map(|column| format!("{}.{}", column.table, column.name))
}

async fn each(store: &Store, renews: bool) -> Result<Found> {
    let mut found = Found::default();
    for column in COLUMNS {
        let mut last = 0;
        while let Some(end) = batch(store, column, last, renews, &mut found).await? {
            last = end;
        }
    }
    Ok(found)
}

/// A sealed value.
struct Row {
    id: i64,
    place: String,
    sealed: String,
}

/// The rows after `last` that have one.
async fn rows(from: &impl ConnectionTrait, column: &Column, last: i64) -> Result<Vec<Row>> {
    let Column {
        table,
        name,
        named_by,
        only,
        place,
    } = column;
    let named_by = match *named_by {
        "id" => String::new(),
        columns => format!(", {columns}"),
    };
    let sql = format!(
        "SELECT id, {name}{named_by} FROM {table} \
         WHERE id > $1 AND {name} IS NOT NULL {only} ORDER BY id LIMIT $2"
    );
    let backend = from.get_database_backend();
    let statement = Statement::from_sql_and_values(backend, sql, [last.into(), BATCH.into()]);
    from.query_all_raw(statement)
        .await?
        .iter()
        .map(|row| {
            Ok(Row {
                id: row.try_get("", "id")?,
                place: place(row)?,
                sealed: row.try_get("", name)?,
            })
        })
        .collect()
}

/// Looks at the rows after `last`; answers the last of them.
async fn batch(
    store: &Store,
    column: &Column,
    last: i64,
    renews: bool,
    found: &mut Found,
) -> Result<Option<i64>> {
    let Column { table, name, .. } = column;
    let newest = store.keyring().newest();
    let mut renewed = Vec::new();
    let mut end = None;
    for Row { id, place, sealed } in rows(store.reader(), column, last).await? {
        end = Some(id);
        if newest.open(&place, &sealed).is_ok() {
            found.current += 1;
        } else if let Ok(plain) = store.unseal(&place, &sealed) {
            found.older += 1;
            renewed.push((id, store.seal(&place, &plain), sealed));
        } else {
            found.shut.push(format!("{table}.{name}, row {id}"));
        }
    }
    if renews && !renewed.is_empty() {
        let tx = store.begin().await?;
        for (id, now, before) in renewed {
            sql::run(
                &tx,
                format!("UPDATE {table} SET {name} = $1 WHERE id = $2 AND {name} = $3"),
                [now.into(), id.into(), before.into()],
            )
            .await?;
        }
        tx.commit().await?;
    }
    Ok(end)
}
