//! Safe updates: what is to be updated at a site, how far that came, and what was found.

use super::{
    column::{
        flag, index, maybe_flag, maybe_number, maybe_text, number, reference, small, table, text,
    },
    step,
};
use sea_orm_migration::prelude::*;

step!("m0032_pipelines", up);

async fn up(manager: &SchemaManager<'_>) -> Result<(), DbErr> {
    manager
        .create_table(
            table(
                "pipelines",
                vec![
                    text("short_id"),
                    number("site_id"),
                    number("account_id"),
                    number("environment_id"),
                    text("status"),
                    text("options"),
                    text("stages"),
                    flag("requires_approval"),
                    maybe_number("scheduled_at"),
                    maybe_text("rollout"),
                    flag("canary"),
                    maybe_text("approval"),
                    maybe_number("approval_until"),
                    maybe_text("back"),
                    maybe_text("snapshot_id"),
                    maybe_text("baseline_check_id"),
                    maybe_text("final_check_id"),
                    maybe_text("error"),
                    maybe_number("job_id"),
                    maybe_number("created_by"),
                    text("actor"),
                    number("created_at"),
                    maybe_number("started_at"),
                    maybe_number("finished_at"),
                    number("updated_at"),
                ],
            )
            .take(),
        )
        .await?;
    index(
        manager,
        true,
        "pipelines_short_id",
        "pipelines (short_id)",
        "",
    )
    .await?;
    // Of two that are asked for at once, the database lets one be.
    index(
        manager,
        true,
        "pipelines_one_of_site",
        "pipelines (site_id)",
        "finished_at IS NULL",
    )
    .await?;
    index(
        manager,
        false,
        "pipelines_of_site",
        "pipelines (site_id, created_at)",
        "",
    )
    .await?;
    index(
        manager,
        false,
        "pipelines_open",
        "pipelines (status)",
        "finished_at IS NULL",
    )
    .await?;
    index(
        manager,
        false,
        "pipelines_rollout",
        "pipelines (account_id, rollout)",
        "rollout IS NOT NULL",
    )
    .await?;
    manager
        .create_table(
            table(
                "pipeline_targets",
                [
                    number("pipeline_id"),
                    small("ordinal"),
                    text("kind"),
                    text("slug"),
                    text("name"),
                    maybe_text("wanted"),
                    maybe_text("from_version"),
                    maybe_text("to_version"),
                    maybe_flag("active"),
                    text("status"),
                    maybe_text("error"),
                    text("detail"),
                ],
            )
            .foreign_key(&mut below("pipeline_targets"))
            .take(),
        )
        .await?;
    index(
        manager,
        true,
        "pipeline_targets_each_once",
        "pipeline_targets (pipeline_id, kind, slug)",
        "",
    )
    .await?;
    manager
        .create_table(
            table(
                "pipeline_findings",
                [
                    number("pipeline_id"),
                    text("stage"),
                    maybe_text("target"),
                    text("what"),
                    text("severity"),
                    text("place"),
                    text("was"),
                    text("now"),
                    text("message"),
                    number("at"),
                ],
            )
            .foreign_key(&mut below("pipeline_findings"))
            .take(),
        )
        .await?;
    index(
        manager,
        false,
        "pipeline_findings_of",
        "pipeline_findings (pipeline_id, id)",
        "",
    )
    .await
}

fn below(table: &'static str) -> ForeignKeyCreateStatement {
    reference(table, "pipeline_id", "pipelines", ForeignKeyAction::Cascade)
}
