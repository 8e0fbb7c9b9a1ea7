//! The routes, by contract row.

use crate::{
    accounts, activity, errors, health,
    jwt::Keys,
    login, me, pair, pipelines, sites, snapshots, users, webhooks,
    wire::{
        AccountOut, ActivityLogOut, AddedSiteOut, ApproveIn, ErrorOut, HealthCheckOut,
        HealthCheckRowOut, LoginIn, LogoutOut, MeOut, MemberOut, PairOut, PipelineIn, PipelineOut,
        PipelineRowOut, RefreshIn, RevokeIn, RevokedOut, SiteIn, SiteOut, SiteRowOut, SnapshotIn,
        SnapshotOut, SnapshotRowOut, TokenOut, WebhookEndpointIn, WebhookEndpointOut,
        WebhookEndpointPatchIn,
    },
};
use axum::http::Method;
use pressroom_dialect_http::{
    Answer, Call, Credential, Doc, Fault, Route, Shape, Table, Target, route::DocInfo,
};
use pressroom_fleet::authorize::Action;
use std::sync::Arc;

/// The snapshots of a site.
const SNAPSHOTS: &str = "/api/v1/sites/{site_id}/snapshots";

/// The safe updates of a site.
const PIPELINES: &str = "/api/v1/sites/{site_id}/upgrade_pipelines";

/// The table everything is derived from.
pub(crate) fn table(keys: &Arc<Keys>) -> Table {
    let info = DocInfo::new(
        "WPOrchestrix",
        "Sites of an account, who works on them, and what happened to them",
    )
    .errors(Shape::of::<ErrorOut>(), errors::STATUSES)
    .credentials(&[Credential::Bearer, Credential::Token]);
    Table::new(info, routes(keys))
}

/// The table of a dialect that has signed nothing yet: for whoever asks what is served.
pub fn documented() -> Table {
    table(&Arc::default())
}

#[rustfmt::skip]
fn routes(keys: &Arc<Keys>) -> Vec<Route> {
    vec![
        Route::document("/api/v1/wporchestrix/openapi.json"),

        Route::open("W01", Method::POST, "/api/v1/auth", login::begin)
            .doc(Doc::new("Signs in for a token that is good until it is ended")
                .body(Shape::of::<LoginIn>())
                .answers(200, "The token, shown only now", Shape::of::<TokenOut>())),
        Route::known("W02", Method::DELETE, "/api/v1/auth", login::end)
            .with_forms()
            .once_by_key()
            .doc(Doc::new("Signs out; a token that was made in the settings lives on")
                .answers(200, "Signed out", Shape::of::<LogoutOut>())),

        Route::open("W03", Method::POST, "/api/v1/jwt", with(keys, pair::begin))
            .doc(Doc::new("Signs in for a pair of tokens")
                .body(Shape::of::<LoginIn>())
                .answers(200, "The pair", Shape::of::<PairOut>())),
        Route::open("W04", Method::POST, "/api/v1/jwt/refresh", with(keys, pair::exchange))
            .doc(Doc::new("Exchanges a refresh token for the next pair, once")
                .body(Shape::of::<RefreshIn>())
                .answers(200, "The pair", Shape::of::<PairOut>())),
        Route::known("W05", Method::POST, "/api/v1/jwt/revoke", with(keys, pair::revoke))
            .with_forms()
            .once_by_key()
            .doc(Doc::new("Has a token of the caller's be good no more")
                .body(Shape::of::<RevokeIn>())
                .answers(200, "It is good no more", Shape::of::<RevokedOut>())),

        Route::get("W06", "/api/v1/sites", Action::SiteRead, sites::list)
            .about(Target::OwnList)
            .doc(paged("Lists the sites of the account")
                .query("status", "Only those that are so", false)
                .query("q", "Only those in whose name or address this is", false)
                .query("tag", "Only those with this tag", false)
                .answers(200, "By name", Shape::list_of::<SiteRowOut>())),
        Route::get("W07", "/api/v1/sites/{id}", Action::SiteRead, sites::show)
            .doc(Doc::new("Shows one of them")
                .answers(200, "The site", Shape::of::<SiteOut>())),
        Route::post("W08", "/api/v1/sites", Action::SiteAdd, sites::add)
            .doc(Doc::new("Adds a site by its address, and begins to connect it")
                .body(Shape::of::<SiteIn>())
                .answers(201, "The site, not connected yet", Shape::of::<AddedSiteOut>())),
        Route::change("W09", Method::PATCH, "/api/v1/sites/{id}", Action::SiteEdit, sites::edit)
            .doc(edited()),
        Route::change("W09", Method::PUT, "/api/v1/sites/{id}", Action::SiteEdit, sites::edit)
            .doc(edited()),
        Route::delete("W10", "/api/v1/sites/{id}", Action::SiteRemove, sites::forget)
            .once_by_key()
            .doc(Doc::new("Forgets a site; its WordPress stays as it is")
                .answers_nothing(204, "It is forgotten")),
        Route::open("connector", Method::GET, sites::PLUGIN, sites::plugin)
            .doc(Doc::new("Where the connector's plugin will be; this version has none")),

        Route::get("W11", "/api/v1/sites/{site_id}/health_checks", Action::SiteRead, health::list)
            .doc(paged("Lists the looks at a site")
                .query("status", "Only those that `passed`, that gave a `warning`, or that `failed`", false)
                .query("kind", "Only those for this reason, such as `scheduled`", false)
                .query("from", "Only from this time on", false)
                .query("to", "Only up to this time", false)
                .answers(200, "Newest first", Shape::list_of::<HealthCheckRowOut>())),
        Route::get("W12", "/api/v1/sites/{site_id}/health_checks/{id}", Action::SiteRead, health::show)
            .doc(Doc::new("Shows one of them, with all that was looked at")
                .answers(200, "The look", Shape::of::<HealthCheckOut>())),

        Route::get("W13", SNAPSHOTS, Action::SiteRead, snapshots::list)
            .doc(paged("Lists the snapshots of a site")
                .query("status", "Only those that are so, such as `available`", false)
                .query("kind", "Only those of this kind: `full`, `database` or `files`", false)
                .answers(200, "Newest first", Shape::list_of::<SnapshotRowOut>())),
        Route::get("W14", "/api/v1/sites/{site_id}/snapshots/{id}", Action::SiteRead, snapshots::show)
            .doc(Doc::new("Shows one of them, and where to download it")
                .answers(200, "The snapshot", Shape::of::<SnapshotOut>())),
        Route::post("W15", SNAPSHOTS, Action::SnapshotCreate, snapshots::create)
            .doc(Doc::new("Takes a snapshot of a site, or awaits one that is sent")
                .body(Shape::of::<SnapshotIn>())
                .answers(201, "The snapshot, not available yet", Shape::of::<SnapshotOut>())),
        Route::delete("W16", "/api/v1/sites/{site_id}/snapshots/{id}", Action::SnapshotRestore, snapshots::remove)
            .once_by_key()
            .doc(Doc::new("Removes a snapshot, or stops its being taken")
                .answers_nothing(204, "It is removed")),
        Route::stream("W17", Method::PUT, "/api/v1/sites/{site_id}/snapshots/{id}/upload", Action::SnapshotUpload, snapshots::upload)
            .doc(Doc::new("Takes in an archive that is awaited: a tar, packed with gzip or zstd or not, or a zip; as it is, or as the `file` of a form")
                .answers(200, "The snapshot, available", Shape::of::<SnapshotOut>())),

        Route::get("W18", PIPELINES, Action::SiteRead, pipelines::list)
            .doc(paged("Lists the safe updates of a site")
                .query("status", "Only those that are so, such as `awaiting_approval`", false)
                .answers(200, "Newest first", Shape::list_of::<PipelineRowOut>())),
        Route::get("W19", "/api/v1/sites/{site_id}/upgrade_pipelines/{id}", Action::SiteRead, pipelines::show)
            .doc(Doc::new("Shows one of them, with all that it found")
                .answers(200, "The pipeline", Shape::of::<PipelineOut>())),
        Route::post("W20", PIPELINES, Action::ComponentUpdate, pipelines::create)
            .doc(Doc::new("Asks for a safe update; nothing is done to the site yet")
                .body(Shape::of::<PipelineIn>())
                .answers(201, "The pipeline, pending", Shape::of::<PipelineOut>())),
        Route::post("W21", "/api/v1/sites/{site_id}/upgrade_pipelines/{id}/approve", Action::UpgradeApprove, pipelines::approve)
            .once_by_key()
            .doc(Doc::new("Says yes to updates that were tried; a worker makes them then")
                .body(Shape::of::<ApproveIn>())
                .answers(200, "The pipeline, approved", Shape::of::<PipelineOut>())),

        Route::get("W25", "/api/v1/activity_logs", Action::AccountRead, activity::list)
            .about(Target::OwnList)
            .doc(paged("Lists what happened in the account")
                .query("site_id", "Only what concerns this site", false)
                .query("event", "Only this event, or all that begin so: `user.*`", false)
                .query("actor_id", "Only what this person did", false)
                .query("from", "Only from this time on", false)
                .query("to", "Only up to this time", false)
                .answers(200, "Newest first", Shape::list_of::<ActivityLogOut>())),

        Route::get("W26", "/api/v1/webhook_endpoints", Action::WebhookRead, webhooks::list)
            .about(Target::OwnList)
            .doc(paged("Lists where the account's events are told")
                .answers(200, "Newest first", Shape::list_of::<WebhookEndpointOut>())),
        Route::get("W27", "/api/v1/webhook_endpoints/{id}", Action::WebhookRead, webhooks::show)
            .doc(Doc::new("Shows one of these places")
                .answers(200, "The place, without its secret", Shape::of::<WebhookEndpointOut>())),
        Route::post("W28", "/api/v1/webhook_endpoints", Action::WebhookManage, webhooks::add)
            .doc(Doc::new("Has the account's events told somewhere")
                .body(Shape::of::<WebhookEndpointIn>())
                .answers(201, "The place, with its secret", Shape::of::<WebhookEndpointOut>())),
        Route::patch("W29", "/api/v1/webhook_endpoints/{id}", Action::WebhookManage, webhooks::change)
            .doc(Doc::new("Changes such a place, or gives it another secret")
                .body(Shape::of::<WebhookEndpointPatchIn>())
                .answers(200, "The place, with its secret if that is new", Shape::of::<WebhookEndpointOut>())),
        Route::delete("W30", "/api/v1/webhook_endpoints/{id}", Action::WebhookManage, webhooks::remove)
            .once_by_key()
            .doc(Doc::new("Has nothing told there any more")
                .answers_nothing(204, "Removed, with what was on its way")),

        Route::known("W31", Method::GET, "/api/v1/me", me::show)
            .doc(Doc::new("Shows whose credential it is")
                .answers(200, "The person", Shape::of::<MeOut>())),
        Route::get("W32", "/api/v1/accounts", Action::AccountRead, accounts::list)
            .about(Target::OwnList)
            .doc(paged("Lists the accounts that the caller belongs to")
                .answers(200, "By name", Shape::list_of::<AccountOut>())),
        Route::get("W33", "/api/v1/accounts/{id}", Action::AccountRead, accounts::show)
            .doc(Doc::new("Shows one of them")
                .answers(200, "The account", Shape::of::<AccountOut>())),
        Route::get("W34", "/api/v1/users", Action::AccountRead, users::list)
            .about(Target::OwnList)
            .doc(paged("Lists who belongs to the account")
                .answers(200, "Who was added last comes first", Shape::list_of::<MemberOut>())),
    ]
}

fn edited() -> Doc {
    Doc::new("Changes what is recorded of a site; nothing is written to its WordPress")
        .body(Shape::of::<SiteIn>())
        .answers(200, "The site", Shape::of::<SiteOut>())
}

fn paged(summary: &'static str) -> Doc {
    Doc::new(summary)
        .query("page", "Which page, from 1 on", false)
        .query(
            "per_page",
            "Rows of a page, 20 unless it says otherwise, at most 100",
            false,
        )
}

/// A handler that signs or verifies.
fn with<F, R>(keys: &Arc<Keys>, run: F) -> impl Fn(Call) -> R + Send + Sync + 'static
where
    F: Fn(Arc<Keys>, Call) -> R + Send + Sync + 'static,
    R: Future<Output = Result<Answer, Fault>> + Send + 'static,
{
    let keys = Arc::clone(keys);
    move |call| run(Arc::clone(&keys), call)
}
