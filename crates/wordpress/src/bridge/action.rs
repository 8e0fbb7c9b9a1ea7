//! What can be asked of a running WordPress.

use super::state::{PluginState, ThemeState};
use serde::{Deserialize, Serialize};
use serde_json::Value;

/// Something to do inside WordPress. The `data` of its outcome has the shape named
/// with each, from [`outcomes`](super::outcomes).
///
/// Actions act on the blog that WordPress was started in; [`Action::At`] takes one to
/// another blog of the network. They run as nobody, those of wp-admin (activation,
/// upgrades, uninstallation) as an administrator, because plugins ask for the
/// user's rights there.
#[derive(Clone, Serialize, Deserialize)]
#[serde(tag = "action", rename_all = "snake_case")]
pub enum Action {
    /// `wp_install()`: tables, first administrator, permalinks. [`Installed`](super::outcomes::Installed).
    Install {
        /// Home and site address, no trailing slash.
        url: String,
        /// Site title.
        title: String,
        /// First administrator's login.
        admin_user: String,
        /// First administrator's password.
        admin_password: String,
        /// First administrator's address.
        admin_email: String,
        /// Locale such as `de_DE`; falls back to `en_US` when its files are absent.
        locale: String,
        /// Permalink structure.
        permalinks: String,
    },
    /// Stores the hash of a one-time login for a user and makes sure that the
    /// must-use file which redeems it is in place. On a network the link is one of
    /// the blog's own address. [`IssuedLogin`](super::outcomes::IssuedLogin).
    IssueLogin {
        /// Login name; `None` for the administrator with the lowest id.
        user: Option<String>,
        /// SHA-256 hex of the one-time token.
        token_hash: String,
        /// Seconds until it lapses.
        lifetime_s: u32,
        /// Path on the same site to go to.
        redirect: String,
    },
    /// Does another action in a blog of the network, by `switch_to_blog()`: its tables
    /// and its roles, but not its plugins and theme, which are not loaded. What would
    /// run their code (activation, cron, rewrite rules, upgrades) is refused with
    /// `needs_own_boot`; start WordPress in that blog for it
    /// ([`BridgeOptions::blog`](super::BridgeOptions)).
    At {
        /// The blog's id.
        blog: u64,
        /// What to do there.
        inner: Box<Action>,
    },

    /// Forgets what WordPress cached about its plugins and themes. No data.
    CleanComponentCaches,
    /// `wp_cache_flush()`. [`FlushedObjects`](super::outcomes::FlushedObjects).
    FlushObjectCache,
    /// `wp_cache_set()` for a minute, in the group `pressroom`: a value to look for in
    /// the cache itself. [`FlushedObjects`](super::outcomes::FlushedObjects).
    SetCached {
        /// Its name.
        key: String,
        /// The value.
        value: String,
    },
    /// Deletes transients with their time-outs, one-time logins excepted; a persistent
    /// object cache, where they live instead, is flushed unless `expired_only`.
    /// [`DeletedTransients`](super::outcomes::DeletedTransients).
    DeleteTransients {
        /// Only those whose time has passed.
        expired_only: bool,
        /// The network's as well.
        network: bool,
    },

    /// The permalink settings. [`Rewrite`](super::outcomes::Rewrite).
    GetRewrite,
    /// Changes permalink settings; `None` leaves one as it is. With a new structure the
    /// rules are dropped, and the site makes them at its next request.
    /// [`Rewrite`](super::outcomes::Rewrite).
    SetRewrite {
        /// Such as `/%postname%/`; empty for plain addresses.
        structure: Option<String>,
        /// Base of category addresses; empty for WordPress' own.
        category_base: Option<String>,
        /// Base of tag addresses; empty for WordPress' own.
        tag_base: Option<String>,
        /// Writes `.htaccess` too.
        hard: bool,
    },
    /// Makes the rewrite rules anew, or drops them for the site to make when plugins or
    /// themes are left out of this start. [`Rewrite`](super::outcomes::Rewrite).
    FlushRewrite {
        /// Writes `.htaccess` too, for a site behind Apache.
        hard: bool,
    },

    /// Which plugins are active, and the record to restore that exactly.
    /// [`PluginState`].
    ReadActivePlugins,
    /// Activates plugins one after the other. One that dies, throws, gives up or is not
    /// active afterwards leaves the list of active plugins as it was before it;
    /// what its activation did elsewhere stays. The outcome is not `ok` when one of
    /// them is not. [`PluginsChanged`](super::outcomes::PluginsChanged).
    ActivatePlugins {
        /// By file (`akismet/akismet.php`) or directory (`akismet`).
        plugins: Vec<String>,
        /// For all blogs of the network.
        network_wide: bool,
        /// Without activation hooks.
        silent: bool,
    },
    /// Deactivates plugins one after the other, as [`Action::ActivatePlugins`].
    DeactivatePlugins {
        /// By file or directory.
        plugins: Vec<String>,
        /// For all blogs of the network.
        network_wide: bool,
        /// Without deactivation hooks.
        silent: bool,
    },
    /// Stores a list of active plugins and runs nothing.
    /// [`PluginsSet`](super::outcomes::PluginsSet).
    SetActivePlugins {
        /// Files, as WordPress lists them.
        plugins: Vec<String>,
        /// The network's list instead of the blog's.
        network_wide: bool,
    },
    /// Puts both rows back byte for byte and runs nothing.
    /// [`PluginsSet`](super::outcomes::PluginsSet).
    RestoreActivePlugins {
        /// From [`Action::ReadActivePlugins`] or `before` of a change.
        record: PluginState,
    },
    /// Runs what an inactive plugin wants done before it goes (`uninstall.php` or its
    /// hook). Its files stay. One per start, a second is `needs_own_boot`.
    /// [`PluginUninstalled`](super::outcomes::PluginUninstalled).
    UninstallPlugin {
        /// By file or directory.
        plugin: String,
    },

    /// The active theme, and the record to restore it exactly. [`ThemeState`].
    ReadTheme {
        /// A theme that is about to be switched to, so that its settings are recorded.
        stylesheet: Option<String>,
    },
    /// Switches the theme. WordPress moves widgets over at the first start afterwards.
    /// [`ThemeChanged`](super::outcomes::ThemeChanged).
    SwitchTheme {
        /// Directory of the theme.
        stylesheet: String,
    },
    /// Puts back the theme with its settings, widgets in place, and rewrite rules.
    /// [`ThemeChanged`](super::outcomes::ThemeChanged).
    RestoreTheme {
        /// From [`Action::ReadTheme`] or `before` of a switch.
        record: ThemeState,
    },
    /// Says which themes all blogs of a network may use.
    /// [`AllowedThemes`](super::outcomes::AllowedThemes).
    EnableThemes {
        /// Directories of the themes.
        themes: Vec<String>,
        /// Allow or no longer.
        enabled: bool,
    },

    /// WordPress' own upgrade of its tables.
    /// [`DatabaseUpgraded`](super::outcomes::DatabaseUpgraded).
    UpgradeDatabase {
        /// A stretch of the network's blogs instead of this one.
        network: bool,
        /// Only blogs with higher ids.
        after: u64,
        /// At most so many blogs, 1 to 1000.
        limit: u32,
    },
    /// Fires `upgrader_process_complete`, at which plugins run routines of their own.
    /// [`UpgradeCompleted`](super::outcomes::UpgradeCompleted).
    CompleteUpgrade {
        /// What was updated.
        component: UpgradedKind,
        /// Files of the plugins or directories of the themes; empty for WordPress.
        items: Vec<String>,
        /// Fires `admin_init` as well, where many plugins compare versions.
        admin_init: bool,
    },

    /// Users, by id. [`UserPage`](super::outcomes::UserPage).
    ListUsers {
        /// Only those with this role.
        role: Option<String>,
        /// Only those with this in login, address or display name.
        search: Option<String>,
        /// Leaves out so many.
        offset: u64,
        /// At most so many, 1 to 500.
        limit: u32,
        /// All users of the network instead of the blog's.
        network: bool,
    },
    /// One user. [`User`](super::outcomes::User).
    GetUser {
        /// Who.
        user: UserRef,
    },
    /// A new user with a role on this blog; no mail is sent.
    /// [`User`](super::outcomes::User), a generated password beside it.
    CreateUser {
        /// Login name.
        login: String,
        /// Mail address.
        email: String,
        /// `None` generates one.
        password: Option<String>,
        /// Display name.
        display_name: Option<String>,
        /// `None` for the blog's default role, empty for none.
        role: Option<String>,
    },
    /// Changes what is given; no mail is sent. [`User`](super::outcomes::User).
    UpdateUser {
        /// Who.
        user: UserRef,
        /// Mail address.
        email: Option<String>,
        /// Password.
        password: Option<String>,
        /// Display name.
        display_name: Option<String>,
        /// The one role afterwards; empty for none.
        role: Option<String>,
    },
    /// Deletes a user; on a network, removes from the blog unless `network`. Refused
    /// with `content_left` rather than deleting content nobody spoke about.
    /// [`UserDeleted`](super::outcomes::UserDeleted).
    DeleteUser {
        /// Who.
        user: UserRef,
        /// Who gets the content.
        reassign: Option<UserRef>,
        /// Without `reassign`: the content may be deleted.
        delete_content: bool,
        /// The account itself, from all blogs of the network.
        network: bool,
    },
    /// Adds a role on this blog. [`User`](super::outcomes::User).
    AddRole {
        /// Who.
        user: UserRef,
        /// The role.
        role: String,
    },
    /// Takes a role on this blog away. [`User`](super::outcomes::User).
    RemoveRole {
        /// Who.
        user: UserRef,
        /// The role.
        role: String,
    },
    /// Gives an existing user of the network a place on this blog.
    /// [`User`](super::outcomes::User).
    AddUserToBlog {
        /// Who.
        user: UserRef,
        /// The role there.
        role: String,
    },
    /// Takes a user of the network off this blog; content stays.
    /// [`UserDeleted`](super::outcomes::UserDeleted).
    RemoveUserFromBlog {
        /// Who.
        user: UserRef,
        /// Who gets the content.
        reassign: Option<UserRef>,
    },
    /// Grants or revokes rights over the whole network.
    /// [`User`](super::outcomes::User).
    SetSuperAdmin {
        /// Who.
        user: UserRef,
        /// Grant or revoke.
        granted: bool,
    },

    /// Roles of this blog. [`Roles`](super::outcomes::Roles).
    ListRoles,
    /// Where a user is logged in. [`Sessions`](super::outcomes::Sessions).
    ListSessions {
        /// Who.
        user: UserRef,
    },
    /// Logs users out. [`SessionsDestroyed`](super::outcomes::SessionsDestroyed).
    DestroySessions {
        /// `None` for everybody.
        user: Option<UserRef>,
    },
    /// A user's application passwords, without them.
    /// [`ApplicationPasswords`](super::outcomes::ApplicationPasswords).
    ListApplicationPasswords {
        /// Who.
        user: UserRef,
    },
    /// A new one: [`ApplicationPassword`](super::outcomes::ApplicationPassword), and
    /// beside it the password.
    CreateApplicationPassword {
        /// Who.
        user: UserRef,
        /// What it is for, unique per user.
        name: String,
    },
    /// Deletes one or all. [`PasswordsDeleted`](super::outcomes::PasswordsDeleted).
    DeleteApplicationPasswords {
        /// Who.
        user: UserRef,
        /// `None` for all.
        uuid: Option<String>,
    },

    /// Scheduled events. [`Cron`](super::outcomes::Cron).
    ListCron,
    /// Runs what is due, or all events of one hook, with network and mail. The outcome
    /// is not `ok` when one of them is not; one in which PHP dies ends the batch,
    /// and running again goes on behind it. [`CronRan`](super::outcomes::CronRan).
    RunCron {
        /// `None` for what is due.
        hook: Option<String>,
        /// At most so many events.
        limit: u32,
        /// Without a hook, also what will be due within so many seconds.
        #[serde(default)]
        within_s: u32,
    },
    /// Schedules an event. [`CronScheduled`](super::outcomes::CronScheduled).
    ScheduleCron {
        /// Its hook.
        hook: String,
        /// Unix time; `None` for now.
        at: Option<i64>,
        /// A schedule such as `hourly`; `None` for once.
        schedule: Option<String>,
        /// Arguments of the hook.
        args: Vec<Value>,
    },
    /// Removes events of a hook. [`CronUnscheduled`](super::outcomes::CronUnscheduled).
    UnscheduleCron {
        /// The hook.
        hook: String,
        /// Only the event at this time (with `args`, none given meaning none).
        at: Option<i64>,
        /// Only events with these arguments.
        args: Option<Vec<Value>>,
    },

    /// One option. [`OptionTold`](super::outcomes::OptionTold).
    GetOption {
        /// Its name.
        name: String,
        /// The network's.
        network: bool,
    },
    /// Sets one, new or not. [`OptionChanged`](super::outcomes::OptionChanged).
    SetOption {
        /// Its name.
        name: String,
        /// The value; objects become PHP arrays.
        value: Value,
        /// `None` leaves it as it is.
        autoload: Option<bool>,
        /// The network's.
        network: bool,
        /// Even if it holds PHP objects now.
        force: bool,
    },
    /// Sets one that must not be there. [`OptionChanged`](super::outcomes::OptionChanged).
    AddOption {
        /// Its name.
        name: String,
        /// The value; objects become PHP arrays.
        value: Value,
        /// `None` for WordPress' default.
        autoload: Option<bool>,
        /// The network's.
        network: bool,
    },
    /// Deletes one. [`OptionChanged`](super::outcomes::OptionChanged).
    DeleteOption {
        /// Its name.
        name: String,
        /// The network's.
        network: bool,
    },
    /// Names and sizes. [`OptionPage`](super::outcomes::OptionPage).
    ListOptions {
        /// Only names that begin so.
        prefix: Option<String>,
        /// Only names with this in them.
        search: Option<String>,
        /// Only those that are (not) loaded with every request.
        autoload: Option<bool>,
        /// Only names behind this one.
        after: Option<String>,
        /// At most so many, 1 to 5000.
        limit: u32,
        /// With values up to 64 kB.
        values: bool,
        /// The network's.
        network: bool,
    },

    /// Options that were stored as PHP values and cannot be read as such any more.
    /// [`BrokenOptions`](super::outcomes::BrokenOptions).
    FindBrokenOptions,

    /// Blogs of the network, by id. [`BlogPage`](super::outcomes::BlogPage).
    ListBlogs {
        /// Only those with this in domain or path.
        search: Option<String>,
        /// Only blogs with higher ids.
        after: u64,
        /// At most so many, 1 to 1000.
        limit: u32,
        /// Address, title and database version too, at a query per blog.
        details: bool,
    },
    /// A new blog below the network's address. [`Blog`](super::outcomes::Blog).
    CreateBlog {
        /// Its path or sub-domain.
        slug: String,
        /// Its title.
        title: String,
        /// Its administrator.
        admin: UserRef,
        /// Whether search engines are welcome.
        public: bool,
    },
    /// Versions, language, time zone and more. [`SiteInfo`](super::outcomes::SiteInfo).
    SiteInfo,
    /// What constants are defined as. [`Constants`](super::outcomes::Constants).
    ReadConstants {
        /// Their names.
        names: Vec<String>,
    },
    /// Whether a page, or a site of the network, has the address `/<path>/`.
    /// [`PathUse`](super::outcomes::PathUse).
    FindPath {
        /// One name, without slashes.
        path: String,
    },
}

/// A user by one of three names.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum UserRef {
    /// By id.
    Id(u64),
    /// By login name.
    Login(String),
    /// By mail address.
    Email(String),
}

/// What an update was of.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum UpgradedKind {
    /// WordPress itself.
    Core,
    /// Plugins.
    Plugin,
    /// Themes.
    Theme,
}

impl Action {
    /// Whether it puts a one-time login at the site.
    pub(super) fn issues_login(&self) -> bool {
        match self {
            Self::IssueLogin { .. } => true,
            Self::At { inner, .. } => inner.issues_login(),
            _ => false,
        }
    }

    /// Whether it may change anything at the site: then it needs an epoch. What site
    /// code does by itself while WordPress starts cannot be told.
    pub fn writes(&self) -> bool {
        match self {
            Self::At { inner, .. } => inner.writes(),
            Self::GetRewrite
            | Self::ReadActivePlugins
            | Self::ReadTheme { .. }
            | Self::ListUsers { .. }
            | Self::GetUser { .. }
            | Self::ListRoles
            | Self::ListSessions { .. }
            | Self::ListApplicationPasswords { .. }
            | Self::ListCron
            | Self::GetOption { .. }
            | Self::ListOptions { .. }
            | Self::FindBrokenOptions
            | Self::ListBlogs { .. }
            | Self::SiteInfo
            | Self::ReadConstants { .. }
            | Self::FindPath { .. } => false,
            _ => true,
        }
    }

    /// How deep actions are wrapped; more than one is refused.
    pub(super) fn is_sound(&self) -> bool {
        !matches!(self, Self::At { inner, .. } if matches!(**inner, Self::At { .. }))
    }

    /// The name on the wire, such as `activate_plugins`.
    pub fn name(&self) -> String {
        serde_json::to_value(self)
            .ok()
            .and_then(|value| Some(value.get("action")?.as_str()?.to_owned()))
            .unwrap_or_default()
    }
}

impl std::fmt::Debug for Action {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        // Actions carry passwords and values: only their names may reach a log.
        match self {
            Self::At { blog, inner } => write!(f, "At {{ blog: {blog}, {} }}", inner.name()),
            _ => f.write_str(&self.name()),
        }
    }
}
