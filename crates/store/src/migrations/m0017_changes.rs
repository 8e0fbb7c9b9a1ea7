//! What changed in the sight of selectors, marked by the database itself in the
//! transaction of the change.
//!
//! Triggers, and not the functions that write: no statement gets past them, whoever
//! wrote it, and they alone see cheaply that a row was written as it was before, which
//! is what most looks at a site do.

use super::{
    column::{id, index, number, text},
    step,
};
use sea_orm::DbBackend;
use sea_orm_migration::prelude::*;

step!("m0017_changes", up);

/// A table whose rows selectors see.
struct Watched {
    table: &'static str,
    /// What is marked.
    subject: &'static str,
    /// The column with its id.
    key: &'static str,
    /// What must differ for an update to be a change.
    seen: &'static [&'static str],
    /// Whether rows that come and go are changes too.
    comes_and_goes: bool,
}

const WATCHED: [Watched; 8] = [
    Watched {
        table: "environments",
        subject: "environment",
        key: "id",
        seen: &[
            "site_id",
            "account_id",
            "domain_id",
            "host_id",
            "kind",
            "panel_id",
            "root",
            "url",
            "state",
            "core_version",
            "php_version",
            "inspected_at IS NULL",
        ],
        comes_and_goes: true,
    },
    Watched {
        table: "components",
        subject: "environment",
        key: "environment_id",
        seen: &[
            "kind",
            "slug",
            "version",
            "new_version IS NULL",
            "offer_unknown IS NULL",
        ],
        comes_and_goes: true,
    },
    Watched {
        table: "snapshots",
        subject: "environment",
        key: "environment_id",
        seen: &["state", "contents", "created_at", "fault IS NULL"],
        comes_and_goes: true,
    },
    Watched {
        table: "environment_tags",
        subject: "environment",
        key: "environment_id",
        seen: &["tag"],
        comes_and_goes: true,
    },
    Watched::named("accounts", "account", &["name"]),
    Watched::named("sites", "site", &["name"]),
    Watched::named("domains", "domain", &["name"]),
    Watched::named("hosts", "host", &["label", "address"]),
];

impl Watched {
    /// A table that environments refer to: only its names are seen.
    const fn named(
        table: &'static str,
        subject: &'static str,
        seen: &'static [&'static str],
    ) -> Self {
        Self {
            table,
            subject,
            key: "id",
            seen,
            comes_and_goes: false,
        }
    }

    /// When each trigger fires, with the row that tells whose change it was.
    fn triggers(&self) -> Vec<(&'static str, &'static str, String)> {
        let differs = |what: &&str| format!("(OLD.{what}) IS DISTINCT FROM (NEW.{what})");
        let differs: Vec<_> = self.seen.iter().map(differs).collect();
        let mut all = vec![("update", "NEW", format!("WHEN ({})", differs.join(" OR ")))];
        if self.comes_and_goes {
            all.push(("insert", "NEW", String::new()));
            all.push(("delete", "OLD", String::new()));
        }
        all
    }
}

async fn up(manager: &SchemaManager<'_>) -> Result<(), DbErr> {
    // No reference to anything: a mark outlives what was removed, and says so.
    manager
        .create_table(
            Table::create()
                .table("changes")
                .if_not_exists()
                .col(id())
                .col(text("subject"))
                .col(number("subject_id"))
                .col(number("stamp"))
                .take(),
        )
        .await?;
    index(
        manager,
        true,
        "changes_subject",
        "changes (subject, subject_id)",
        "",
    )
    .await?;
    index(manager, false, "changes_stamp", "changes (stamp)", "").await?;
    let is_sqlite = manager.get_database_backend() == DbBackend::Sqlite;
    if !is_sqlite {
        manager
            .get_connection()
            .execute_unprepared(POSTGRES_MARK)
            .await?;
    }
    for watched in &WATCHED {
        for (event, row, when) in watched.triggers() {
            let sql = if is_sqlite {
                on_sqlite(watched, event, row, &when)
            } else {
                on_postgres(watched, event, &when)
            };
            manager.get_connection().execute_unprepared(&sql).await?;
        }
    }
    Ok(())
}

/// One writer at a time: numbers rise in the order of commits.
fn on_sqlite(watched: &Watched, event: &str, row: &str, when: &str) -> String {
    let Watched {
        table,
        subject,
        key,
        ..
    } = watched;
    format!(
        "CREATE TRIGGER IF NOT EXISTS {table}_changed_by_{event} AFTER {event} ON {table} \
         FOR EACH ROW {when} BEGIN \
         INSERT INTO changes (subject, subject_id, stamp) \
         VALUES ('{subject}', {row}.{key}, (SELECT COALESCE(MAX(stamp), 0) + 1 FROM changes)) \
         ON CONFLICT (subject, subject_id) DO UPDATE SET stamp = excluded.stamp; END"
    )
}

fn on_postgres(watched: &Watched, event: &str, when: &str) -> String {
    let Watched {
        table,
        subject,
        key,
        ..
    } = watched;
    format!(
        "DROP TRIGGER IF EXISTS {table}_changed_by_{event} ON {table}; \
         CREATE TRIGGER {table}_changed_by_{event} AFTER {event} ON {table} \
         FOR EACH ROW {when} EXECUTE FUNCTION mark_changed('{subject}', '{key}')"
    )
}

/// Neither numbers nor clocks rise in the order of commits there, so a mark is the
/// transaction itself: whether it was over is a question that a snapshot answers.
const POSTGRES_MARK: &str = "
CREATE OR REPLACE FUNCTION mark_changed() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    changed record;
    marked bigint;
BEGIN
    IF TG_OP = 'DELETE' THEN changed := OLD; ELSE changed := NEW; END IF;
    IF TG_ARGV[1] = 'id' THEN marked := changed.id; ELSE marked := changed.environment_id; END IF;
    INSERT INTO changes AS c (subject, subject_id, stamp)
    VALUES (TG_ARGV[0], marked, pg_current_xact_id()::text::bigint)
    ON CONFLICT (subject, subject_id) DO UPDATE SET stamp = excluded.stamp
    WHERE c.stamp <> excluded.stamp;
    RETURN NULL;
END $$";
