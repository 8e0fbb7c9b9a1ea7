//! Sites that are known by their address before anything of them is reached, and how
//! sites are.

use super::{
    column::{add, index},
    step,
};
use sea_orm_migration::prelude::*;

step!("m0021_watched_sites", up);

async fn up(manager: &SchemaManager<'_>) -> Result<(), DbErr> {
    let columns = [
        ("url", "text NULL"),
        ("method", "text NULL"),
        ("place", "text NULL"),
        ("status", "text NOT NULL DEFAULT 'pending'"),
        ("status_since", "bigint NULL"),
        ("checked_at", "bigint NULL"),
        ("paused", "boolean NOT NULL DEFAULT FALSE"),
        ("updated_at", "bigint NULL"),
    ];
    add(manager, "sites", &columns).await?;
    index(
        manager,
        true,
        "sites_url",
        "sites (account_id, url)",
        "url IS NOT NULL",
    )
    .await
}
