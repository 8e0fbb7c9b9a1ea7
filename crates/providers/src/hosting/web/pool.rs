//! The text of a php-fpm pool.

use super::WebSite;
use crate::hosting::SiteUser;
use std::path::{Path, PathBuf};

/// A pool that runs as the site's user and sees nothing but its home. The
/// directories it names below the home are made by the agent; php-fpm does not look
/// for them before a request does. Nothing here makes php-fpm's root process open a
/// file below the home (`slowlog`, `access.log`): a link there would lead it astray.
pub fn render(site: &WebSite, socket: &Path, web: Option<&SiteUser>) -> String {
    let home = site.home.display();
    let limits = &site.limits;
    let mut lines = vec![format!("[{}]", site.domain)];
    if let (Some(user), Some(web)) = (&site.user, web) {
        lines.extend([
            format!("user = {}", user.name),
            format!("group = {}", user.name),
            // nginx asks; the group lets the site's own user flush its OPcache.
            format!("listen.owner = {}", web.name),
            format!("listen.group = {}", user.name),
        ]);
    }
    lines.extend([
        format!("listen = {}", socket.display()),
        "listen.mode = 0660".into(),
        "chdir = /".into(),
        "pm = ondemand".into(),
        format!("pm.max_children = {}", limits.max_children),
        format!("pm.process_idle_timeout = {}s", limits.idle_timeout_s),
        format!("pm.max_requests = {}", limits.max_requests),
        format!("request_terminate_timeout = {}s", limits.request_timeout_s),
        format!("rlimit_files = {}", limits.open_files),
        "rlimit_core = 0".into(),
        "clear_env = yes".into(),
        "env[PATH] = /usr/local/bin:/usr/bin:/bin".into(),
        format!("env[HOME] = {home}"),
        format!("env[TMPDIR] = {home}/tmp"),
        "security.limit_extensions = .php".into(),
    ]);
    lines.extend(settings(site).into_iter().map(|setting| {
        let kind = if setting.fixed {
            "php_admin_value"
        } else {
            "php_value"
        };
        format!("{kind}[{}] = {}", setting.name, setting.value)
    }));
    lines.join("\n") + "\n"
}

/// A setting of PHP for a site.
pub struct Setting {
    pub name: &'static str,
    pub value: String,
    /// Whether the site cannot change it.
    pub fixed: bool,
}

/// PHP's settings for a site, the same whichever program serves it.
pub fn settings(site: &WebSite) -> Vec<Setting> {
    let home = site.home.display();
    let limits = &site.limits;
    let fixed = |name, value| Setting {
        name,
        value,
        fixed: true,
    };
    let default = |name, value: &str| Setting {
        name,
        value: value.to_owned(),
        fixed: false,
    };
    vec![
        fixed("memory_limit", format!("{}M", limits.memory_mb)),
        fixed("upload_max_filesize", format!("{}M", limits.upload_mb)),
        fixed("post_max_size", format!("{}M", limits.request_mb())),
        default("max_execution_time", &limits.request_timeout_s.to_string()),
        fixed("cgi.fix_pathinfo", "0".into()),
        // The trailing slashes matter: without, `/srv/a` would open `/srv/a.example` too.
        fixed("open_basedir", format!("{home}/:/usr/share/php/")),
        fixed("disable_functions", limits.disabled_functions.join(",")),
        fixed("sys_temp_dir", format!("{home}/tmp")),
        fixed("upload_tmp_dir", format!("{home}/tmp")),
        fixed("session.save_path", format!("{home}/sessions")),
        // Distributions clean only their own directory of sessions.
        fixed("session.gc_probability", "1".into()),
        fixed("session.gc_divisor", "1000".into()),
        default("session.use_strict_mode", "1"),
        default("session.cookie_httponly", "1"),
        // `WP_DEBUG_LOG` names another; `open_basedir` keeps that in the home too.
        default("error_log", &format!("{home}/logs/php-error.log")),
        fixed("log_errors", "1".into()),
        default("display_errors", "0"),
        fixed("allow_url_include", "0".into()),
        // A swapped directory is seen by the next request.
        fixed("opcache.validate_timestamps", "1".into()),
        fixed("opcache.revalidate_freq", "0".into()),
        // One cache serves all pools. Only a script started from the site's private
        // directory, which no address leads to, may reset it: see docs/operating.md.
        fixed("opcache.restrict_api", format!("{home}/.pressroom/")),
    ]
}

/// Where a pool listens, read from its file.
pub fn socket_of(pool: &str) -> Option<PathBuf> {
    pool.lines()
        .find_map(|line| line.strip_prefix("listen = "))
        .map(PathBuf::from)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn user(name: &str) -> SiteUser {
        SiteUser {
            name: name.into(),
            uid: 900,
            gid: 900,
        }
    }

    #[test]
    fn runs_as_the_site_and_listens_for_nginx() {
        let mut site = WebSite::new("a.example", "/srv/a.example", Some(user("pr_abcdefgh")));
        site.limits.memory_mb = 512;
        site.limits.upload_mb = 100;
        let text = render(
            &site,
            Path::new("/run/p/fpm/pr_abcdefgh.sock"),
            Some(&user("www-data")),
        );
        assert!(text.starts_with("[a.example]\nuser = pr_abcdefgh\ngroup = pr_abcdefgh\nlisten.owner = www-data\nlisten.group = pr_abcdefgh\n"));
        for line in [
            "pm = ondemand",
            "pm.max_children = 5",
            "pm.process_idle_timeout = 30s",
            "request_terminate_timeout = 300s",
            "rlimit_files = 1024",
            "php_admin_value[open_basedir] = /srv/a.example/:/usr/share/php/",
            "php_admin_value[memory_limit] = 512M",
            "php_admin_value[upload_max_filesize] = 100M",
            "php_admin_value[post_max_size] = 108M",
            "php_admin_value[session.save_path] = /srv/a.example/sessions",
            "php_admin_value[upload_tmp_dir] = /srv/a.example/tmp",
            "php_admin_value[opcache.restrict_api] = /srv/a.example/.pressroom/",
        ] {
            assert!(text.lines().any(|found| found == line), "{line}\n{text}");
        }
        assert_eq!(socket_of(&text), Some("/run/p/fpm/pr_abcdefgh.sock".into()));
    }

    #[test]
    fn without_isolation_no_user_is_named() {
        let text = render(
            &WebSite::new("a.example", "/srv/a", None),
            Path::new("/x.sock"),
            None,
        );
        assert!(!text.contains("user ="));
        assert!(!text.contains("listen.owner"));
    }
}
