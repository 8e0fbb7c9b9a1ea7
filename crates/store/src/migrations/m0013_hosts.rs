//! Machines that are reached over SSH, the keys that open them, and which sites are
//! there.

use super::{
    column::{flag, index, maybe_number, maybe_text, number, reference, small, table, text},
    step,
};
use sea_orm_migration::prelude::*;

step!("m0013_hosts", up);

async fn up(manager: &SchemaManager<'_>) -> Result<(), DbErr> {
    keys(manager).await?;
    hosts(manager).await?;
    environments(manager).await
}

async fn keys(manager: &SchemaManager<'_>) -> Result<(), DbErr> {
    manager
        .create_table(
            table(
                "ssh_keys",
                [
                    number("account_id"),
                    text("label"),
                    text("kind"),
                    text("public_line"),
                    text("fingerprint"),
                    text("private_sealed"),
                    flag("is_primary"),
                    number("created_at"),
                ],
            )
            .foreign_key(&mut reference(
                "ssh_keys",
                "account_id",
                "accounts",
                ForeignKeyAction::Restrict,
            ))
            .take(),
        )
        .await?;
    index(
        manager,
        true,
        "ssh_keys_fingerprint",
        "ssh_keys (account_id, fingerprint)",
        "",
    )
    .await?;
    index(
        manager,
        true,
        "ssh_keys_primary",
        "ssh_keys (account_id)",
        "is_primary",
    )
    .await
}

async fn hosts(manager: &SchemaManager<'_>) -> Result<(), DbErr> {
    manager
        .create_table(
            table(
                "hosts",
                vec![
                    number("account_id"),
                    text("label"),
                    text("address"),
                    small("port"),
                    text("login"),
                    maybe_number("key_id"),
                    maybe_number("jump_id"),
                    maybe_text("host_key_algorithm"),
                    maybe_text("host_key"),
                    text("status"),
                    maybe_text("survey"),
                    maybe_number("surveyed_at"),
                    number("created_at"),
                ],
            )
            .foreign_key(&mut reference(
                "hosts",
                "account_id",
                "accounts",
                ForeignKeyAction::Restrict,
            ))
            .foreign_key(&mut reference(
                "hosts",
                "key_id",
                "ssh_keys",
                ForeignKeyAction::Restrict,
            ))
            .foreign_key(&mut reference(
                "hosts",
                "jump_id",
                "hosts",
                ForeignKeyAction::Restrict,
            ))
            .take(),
        )
        .await?;
    index(
        manager,
        true,
        "hosts_place",
        "hosts (account_id, address, port, login)",
        "",
    )
    .await?;
    index(manager, false, "hosts_key", "hosts (key_id)", "").await?;
    index(manager, false, "hosts_jump", "hosts (jump_id)", "").await
}

/// A site has a domain of ours or a host, never both, and its directory is its own on
/// the machine it lives on.
async fn environments(manager: &SchemaManager<'_>) -> Result<(), DbErr> {
    let connection = manager.get_connection();
    // SQLite cannot add a column "if it is not there", nor a rule to a table: both come
    // with the column.
    if !manager.has_column("environments", "host_id").await? {
        connection
            .execute_unprepared(
                "ALTER TABLE environments ADD COLUMN host_id bigint NULL \
                 CONSTRAINT fk_environments_host_id REFERENCES hosts (id) ON DELETE RESTRICT \
                 CONSTRAINT environments_one_place \
                 CHECK (host_id IS NULL OR domain_id IS NULL)",
            )
            .await?;
    }
    // Under its old name, so that no step before this one makes the wider rule again.
    connection
        .execute_unprepared("DROP INDEX IF EXISTS environments_root")
        .await?;
    index(
        manager,
        true,
        "environments_root",
        "environments (root)",
        "state <> 'failed' AND host_id IS NULL",
    )
    .await?;
    index(
        manager,
        true,
        "environments_host_root",
        "environments (host_id, root)",
        "state <> 'failed' AND host_id IS NOT NULL",
    )
    .await
}
