//! Operations on many environments at once, and what each printed.

use super::{
    column::{bytes, index, maybe_number, number, reference, small, table, text},
    step,
};
use sea_orm_migration::prelude::*;

step!("m0015_runs", up);

async fn up(manager: &SchemaManager<'_>) -> Result<(), DbErr> {
    manager
        .create_table(table(
            "runs",
            [
                text("public_id"),
                maybe_number("job_id"),
                maybe_number("requested_by"),
                text("actor"),
                text("selector"),
                text("operation"),
                small("at_once"),
                small("per_host"),
                number("wait_ms"),
                maybe_number("resumes"),
                text("state"),
                number("created_at"),
                maybe_number("ended_at"),
            ],
        ))
        .await?;
    index(manager, true, "runs_public_id", "runs (public_id)", "").await?;
    index(manager, false, "runs_asked", "runs (requested_by, id)", "").await?;
    // Neither environment nor account is a reference: what was done outlives them.
    let mut items = table(
        "run_items",
        [
            number("run_id"),
            small("ordinal"),
            number("environment_id"),
            number("account_id"),
            maybe_number("host_id"),
            text("panel_id"),
            text("label"),
            text("state"),
            maybe_number("job_id"),
            maybe_number("exit_code"),
            maybe_number("signal"),
            number("dropped_bytes"),
            text("note"),
            maybe_number("started_at"),
            maybe_number("ended_at"),
        ],
    );
    items.foreign_key(&mut reference(
        "run_items",
        "run_id",
        "runs",
        ForeignKeyAction::Cascade,
    ));
    manager.create_table(items).await?;
    index(
        manager,
        true,
        "run_items_ordinal",
        "run_items (run_id, ordinal)",
        "",
    )
    .await?;
    let mut output = table(
        "run_output",
        [
            number("item_id"),
            small("seq"),
            text("channel"),
            bytes("bytes"),
        ],
    );
    output.foreign_key(&mut reference(
        "run_output",
        "item_id",
        "run_items",
        ForeignKeyAction::Cascade,
    ));
    manager.create_table(output).await?;
    index(
        manager,
        true,
        "run_output_seq",
        "run_output (item_id, seq)",
        "",
    )
    .await
}
