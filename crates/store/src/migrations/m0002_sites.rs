//! Domains, sites, their environments and components, and what Pressroom made
//! outside its store.

use super::{
    column::{flag, index, maybe_number, maybe_text, number, reference, table, text},
    step,
};
use sea_orm_migration::prelude::*;

step!("m0002_sites", up);

async fn up(manager: &SchemaManager<'_>) -> Result<(), DbErr> {
    manager
        .create_table(
            table(
                "domains",
                [
                    number("account_id"),
                    text("name"),
                    text("root"),
                    maybe_text("unix_user"),
                    number("created_at"),
                ],
            )
            .foreign_key(&mut reference(
                "domains",
                "account_id",
                "accounts",
                ForeignKeyAction::Restrict,
            ))
            .take(),
        )
        .await?;
    index(manager, true, "domains_name", "domains (name)", "").await?;
    index(
        manager,
        false,
        "domains_account",
        "domains (account_id)",
        "",
    )
    .await?;

    manager
        .create_table(
            table(
                "sites",
                [
                    number("account_id"),
                    text("public_id"),
                    text("name"),
                    number("created_at"),
                ],
            )
            .foreign_key(&mut reference(
                "sites",
                "account_id",
                "accounts",
                ForeignKeyAction::Restrict,
            ))
            .take(),
        )
        .await?;
    index(manager, true, "sites_public_id", "sites (public_id)", "").await?;
    index(manager, false, "sites_account", "sites (account_id)", "").await?;

    manager
        .create_table(
            table(
                "environments",
                vec![
                    number("site_id"),
                    number("account_id"),
                    maybe_number("domain_id"),
                    text("kind"),
                    text("panel_id"),
                    text("root"),
                    text("path"),
                    text("url"),
                    maybe_text("origin_addr"),
                    maybe_text("origin_host"),
                    maybe_text("unix_user"),
                    text("state"),
                    text("db_name"),
                    text("db_user"),
                    text("db_host"),
                    maybe_text("db_password_sealed"),
                    text("table_prefix"),
                    text("core_version"),
                    text("locale"),
                    text("title"),
                    text("php_version"),
                    flag("multisite"),
                    flag("debug"),
                    maybe_number("inspected_at"),
                    number("created_at"),
                ],
            )
            .foreign_key(&mut reference(
                "environments",
                "site_id",
                "sites",
                ForeignKeyAction::Restrict,
            ))
            .foreign_key(&mut reference(
                "environments",
                "account_id",
                "accounts",
                ForeignKeyAction::Restrict,
            ))
            .foreign_key(&mut reference(
                "environments",
                "domain_id",
                "domains",
                ForeignKeyAction::Restrict,
            ))
            .take(),
        )
        .await?;
    index(
        manager,
        true,
        "environments_panel_id",
        "environments (panel_id)",
        "",
    )
    .await?;
    // A failed installation keeps its row as a record but not its place.
    index(
        manager,
        true,
        "environments_root",
        "environments (root)",
        "state <> 'failed'",
    )
    .await?;
    index(
        manager,
        false,
        "environments_account",
        "environments (account_id)",
        "",
    )
    .await?;
    index(
        manager,
        false,
        "environments_site",
        "environments (site_id)",
        "",
    )
    .await?;
    index(
        manager,
        false,
        "environments_domain",
        "environments (domain_id)",
        "",
    )
    .await?;

    manager
        .create_table(
            table(
                "components",
                [
                    number("environment_id"),
                    text("kind"),
                    text("place"),
                    text("slug"),
                    text("file"),
                    text("name"),
                    text("version"),
                    text("status"),
                    maybe_text("new_version"),
                    maybe_text("tree_hash"),
                    text("author"),
                    text("description"),
                ],
            )
            .foreign_key(&mut reference(
                "components",
                "environment_id",
                "environments",
                ForeignKeyAction::Cascade,
            ))
            .take(),
        )
        .await?;
    index(
        manager,
        true,
        "components_place",
        "components (environment_id, kind, place, slug)",
        "",
    )
    .await?;

    // No references: these records outlive whatever they were made for, until the
    // thing itself is gone.
    manager
        .create_table(table(
            "owned_resources",
            [
                text("kind"),
                text("name"),
                maybe_number("domain_id"),
                maybe_number("environment_id"),
                maybe_number("job_id"),
                maybe_number("account_id"),
                text("state"),
                text("detail"),
                number("created_at"),
            ],
        ))
        .await?;
    index(
        manager,
        true,
        "owned_resources_name",
        "owned_resources (kind, name)",
        "",
    )
    .await?;
    index(
        manager,
        false,
        "owned_resources_job",
        "owned_resources (job_id)",
        "",
    )
    .await?;
    index(
        manager,
        false,
        "owned_resources_domain",
        "owned_resources (domain_id)",
        "",
    )
    .await?;
    index(
        manager,
        false,
        "owned_resources_environment",
        "owned_resources (environment_id)",
        "",
    )
    .await
}
