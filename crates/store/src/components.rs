//! Plugins and themes of environments, as last seen.

use crate::{Read, Result, Scope, Tx, environments::environment};
use pressroom_base::id::EnvironmentId;
use sea_orm::{
    ColumnTrait, EntityTrait, QueryFilter, QueryOrder, QuerySelect, QueryTrait, Set,
    sea_query::{Expr, OnConflict, SimpleExpr},
};

table! {
    /// A plugin or theme of an environment.
    ComponentRow = component("components") {
        /// The row.
        id: i64,
        /// Where it is installed.
        environment_id: EnvironmentId,
        /// `plugin` or `theme`.
        kind: String,
        /// `normal`, `must_use` or `drop_in`.
        place: String,
        /// Directory name, or file name without `.php`.
        slug: String,
        /// Main file, relative to its container.
        file: String,
        /// Its title.
        name: String,
        /// Version as last seen.
        version: String,
        /// `active`, `inactive`, … or `unknown`.
        status: String,
        /// A newer version on offer.
        new_version: Option<String>,
        /// Why it is not known whether there is one; `None` when it is.
        offer_unknown: Option<String>,
        /// Hash of its tree as last seen.
        tree_hash: Option<String>,
        /// Who made it.
        author: String,
        /// What it says of itself.
        description: String,
        /// A theme's parent.
        parent: Option<String>,
    }
}

/// As much of a component as is compared, without what people read of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ComponentVersion {
    /// Where it is installed.
    pub environment_id: EnvironmentId,
    /// `plugin` or `theme`.
    pub kind: String,
    /// Directory name, or file name without `.php`.
    pub slug: String,
    /// Version as last seen.
    pub version: String,
    /// A newer version on offer.
    pub new_version: Option<String>,
    /// Why it is not known whether there is one; `None` when it is.
    pub offer_unknown: Option<String>,
}

/// A component as just seen.
#[derive(Debug, Clone, Default)]
pub struct NewComponent {
    /// `plugin` or `theme`.
    pub kind: String,
    /// `normal`, `must_use` or `drop_in`.
    pub place: String,
    /// Directory name, or file name without `.php`.
    pub slug: String,
    /// Main file, relative to its container.
    pub file: String,
    /// Its title.
    pub name: String,
    /// Version.
    pub version: String,
    /// `active`, `inactive`, … or `unknown`.
    pub status: String,
    /// A newer version on offer.
    pub new_version: Option<String>,
    /// Why it is not known whether there is one; `None` when it is.
    pub offer_unknown: Option<String>,
    /// Hash of its tree.
    pub tree_hash: Option<String>,
    /// Who made it.
    pub author: String,
    /// What it says of itself.
    pub description: String,
    /// A theme's parent.
    pub parent: Option<String>,
}

/// An environment's components: plugins before themes, by slug.
pub async fn list(from: &impl Read, environment: EnvironmentId) -> Result<Vec<ComponentRow>> {
    let found = component::Entity::find()
        .filter(component::Column::EnvironmentId.eq(environment.get()))
        .order_by_asc(component::Column::Kind)
        .order_by_asc(component::Column::Slug)
        .order_by_asc(component::Column::Place)
        .all(from.connection())
        .await?;
    found.into_iter().map(ComponentRow::read).collect()
}

/// Components of many environments at once, by environment, kind and slug.
pub async fn list_many(
    from: &impl Read,
    environments: &[EnvironmentId],
) -> Result<Vec<ComponentRow>> {
    let mut found = Vec::new();
    // Both databases limit the parameters of one statement.
    for ids in environments.chunks(500) {
        let rows = component::Entity::find()
            .filter(component::Column::EnvironmentId.is_in(ids.iter().map(|id| id.get())))
            .order_by_asc(component::Column::EnvironmentId)
            .order_by_asc(component::Column::Kind)
            .order_by_asc(component::Column::Slug)
            .order_by_asc(component::Column::Place)
            .all(from.connection())
            .await?;
        for row in rows {
            found.push(ComponentRow::read(row)?);
        }
    }
    Ok(found)
}

/// What is compared of every component within a scope, by environment.
pub async fn versions(from: &impl Read, scope: &Scope) -> Result<Vec<ComponentVersion>> {
    let Some(own) = scope.ids() else {
        return compared(from, None).await;
    };
    let environments = environment::Entity::find()
        .select_only()
        .column(environment::Column::Id)
        .filter(environment::Column::AccountId.is_in(own));
    let within = component::Column::EnvironmentId.in_subquery(environments.into_query());
    compared(from, Some(within)).await
}

/// The same of these environments, of which one statement can name them all: some hundreds.
pub async fn versions_of(
    from: &impl Read,
    environments: &[EnvironmentId],
) -> Result<Vec<ComponentVersion>> {
    let ids = environments.iter().map(|id| id.get());
    let these = component::Column::EnvironmentId.is_in(ids);
    compared(from, Some(these)).await
}

async fn compared(from: &impl Read, which: Option<SimpleExpr>) -> Result<Vec<ComponentVersion>> {
    use component::Column;
    type Columns = (i64, String, String, String, Option<String>, Option<String>);
    let mut query = component::Entity::find()
        .select_only()
        .columns([
            Column::EnvironmentId,
            Column::Kind,
            Column::Slug,
            Column::Version,
            Column::NewVersion,
            Column::OfferUnknown,
        ])
        .order_by_asc(Column::EnvironmentId);
    if let Some(which) = which {
        query = query.filter(which);
    }
    let found: Vec<Columns> = query.into_tuple().all(from.connection()).await?;
    Ok(found
        .into_iter()
        .map(
            |(environment, kind, slug, version, new_version, offer_unknown)| ComponentVersion {
                environment_id: EnvironmentId::new(environment),
                kind,
                slug,
                version,
                new_version,
                offer_unknown,
            },
        )
        .collect())
}

/// One component in its normal place.
pub async fn by_slug(
    from: &impl Read,
    environment: EnvironmentId,
    kind: &str,
    slug: &str,
) -> Result<Option<ComponentRow>> {
    let found = component::Entity::find()
        .filter(component::Column::EnvironmentId.eq(environment.get()))
        .filter(component::Column::Kind.eq(kind))
        .filter(component::Column::Slug.eq(slug))
        .filter(component::Column::Place.eq("normal"))
        .one(from.connection())
        .await?;
    found.map(ComponentRow::read).transpose()
}

/// Makes the rows of an environment those just seen: known ones are brought up to
/// date and keep their id, others are added, the rest go.
pub async fn replace_all(
    tx: &Tx,
    environment: EnvironmentId,
    seen: Vec<NewComponent>,
) -> Result<()> {
    let mut kept = Vec::with_capacity(seen.len());
    for new in seen {
        kept.push(put(tx, environment, new).await?);
    }
    component::Entity::delete_many()
        .filter(component::Column::EnvironmentId.eq(environment.get()))
        .filter(component::Column::Id.is_not_in(kept))
        .exec(tx.connection())
        .await?;
    Ok(())
}

/// Brings one component up to date, or adds it; gives its row.
pub async fn put(tx: &Tx, environment: EnvironmentId, new: NewComponent) -> Result<i64> {
    use component::Column;
    let model = component::ActiveModel {
        environment_id: Set(environment.get()),
        kind: Set(new.kind),
        place: Set(new.place),
        slug: Set(new.slug),
        file: Set(new.file),
        name: Set(new.name),
        version: Set(new.version),
        status: Set(new.status),
        new_version: Set(new.new_version),
        offer_unknown: Set(new.offer_unknown),
        tree_hash: Set(new.tree_hash),
        author: Set(new.author),
        description: Set(new.description),
        parent: Set(new.parent),
        ..Default::default()
    };
    let row = component::Entity::insert(model)
        .on_conflict(
            OnConflict::columns([
                Column::EnvironmentId,
                Column::Kind,
                Column::Place,
                Column::Slug,
            ])
            .update_columns([
                Column::File,
                Column::Name,
                Column::Version,
                Column::Status,
                Column::NewVersion,
                Column::OfferUnknown,
                Column::TreeHash,
                Column::Author,
                Column::Description,
                Column::Parent,
            ])
            .to_owned(),
        )
        .exec_with_returning(tx.connection())
        .await?;
    Ok(row.id)
}

/// Forgets one component in its normal place.
pub async fn remove(tx: &Tx, environment: EnvironmentId, kind: &str, slug: &str) -> Result<()> {
    component::Entity::delete_many()
        .filter(component::Column::EnvironmentId.eq(environment.get()))
        .filter(component::Column::Kind.eq(kind))
        .filter(component::Column::Slug.eq(slug))
        .filter(component::Column::Place.eq("normal"))
        .exec(tx.connection())
        .await?;
    Ok(())
}

/// Remembers what is on offer for a component, which is then known.
pub async fn set_new_version(tx: &Tx, id: i64, new_version: Option<&str>) -> Result<()> {
    component::Entity::update_many()
        .col_expr(
            component::Column::NewVersion,
            Expr::val(new_version.map(str::to_owned)),
        )
        .col_expr(
            component::Column::OfferUnknown,
            Expr::val(Option::<String>::None),
        )
        .filter(component::Column::Id.eq(id))
        .exec(tx.connection())
        .await?;
    Ok(())
}
