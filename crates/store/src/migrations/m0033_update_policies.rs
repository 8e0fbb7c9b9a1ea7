//! What is updated by itself and when: policies, the turns of sites, what was begun by them,
//! and since when releases are known.

use super::{
    column::{flag, index, maybe_flag, maybe_number, maybe_text, number, reference, table, text},
    step,
};
use sea_orm_migration::prelude::*;

step!("m0033_update_policies", up);

async fn up(manager: &SchemaManager<'_>) -> Result<(), DbErr> {
    manager
        .create_table(
            table(
                "update_policies",
                [
                    maybe_number("account_id"),
                    maybe_number("site_id"),
                    maybe_flag("automatic"),
                    maybe_number("hold_days"),
                    maybe_flag("minor_only"),
                    maybe_text("exclusions"),
                    maybe_text("windows"),
                    maybe_text("time_zone"),
                    maybe_flag("auto_approve"),
                    maybe_number("set_by"),
                    text("actor"),
                    number("updated_at"),
                ],
            )
            .foreign_key(&mut below("update_policies", "account_id", "accounts"))
            .foreign_key(&mut below("update_policies", "site_id", "sites"))
            .take(),
        )
        .await?;
    manager
        .create_table(
            table(
                "update_turns",
                [
                    number("site_id"),
                    number("due_at"),
                    maybe_text("claim"),
                    maybe_number("lease_until"),
                    maybe_text("zone"),
                ],
            )
            .foreign_key(&mut below("update_turns", "site_id", "sites"))
            .take(),
        )
        .await?;
    manager
        .create_table(
            table(
                "update_tries",
                [
                    number("site_id"),
                    text("kind"),
                    text("slug"),
                    text("version"),
                    number("at"),
                ],
            )
            .foreign_key(&mut below("update_tries", "site_id", "sites"))
            .take(),
        )
        .await?;
    manager
        .create_table(
            table(
                "releases",
                [
                    text("kind"),
                    text("slug"),
                    text("version"),
                    number("seen_at"),
                    maybe_number("released_at"),
                    flag("asked"),
                ],
            )
            .take(),
        )
        .await?;
    for (unique, name, on, condition) in [
        (
            true,
            "update_policies_account",
            "update_policies (account_id)",
            "account_id IS NOT NULL",
        ),
        (
            true,
            "update_policies_site",
            "update_policies (site_id)",
            "site_id IS NOT NULL",
        ),
        (true, "update_turns_site", "update_turns (site_id)", ""),
        (false, "update_turns_due", "update_turns (due_at)", ""),
        // Of several that would begin the same update at a site, the database lets one.
        (
            true,
            "update_tries_once",
            "update_tries (site_id, kind, slug)",
            "",
        ),
        (true, "releases_once", "releases (kind, slug, version)", ""),
    ] {
        index(manager, unique, name, on, condition).await?;
    }
    Ok(())
}

fn below(table: &'static str, column: &'static str, to: &'static str) -> ForeignKeyCreateStatement {
    reference(table, column, to, ForeignKeyAction::Cascade)
}
