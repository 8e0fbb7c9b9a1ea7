//! The routes, by contract row.

use crate::{
    checksums, install, installations, keys, login, plugins, progress,
    wire::{
        ChecksumsOut, ErrorOut, InstallIn, InstallStartedOut, InstallationDetailsOut,
        InstallationOut, IssueKeyIn, IssuedKeyOut, JobOut, LoginIn, LoginOut, PluginOut, StatusOut,
        UpdatePluginIn, UpdatePluginOut,
    },
};
use pressroom_dialect_http::{Doc, Place, Route, Shape, Table, Target, route::DocInfo};
use pressroom_fleet::authorize::Action;

/// The table everything is derived from.
pub fn table() -> Table {
    let info = DocInfo::new(
        "WisPanel WordPress Toolkit",
        "WordPress installations in the caller's domains",
    )
    .errors(Shape::of::<ErrorOut>());
    Table::new(info, routes())
}

#[rustfmt::skip]
fn routes() -> Vec<Route> {
    vec![
        Route::document("/api/v1/wordpress/openapi.json"),

        Route::get("T01", "/api/v1/wordpress/installations", Action::SiteRead, installations::list)
            .about(Target::OwnList)
            .doc(Doc::new("Lists the installations in the caller's domains")
                .answers(200, "By domain, then path", Shape::list_of::<InstallationOut>())),
        Route::get("T02", "/api/v1/wordpress/status", Action::SiteRead, installations::status)
            .about(Target::OwnList)
            .doc(Doc::new("Tells whether installations can be worked on, and lists them")
                .answers(200, "Status", Shape::of::<StatusOut>())),
        Route::get("T03", "/api/v1/wordpress/installation", Action::SiteRead, installations::show)
            .about(Target::Installation(Place::Query("id")))
            .doc(Doc::new("Shows one installation, with its sizes and what is newer")
                .query("id", "The installation", true)
                .answers(200, "The installation", Shape::of::<InstallationDetailsOut>())),

        Route::get("T04", "/api/v1/wordpress/install/{id}/progress", Action::SiteRead, progress::show)
            .about(Target::Job(Place::Path("id")))
            .doc(Doc::new("Shows a job, by its id or its installation's")
                .answers(200, "The job", Shape::of::<JobOut>())),
        Route::post("T05", "/api/v1/wordpress/install", Action::SiteInstall, install::start)
            .about(Target::Domain(Place::Body("domain")))
            .doc(Doc::new("Installs WordPress into a domain")
                .body(Shape::of::<InstallIn>())
                .answers(201, "Started", Shape::of::<InstallStartedOut>())),

        Route::post("T13", "/api/v1/wordpress/auto-login", Action::SiteLogin, login::issue)
            .also_at(&["/api/v1/wordpress/admin/auto-login"])
            .about(Target::Installation(Place::Body("id")))
            .doc(Doc::new("Issues a login link that works once, for 60 seconds")
                .body(Shape::of::<LoginIn>())
                .answers(200, "The link", Shape::of::<LoginOut>())),

        Route::get("T15", "/api/v1/wordpress/plugins", Action::SiteRead, plugins::list)
            .about(Target::Installation(Place::Query("id")))
            .doc(Doc::new("Lists an installation's plugins")
                .query("id", "The installation", true)
                .answers(200, "By slug", Shape::list_of::<PluginOut>())),
        Route::post("T19", "/api/v1/wordpress/plugins/update", Action::ComponentUpdate, plugins::update)
            .about(Target::Installation(Place::Body("id")))
            .doc(Doc::new("Updates one plugin, some, or all; what breaks the site is taken back")
                .body(Shape::of::<UpdatePluginIn>())
                .answers(200, "What became of it", Shape::of::<UpdatePluginOut>())),

        Route::post("S6", "/api/v1/users/{username}/api-keys", Action::TokenIssue, keys::issue)
            .about(Target::Person(Place::Path("username")))
            .doc(Doc::new("Issues a key to oneself, which opens no more than the one it is asked for with")
                .body(Shape::of::<IssueKeyIn>())
                .answers(201, "The key, shown only now", Shape::of::<IssuedKeyOut>())),

        Route::get("T36", "/api/v1/wordpress/verify-checksums", Action::SiteRead, checksums::verify)
            .also_at(&["/api/v1/wordpress/security/verify-checksums"])
            .about(Target::Installation(Place::Query("id")))
            .doc(Doc::new("Holds the files of WordPress and its plugins against their packages")
                .query("id", "The installation", true)
                .answers(200, "What differs", Shape::of::<ChecksumsOut>())),
    ]
}
