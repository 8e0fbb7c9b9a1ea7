//! The lease table, what jobs record, and the sequence of epochs.

use super::{
    column::{flag, index, maybe_number, maybe_text, number, reference, small, table, text},
    step,
};
use sea_orm_migration::prelude::*;

step!("m0003_jobs", up);

async fn up(manager: &SchemaManager<'_>) -> Result<(), DbErr> {
    // `environment_id` is no reference: a job's record outlives its environment.
    manager
        .create_table(table(
            "jobs",
            vec![
                text("public_id"),
                text("kind"),
                text("payload"),
                maybe_text("secrets_sealed"),
                maybe_number("environment_id"),
                maybe_number("account_id"),
                text("lane"),
                small("priority"),
                text("state"),
                number("run_at"),
                small("attempt"),
                small("max_attempts"),
                flag("interrupted"),
                maybe_text("undo_to"),
                number("epoch"),
                maybe_text("holder"),
                maybe_number("lease_until"),
                maybe_number("cancel_requested_at"),
                maybe_text("cancel_reason"),
                maybe_text("dedupe_key"),
                maybe_number("parent_id"),
                maybe_number("requested_by"),
                small("progress"),
                text("step"),
                text("message"),
                maybe_text("result"),
                maybe_text("result_sealed"),
                maybe_text("error_kind"),
                maybe_text("error_message"),
                maybe_text("error_hint"),
                maybe_text("error_code"),
                number("created_at"),
                maybe_number("started_at"),
                maybe_number("finished_at"),
            ],
        ))
        .await?;
    index(manager, true, "jobs_public_id", "jobs (public_id)", "").await?;
    // The database, not code, keeps a second writer from an environment.
    index(
        manager,
        true,
        "jobs_one_writer",
        "jobs (environment_id)",
        "lane = 'write' AND state = 'running'",
    )
    .await?;
    index(
        manager,
        true,
        "jobs_dedupe",
        "jobs (dedupe_key)",
        "state IN ('queued', 'running')",
    )
    .await?;
    index(
        manager,
        false,
        "jobs_queue",
        "jobs (priority DESC, run_at, id)",
        "state = 'queued'",
    )
    .await?;
    index(
        manager,
        false,
        "jobs_leases",
        "jobs (lease_until)",
        "state = 'running'",
    )
    .await?;
    index(
        manager,
        false,
        "jobs_environment",
        "jobs (environment_id, id)",
        "",
    )
    .await?;
    index(manager, false, "jobs_account", "jobs (account_id, id)", "").await?;

    manager
        .create_table(
            table(
                "job_steps",
                [
                    number("job_id"),
                    small("position"),
                    text("name"),
                    small("attempt"),
                    text("state"),
                    text("intent"),
                    maybe_text("result"),
                    number("started_at"),
                    maybe_number("finished_at"),
                ],
            )
            .foreign_key(&mut reference(
                "job_steps",
                "job_id",
                "jobs",
                ForeignKeyAction::Cascade,
            ))
            .take(),
        )
        .await?;
    index(
        manager,
        true,
        "job_steps_position",
        "job_steps (job_id, position)",
        "",
    )
    .await?;

    manager
        .create_table(
            table(
                "job_output",
                [number("job_id"), small("seq"), number("at"), text("text")],
            )
            .foreign_key(&mut reference(
                "job_output",
                "job_id",
                "jobs",
                ForeignKeyAction::Cascade,
            ))
            .take(),
        )
        .await?;
    index(
        manager,
        true,
        "job_output_seq",
        "job_output (job_id, seq)",
        "",
    )
    .await?;

    manager
        .create_table(table("counters", [text("name"), number("value")]))
        .await?;
    index(manager, true, "counters_name", "counters (name)", "").await?;
    manager
        .get_connection()
        .execute_unprepared(
            "INSERT INTO counters (name, value) VALUES ('epoch', 0) ON CONFLICT DO NOTHING",
        )
        .await?;
    Ok(())
}
