//! What `pressroom plugin …` and `pressroom theme …` have in common.

use super::site::find;
use crate::{Exit, Failure, Printer, progress};
use pressroom_base::Timestamp;
use pressroom_fleet::{
    Caller, Fleet,
    authorize::Action,
    components::{Change, ChangeComponents, UpdateComponents},
};

/// Changes components of a site and shows the job.
pub(super) async fn change(
    kind: &str,
    site: &str,
    names: Vec<String>,
    change: Change,
    fleet: &Fleet,
    caller: &Caller,
    printer: &mut Printer,
) -> Result<Exit, Failure> {
    let site = find(site, Action::ComponentUpdate, fleet, caller).await?;
    let change = ChangeComponents {
        kind: kind.to_owned(),
        names,
        change,
    };
    let job = fleet.change_components(caller, site.id, change).await?;
    let updates = fleet.watch_job(caller, job.id, 0).await?;
    progress::follow(updates, printer, Timestamp::now).await
}

/// Updates components of a site and shows the job.
pub(super) async fn update(
    kind: &str,
    site: &str,
    slugs: Vec<String>,
    fleet: &Fleet,
    caller: &Caller,
    printer: &mut Printer,
) -> Result<Exit, Failure> {
    let site = find(site, Action::ComponentUpdate, fleet, caller).await?;
    let update = UpdateComponents {
        kind: kind.to_owned(),
        slugs,
    };
    let job = fleet.update_components(caller, site.id, update).await?;
    let updates = fleet.watch_job(caller, job.id, 0).await?;
    progress::follow(updates, printer, Timestamp::now).await
}
