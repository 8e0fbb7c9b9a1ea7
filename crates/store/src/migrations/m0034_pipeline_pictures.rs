//! Pictures of a site's pages before and after an update, kept in the archive.

use super::{
    column::{flag, index, maybe_text, number, small, table, text},
    step,
};
use sea_orm_migration::prelude::*;

step!("m0034_pipeline_pictures", up);

/// No row goes with its pipeline by itself: it says which object is to be removed first.
async fn up(manager: &SchemaManager<'_>) -> Result<(), DbErr> {
    manager
        .create_table(
            table(
                "pipeline_pictures",
                [
                    text("short_id"),
                    number("pipeline_id"),
                    number("account_id"),
                    number("environment_id"),
                    text("stage"),
                    maybe_text("target"),
                    text("page"),
                    text("screen"),
                    text("moment"),
                    text("shot"),
                    small("width"),
                    small("height"),
                    text("areas"),
                    flag("changed"),
                    number("size"),
                    text("state"),
                    number("at"),
                ],
            )
            .take(),
        )
        .await?;
    index(
        manager,
        true,
        "pipeline_pictures_short_id",
        "pipeline_pictures (short_id)",
        "",
    )
    .await?;
    index(
        manager,
        false,
        "pipeline_pictures_of",
        "pipeline_pictures (pipeline_id, id)",
        "",
    )
    .await
}
