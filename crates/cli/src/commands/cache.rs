//! `pressroom cache …`

use super::{place::Place, site::find};
use crate::{Exit, Failure, Printer};
use clap::{Args, Subcommand, ValueEnum};
use pressroom_fleet::{
    Caller, Fleet,
    authorize::Action,
    caches::{Cache as Of, CacheChange, CacheState},
    runs::Operation,
};

/// Caches of a site.
#[derive(Debug, Subcommand)]
#[command(after_help = "Examples:
  pressroom cache enable blog.example
  pressroom cache enable blog.example --type object
  pressroom cache purge blog.example --url https://blog.example/about/")]
pub enum Cache {
    /// Show a site's caches
    Show(Show),
    /// Put a cache of pages or objects in
    Enable(Enable),
    /// Take Pressroom's caches out
    Disable(Disable),
    /// Flush the object cache and delete expired transients
    Flush(Flush),
    /// Remove pages from the page cache
    Purge(Purge),
}

/// Shows a site's caches, whoever put them there.
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  pressroom cache show blog.example
  pressroom --json cache show wp_2f686f6d6")]
pub struct Show {
    /// The site's id (`wp_…`) or domain
    pub site: String,
}

/// Puts in a cache of pages as files, or of objects in Redis, and sees that it works; what
/// does not is taken out again. A plugin's cache is never replaced.
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  pressroom cache enable blog.example
  pressroom cache enable blog.example --type object
  pressroom cache enable --on env:production --type page")]
pub struct Enable {
    /// Where
    #[command(flatten)]
    pub place: Place,
    /// Only this one; otherwise pages, and objects where Redis is configured
    #[arg(long = "type", value_enum, value_name = "TYPE")]
    pub kind: Option<Type>,
}

/// Takes out the caches that Pressroom put in. A plugin's stays.
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  pressroom cache disable blog.example
  pressroom cache disable blog.example --type page")]
pub struct Disable {
    /// Where
    #[command(flatten)]
    pub place: Place,
    /// Only this one
    #[arg(long = "type", value_enum, value_name = "TYPE")]
    pub kind: Option<Type>,
}

/// Flushes the object cache, whosever it is, and deletes transients whose time has passed.
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  pressroom cache flush blog.example
  pressroom cache flush --on 'env:production plugin:woocommerce'")]
pub struct Flush {
    /// Where
    #[command(flatten)]
    pub place: Place,
}

/// Removes pages from Pressroom's page cache.
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  pressroom cache purge blog.example
  pressroom cache purge blog.example --url https://blog.example/about/")]
pub struct Purge {
    /// Where
    #[command(flatten)]
    pub place: Place,
    /// Only the page at this address
    #[arg(long, conflicts_with = "on")]
    pub url: Option<String>,
}

/// A cache.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Type {
    /// Of pages, as files
    Page,
    /// Of objects, in Redis
    Object,
}

impl From<Type> for Of {
    fn from(kind: Type) -> Self {
        match kind {
            Type::Page => Self::Page,
            Type::Object => Self::Object,
        }
    }
}

impl Cache {
    pub(in crate::commands) async fn run(
        self,
        fleet: &Fleet,
        caller: &Caller,
        printer: &mut Printer,
    ) -> Result<Exit, Failure> {
        let (place, change) = match self {
            Self::Show(show) => return show.run(fleet, caller, printer).await,
            Self::Enable(enable) => {
                let cache = enable.kind.map(Of::from);
                (enable.place, CacheChange::Enable { cache })
            }
            Self::Disable(disable) => {
                let cache = disable.kind.map(Of::from);
                (disable.place, CacheChange::Disable { cache })
            }
            Self::Flush(flush) => (flush.place, CacheChange::Flush),
            Self::Purge(purge) => (purge.place, CacheChange::Purge { url: purge.url }),
        };
        let operation = Operation::Caches(change);
        place.carry_out(operation, fleet, caller, printer).await
    }
}

impl Show {
    async fn run(
        self,
        fleet: &Fleet,
        caller: &Caller,
        printer: &mut Printer,
    ) -> Result<Exit, Failure> {
        let site = find(&self.site, Action::SiteRead, fleet, caller).await?;
        show(&fleet.caches(caller, site.id).await?, printer);
        Ok(Exit::Done)
    }
}

fn show(state: &CacheState, printer: &mut Printer) {
    if printer.json() {
        return printer.json_line(state);
    }
    let in_use = |enabled: bool, engine: Option<&str>| match (enabled, engine) {
        (false, _) => "not in use".to_owned(),
        (true, None) => "in use".to_owned(),
        (true, Some(engine)) => format!("in use ({engine})"),
    };
    let page = in_use(state.page.enabled, state.page.engine.as_deref());
    let more = if state.page.unseen {
        ", and others that are another user's"
    } else {
        ""
    };
    printer.line(&format!(
        "pages:   {page}, {} files, {} bytes{more}",
        state.page.files, state.page.size_bytes
    ));
    let object = in_use(state.object.enabled, state.object.engine.as_deref());
    printer.line(&format!("objects: {object}"));
    let opcache = match state.opcache {
        Some(true) => "in use",
        Some(false) => "not in use",
        None => "unknown",
    };
    printer.line(&format!("OPcache: {opcache}"));
    if let Some(plugin) = &state.plugin {
        printer.line(&format!("plugin:  {}", crate::table::plain(plugin)));
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use insta::assert_snapshot;
    use pressroom_fleet::caches::{ObjectCache, PageCache};

    #[test]
    fn caches_for_a_person() {
        let (mut printer, captured) = Printer::captured(None);
        let state = CacheState {
            page: PageCache {
                enabled: true,
                engine: Some("file".into()),
                size_bytes: 2048,
                files: 3,
                unseen: false,
            },
            object: ObjectCache::default(),
            opcache: None,
            plugin: Some("A \u{1b}[31mplugin".into()),
        };
        show(&state, &mut printer);
        assert_snapshot!(captured.out(), @r"
        pages:   in use (file), 3 files, 2048 bytes
        objects: not in use
        OPcache: unknown
        plugin:  A  [31mplugin
        ");
    }
}
