//! The routes, by contract row.

use crate::{
    accounts, activity, errors, health,
    jwt::Keys,
    login, me, pair, users,
    wire::{
        AccountOut, ActivityLogOut, ErrorOut, HealthCheckOut, HealthCheckRowOut, LoginIn,
        LogoutOut, MeOut, MemberOut, PairOut, RefreshIn, RevokeIn, RevokedOut, TokenOut,
    },
};
use axum::http::Method;
use pressroom_dialect_http::{
    Answer, Call, Credential, Doc, Fault, Route, Shape, Table, Target, route::DocInfo,
};
use pressroom_fleet::authorize::Action;
use std::sync::Arc;

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
            .doc(Doc::new("Has a token of the caller's be good no more")
                .body(Shape::of::<RevokeIn>())
                .answers(200, "It is good no more", Shape::of::<RevokedOut>())),

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

        Route::get("W25", "/api/v1/activity_logs", Action::AccountRead, activity::list)
            .about(Target::OwnList)
            .doc(paged("Lists what happened in the account")
                .query("site_id", "Only what concerns this site", false)
                .query("event", "Only this event, or all that begin so: `user.*`", false)
                .query("actor_id", "Only what this person did", false)
                .query("from", "Only from this time on", false)
                .query("to", "Only up to this time", false)
                .answers(200, "Newest first", Shape::list_of::<ActivityLogOut>())),

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
