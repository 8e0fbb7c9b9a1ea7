//! The routes, by contract row.

use crate::{
    admin, backups, cache, checksums, clone, core, delete, errors, install, installations, keys,
    login, maintenance, plugins, progress, replace, security, themes,
    wire::{
        BackupIn, BackupOut, CacheChangeOut, CacheFlushIn, CacheIn, CacheOut, CachePurgeIn,
        ChangeOut, ChecksumsOut, CloneIn, CreateAdminIn, CreateAdminOut, DeleteIn, DeleteOut,
        DeletePluginIn, ErrorOut, HideLoginIn, InstallIn, InstallPluginIn, InstallStartedOut,
        InstallThemeIn, InstallationDetailsOut, InstallationOut, IssueKeyIn, IssuedKeyOut, JobOut,
        LoginIn, LoginOut, MaintenanceIn, MaintenanceOut, PluginOut, PluginsIn, ReinstallCoreIn,
        ReinstallCoreOut, ReplaceIn, ReplaceOut, ResetPasswordIn, ResetPasswordOut, RestoreIn,
        RunningOut, SecurityIn, SecurityOut, SecuritySetOut, StatusOut, ThemeOut, ThemesIn,
        UpdateCoreIn, UpdateCoreOut, UpdateOut,
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
    .errors(Shape::of::<ErrorOut>(), errors::STATUSES);
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

        Route::post("T06", "/api/v1/wordpress/clone", Action::SiteInstall, clone::start)
            .about(Target::Installation(Place::Body("source_id")))
            .doc(Doc::new("Copies an installation to another place of its account; the source is only read")
                .body(Shape::of::<CloneIn>())
                .answers(201, "Started", Shape::of::<InstallStartedOut>())),
        Route::post("T07", "/api/v1/wordpress/core/update", Action::ComponentUpdate, core::update)
            .about(Target::Installation(Place::Body("id")))
            .doc(Doc::new("Updates WordPress and its tables; what breaks the site is taken back")
                .body(Shape::of::<UpdateCoreIn>())
                .answers(200, "The versions before and now", Shape::of::<UpdateCoreOut>())),
        Route::post("T08", "/api/v1/wordpress/reinstall-core", Action::ComponentUpdate, core::reinstall)
            .about(Target::Installation(Place::Body("id")))
            .doc(Doc::new("Lays the files of WordPress down anew, in the same version")
                .body(Shape::of::<ReinstallCoreIn>())
                .answers(200, "The version", Shape::of::<ReinstallCoreOut>())),
        Route::post("T09", "/api/v1/wordpress/maintenance", Action::SiteConfigure, maintenance::set)
            .about(Target::Installation(Place::Body("id")))
            .doc(Doc::new("Shows visitors the maintenance page until it is ended")
                .body(Shape::of::<MaintenanceIn>())
                .answers(200, "What was seen at the site", Shape::of::<MaintenanceOut>())),

        Route::post("T10", "/api/v1/wordpress/search-replace", Action::SiteDatabase, replace::run)
            .about(Target::Installation(Place::Body("id")))
            .doc(Doc::new("Replaces a text in the tables, serialized values included, after a backup of them")
                .body(Shape::of::<ReplaceIn>())
                .answers(200, "What was replaced, or would be", Shape::of::<ReplaceOut>())),
        Route::delete("T11", "/api/v1/wordpress/delete", Action::SiteRemove, delete::delete)
            .about(Target::Installation(Place::Body("id")))
            .doc(Doc::new("Deletes an installation; what was not made for it stays")
                .query("id", "The installation, where it is not in the body", false)
                .body(Shape::of::<DeleteIn>())
                .answers(200, "It is gone", Shape::of::<DeleteOut>())),
        Route::post("T11", "/api/v1/wordpress/delete", Action::SiteRemove, delete::delete)
            .about(Target::Installation(Place::Body("id")))
            .doc(Doc::new("The same for clients without DELETE")
                .query("id", "The installation, where it is not in the body", false)
                .body(Shape::of::<DeleteIn>())
                .answers(200, "It is gone", Shape::of::<DeleteOut>())),

        Route::post("T12", "/api/v1/wordpress/admin/create", Action::SiteUsers, admin::create)
            .about(Target::Installation(Place::Body("id")))
            .doc(Doc::new("Adds a user, an administrator by default; no mail is sent")
                .body(Shape::of::<CreateAdminIn>())
                .answers(201, "The user, with a generated password", Shape::of::<CreateAdminOut>())),

        Route::post("T13", "/api/v1/wordpress/auto-login", Action::SiteLogin, login::issue)
            .also_at(&["/api/v1/wordpress/admin/auto-login"])
            .about(Target::Installation(Place::Body("id")))
            .doc(Doc::new("Issues a login link that works once, for 60 seconds")
                .body(Shape::of::<LoginIn>())
                .answers(200, "The link", Shape::of::<LoginOut>())),

        Route::post("T14", "/api/v1/wordpress/password/reset", Action::SiteUsers, admin::reset)
            .also_at(&["/api/v1/wordpress/admin/password/reset"])
            .about(Target::Installation(Place::Body("id")))
            .doc(Doc::new("Changes a user's password and logs them out everywhere; no mail is sent")
                .body(Shape::of::<ResetPasswordIn>())
                .answers(200, "Whose it is, with a generated password", Shape::of::<ResetPasswordOut>())),

        Route::get("T15", "/api/v1/wordpress/plugins", Action::SiteRead, plugins::list)
            .about(Target::Installation(Place::Query("id")))
            .doc(Doc::new("Lists an installation's plugins")
                .query("id", "The installation", true)
                .answers(200, "By slug", Shape::list_of::<PluginOut>())),
        Route::post("T16", "/api/v1/wordpress/plugins/install", Action::ComponentUpdate, plugins::install)
            .about(Target::Installation(Place::Body("id")))
            .doc(Doc::new("Installs a plugin; a failed installation leaves nothing")
                .body(Shape::of::<InstallPluginIn>())
                .answers(201, "Installed", Shape::of::<ChangeOut>())
                .answers(200, "What became of it", Shape::of::<ChangeOut>())),
        Route::post("T17", "/api/v1/wordpress/plugins/activate", Action::ComponentUpdate, plugins::activate)
            .about(Target::Installation(Place::Body("id")))
            .doc(Doc::new("Activates a plugin; what breaks the site is deactivated again")
                .body(Shape::of::<PluginsIn>())
                .answers(200, "What became of it", Shape::of::<ChangeOut>())),
        Route::post("T18", "/api/v1/wordpress/plugins/deactivate", Action::ComponentUpdate, plugins::deactivate)
            .about(Target::Installation(Place::Body("id")))
            .doc(Doc::new("Deactivates a plugin")
                .body(Shape::of::<PluginsIn>())
                .answers(200, "What became of it", Shape::of::<ChangeOut>())),
        Route::post("T19", "/api/v1/wordpress/plugins/update", Action::ComponentUpdate, plugins::update)
            .about(Target::Installation(Place::Body("id")))
            .doc(Doc::new("Updates one plugin, some, or all; what breaks the site is taken back")
                .body(Shape::of::<PluginsIn>())
                .answers(200, "What became of it", Shape::of::<UpdateOut>())),
        Route::post("T20", "/api/v1/wordpress/plugins/delete", Action::ComponentUpdate, plugins::delete)
            .about(Target::Installation(Place::Body("id")))
            .doc(Doc::new("Runs a plugin's uninstall routine and removes its files")
                .body(Shape::of::<DeletePluginIn>())
                .answers(200, "What became of it", Shape::of::<ChangeOut>())),

        Route::get("T21", "/api/v1/wordpress/themes", Action::SiteRead, themes::list)
            .about(Target::Installation(Place::Query("id")))
            .doc(Doc::new("Lists an installation's themes")
                .query("id", "The installation", true)
                .answers(200, "By slug", Shape::list_of::<ThemeOut>())),
        Route::post("T22", "/api/v1/wordpress/themes/install", Action::ComponentUpdate, themes::install)
            .about(Target::Installation(Place::Body("id")))
            .doc(Doc::new("Installs a theme; a failed installation leaves nothing")
                .body(Shape::of::<InstallThemeIn>())
                .answers(201, "Installed", Shape::of::<ChangeOut>())
                .answers(200, "What became of it", Shape::of::<ChangeOut>())),
        Route::post("T23", "/api/v1/wordpress/themes/activate", Action::ComponentUpdate, themes::activate)
            .about(Target::Installation(Place::Body("id")))
            .doc(Doc::new("Switches to a theme; what breaks the site is switched back")
                .body(Shape::of::<ThemesIn>())
                .answers(200, "What became of it", Shape::of::<ChangeOut>())),
        Route::post("T24", "/api/v1/wordpress/themes/deactivate", Action::ComponentUpdate, themes::deactivate)
            .about(Target::Installation(Place::Body("id")))
            .doc(Doc::new("Switches from a theme to the newest default theme")
                .body(Shape::of::<ThemesIn>())
                .answers(200, "What became of it", Shape::of::<ChangeOut>())),
        Route::post("T25", "/api/v1/wordpress/themes/update", Action::ComponentUpdate, themes::update)
            .about(Target::Installation(Place::Body("id")))
            .doc(Doc::new("Updates one theme, some, or all; what breaks the site is taken back")
                .body(Shape::of::<ThemesIn>())
                .answers(200, "What became of it", Shape::of::<UpdateOut>())),
        Route::post("T26", "/api/v1/wordpress/themes/delete", Action::ComponentUpdate, themes::delete)
            .about(Target::Installation(Place::Body("id")))
            .doc(Doc::new("Removes a theme that is not in use")
                .body(Shape::of::<ThemesIn>())
                .answers(200, "What became of it", Shape::of::<ChangeOut>())),

        Route::get("T27", "/api/v1/wordpress/cache", Action::SiteRead, cache::show)
            .about(Target::Installation(Place::Query("id")))
            .doc(Doc::new("Shows an installation's caches, whoever put them there")
                .query("id", "The installation", true)
                .answers(200, "The caches", Shape::of::<CacheOut>())),
        Route::post("T28", "/api/v1/wordpress/cache/enable", Action::SiteConfigure, cache::enable)
            .about(Target::Installation(Place::Body("id")))
            .doc(Doc::new("Puts a cache of pages or objects in; what cannot be verified is taken out again")
                .body(Shape::of::<CacheIn>())
                .answers(200, "What was verified", Shape::of::<CacheChangeOut>())),
        Route::post("T29", "/api/v1/wordpress/cache/disable", Action::SiteConfigure, cache::disable)
            .about(Target::Installation(Place::Body("id")))
            .doc(Doc::new("Takes our caches out; a plugin's stays")
                .body(Shape::of::<CacheIn>())
                .answers(200, "What was verified", Shape::of::<CacheChangeOut>())),
        Route::post("T30", "/api/v1/wordpress/cache/flush", Action::SiteConfigure, cache::flush)
            .about(Target::Installation(Place::Body("id")))
            .doc(Doc::new("Flushes the object cache and deletes expired transients")
                .body(Shape::of::<CacheFlushIn>())
                .answers(200, "What was done", Shape::of::<CacheChangeOut>())),
        Route::post("T31", "/api/v1/wordpress/cache/purge", Action::SiteConfigure, cache::purge)
            .about(Target::Installation(Place::Body("id")))
            .doc(Doc::new("Removes pages from our page cache, all or one")
                .body(Shape::of::<CachePurgeIn>())
                .answers(200, "How many there were", Shape::of::<CacheChangeOut>())),

        Route::get("T32", "/api/v1/wordpress/backups", Action::SiteRead, backups::list)
            .about(Target::OwnList)
            .doc(Doc::new("Lists the backups of the caller's installations, also of those that are gone")
                .query("id", "Only those of this installation", false)
                .answers(200, "Newest first", Shape::list_of::<BackupOut>())),
        Route::post("T33", "/api/v1/wordpress/backup", Action::SnapshotCreate, backups::take)
            .about(Target::Installation(Place::Body("id")))
            .doc(Doc::new("Takes a backup, which counts once it was read back")
                .body(Shape::of::<BackupIn>())
                .answers(201, "Started", Shape::of::<RunningOut>())),
        Route::post("T34", "/api/v1/wordpress/restore", Action::SnapshotRestore, backups::restore)
            .about(Target::Installation(Place::Body("id")))
            .doc(Doc::new("Puts an installation back; what does not answer as before is taken back")
                .body(Shape::of::<RestoreIn>())
                .answers(200, "Started", Shape::of::<RunningOut>())),

        Route::get("T35", "/api/v1/wordpress/security", Action::SiteRead, security::show)
            .about(Target::Installation(Place::Query("id")))
            .doc(Doc::new("Looks at what keeps intruders from an installation")
                .query("id", "The installation", true)
                .answers(200, "What was seen", Shape::of::<SecurityOut>())),
        Route::get("T36", "/api/v1/wordpress/verify-checksums", Action::SiteRead, checksums::verify)
            .also_at(&["/api/v1/wordpress/security/verify-checksums"])
            .about(Target::Installation(Place::Query("id")))
            .doc(Doc::new("Holds the files of WordPress and its plugins against their packages")
                .query("id", "The installation", true)
                .answers(200, "What differs", Shape::of::<ChecksumsOut>())),
        Route::post("T37", "/api/v1/wordpress/security/disable-file-edit", Action::SiteConfigure, security::file_editing)
            .about(Target::Installation(Place::Body("id")))
            .doc(Doc::new("Switches wp-admin's editors of plugins and themes off, or on again")
                .body(Shape::of::<SecurityIn>())
                .answers(200, "What was verified", Shape::of::<SecuritySetOut>())),
        Route::post("T38", "/api/v1/wordpress/security/file-protection", Action::SiteConfigure, security::file_protection)
            .about(Target::Installation(Place::Body("id")))
            .doc(Doc::new("Has the web server refuse what is nobody's business, or no longer")
                .body(Shape::of::<SecurityIn>())
                .answers(200, "What was verified", Shape::of::<SecuritySetOut>())),
        Route::post("T39", "/api/v1/wordpress/security/hide-login", Action::SiteConfigure, security::hide_login)
            .about(Target::Installation(Place::Body("id")))
            .doc(Doc::new("Serves the login page at an address of its own, or at WordPress' again")
                .body(Shape::of::<HideLoginIn>())
                .answers(200, "What was verified", Shape::of::<SecuritySetOut>())),
        Route::post("T40", "/api/v1/wordpress/security/toggle-debug", Action::SiteConfigure, security::debug)
            .about(Target::Installation(Place::Body("id")))
            .doc(Doc::new("Logs PHP's complaints where no address leads, or nowhere")
                .body(Shape::of::<SecurityIn>())
                .answers(200, "What was verified", Shape::of::<SecuritySetOut>())),

        Route::post("S6", "/api/v1/users/{username}/api-keys", Action::TokenIssue, keys::issue)
            .about(Target::Person(Place::Path("username")))
            .doc(Doc::new("Issues a key to oneself, which opens no more than the one it is asked for with")
                .body(Shape::of::<IssueKeyIn>())
                .answers(201, "The key, shown only now", Shape::of::<IssuedKeyOut>())),
    ]
}
