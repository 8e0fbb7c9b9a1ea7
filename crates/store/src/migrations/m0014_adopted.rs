//! Sites that were there before Pressroom: where sessions with them start, what they run
//! on, and how they are asked.

use super::{
    column::{add, index},
    step,
};
use sea_orm_migration::prelude::*;

step!("m0014_adopted", up);

async fn up(manager: &SchemaManager<'_>) -> Result<(), DbErr> {
    let columns = [
        ("home", "text NULL"),
        ("php", "text NULL"),
        ("origin_tls", "boolean NOT NULL DEFAULT FALSE"),
    ];
    add(manager, "environments", &columns).await?;
    index(
        manager,
        false,
        "environments_home",
        "environments (home)",
        "home IS NOT NULL",
    )
    .await
}
