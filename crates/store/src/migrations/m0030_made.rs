//! What a request that may come again has made, where that is no job.

use super::{column::add, step};
use sea_orm_migration::prelude::*;

step!("m0030_made", up);

async fn up(manager: &SchemaManager<'_>) -> Result<(), DbErr> {
    add(manager, "idempotency", &[("made", "bigint NULL")]).await
}
