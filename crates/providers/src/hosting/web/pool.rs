//! The text of a php-fpm pool.

use super::WebSite;
use crate::hosting::SiteUser;
use std::path::{Path, PathBuf};

/// A pool that runs as the site's user and sees nothing but its home. The
/// directories it names below the home are made by the agent; php-fpm does not look
/// for them before a request does.
pub fn render(site: &WebSite, socket: &Path, web: Option<&SiteUser>) -> String {
    let home = site.home.display();
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
        "pm.max_children = 5".into(),
        "pm.process_idle_timeout = 30s".into(),
        "pm.max_requests = 500".into(),
        "request_terminate_timeout = 300s".into(),
        "clear_env = yes".into(),
        "security.limit_extensions = .php".into(),
        "php_value[memory_limit] = 256M".into(),
        "php_value[upload_max_filesize] = 64M".into(),
        "php_value[post_max_size] = 64M".into(),
        "php_admin_value[cgi.fix_pathinfo] = 0".into(),
        // The trailing slashes matter: without, `/srv/a` would open `/srv/a.example` too.
        format!("php_admin_value[open_basedir] = {home}/:/usr/share/php/"),
        format!("php_admin_value[sys_temp_dir] = {home}/tmp"),
        format!("php_admin_value[upload_tmp_dir] = {home}/tmp"),
        format!("php_admin_value[session.save_path] = {home}/sessions"),
        format!("php_admin_value[error_log] = {home}/logs/php-error.log"),
        "php_admin_flag[log_errors] = on".into(),
        "php_flag[display_errors] = off".into(),
        // A swapped directory is seen by the next request.
        "php_admin_value[opcache.validate_timestamps] = 1".into(),
        "php_admin_value[opcache.revalidate_freq] = 0".into(),
        // One cache serves all pools: no site may list or flush what is the others'.
        "php_admin_value[opcache.restrict_api] = /nonexistent/".into(),
    ]);
    lines.join("\n") + "\n"
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
        let site = WebSite::new("a.example", "/srv/a.example", Some(user("pr_abcdefgh")));
        let text = render(
            &site,
            Path::new("/run/p/fpm/pr_abcdefgh.sock"),
            Some(&user("www-data")),
        );
        assert!(text.starts_with("[a.example]\nuser = pr_abcdefgh\ngroup = pr_abcdefgh\nlisten.owner = www-data\nlisten.group = pr_abcdefgh\n"));
        assert!(text.contains("open_basedir] = /srv/a.example/:/usr/share/php/\n"));
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
