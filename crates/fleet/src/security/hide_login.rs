//! The login page at an address of its own.

use super::{
    bench::{Before, Bench, changed, impossible, unverified},
    report::SecurityChanged,
    served::Visitor,
    set::Measure,
    slug,
};
use crate::{Error, Result, code};
use pressroom_providers::probe::Probe;
use pressroom_wordpress::{
    bridge::{Action, outcomes::PathUse},
    protection::{self, HiddenLogin, Protections},
};
use std::time::Duration;
use tokio::time::{Instant, sleep};
use url::Url;

/// Code that was compiled before may answer for so long.
const HAND_OVER: Duration = Duration::from_secs(5);
const PAUSE: Duration = Duration::from_millis(250);

/// The address it is to have: the one that was asked for, the one it has, or a new one.
pub(super) async fn address(
    bench: &Bench<'_>,
    asked: Option<String>,
    found: &Protections,
) -> Result<String> {
    let now = match &found.login {
        HiddenLogin::On { slug, .. } => Some(slug.clone()),
        HiddenLogin::Off => None,
        HiddenLogin::Foreign => return Err(foreign()),
    };
    let Some(slug) = asked.or_else(|| now.clone()) else {
        return Ok(slug::generated());
    };
    if Some(&slug) == now.as_ref() {
        return Ok(slug);
    }
    let path = slug.clone();
    let found: PathUse = bench.ask(Action::FindPath { path }).await?;
    let taken = match found.taken_by {
        Some(what) => Some(what),
        None => answered(bench, &slug).await?,
    };
    match taken {
        None => Ok(slug),
        Some(what) => {
            let why = format!("the address `/{slug}/` is in use by {what}");
            Err(Error::invalid(why).with_code(code::UNPROCESSABLE))
        }
    }
}

/// What visitors get at the address now, if that is a page: an archive, a feed, another
/// plugin's, or what it leads to.
async fn answered(bench: &Bench<'_>, slug: &str) -> Result<Option<String>> {
    let visitor = bench.visitor()?;
    let path = format!("/{slug}/");
    let (at, page) = visitor.end_of(&path).await;
    // Without a status it leads to another server.
    let leads_away = page.status.is_none() && page.error.is_none();
    if page.status != Some(200) && !leads_away {
        return Ok(None);
    }
    // A site may answer so whatever it is asked for.
    let nobody = slug::generated();
    let (elsewhere, other) = visitor.end_of(&format!("/{nobody}/")).await;
    let place = |at: &Option<Url>, slug: &str| {
        let at = at.as_ref()?;
        let path = at.path().replace(slug, "");
        Some((at.host_str()?.to_owned(), path))
    };
    let title = |page: &Probe, slug: &str| page.title.clone().map(|title| title.replace(slug, ""));
    if page.status == other.status
        && place(&at, slug) == place(&elsewhere, &nobody)
        && title(&page, slug) == title(&other, &nobody)
    {
        return Ok(None);
    }
    Ok(Some(match (at, page.title) {
        (Some(at), _) if !at.path().ends_with(&path) => format!("what it leads to, `{at}`"),
        (_, Some(title)) => format!("the page `{title}`"),
        _ => "something that answers there".to_owned(),
    }))
}

/// Puts our file there, or takes it away.
pub(super) async fn apply(bench: &Bench<'_>, before: &Before) -> Result<()> {
    let measure = match (&before.slug, before.enabled) {
        (Some(slug), true) => hidden(slug, false),
        _ => protection::Measure::ShowLogin,
    };
    put(bench, measure).await
}

/// Puts back what was there.
pub(super) async fn undo(bench: &Bench<'_>, before: &Before) -> Result<()> {
    let measure = match &before.found.login {
        HiddenLogin::On { slug, by_query } => hidden(slug, *by_query),
        HiddenLogin::Off | HiddenLogin::Foreign => protection::Measure::ShowLogin,
    };
    put(bench, measure).await
}

fn hidden(slug: &str, by_query: bool) -> protection::Measure {
    protection::Measure::HideLogin {
        slug: slug.to_owned(),
        by_query,
    }
}

async fn put(bench: &Bench<'_>, measure: protection::Measure) -> Result<()> {
    bench.protect(measure).await.map_err(impossible)?;
    bench.flush(vec![bench.row.path.clone()]).await;
    Ok(())
}

/// Whether the login page is where it is to be, and nowhere else.
pub(super) async fn verify(bench: &Bench<'_>, before: &Before) -> Result<SecurityChanged> {
    let deadline = Instant::now() + HAND_OVER;
    while let Err(why) = once(bench, before).await {
        if Instant::now() >= deadline {
            return Err(why);
        }
        sleep(PAUSE).await;
    }
    let address = match (&before.slug, before.enabled) {
        (Some(slug), true) => Some(settle(bench, slug).await?),
        _ => None,
    };
    bench.refuse_worse(before).await?;
    let mut told = changed(
        Measure::HideLogin,
        before,
        "the login page is WordPress' own again",
    );
    if let Some(address) = address {
        told.message = format!("the login page is at {}{address}", bench.row.url);
        told.slug.clone_from(&before.slug);
    } else if bench.visitor()?.misses_login_page().await {
        "nothing of Pressroom hides the login page".clone_into(&mut told.message);
        told.warning = Some("something else still hides it".to_owned());
    }
    Ok(told)
}

/// The address that everything is to lead to: `/slug/`, or `/?slug` where nothing leads
/// that to WordPress. What the login page's own form leads to must answer too.
async fn settle(bench: &Bench<'_>, slug: &str) -> Result<String> {
    let visitor = bench.visitor()?;
    let (path, query) = (format!("/{slug}/"), format!("/?{slug}"));
    let by_path = visitor.fresh(&path).await.login_form;
    if !by_path {
        put(bench, hidden(slug, true)).await?;
    }
    let pages = if by_path {
        vec![&path, &query]
    } else {
        vec![&query]
    };
    for page in pages {
        let deadline = Instant::now() + HAND_OVER;
        while let Err(why) = leads_back(&visitor, page).await {
            if Instant::now() >= deadline {
                return Err(why);
            }
            sleep(PAUSE).await;
        }
    }
    Ok(if by_path { path } else { query })
}

async fn leads_back(visitor: &Visitor<'_>, page: &str) -> Result<()> {
    let Some(action) = visitor.fresh(page).await.login_action else {
        return Err(unverified("it is not said where the login form leads"));
    };
    let answer = visitor.led(&action).await;
    if answer.status == Some(200) && answer.login_form {
        return Ok(());
    }
    Err(unverified(format!(
        "the login form leads to `{action}`, and there is none: {}",
        answer.summary()
    )))
}

async fn once(bench: &Bench<'_>, before: &Before) -> Result<()> {
    let visitor = bench.visitor()?;
    if let (Some(slug), true) = (&before.slug, before.enabled) {
        let page = visitor.fresh(&format!("/?{slug}")).await;
        if page.status != Some(200) || !page.login_form {
            return Err(unverified(format!(
                "there is no login form at the new address: {}",
                page.summary()
            )));
        }
        for path in ["/wp-login.php", "/wp-admin/"] {
            let page = visitor.fresh(path).await;
            if page.status != Some(404) {
                let why = format!("{path} does not answer 404: {}", page.summary());
                return Err(unverified(why));
            }
        }
    } else if let HiddenLogin::On { slug, .. } = &before.found.login
        && visitor.fresh(&format!("/?{slug}")).await.login_form
    {
        return Err(unverified(
            "the login page still answers at its old address",
        ));
    }
    Ok(())
}

fn foreign() -> Error {
    Error::conflict("a must-use plugin of somebody else is named `pressroom-hide-login.php`")
        .with_hint("it was left as it is; move it away and ask again")
}
