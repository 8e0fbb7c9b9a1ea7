//! wp-admin's editors of plugins and themes.

use super::{
    bench::{Before, Bench, changed},
    constants::is_on,
    report::SecurityChanged,
    set::Measure,
};
use crate::Result;
use pressroom_wordpress::config::{ConfigValue, Edit};

pub(super) const CONSTANT: &str = "DISALLOW_FILE_EDIT";
/// Forbids more, the editors among it.
pub(super) const STRONGER: &str = "DISALLOW_FILE_MODS";

/// Defines the constant, or has it defined no longer.
pub(super) async fn apply(bench: &Bench<'_>, before: &Before) -> Result<()> {
    let name = CONSTANT.to_owned();
    let edit = if before.enabled {
        Edit::Set {
            name,
            value: ConfigValue::Bool(true),
        }
    } else {
        Edit::Remove { name }
    };
    bench.edit(vec![edit]).await
}

/// Whether PHP sees it so, and the site lives.
pub(super) async fn verify(bench: &Bench<'_>, before: &Before) -> Result<SecurityChanged> {
    let wanted = before.enabled.then_some(ConfigValue::Bool(true));
    bench.refuse_other(&[(CONSTANT, wanted)]).await?;
    bench.refuse_worse(before).await?;
    let message = if before.enabled {
        "the editors of plugins and themes are off"
    } else {
        "the editors of plugins and themes are on"
    };
    let mut told = changed(Measure::FileEditing, before, message);
    if !before.enabled && is_on(&bench.listing().await?, STRONGER) {
        told.message = format!("`{CONSTANT}` is removed");
        told.warning = Some(format!("`{STRONGER}` still keeps the editors off"));
    }
    Ok(told)
}
