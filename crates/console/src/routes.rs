//! Every route as data: the router is made from it, and tests walk it.

use crate::{Console, assets, csrf, errors, headers, pages, session, sse};
use axum::{
    Router,
    extract::DefaultBodyLimit,
    http::Method,
    middleware::{from_fn, from_fn_with_state},
    routing::{MethodRouter, get, post},
};
use pressroom_fleet::authorize::Action;

/// One route of the console.
#[derive(Debug, Clone)]
pub struct Route {
    /// `GET` or `POST`. Every `POST` must come from a page of the console's own origin.
    pub method: Method,
    /// The path, parameters in braces.
    pub path: &'static str,
    /// Who may come in.
    pub auth: Auth,
    /// Whether the form must carry the session's token.
    pub csrf: bool,
    /// What the use case behind it asks of the principal, where it asks for anything.
    pub action: Option<Action>,
    handler: fn() -> MethodRouter<Console>,
}

/// Who may use a route.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Auth {
    /// Anybody.
    Public,
    /// Somebody signed in; others are sent to the sign-in page.
    Session,
}

/// The console's routes.
pub const ROUTES: &[Route] = &[
    open("/", || get(pages::home)),
    open("/sign-in", || get(pages::sign_in::show)),
    entrance("/sign-in", || post(pages::sign_in::submit)),
    open("/set-up/{secret}", || get(pages::set_up::show)),
    entrance("/set-up/{secret}", || post(pages::set_up::submit)),
    open("/forgot", || get(pages::forgot::show)),
    entrance("/forgot", || post(pages::forgot::ask)),
    open("/reset/{secret}", || get(pages::forgot::choose)),
    entrance("/reset/{secret}", || post(pages::forgot::set)),
    open("/invitation/{secret}", || get(pages::invitation::show)),
    entrance("/invitation/{secret}", || post(pages::invitation::accept)),
    change("/sign-out", None, || post(pages::sign_in::leave)),
    page("/fleet", Some(Action::SiteRead), || get(pages::fleet::show)),
    page("/sites/{id}", Some(Action::SiteRead), || {
        get(pages::site::show)
    }),
    change("/sites/{id}/update", Some(Action::ComponentUpdate), || {
        post(pages::site::update)
    }),
    change("/sites/{id}/check", Some(Action::SiteRead), || {
        post(pages::health::check)
    }),
    change("/sites/{id}/files", Some(Action::SiteRead), || {
        post(pages::files::check)
    }),
    change("/sites/{id}/login", Some(Action::SiteLogin), || {
        post(pages::site::login)
    }),
    change(
        "/sites/{id}/snapshots",
        Some(Action::SnapshotCreate),
        || post(pages::snapshots::create),
    ),
    page(
        "/sites/{id}/snapshots/{snapshot}",
        Some(Action::SiteRead),
        || get(pages::snapshot::show),
    ),
    change(
        "/sites/{id}/snapshots/{snapshot}/verify",
        Some(Action::SnapshotCreate),
        || post(pages::snapshot::verify),
    ),
    change(
        "/sites/{id}/snapshots/{snapshot}/download",
        Some(Action::SnapshotCreate),
        || post(pages::snapshot::download),
    ),
    page(
        "/sites/{id}/snapshots/{snapshot}/restore",
        Some(Action::SnapshotRestore),
        || get(pages::snapshot::ask_restore),
    ),
    change(
        "/sites/{id}/snapshots/{snapshot}/restore",
        Some(Action::SnapshotRestore),
        || post(pages::snapshot::restore),
    ),
    page(
        "/sites/{id}/snapshots/{snapshot}/remove",
        Some(Action::SnapshotRestore),
        || get(pages::snapshot::ask_remove),
    ),
    change(
        "/sites/{id}/snapshots/{snapshot}/remove",
        Some(Action::SnapshotRestore),
        || post(pages::snapshot::remove),
    ),
    page(
        "/sites/{id}/pipeline",
        Some(Action::ComponentUpdate),
        || get(pages::pipeline::begin::ask),
    ),
    change(
        "/sites/{id}/pipeline",
        Some(Action::ComponentUpdate),
        || post(pages::pipeline::begin::begin),
    ),
    page("/sites/{id}/policy", Some(Action::SiteRead), || {
        get(pages::policy::of_site)
    }),
    change("/sites/{id}/policy", Some(Action::UpgradeApprove), || {
        post(pages::policy::set_site)
    }),
    page("/pipelines", Some(Action::SiteRead), || {
        get(pages::pipelines::show)
    }),
    page("/pipelines/{id}", Some(Action::SiteRead), || {
        get(pages::pipeline::show)
    }),
    page("/pipelines/{id}/events", Some(Action::SiteRead), || {
        get(sse::pipeline_events)
    }),
    page(
        "/pipelines/{id}/pictures/{picture}",
        Some(Action::SiteRead),
        || get(pages::pipeline::pictures::serve),
    ),
    change(
        "/pipelines/{id}/approve",
        Some(Action::UpgradeApprove),
        || post(pages::pipeline::act::approve),
    ),
    change(
        "/pipelines/{id}/cancel",
        Some(Action::ComponentUpdate),
        || post(pages::pipeline::act::cancel),
    ),
    page("/jobs", Some(Action::SiteRead), || get(pages::jobs::show)),
    page("/jobs/{id}", Some(Action::SiteRead), || {
        get(pages::job::show)
    }),
    page("/jobs/{id}/events", Some(Action::SiteRead), || {
        get(sse::events)
    }),
    change("/jobs/{id}/cancel", Some(Action::JobCancel), || {
        post(pages::job::cancel)
    }),
    page("/people", None, || get(pages::people::home)),
    page("/people/{id}", Some(Action::AccountRead), || {
        get(pages::people::show)
    }),
    change("/people/{id}/invite", Some(Action::AccountInvite), || {
        post(pages::people::invite)
    }),
    change("/people/{id}/withdraw", Some(Action::AccountInvite), || {
        post(pages::people::withdraw)
    }),
    page("/people/{id}/policy", Some(Action::AccountRead), || {
        get(pages::policy::of_account)
    }),
    change("/people/{id}/policy", Some(Action::UpgradeApprove), || {
        post(pages::policy::set_account)
    }),
    open("/assets/{*path}", || get(assets::serve)),
];

const fn open(path: &'static str, handler: fn() -> MethodRouter<Console>) -> Route {
    Route {
        method: Method::GET,
        path,
        auth: Auth::Public,
        csrf: false,
        action: None,
        handler,
    }
}

/// A form of somebody who is not in yet, and has no session's token.
const fn entrance(path: &'static str, handler: fn() -> MethodRouter<Console>) -> Route {
    Route {
        method: Method::POST,
        path,
        auth: Auth::Public,
        csrf: false,
        action: None,
        handler,
    }
}

const fn page(
    path: &'static str,
    action: Option<Action>,
    handler: fn() -> MethodRouter<Console>,
) -> Route {
    Route {
        method: Method::GET,
        path,
        auth: Auth::Session,
        csrf: false,
        action,
        handler,
    }
}

const fn change(
    path: &'static str,
    action: Option<Action>,
    handler: fn() -> MethodRouter<Console>,
) -> Route {
    Route {
        method: Method::POST,
        path,
        auth: Auth::Session,
        csrf: true,
        action,
        handler,
    }
}

impl Route {
    /// The handler behind its guards. The last layer added is the first to look:
    /// origin, then session, then the form's token.
    fn guarded(&self, console: &Console) -> MethodRouter<Console> {
        let mut handler = (self.handler)();
        if self.csrf {
            handler = handler.layer(from_fn(csrf::require_token));
        }
        if self.auth == Auth::Session {
            handler = handler.layer(from_fn_with_state(console.clone(), session::require));
        }
        if self.method != Method::GET {
            handler = handler.layer(from_fn(csrf::require_own_origin));
        }
        handler
    }
}

pub(crate) fn router(console: Console) -> Router {
    ROUTES
        .iter()
        .fold(Router::new(), |router, route| {
            router.route(route.path, route.guarded(&console))
        })
        .fallback(pages::missing)
        .layer(DefaultBodyLimit::max(csrf::FORM_LIMIT))
        .layer(from_fn(errors::dress))
        .layer(from_fn(headers::protect))
        .with_state(console)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_changes_something_needs_a_session_and_its_token() {
        for route in ROUTES.iter().filter(|route| route.method != Method::GET) {
            let guarded = route.auth == Auth::Session && route.csrf;
            let entrance = [
                "/sign-in",
                "/set-up/{secret}",
                "/forgot",
                "/reset/{secret}",
                "/invitation/{secret}",
            ]
            .contains(&route.path);
            assert!(guarded || entrance, "{}", route.path);
        }
    }

    #[test]
    fn only_entrance_and_assets_are_public() {
        let public: Vec<_> = ROUTES
            .iter()
            .filter(|route| route.auth == Auth::Public)
            .map(|route| route.path)
            .collect();
        assert_eq!(
            public,
            [
                "/",
                "/sign-in",
                "/sign-in",
                "/set-up/{secret}",
                "/set-up/{secret}",
                "/forgot",
                "/forgot",
                "/reset/{secret}",
                "/reset/{secret}",
                "/invitation/{secret}",
                "/invitation/{secret}",
                "/assets/{*path}"
            ]
        );
    }
}
