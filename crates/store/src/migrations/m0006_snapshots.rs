//! Records of snapshots.

use super::{
    column::{index, maybe_number, maybe_text, number, reference, table, text},
    step,
};
use sea_orm_migration::prelude::*;

step!("m0006_snapshots", up);

async fn up(manager: &SchemaManager<'_>) -> Result<(), DbErr> {
    // `environment_id` is no reference: a snapshot may be what is left of its
    // environment. An account is not forgotten while it has any.
    manager
        .create_table(
            table(
                "snapshots",
                [
                    text("public_id"),
                    number("environment_id"),
                    number("account_id"),
                    text("format"),
                    text("state"),
                    number("size"),
                    maybe_text("sha256"),
                    maybe_number("verified_at"),
                    text("wordpress_version"),
                    maybe_number("job_id"),
                    maybe_number("created_by"),
                    text("note"),
                    text("store"),
                    text("object_key"),
                    maybe_text("fault"),
                    number("created_at"),
                    maybe_number("finished_at"),
                    maybe_number("expires_at"),
                ],
            )
            .foreign_key(&mut reference(
                "snapshots",
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
        "snapshots_public_id",
        "snapshots (public_id)",
        "",
    )
    .await?;
    index(
        manager,
        true,
        "snapshots_object",
        "snapshots (store, object_key)",
        "",
    )
    .await?;
    index(
        manager,
        false,
        "snapshots_environment",
        "snapshots (environment_id)",
        "",
    )
    .await?;
    index(
        manager,
        false,
        "snapshots_account",
        "snapshots (account_id)",
        "",
    )
    .await?;
    index(
        manager,
        false,
        "snapshots_expiry",
        "snapshots (expires_at)",
        "state = 'ready'",
    )
    .await
}
