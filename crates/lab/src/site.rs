//! A WordPress that its own code installed.

use crate::{Database, Mariadb, Wordpress, place};
use anyhow::{Context, Result, ensure};
use std::{
    fs,
    io::Write,
    path::{Path, PathBuf},
    process::{Command, Stdio},
};
use tempfile::TempDir;

/// How a network addresses its sites.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Multisite {
    /// `example.test/second/`.
    Subdirectories,
    /// `second.example.test`.
    Subdomains,
}

/// What site to make.
#[derive(Debug, Clone)]
pub struct SiteOptions {
    /// Which WordPress.
    pub wordpress: Wordpress,
    /// Home and site address, without a trailing slash.
    pub url: String,
    /// `$table_prefix`.
    pub prefix: String,
    /// A network instead of one site.
    pub multisite: Option<Multisite>,
    /// Hard links to the kept tree instead of copies: quick, for sites whose core
    /// nobody changes.
    pub linked: bool,
    /// Lines of PHP that go into `wp-config.php` before WordPress is loaded.
    pub config: String,
}

/// A WordPress in `public_html` of a temporary home, with its own database. Its
/// administrator is `admin`, password `password`, its title `Lab`.
#[derive(Debug)]
pub struct Site {
    home: TempDir,
    /// Its database.
    pub database: Database,
    /// Its address.
    pub url: String,
    /// `$table_prefix`.
    pub prefix: String,
}

impl Default for SiteOptions {
    fn default() -> Self {
        Self {
            wordpress: Wordpress::V6_5,
            url: "http://example.test".into(),
            prefix: "wp_".into(),
            multisite: None,
            linked: false,
            config: String::new(),
        }
    }
}

impl Site {
    /// One site of a version, everything else as usual.
    pub fn new(wordpress: Wordpress) -> Result<Self> {
        Self::with(&SiteOptions {
            wordpress,
            ..SiteOptions::default()
        })
    }

    /// A network with two sites: the main one and `second`.
    pub fn network(wordpress: Wordpress, kind: Multisite) -> Result<Self> {
        Self::with(&SiteOptions {
            wordpress,
            multisite: Some(kind),
            ..SiteOptions::default()
        })
    }

    /// A site as described.
    pub fn with(options: &SiteOptions) -> Result<Self> {
        let home = tempfile::Builder::new()
            .prefix("pressroom-lab-")
            .tempdir()?;
        let root = home.path().join("public_html");
        place::run(
            Command::new("cp")
                .arg(if options.linked { "-al" } else { "-a" })
                .arg(options.wordpress.tree()?)
                .arg(&root),
        )?;
        let database = Mariadb::of_process()?.database()?;
        let site = Self {
            home,
            database,
            url: options.url.clone(),
            prefix: options.prefix.clone(),
        };
        site.write_config(&options.config)?;
        site.php_file(
            "<?php define('WP_INSTALLING', true); $_SERVER['HTTP_HOST'] = parse_url($argv[2], PHP_URL_HOST);
             require $argv[1] . '/wp-load.php'; require_once ABSPATH . 'wp-admin/includes/upgrade.php';
             wp_install('Lab', 'admin', 'admin@example.test', true, '', 'password');
             update_option('siteurl', $argv[2]); update_option('home', $argv[2]);",
        )?;
        if let Some(kind) = options.multisite {
            site.make_network(kind, &options.config)?;
        }
        Ok(site)
    }

    /// The home, which holds `public_html`.
    pub fn home(&self) -> &Path {
        self.home.path()
    }

    /// The directory of `wp-config.php`, relative to the home.
    pub fn root(&self) -> &'static str {
        "public_html"
    }

    /// The directory of `wp-config.php`, absolute.
    pub fn path(&self) -> PathBuf {
        self.home.path().join("public_html")
    }

    /// Runs PHP code inside the booted WordPress; what it printed.
    pub fn php(&self, code: &str) -> Result<String> {
        self.php_file(&format!(
            "<?php $_SERVER['HTTP_HOST'] = parse_url($argv[2], PHP_URL_HOST); \
             $_SERVER['REQUEST_URI'] = '/'; define('WP_HTTP_BLOCK_EXTERNAL', true); \
             require $argv[1] . '/wp-load.php'; require_once ABSPATH . 'wp-admin/includes/admin.php';\n{code}"
        ))
    }

    /// Runs a whole PHP file; `$argv[1]` is the root, `$argv[2]` the address.
    fn php_file(&self, file: &str) -> Result<String> {
        let mut child = Command::new("php")
            .args([
                "-d",
                "display_errors=stderr",
                "-d",
                "error_reporting=22519",
                "--",
            ])
            .arg(self.path())
            .arg(&self.url)
            .current_dir(self.path())
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .context("cannot run `php`")?;
        let mut stdin = child.stdin.take().context("php has no input")?;
        stdin.write_all(file.as_bytes())?;
        drop(stdin);
        let output = child.wait_with_output()?;
        ensure!(
            output.status.success(),
            "`php` failed: {}{}",
            String::from_utf8_lossy(&output.stdout),
            String::from_utf8_lossy(&output.stderr)
        );
        Ok(String::from_utf8_lossy(&output.stdout).into_owned())
    }

    /// Writes a file below the root, with the directories on its way.
    pub fn write(&self, path: &str, content: impl AsRef<[u8]>) -> Result<()> {
        let path = self.path().join(path);
        fs::create_dir_all(path.parent().context("a path below the root")?)?;
        Ok(fs::write(path, content)?)
    }

    /// Puts a plugin of one file there; `code` follows its header.
    pub fn plugin(&self, slug: &str, version: &str, code: &str) -> Result<()> {
        self.write(
            &format!("wp-content/plugins/{slug}/{slug}.php"),
            format!("<?php\n/**\n * Plugin Name: {slug}\n * Version: {version}\n */\n{code}\n"),
        )
    }

    fn write_config(&self, lines: &str) -> Result<()> {
        let database = &self.database;
        let quote = |text: &str| text.replace('\\', "\\\\").replace('\'', "\\'");
        self.write(
            "wp-config.php",
            format!(
                "<?php\ndefine( 'DB_NAME', '{}' );\ndefine( 'DB_USER', '{}' );\n\
                 define( 'DB_PASSWORD', '{}' );\ndefine( 'DB_HOST', '{}' );\n\
                 define( 'DB_CHARSET', 'utf8mb4' );\ndefine( 'DB_COLLATE', '' );\n\
                 define( 'DISABLE_WP_CRON', true );\ndefine( 'FS_METHOD', 'direct' );\n\
                 $table_prefix = '{}';\n{lines}\n\
                 if ( ! defined( 'ABSPATH' ) ) {{\n\tdefine( 'ABSPATH', __DIR__ . '/' );\n}}\n\
                 require_once ABSPATH . 'wp-settings.php';\n",
                quote(&database.name),
                quote(&database.user),
                quote(&database.password),
                quote(&database.host()),
                self.prefix,
            ),
        )
    }

    /// Turns the site into a network as WordPress' own set-up page does.
    fn make_network(&self, kind: Multisite, lines: &str) -> Result<()> {
        let subdomains = kind == Multisite::Subdomains;
        let host = self
            .url
            .split("://")
            .nth(1)
            .context("an address with a scheme")?;
        self.write_config(&format!("{lines}\ndefine( 'WP_ALLOW_MULTISITE', true );"))?;
        self.php(&format!(
            "require_once ABSPATH . 'wp-admin/includes/network.php'; require_once ABSPATH . 'wp-admin/includes/upgrade.php';
             foreach ($wpdb->tables('ms_global') as $table => $name) {{ $wpdb->$table = $name; }}
             install_network();
             $made = populate_network(1, '{host}', 'admin@example.test', 'Lab network', '/', {subdomains});
             if (is_wp_error($made) && $made->get_error_code() !== 'no_wildcard_dns') {{ fwrite(STDERR, $made->get_error_message()); exit(1); }}"
        ))?;
        self.write_config(&format!(
            "{lines}\ndefine( 'WP_ALLOW_MULTISITE', true );\ndefine( 'MULTISITE', true );\n\
             define( 'SUBDOMAIN_INSTALL', {subdomains} );\n\
             define( 'DOMAIN_CURRENT_SITE', '{host}' );\ndefine( 'PATH_CURRENT_SITE', '/' );\n\
             define( 'SITE_ID_CURRENT_SITE', 1 );\ndefine( 'BLOG_ID_CURRENT_SITE', 1 );"
        ))?;
        let (domain, path) = match kind {
            Multisite::Subdomains => (format!("second.{host}"), "/"),
            Multisite::Subdirectories => (host.to_owned(), "/second/"),
        };
        self.php(&format!(
            "$made = wp_insert_site(array('domain' => '{domain}', 'path' => '{path}', 'network_id' => 1, 'user_id' => 1, 'title' => 'Second'));
             if (is_wp_error($made)) {{ fwrite(STDERR, $made->get_error_message()); exit(1); }}"
        ))
        .map(drop)
    }
}

#[cfg(test)]
mod tests {
    use super::{Multisite, Site};
    use crate::Wordpress;

    #[test]
    fn every_version_installs_itself() {
        for (wordpress, version) in [(Wordpress::V6_1, "6.1"), (Wordpress::V6_5, "6.5.5")] {
            let site = Site::new(wordpress).expect("a site");
            let said = site
                .php("echo get_bloginfo('version'), ' ', get_option('home'), ' ', wp_count_posts()->publish;")
                .expect("an answer");
            assert!(said.starts_with(version), "{said}");
            assert!(said.ends_with(" http://example.test 1"), "{said}");
        }
    }

    #[test]
    fn networks_have_two_sites() {
        for (kind, second) in [
            (Multisite::Subdirectories, "http://example.test/second"),
            (Multisite::Subdomains, "http://second.example.test"),
        ] {
            let site = Site::network(Wordpress::V6_5, kind).expect("a network");
            let said = site
                .php("echo count(get_sites()), ' ', get_home_url(2);")
                .expect("an answer");
            assert_eq!(said, format!("2 {second}"));
        }
    }
}
